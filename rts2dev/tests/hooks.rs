//! `info`, `killall` and `script_ends`, and what the program does at them.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use common::{Raw, Running, options, patiently, start};
use rts2dev::proto::DeviceState;
use rts2dev::{DeviceHandle, DeviceOptions, Refusal};
use tokio::sync::{Semaphore, mpsc};

async fn noauth(declare: impl FnOnce(&DeviceHandle)) -> Running {
    start(DeviceOptions { noauth: true, ..options("VALVE", &[]) }, declare).await
}

/// A client that has read the metainfo, up to the value of that name.
async fn client(device: &Running, last: &str) -> Raw {
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with(&format!("V {last} "))).await;
    client
}

/// Sends a line, and returns once the device has taken it.
async fn begin(client: &mut Raw, line: &str) {
    client.send(line).await;
    client.send("T ready").await;
    client.until(|line| line == "T OK").await;
}

#[tokio::test]
async fn info_refreshes_the_values() {
    let device = noauth(|handle| {
        let (fresh, count) = (handle.integer("fresh", "counted").declare().unwrap(), AtomicI32::new(0));
        handle.on_info(move || {
            let count = count.fetch_add(1, Ordering::Relaxed) + 1;
            fresh.set(count);
            async move {
                match count {
                    1 => Ok(()),
                    2 => Err(Refusal::not_ready()),
                    3 => Err(Refusal::hardware("cannot read the thermometer")),
                    _ => std::panic::panic_any("a fault in the driver"),
                }
            }
        });
    })
    .await;
    let mut client = client(&device, "fresh").await;
    let lines = client.command("info").await;
    assert_eq!(lines.first().unwrap(), "V fresh 1");
    assert!(lines.get(1).unwrap().starts_with("V infotime 1"), "{lines:?}");
    assert_eq!(lines.get(2).unwrap(), "+0 OK");
    // infotime stays when it failed.
    assert_eq!(client.command("info").await, ["V fresh 2", "-4 device not ready"]);
    assert_eq!(client.command("info").await, ["V fresh 3", "-4 cannot read the thermometer"]);
    let failed = "-5 the values could not be refreshed";
    assert_eq!(client.command("info").await, ["V fresh 4", failed]);
    assert_eq!(client.command("info").await, ["V fresh 5", failed]);
}

#[tokio::test]
async fn infos_that_come_together_share_one_run() {
    let (entered, mut runs) = mpsc::unbounded_channel();
    let open = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&open);
    let device = noauth(|handle| {
        handle.integer("plain", "no handler").writable().declare().unwrap();
        handle.integer("asked", "a handler").on_set(|_| async { Ok(()) }).declare().unwrap();
        handle.on_info(move || {
            let (entered, gate) = (entered.clone(), Arc::clone(&gate));
            async move {
                entered.send(()).unwrap();
                gate.acquire().await.unwrap().forget();
                Ok(())
            }
        });
    })
    .await;
    let mut asking = Vec::new();
    for _ in 0..5 {
        let mut client = client(&device, "asked").await;
        begin(&mut client, "info").await;
        asking.push(client);
    }
    patiently(runs.recv()).await.unwrap();
    // One of them does not wait for it.
    asking.pop();
    // While it hangs, everything but the handlers goes on.
    let mut other = client(&device, "asked").await;
    assert_eq!(other.command("status_info").await, ["S 0", "+0 OK"]);
    assert_eq!(other.command("X plain = 1").await, ["V plain 1", "+0 OK"]);
    begin(&mut other, "X asked = 1").await;
    open.add_permits(1);
    for client in &mut asking {
        let lines = client.until(|line| line.starts_with("+0")).await;
        assert!(lines.iter().any(|line| line.starts_with("V infotime 1")), "{lines:?}");
    }
    other.until(|line| line == "+0 OK").await;
    assert!(runs.try_recv().is_err(), "it ran twice");
    // The next one runs again.
    let client = asking.first_mut().unwrap();
    begin(client, "info").await;
    patiently(runs.recv()).await.unwrap();
    open.add_permits(1);
    client.until(|line| line == "+0 OK").await;
}

#[tokio::test]
async fn info_comes_at_the_start() {
    let (entered, mut told) = mpsc::unbounded_channel();
    let options = DeviceOptions { info_interval: Some(Duration::from_secs(3600)), ..options("VALVE", &[]) };
    let _device = start(options, |handle| {
        handle.on_info(move || {
            let _ = entered.send(());
            async { Ok(()) }
        });
    })
    .await;
    patiently(told.recv()).await.unwrap();
}

#[tokio::test]
async fn info_comes_by_itself() {
    let (entered, mut runs) = mpsc::unbounded_channel();
    let options = DeviceOptions { info_interval: Some(Duration::from_millis(1)), ..options("VALVE", &[]) };
    let _device = start(options, |handle| {
        handle.on_info(move || {
            let _ = entered.send(());
            async { Err(Refusal::not_ready()) }
        });
    })
    .await;
    for _ in 0..3 {
        patiently(runs.recv()).await.unwrap();
    }
}

/// Some write "never" like this.
#[tokio::test]
async fn the_longest_interval_is_taken() {
    let options = DeviceOptions { info_interval: Some(Duration::MAX), ..options("VALVE", &[]) };
    let device = start(options, |_| {}).await;
    client(&device, "uptime").await;
}

#[tokio::test]
async fn killall_stops_what_runs_and_drops_what_waits() {
    let (entered, mut running) = mpsc::unbounded_channel();
    let stop = Arc::new(Semaphore::new(0));
    let (waits, stops) = (Arc::clone(&stop), Arc::clone(&stop));
    let device = noauth(|handle| {
        handle.integer("mode", "script's").initial(3).writable().reset_at_script_end().declare().unwrap();
        handle
            .command("move", move |()| {
                let (entered, waits) = (entered.clone(), Arc::clone(&waits));
                async move {
                    entered.send(()).unwrap();
                    waits.acquire().await.unwrap().forget();
                    Err::<(), _>(Refusal::hardware("stopped"))
                }
            })
            .unwrap();
        handle.on_killall(move || {
            stops.add_permits(1);
            async { Ok(()) }
        });
        handle.set_state(DeviceState::ERROR_HW, "");
    })
    .await;
    let (mut mover, mut waiter, mut killer) =
        (client(&device, "mode").await, client(&device, "mode").await, client(&device, "mode").await);
    begin(&mut mover, "move").await;
    patiently(running.recv()).await.unwrap();
    begin(&mut waiter, "move").await;
    assert_eq!(killer.command("X mode = 5").await, ["V mode 5", "+0 OK"]);
    assert_eq!(killer.command("killall").await, ["V mode 3", "S 65536 \"reseting all errors\"", "+0 OK"]);
    assert_eq!(mover.until(|line| line.starts_with('-')).await.pop().unwrap(), "-4 stopped");
    assert_eq!(waiter.until(|line| line.starts_with('-')).await.pop().unwrap(), "-5 killed");
    assert!(running.try_recv().is_err(), "a command ran that was killed");
    // Scripts are left alone by the other one.
    assert_eq!(killer.command("X mode = 5").await, ["V mode 5", "+0 OK"]);
    assert_eq!(killer.command("killall_wse").await, ["+0 OK"]);
    // Errors are reset even when the program's own part fails.
    device.handle.on_killall(|| async { Err(Refusal::hardware("still moving")) });
    device.handle.set_state(DeviceState::NOT_READY, "");
    killer.until(|line| line == "S 262144").await;
    assert_eq!(killer.command("killall_wse").await, ["S 65536 \"reseting all errors\"", "-4 still moving"]);
}

#[tokio::test]
async fn script_ends_resets_values_and_asks_their_handlers() {
    let device = noauth(|handle| {
        let script = |name| handle.integer(name, "script's").initial(1).reset_at_script_end();
        script("plain").writable().declare().unwrap();
        script("asked").on_set(|_| async { Ok(()) }).declare().unwrap();
        let refuse =
            |number| async move { if number == 1 { Err(Refusal::hardware("stuck")) } else { Ok(()) } };
        script("stuck").on_set(refuse).declare().unwrap();
        handle.integer("kept", "not the script's").initial(1).writable().declare().unwrap();
        let ended = handle.integer("ended", "scripts").declare().unwrap();
        handle.on_script_ends(move || {
            ended.set(ended.get() + 1);
            async { Ok(()) }
        });
    })
    .await;
    let mut client = client(&device, "ended").await;
    for name in ["plain", "asked", "stuck", "kept"] {
        assert_eq!(client.command(&format!("X {name} = 7")).await, [&format!("V {name} 7"), "+0 OK"]);
    }
    let ends = client.command("script_ends").await;
    assert_eq!(ends, ["V plain 1", "V asked 1", "V ended 1", "+0 OK"]);
    assert_eq!(client.command("script_ends").await, ["V ended 2", "+0 OK"]);
    assert_eq!(client.command("X stuck + 1").await, ["V stuck 8", "+0 OK"]);
    assert_eq!(client.command("X kept + 1").await, ["V kept 8", "+0 OK"]);
}

/// Who waits for work looks for the bit of the `killall` to come, and rts2-mon shows the device in red while it is there.
#[tokio::test]
async fn every_killall_of_work_is_seen() {
    let device = noauth(|handle| drop(handle.integer("mode", "").declare().unwrap())).await;
    let mut client = client(&device, "mode").await;
    device.handle.hardware_error(true, "motor");
    client.until(|line| line == "S 131072 \"motor\"").await;
    for _ in 0..2 {
        device.handle.set_status(DeviceState::SENSOR_INPROGRESS, DeviceState::SENSOR_INPROGRESS, "moves");
        client.until(|line| line.ends_with("\"moves\"")).await;
        assert_eq!(client.command("killall").await, ["S 65537 \"reseting all errors\"", "+0 OK"]);
        device.handle.set_status(DeviceState::SENSOR_INPROGRESS, DeviceState::empty(), "stopped");
        client.until(|line| line == "S 0 \"stopped\"").await;
    }
}
