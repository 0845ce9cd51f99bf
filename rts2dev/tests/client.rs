//! A client against devices of this crate, and against a peer that says what the test wants.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::{PATIENCE, Raw, options, patiently, start};
use rts2dev::client::{
    Change, Changes, Client, ClientError, Condition, Followed, Follower, ImageNews, Login, RemoteDevice,
    WaitError,
};
use rts2dev::proto::{DeviceState, Level, MessageType};
use rts2dev::testing::Centrald;
use tokio::net::TcpListener;

async fn login(centrald: &Centrald) -> Client {
    Client::login(&centrald.address().to_string(), "obs", "test").await.unwrap()
}

/// A device that says what the test sends.
struct Fake {
    _centrald: Raw,
    client: Raw,
}

/// A fake camera C0 that lets its client in, and the client's side of it.
async fn camera(centrald: &Centrald, client: &Client) -> (Fake, RemoteDevice) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut to_centrald = Raw::connect(centrald.address().port()).await;
    to_centrald.send(&format!("register 0 C0 3 127.0.0.1 {port}")).await;
    to_centrald.until(|line| line == "+0 OK").await;
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut served = Raw::over(stream);
        served.until(|line| line.starts_with("auth ")).await;
        served.send("E 4 \"average\" \"[ADU] mean\" \nV average nan\n+0 OK authorized").await;
        served
    };
    let (served, device) = tokio::join!(serve, client.device("c0"));
    (Fake { _centrald: to_centrald, client: served }, device.unwrap())
}

/// The changes up to one of a value that shows `text`.
async fn until(changes: &mut Changes, text: &str) -> Vec<Change> {
    let mut all = Vec::new();
    loop {
        let change = patiently(changes.next()).await.unwrap();
        let last = match &change {
            Change::Declared(value) | Change::Level(value) | Change::Value(value) => value.text() == text,
            _ => false,
        };
        all.push(change);
        if last {
            return all;
        }
    }
}

#[tokio::test]
async fn a_slow_watcher_gets_the_latest_of_each_value() {
    let centrald = Centrald::start().await.unwrap();
    let client = login(&centrald).await;
    let (mut fake, device) = camera(&centrald, &client).await;
    let (mut slow, mut quick) = (device.watch(), device.watch());
    let first = until(&mut quick, "nan").await;
    assert!(matches!(first.as_slice(), [Change::Declared(value)] if value.unit() == "ADU"), "{first:?}");
    for number in 0..20_000 {
        fake.client.send(&format!("V average {number}")).await;
    }
    fake.client.send("E 536870916 \"average\" \"[ADU] mean\" \nV average 1.5\nS 5 \"why\"\nP 1 2").await;
    until(&mut quick, "1.5").await;
    let all = until(&mut slow, "1.5").await;
    assert!(all.len() == 1, "{} changes waited for a slow watcher", all.len());
    assert!(matches!(all.first(), Some(Change::Declared(value)) if value.level() == Level::Error));
    let state = patiently(slow.next()).await.unwrap();
    assert_eq!(state, Change::State { state: DeviceState::from_bits_retain(5), text: "why".to_owned() });
    assert!(matches!(patiently(slow.next()).await.unwrap(), Change::Progress(it) if it.end == 2.0));
    // The level alone: its change says so.
    fake.client.send("E 4 \"average\" \"[ADU] mean\" \nV average 1.5").await;
    let change = patiently(slow.next()).await.unwrap();
    assert!(matches!(&change, Change::Level(value) if value.level() == Level::Good), "{change:?}");
    drop(fake);
    let end = patiently(async {
        loop {
            if let Err(error) = slow.next().await {
                return error;
            }
        }
    });
    assert!(matches!(end.await, ClientError::Lost { .. }));
}

#[tokio::test]
async fn images_are_handed_on_or_skipped() {
    let centrald = Centrald::start().await.unwrap();
    let client = login(&centrald).await;
    let (mut fake, device) = camera(&centrald, &client).await;
    let mut changes = device.changes();
    // Nobody wants the first one. What looks like lines in it is none.
    fake.client
        .send_bytes(b"C 1 0 1 32\nD 1 0 32\nV average 13\n-1 no\n+0 OK\nexit\n\n\nV average 1\n")
        .await;
    until(&mut changes, "1.0").await;

    let mut images = device.images().await.unwrap();
    let pixels: Vec<u8> = (0..3_000_000u32).map(|at| at.to_le_bytes()[0]).collect();
    let count = pixels.len();
    let send = async {
        fake.client.send(&format!("C 2 0 1 {count}")).await;
        for part in pixels.chunks(1_000_000) {
            fake.client.send(&format!("V average 2\nD 2 0 {}", part.len())).await;
            fake.client.send_bytes(part).await;
        }
        fake.client.send("C 3 0 1 5\nH 3\nfits_data /tmp/a.fits 2\nV average 3").await;
    };
    let take = async {
        let mut taken = Vec::new();
        let mut others = Vec::new();
        while others.last() != Some(&ImageNews::File { path: "/tmp/a.fits".to_owned(), filter: 2 }) {
            match patiently(images.next()).await.unwrap() {
                ImageNews::Bytes { data_conn: 2, channel: 0, bytes, complete } => {
                    taken.extend(bytes);
                    assert_eq!(complete, taken.len() == count);
                }
                other => others.push(other),
            }
        }
        (taken, others)
    };
    let ((), (taken, others)) = tokio::join!(send, take);
    assert!(taken == pixels, "the image is another one");
    assert_eq!(others.len(), 4, "{others:?}");
    assert_eq!(others.first(), Some(&ImageNews::Begun { data_conn: 2, sizes: vec![3_000_000] }));
    assert_eq!(others.get(2), Some(&ImageNews::Killed { data_conn: 3 }));
    until(&mut changes, "3.0").await;
}

#[tokio::test]
async fn a_device_that_sends_rubbish_costs_only_itself() {
    let centrald = Centrald::start().await.unwrap();
    let client = login(&centrald).await;
    let (mut fake, device) = camera(&centrald, &client).await;
    let mut changes = device.changes();
    fake.client
        .send_bytes(&[b"S x\nV\nE 1\n\0\xff\n\"\nV average \"\nD".as_slice(), &[b'x'; 200_000]].concat())
        .await;
    fake.client.send("\nV average 4").await;
    until(&mut changes, "4.0").await;
    // A command that is never answered has its deadline, and the end that comes late belongs to it.
    let late = device.command_within("slow", Duration::from_millis(100)).await;
    assert!(matches!(late, Err(ClientError::Timeout { .. })), "{late:?}");
    let (answer, ()) = tokio::join!(device.command("quick"), async {
        fake.client.until(|line| line == "slow").await;
        fake.client.send("-1 slow").await;
        fake.client.until(|line| line == "quick").await;
        fake.client.send("+0 quick").await;
    });
    assert_eq!(answer.unwrap().to_string(), "+0 quick");
    // Bytes of unknown length: the connection ends, and only this one.
    fake.client.send("D 1 0 many").await;
    assert!(matches!(patiently(changes.next()).await, Err(ClientError::Lost { .. })));
    assert!(client.is_connected());
    assert_eq!(client.command("info").await.unwrap().to_string(), "+0 OK");
}

#[tokio::test]
async fn waits_sets_and_follows() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address().to_string();
    let client = login(&centrald).await;
    let mut lists = client.changes();
    let login = Login { centrald: address.clone(), user: "obs".to_owned(), program: "test".to_owned() };
    let mut follower = Follower::new(login, "NODES");
    assert!(matches!(patiently(follower.next()).await, Followed::Away(ClientError::NoSuchDevice { .. })));
    let present: Condition = "NODES present".parse().unwrap();

    let node = start(options("NODES", &[address]), |handle| {
        handle.double("limit", "[%] a limit").writable().declare().unwrap();
        handle.string("note", "a note").writable().declare().unwrap();
    })
    .await;
    patiently(follower.wait(&present, |_| {})).await.unwrap();
    let device = follower.device().unwrap();
    assert_eq!(device.set_to("limit", 2.5).await.unwrap().to_string(), "+0 OK");
    assert_eq!(device.set_to("note", "two words").await.unwrap().to_string(), "+0 OK");
    assert!(matches!(device.set_to("note", "a\nb").await, Err(ClientError::Text(_))));
    let condition: Condition = "NODES.limit >= 2.5".parse().unwrap();
    device.wait(&condition, PATIENCE).await.unwrap();
    let condition: Condition = "NODES.note != two words".parse().unwrap();
    let error = device.wait(&condition, Duration::from_millis(50)).await;
    assert!(matches!(error, Err(WaitError::Timeout)), "{error:?}");
    let condition: Condition = "NODES.limit == much".parse().unwrap();
    assert!(matches!(device.wait(&condition, PATIENCE).await, Err(WaitError::Mismatch(_))));

    node.shutdown.cancel();
    loop {
        if let Followed::Away(why) = patiently(follower.next()).await {
            assert!(matches!(why, ClientError::Lost { .. }), "{why}");
            break;
        }
    }
    let absent: Condition = "NODES absent".parse().unwrap();
    patiently(follower.wait(&absent, |_| {})).await.unwrap();
    // Who did not look in between hears only how it is now: gone.
    loop {
        if let Change::DeviceGone { name } = patiently(lists.next()).await.unwrap() {
            assert_eq!(name, "NODES");
            break;
        }
    }
}

#[tokio::test]
async fn what_nothing_would_answer_is_not_sent() {
    let centrald = Centrald::start().await.unwrap();
    let client = login(&centrald).await;
    for line in ["", " ", "S 1", "D 1 0 1000"] {
        let refused = client.command(line).await.unwrap_err();
        assert!(matches!(refused, ClientError::NoCommand { .. }), "{line}: {refused}");
    }
    assert_eq!(client.command("info").await.unwrap().to_string(), "+0 OK");
}

#[tokio::test]
async fn messages_by_their_mask() {
    let centrald = Centrald::start().await.unwrap();
    let client = login(&centrald).await;
    let mut changes = client.changes();
    client.message_mask(MessageType::ERROR).await.unwrap();
    let mut device = Raw::connect(centrald.address().port()).await;
    device.send("register 0 NODES 15 127.0.0.1 1").await;
    device.until(|line| line == "+0 OK").await;
    device.send("M 5 6 NODES 4 not this\nM 7 8 NODES 1 this one").await;
    let message = patiently(async {
        loop {
            if let Change::Message(message) = changes.next().await.unwrap() {
                return message;
            }
        }
    })
    .await;
    assert_eq!((message.seconds, message.origin.as_str(), message.text.as_str()), (7, "NODES", "this one"));
    // A watcher that does not take them loses the oldest, and is told how many.
    for number in 0..3000 {
        device.send(&format!("M 9 0 NODES 1 number {number}")).await;
    }
    let mut follow = client.changes();
    let mut sentinel = async || {
        while !matches!(follow.next().await.unwrap(), Change::Message(m) if m.text == "number 2999") {}
    };
    patiently(sentinel()).await;
    let (mut lost, mut got) = (0, 0);
    while lost + got < 3000 {
        match patiently(changes.next()).await.unwrap() {
            Change::MessagesLost(count) => lost += count,
            Change::Message(_) => got += 1,
            _ => {}
        }
    }
    assert!(lost >= 2000 && got <= 1000, "{lost} lost, {got} got");
}
