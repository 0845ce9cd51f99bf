//! Where messages go: to centrald, and to the system's log while there is none.
#![cfg(unix)]

mod common;

use common::{Raw, options, patiently, start};
use rts2dev::proto::MessageType;
use rts2dev::{CentraldStatus, DeviceOptions};
use tokio::net::{TcpListener, UnixDatagram};

#[tokio::test]
async fn the_systems_log_has_them_while_no_centrald_does_and_nobody_has_them_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = UnixDatagram::bind(&path).unwrap();
    let logged = async || {
        let mut bytes = [0; 4096];
        let count = patiently(log.recv(&mut bytes)).await.unwrap();
        String::from_utf8_lossy(bytes.get(..count).unwrap()).into_owned()
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let device = start(DeviceOptions { syslog: Some(path), ..options("NODES", &[address]) }, |handle| {
        handle.message(MessageType::WARNING, "before\nit runs");
    })
    .await;
    let line = logged().await;
    let process = std::process::id();
    assert!(line.starts_with("<28>messages-"), "{line}");
    assert!(line.ends_with(&format!("[{process}]: NODES: before\\nit runs")), "{line}");

    // Connected is not registered.
    let (stream, _) = patiently(listener.accept()).await.unwrap();
    let mut centrald = Raw::over(stream);
    centrald.until(|line| line.starts_with("register ")).await;
    device.handle.message(MessageType::CRITICAL_DOME_FAILURE, "the dome is stuck");
    assert!(logged().await.starts_with("<27>"));

    let mut status = device.handle.centrald_status();
    centrald.send("A registered_as 1\n+0 OK").await;
    patiently(status.wait_for(CentraldStatus::is_registered)).await.unwrap();
    device.handle.message(MessageType::INFO.with_id(5), "for centrald");
    let told = centrald.until(|line| line.starts_with("M ")).await.pop().unwrap();
    assert!(told.ends_with(" NODES 1284 for centrald"), "{told}");

    drop(centrald);
    patiently(status.wait_for(|status| !status.is_registered())).await.unwrap();
    device.handle.message(MessageType::DEBUG, "gone");
    let line = logged().await;
    assert!(line.starts_with("<31>") && line.ends_with(" NODES: gone"), "{line}");

    // The next centrald hears what is new, and of the rest nothing.
    let (stream, _) = patiently(listener.accept()).await.unwrap();
    let mut centrald = Raw::over(stream);
    centrald.send("A registered_as 1\n+0 OK").await;
    patiently(status.wait_for(CentraldStatus::is_registered)).await.unwrap();
    device.handle.message(MessageType::INFO, "new");
    let told = centrald.until(|line| line.starts_with("M ")).await.pop().unwrap();
    assert!(told.ends_with(" NODES 4 new"), "{told}");
    assert_eq!(device.handle.dropped_messages(), 0);

    // Without a log daemon they wait for a centrald.
    drop((centrald, log));
    patiently(status.wait_for(|status| !status.is_registered())).await.unwrap();
    device.handle.message(MessageType::INFO, "kept");
    let (stream, _) = patiently(listener.accept()).await.unwrap();
    let mut centrald = Raw::over(stream);
    centrald.send("A registered_as 1\n+0 OK").await;
    let told = centrald.until(|line| line.starts_with("M ")).await.pop().unwrap();
    assert!(told.ends_with(" NODES 4 kept"), "{told}");
}
