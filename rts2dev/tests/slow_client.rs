//! A client that does not read costs bounded memory, delays nobody, and gets the newest of each value when it reads
//! again; connections are limited in number.

mod common;

use std::collections::HashMap;

use common::{Raw, options, patiently, start};
use rts2dev::DeviceOptions;
use tokio::net::TcpSocket;

const VALUES: usize = 500;

#[tokio::test]
async fn a_client_that_does_not_read() {
    let mut values = Vec::new();
    let device = start(DeviceOptions { noauth: true, ..options("BIG", &[]) }, |handle| {
        for number in 0..VALUES {
            values.push(handle.string(&format!("text_{number}"), "a long text").declare().unwrap());
        }
    })
    .await;
    // Small buffers, so that it does not take long to fill them.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(([127, 0, 0, 1], device.port).into()).await.unwrap();
    let mut slow = Raw::over(stream);
    let mut quick = Raw::connect(device.port).await;
    quick.until(|line| line.starts_with(&format!("V text_{} ", VALUES - 1))).await;

    // 100 rounds of half a megabyte: far more than all buffers of the system. Everything of every round reaches the
    // quick client while the slow one reads nothing.
    let rounds = 100;
    for round in 0..rounds {
        let text = format!("{round}_{}", "x".repeat(1000));
        for value in &values {
            value.set(text.as_str());
        }
        let end = format!("V text_{} \"{round}_", VALUES - 1);
        quick.until(|line| line.starts_with(&end)).await;
    }
    assert_eq!(quick.command("status_info").await, ["S 0", "+0 OK"]);

    // When it reads again it gets less than everything, in order, and the newest of each at the end.
    slow.send("status_info").await;
    let lines = slow.until(|line| line == "+0 OK").await;
    assert!(lines.len() < VALUES * rounds / 2, "{} lines came", lines.len());
    let mut newest: HashMap<&str, i32> = HashMap::new();
    for line in &lines {
        let Some((name, text)) = line.strip_prefix("V ").and_then(|line| line.split_once(' ')) else {
            continue;
        };
        if name.starts_with("text_") && text != "\"\"" {
            let round: i32 = text[1..].split('_').next().unwrap().parse().unwrap();
            let before = newest.insert(name, round);
            assert!(before.is_none_or(|before| before < round), "{name} went back to {round}");
        }
    }
    assert_eq!(newest.len(), VALUES);
    assert!(newest.values().all(|round| *round == 99));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_closed() {
    let mut values = Vec::new();
    let device = start(DeviceOptions { noauth: true, ..options("BIG", &[]) }, |handle| {
        for number in 0..5000 {
            values.push(handle.string(&format!("text_{number}"), "a long text").declare().unwrap());
        }
    })
    .await;
    for value in &values {
        value.set("x".repeat(1000));
    }
    let mut stuck = Raw::connect(device.port).await;
    // It hears of us, but nothing of it moves: after ten minutes of the paused clock it is closed.
    tokio::time::sleep(std::time::Duration::from_secs(660)).await;
    let mut lines = 0;
    while let Some(_line) = stuck.line().await {
        lines += 1;
    }
    assert!(lines < 10_000, "all {lines} lines came");
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_asked_and_closed() {
    let device = start(options("A", &[]), |_| {}).await;
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with("V uptime")).await;
    client.patience = std::time::Duration::from_secs(3600);
    let asked = tokio::time::Instant::now();
    client.expect(&["T ready"]).await;
    assert!(asked.elapsed().as_secs() >= 290, "asked after {:?}", asked.elapsed());
    client.send("T OK").await;
    // Answered once, silent then.
    while let Some(line) = client.line().await {
        assert_eq!(line, "T ready");
    }
    assert!(asked.elapsed().as_secs() >= 890, "closed after {:?}", asked.elapsed());
}

#[tokio::test]
async fn idle_connections_give_way() {
    let device = start(DeviceOptions { max_clients: 2, ..options("A", &[]) }, |_| {}).await;
    let mut first = Raw::connect(device.port).await;
    let mut second = Raw::connect(device.port).await;
    first.until(|line| line.starts_with("V uptime")).await;
    second.until(|line| line.starts_with("V uptime")).await;
    let mut third = Raw::connect(device.port).await;
    third.until(|line| line.starts_with("V uptime")).await;
    assert_eq!(first.line().await, None, "the oldest stays");
    assert_eq!(second.command("bogus").await, ["-1 unknow command bogus"]);

    // Clients that may send commands do not give way.
    let device = start(DeviceOptions { max_clients: 1, noauth: true, ..options("A", &[]) }, |_| {}).await;
    let mut first = Raw::connect(device.port).await;
    first.until(|line| line.starts_with("V uptime")).await;
    let mut second = Raw::connect(device.port).await;
    assert_eq!(second.line().await, None);
    assert_eq!(first.command("base_info").await, ["+0 OK"]);
    drop(first);
    // Its place is free again; connections until the device has noticed are closed at once.
    patiently(async {
        loop {
            if Raw::connect(device.port).await.line().await.is_some() {
                break;
            }
        }
    })
    .await;
}
