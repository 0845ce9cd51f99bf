//! What slow and nameless peers cost.

use rts2dev::testing::CentraldOptions;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::common::patiently;
use crate::{centrald, client, device};

#[tokio::test]
async fn a_peer_that_does_not_read_is_dropped() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut slow = client(address).await;
    slow.command("message_mask 16777215").await;
    // Written by hand from here on, and never read again.
    let text = "x".repeat(30_000);
    let mut gone = false;
    for count in 0..100_000 {
        nodes.send(&format!("M 1 2 NODES 4 {count} {text}\nT ready")).await;
        gone |= nodes.until(|line| line == "T OK").await.contains(&"delete_client 2".to_owned());
        if gone {
            break;
        }
    }
    assert!(gone);
    said.expect("rts2-mon of obs is dropped: it does not read, 1024 KiB wait for it");
    assert_eq!(centrald.devices(), ["NODES"]);
}

#[tokio::test]
async fn a_thousand_strangers_cost_little() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let before = resident();
    let mut strangers = Vec::new();
    for _ in 0..1000 {
        let stranger = TcpStream::connect(address).await.unwrap();
        // Half a line, which never ends.
        assert!(stranger.try_write(&[b'x'; 1000]).unwrap() > 0);
        strangers.push(stranger);
    }
    // Honest ones still come in, and nobody is held up.
    let mut client = client(address).await;
    client.send("status_info").await;
    nodes.until(|line| line == "status_info").await;
    nodes.send("+0 OK").await;
    client.until(|line| line == "+0 OK").await;
    said.expect("is dropped: 256 strangers wait already");
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB");
    // Those that were pushed out are closed, whatever they still had to read.
    let mut bytes = vec![0; 65536];
    for stranger in strangers.iter_mut().take(1000 - 256) {
        let end = async { while stranger.read(&mut bytes).await.is_ok_and(|count| count > 0) {} };
        patiently(end).await;
    }
}

/// KiB of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
