//! Set handlers that take their time, refuse, panic, or block their thread, and what must not feel it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../common/mod.rs"]
mod common;

mod callers;
mod commands;

use std::sync::{Arc, Mutex, mpsc as thread_channel};
use std::thread::ThreadId;

use common::{Raw, Running, options, patiently, start};
use rts2dev::proto::DeviceState;
use rts2dev::testing::Centrald;
use rts2dev::{DeviceHandle, DeviceOptions, MAX_WAITING_HANDLERS, Refusal};
use tokio::sync::{Semaphore, mpsc, oneshot};

async fn noauth(declare: impl FnOnce(&DeviceHandle)) -> Running {
    start(DeviceOptions { noauth: true, ..options("VALVE", &[]) }, declare).await
}

/// A client that has read the metainfo, up to the value of that name.
async fn client(device: &Running, last: &str) -> Raw {
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with(&format!("V {last} "))).await;
    client
}

/// Holds handlers back until it is told how many may go on, and tells who is there.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    entered: mpsc::UnboundedSender<String>,
}

impl Gate {
    fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (entered, receiver) = mpsc::unbounded_channel();
        (Self { open: Arc::new(Semaphore::new(0)), entered }, receiver)
    }

    async fn pass(&self, who: String) {
        self.entered.send(who).unwrap();
        self.open.acquire().await.unwrap().forget();
    }
}

/// The demand on a device: a handler blocks its thread for as long as it likes, on a runtime of one thread.
#[tokio::test(flavor = "current_thread")]
async fn a_handler_that_blocks_its_thread_delays_only_other_handlers() {
    let centrald = Centrald::start().await.unwrap();
    let (entered, mut inside) = mpsc::unbounded_channel();
    let (release, released) = thread_channel::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let options = DeviceOptions { noauth: true, ..options("VALVE", &[centrald.address().to_string()]) };
    let device = start(options, |handle| {
        handle
            .integer("slow", "blocks its thread")
            .on_set(move |number| {
                let (entered, released) = (entered.clone(), Arc::clone(&released));
                async move {
                    entered.send(number).unwrap();
                    released.lock().unwrap().recv().unwrap();
                    Ok(())
                }
            })
            .declare()
            .unwrap();
        handle.integer("other", "has a handler").on_set(|_| async { Ok(()) }).declare().unwrap();
        handle.integer("plain", "has none").writable().declare().unwrap();
    })
    .await;
    patiently(centrald.registered("VALVE")).await;
    let (mut one, mut two, mut three) =
        (client(&device, "plain").await, client(&device, "plain").await, client(&device, "plain").await);

    one.send("X slow = 1").await;
    assert_eq!(inside.recv().await, Some(1));
    // Somebody asks centrald for fresh states; it asks us, and we answer.
    assert_eq!(two.command("device_status").await, ["+0 device status updated"]);
    device.handle.set_state(DeviceState::ERROR_HW, "");
    patiently(centrald.wait_for(|c| c.device_state("VALVE") == Some(DeviceState::ERROR_HW))).await;
    // A handler waits for its turn, what has none does not.
    two.until(|line| line.starts_with("S ")).await;
    two.send("X other = 2").await;
    three.until(|line| line.starts_with("S ")).await;
    let set = three.command("X plain = 3").await;
    assert!(set.ends_with(&["V plain 3".to_owned(), "+0 OK".to_owned()]), "{set:?}");
    assert_eq!(three.command("status_info").await, ["S 131072", "+0 OK"]);
    // Who waits gets values, and an answer whether we live.
    one.until(|line| line == "V plain 3").await;
    two.until(|line| line == "V plain 3").await;
    two.send("T ready").await;
    two.until(|line| line == "T OK").await;
    // A command behind a set is answered behind it.
    one.send("status_info").await;
    release.send(()).unwrap();
    let first = one.until(|line| line.starts_with("+0")).await;
    assert!(first.contains(&"V slow 1".to_owned()), "{first:?}");
    let rest = one.until(|line| line.starts_with("+0")).await;
    assert!(rest.contains(&"S 131072".to_owned()), "{rest:?}");
    two.expect(&["V slow 1", "V other 2", "+0 OK"]).await;
}

#[tokio::test]
async fn handlers_run_one_at_a_time_in_order_of_arrival() {
    let (gate, mut entered) = Gate::new();
    let inner = gate.clone();
    let device = noauth(|handle| {
        for name in ["a", "b"] {
            let gate = gate.clone();
            handle
                .integer(name, "has a handler")
                .on_set(move |number| {
                    let gate = gate.clone();
                    async move {
                        gate.pass(format!("{name}{number}")).await;
                        Ok(())
                    }
                })
                .declare()
                .unwrap();
        }
    })
    .await;
    let mut clients = Vec::new();
    for (name, number) in [("a", 1), ("b", 2), ("a", 3), ("b", 4)] {
        let mut client = client(&device, "b").await;
        client.send(&format!("X {name} + {number}")).await;
        // This is answered when the line before it was taken.
        client.send("T ready").await;
        client.until(|line| line == "T OK").await;
        clients.push(client);
    }
    assert_eq!(entered.recv().await.unwrap(), "a1");
    for expected in ["b2", "a4", "b6"] {
        assert!(entered.try_recv().is_err(), "two at a time");
        inner.open.add_permits(1);
        assert_eq!(patiently(entered.recv()).await.unwrap(), expected);
    }
    inner.open.add_permits(1);
    for client in &mut clients {
        client.until(|line| line == "+0 OK").await;
    }
}

#[tokio::test]
async fn additions_of_many_clients_all_count() {
    let device = noauth(|handle| {
        handle.integer("plain", "no handler").writable().declare().unwrap();
        handle
            .integer("asked", "a handler that lets others in between")
            .on_set(|_| async {
                tokio::task::yield_now().await;
                Ok(())
            })
            .declare()
            .unwrap();
    })
    .await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut client = client(&device, "asked").await;
        tasks.spawn(async move {
            for _ in 0..10 {
                for line in ["X plain + 2", "X plain - 1", "X asked + 2", "X asked - 1"] {
                    assert_eq!(client.command(line).await.pop().unwrap(), "+0 OK");
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let mut reader = client(&device, "uptime").await;
    reader.until(|line| line == "V plain 80").await;
    reader.until(|line| line == "V asked 80").await;
}

#[tokio::test]
async fn a_refused_set_leaves_the_old_value_and_nobody_sees_the_new() {
    let (tell, threads) = thread_channel::channel::<ThreadId>();
    let device = noauth(|handle| {
        let mirror = handle.integer("mirror", "set by the handler").declare().unwrap();
        handle
            .integer("limit", "below 10")
            .initial(5)
            .on_set(move |limit| {
                let (mirror, tell) = (mirror.clone(), tell.clone());
                async move {
                    tell.send(std::thread::current().id()).unwrap();
                    match limit {
                        10.. => Err(Refusal::value("too much")),
                        0 => panic!("a fault in the driver"),
                        _ => {
                            mirror.set(limit * 2);
                            Ok(())
                        }
                    }
                }
            })
            .declare()
            .unwrap();
    })
    .await;
    let (mut one, mut two) = (client(&device, "limit").await, client(&device, "limit").await);
    assert_eq!(one.command("X limit = 12").await, ["-3 too much"]);
    assert_eq!(one.command("X limit + 5").await, ["-3 too much"]);
    assert_eq!(one.command("X limit = 0").await, ["-5 the device's handler panicked"]);
    assert_eq!(one.command("X limit = 5").await, ["+0 OK"]);
    assert_eq!(one.command("X limit + 2").await, ["V mirror 14", "V limit 7", "+0 OK"]);
    two.expect(&["V mirror 14", "V limit 7"]).await;
    // What changes nothing does not bother the program; what does, does so elsewhere than here.
    let threads: Vec<_> = threads.try_iter().collect();
    assert_eq!(threads.len(), 4);
    assert!(!threads.contains(&std::thread::current().id()));
}

#[tokio::test]
async fn a_handler_finishes_without_its_client_and_what_waits_is_bounded() {
    let (gate, mut entered) = Gate::new();
    let open = Arc::clone(&gate.open);
    let alive = Arc::new(());
    let token = Arc::downgrade(&alive);
    let device = noauth(|handle| {
        handle
            .integer("slow", "waits")
            .on_set(move |number| {
                let (gate, alive) = (gate.clone(), Arc::clone(&alive));
                async move {
                    let _alive = alive;
                    gate.pass(number.to_string()).await;
                    Ok(())
                }
            })
            .declare()
            .unwrap();
    })
    .await;
    let mut gone = client(&device, "slow").await;
    gone.send("X slow + 1").await;
    assert_eq!(patiently(entered.recv()).await.unwrap(), "1");
    drop(gone);
    // Clients that send and go away fill the queue, and no more.
    let mut refused = 0;
    for _ in 0..MAX_WAITING_HANDLERS + 4 {
        let mut client = client(&device, "slow").await;
        client.send_bytes(b"X slow + 1\nT ready\n").await;
        if client.until(|line| line == "T OK" || line.starts_with('-')).await.pop().unwrap() != "T OK" {
            refused += 1;
        }
    }
    assert_eq!(refused, 4);
    open.add_permits(1 + MAX_WAITING_HANDLERS);
    let mut client = client(&device, "uptime").await;
    client.until(|line| line == format!("V slow {}", 1 + MAX_WAITING_HANDLERS)).await;
    assert_eq!(token.strong_count(), 1);
}

#[tokio::test]
async fn a_device_that_ends_gives_its_handlers_up() {
    let (running, mut entered) = mpsc::unbounded_channel();
    let mut device = noauth(|handle| {
        handle
            .integer("slow", "waits for ever")
            .on_set(move |_| {
                let (dropped, given_up) = oneshot::channel::<()>();
                running.send(given_up).unwrap();
                async move {
                    let _dropped = dropped;
                    std::future::pending().await
                }
            })
            .declare()
            .unwrap();
    })
    .await;
    let mut client = client(&device, "slow").await;
    client.send("X slow = 1").await;
    let given_up = patiently(entered.recv()).await.unwrap();
    device.shutdown.cancel();
    patiently(&mut device.task).await.unwrap().unwrap();
    assert!(patiently(given_up).await.is_err());
    while let Some(line) = client.line().await {
        assert_eq!(line, "-5 the device ends");
    }
}
