//! A device and its centralds: registration, what goes there, restarts, taken names.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Raw, options, patiently, start};
use rts2dev::client::Client;
use rts2dev::proto::{DeviceState, Level, MessageType, SetOp};
use rts2dev::testing::Centrald;
use rts2dev::{DeviceOptions, Registration};
use tokio::net::TcpListener;

/// A scripted centrald: listens, and lets the test say every line.
async fn scripted() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

async fn accept(listener: &TcpListener) -> Raw {
    let (stream, _) = patiently(listener.accept()).await.unwrap();
    Raw::over(stream)
}

#[tokio::test]
async fn the_capture_from_the_devices_side() {
    let (listener, address) = scripted().await;
    let mut value = None;
    let device = start(options("DUMMY", &[address]), |handle| {
        value = Some(handle.integer("TEST_INT", "test integer value").writable().declare().unwrap());
        handle.set_state(DeviceState::BOP_EXPOSURE, "begins blocked");
    })
    .await;
    let value = value.unwrap();
    let mut centrald = accept(&listener).await;
    centrald.expect(&[&format!("register 0 DUMMY 15 127.0.0.1 {}", device.port)]).await;
    // Asked before it is registered, it answers, but shows nothing.
    centrald.send("E 3 \"infotime\" \"time of last update\" \nV infotime nan\nstatus_info").await;
    centrald.expect(&["+0 OK"]).await;
    centrald.send("S 2147483648\nA registered_as 1\ndevice 0 1 DUMMY localhost 6201 15").await;
    let lines = centrald.until(|line| line.starts_with("S ")).await;
    assert_eq!(lines[0], "E 3 \"infotime\" \"time of last update\" ");
    assert!(lines[2].starts_with("E 3 \"uptime\""));
    assert_eq!(lines[4..], ["E 33554434 \"TEST_INT\" \"test integer value\" ", "V TEST_INT 0", "S 16777216"]);
    centrald.send("V infotime 1.79532790604682397842e+09\n+0 OK").await;
    let mut status = device.handle.centrald_status();
    let ready = patiently(status.wait_for(|s| {
        s.links[0].registration == Registration::Registered { id: 1 } && !s.links[0].state.is_empty()
    }));
    assert_eq!(ready.await.unwrap().links[0].state, DeviceState::BAD_WEATHER);
    assert!(device.handle.is_registered());

    // Changes, levels, states, messages.
    value.set(5);
    centrald.expect(&["V TEST_INT 5"]).await;
    value.set_with_level(6, Level::Warning);
    centrald.expect(&["E 301989890 \"TEST_INT\" \"test integer value\" ", "V TEST_INT 6"]).await;
    device.handle.set_state(DeviceState::empty(), "node back");
    centrald.expect(&["S 0 \"node back\""]).await;
    device.handle.message(MessageType::WARNING, "two\nlines");
    let message = centrald.line().await.unwrap();
    assert!(message.starts_with("M 1") && message.ends_with(" DUMMY 2 two\\nlines"), "{message}");
    centrald.send("status_info").await;
    centrald.expect(&["S 0", "+0 OK"]).await;
    centrald.send("T ready").await;
    centrald.expect(&["T OK"]).await;
    device.handle.set_state(DeviceState::BAD_WEATHER, "it \"rains\"");
    centrald.expect(&["S 2147483648 \"it 'rains'\"", "weather_update \"DUMMY\" \"it 'rains'\""]).await;
    centrald.send("+0 OK").await;

    // Blocked operations are passed on to clients.
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line == "V TEST_INT 6").await;
    centrald.send("B 2147483648 2415919104").await;
    client.expect(&["B 2147483648 2415919104"]).await;
    patiently(status.wait_for(|s| s.links[0].bop.bits() == 2_415_919_104)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn registers_again_after_a_restart_with_its_values() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address();
    let mut value = None;
    let device = start(options("NODES", &[address.to_string()]), |handle| {
        value = Some(handle.double("load", "[%] x").declare().unwrap());
    })
    .await;
    patiently(centrald.registered("NODES")).await;
    value.as_ref().unwrap().set_with_level(12.5, Level::Warning);

    // Its connections break: within a second it is back.
    let mut status = device.handle.centrald_status();
    centrald.drop_connections();
    patiently(status.wait_for(|s| s.links[0].registration == Registration::Disconnected)).await.unwrap();
    let lost = tokio::time::Instant::now();
    patiently(centrald.registered("NODES")).await;
    assert!(lost.elapsed().as_millis() <= 2000, "took {:?}", lost.elapsed());
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();

    // It is away for five minutes: tried at most every minute, and then back with every value.
    centrald.stop();
    drop(centrald);
    patiently(status.wait_for(|s| s.links[0].registration == Registration::Disconnected)).await.unwrap();
    device.handle.message(MessageType::INFO, "said while nobody heard");
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    let listener = TcpListener::bind(address).await.unwrap();
    let centrald = Centrald::start_on(listener, |_| {}).unwrap();
    let back = tokio::time::Instant::now();
    tokio::time::timeout(std::time::Duration::from_secs(70), centrald.registered("NODES")).await.unwrap();
    assert!(back.elapsed().as_secs() <= 61, "took {:?}", back.elapsed());
    patiently(centrald.wait_for(|c| !c.messages().is_empty())).await;
    assert!(centrald.messages()[0].ends_with("said while nobody heard"));

    let client = Client::login(&address.to_string(), "obs", "test").await.unwrap();
    let nodes = client.device("nodes").await.unwrap();
    let load = nodes.value("load").unwrap();
    assert_eq!((load.number(), load.level()), (Some(12.5), Level::Warning));
}

#[tokio::test(start_paused = true)]
async fn a_taken_name_stands_by_and_takes_over() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address().to_string();
    let first = start(options("NODES", std::slice::from_ref(&address)), |_| {}).await;
    patiently(centrald.registered("NODES")).await;
    let second = start(options("NODES", std::slice::from_ref(&address)), |handle| {
        // A state that would count if centrald believed a device that stands by.
        handle.set_state(DeviceState::BAD_WEATHER, "must not be seen");
    })
    .await;
    let mut status = second.handle.centrald_status();
    patiently(status.wait_for(|s| s.links[0].registration == Registration::StandBy)).await.unwrap();
    assert!(!second.handle.is_registered());
    // Asked round while it stands by, it holds nobody up, and shows nothing.
    let client = Client::login(&address, "obs", "test").await.unwrap();
    assert_eq!(patiently(client.command("status_info")).await.unwrap().code, 0);
    assert_eq!(centrald.state(), DeviceState::empty());

    // Long tried in vain, it still comes up at once when the name is free.
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    assert!(!second.handle.is_registered());
    let freed = tokio::time::Instant::now();
    drop(first);
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    assert!(freed.elapsed().as_millis() < 500, "took {:?}", freed.elapsed());
    patiently(centrald.wait_for(|c| c.state() == DeviceState::BAD_WEATHER)).await;
}

#[tokio::test(start_paused = true)]
async fn a_mute_centrald_is_left() {
    let (listener, address) = scripted().await;
    let device = start(options("A", &[address]), |_| {}).await;
    let mut centrald = accept(&listener).await;
    centrald.send("A registered_as 1\n+0 OK").await;
    let mut status = device.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(610), status.wait_for(|s| !s.is_registered()))
        .await
        .unwrap()
        .unwrap();
    let lines = centrald.until(|line| line == "T ready").await;
    assert!(lines[0].starts_with("register 0 A"));
    // And a new connection is made.
    let mut again = accept(&listener).await;
    assert!(again.line().await.unwrap().starts_with("register 0 A"));
}

#[tokio::test]
async fn two_centralds_and_many_devices_in_one_process() {
    let one = Centrald::start().await.unwrap();
    let two = Centrald::start().await.unwrap();
    let addresses = [one.address().to_string(), two.address().to_string()];
    let mut devices = Vec::new();
    for number in 0..20 {
        let name = format!("D{number}");
        let declare = |handle: &rts2dev::DeviceHandle| {
            handle.integer("number", "x").initial(number).writable().declare().unwrap();
        };
        devices.push(start(options(&name, &addresses), declare).await);
    }
    for centrald in [&one, &two] {
        patiently(centrald.wait_for(|c| c.devices().len() == 20)).await;
        let client = Client::login(&centrald.address().to_string(), "obs", "test").await.unwrap();
        let mut device = client.device("D7").await.unwrap();
        assert_eq!(device.value("number").unwrap().text(), "7");
        assert_eq!(device.set("number", SetOp::Add, "1").await.unwrap().to_string(), "+0 OK");
        assert_eq!(device.value("number").unwrap().text(), "8");
        device.set("number", SetOp::Set, "7").await.unwrap();
        patiently(device.changed()).await.unwrap();
    }
    // What one centrald blocks is blocked, whatever the other says.
    devices[0].handle.set_state(DeviceState::BOP_EXPOSURE, "");
    let mut status = devices[1].handle.centrald_status();
    patiently(status.wait_for(|s| s.links.iter().all(|link| link.bop == DeviceState::BOP_EXPOSURE)))
        .await
        .unwrap();
    drop(devices.remove(0));
    patiently(status.wait_for(|s| s.links.iter().all(|link| link.bop.is_empty()))).await.unwrap();
}

#[tokio::test]
async fn clients_are_told_when_centrald_cannot_be_asked() {
    let (listener, address) = scripted().await;
    let device = start(DeviceOptions { ..options("A", &[address]) }, |_| {}).await;
    let mut centrald = accept(&listener).await;
    centrald.send("A registered_as 1\n+0 OK").await;
    let mut status = device.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    let mut client = Raw::connect(device.port).await;
    client.send("auth 2 0 5").await;
    centrald.until(|line| line == "authorize 2 5").await;
    drop(centrald);
    let end = client.until(|line| line.starts_with('-')).await.pop().unwrap();
    assert_eq!(end, "-5 cannot authorize; try again later");
    assert_eq!(client.line().await, None);
}

/// centrald tells its clients of a device while it registers it, and rts2-mon never asks twice.
#[tokio::test]
async fn a_client_that_comes_before_the_device_knows_that_it_is_registered_is_let_in() {
    let (listener, address) = scripted().await;
    let device = start(DeviceOptions { ..options("A", &[address]) }, |_| {}).await;
    let mut centrald = accept(&listener).await;
    centrald.until(|line| line.starts_with("register ")).await;
    let mut client = Raw::connect(device.port).await;
    client.send("T ready\nauth 2 0 5").await;
    client.until(|line| line == "T OK").await;
    centrald.send("A registered_as 1\n+0 OK").await;
    centrald.until(|line| line == "authorize 2 5").await;
    centrald.send("A authorization_ok 2\n+0 OK").await;
    let end = client.until(|line| line.starts_with(['+', '-'])).await.pop().unwrap();
    assert_eq!(end, "+0 OK authorized");
}

/// What a client sends before it heard the end of a command waits, so that each end belongs to its command.
#[tokio::test]
async fn what_a_client_sends_behind_a_question_to_centrald_waits_for_its_answer() {
    let (listener, address) = scripted().await;
    let device = start(DeviceOptions { noauth: true, ..options("A", &[address]) }, |_| {}).await;
    let mut centrald = accept(&listener).await;
    centrald.send("A registered_as 1\n+0 OK").await;
    let mut status = device.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with("V uptime ")).await;
    client.send("device_status\nT ready\nbogus\ndevice_status").await;
    centrald.until(|line| line == "status_info").await;
    client.expect(&["T OK"]).await;
    centrald.send("+0 OK").await;
    client.expect(&["+0 device status updated", "-1 unknow command bogus"]).await;
    centrald.until(|line| line == "status_info").await;
    centrald.send("+0 OK").await;
    client.expect(&["+0 device status updated"]).await;
}

/// One connection asks centrald one thing at a time: a stranger cannot fill the queue that others need.
#[tokio::test]
async fn many_keys_of_one_connection_are_one_question() {
    let (listener, address) = scripted().await;
    let device = start(options("A", &[address]), |_| {}).await;
    let mut centrald = accept(&listener).await;
    centrald.send("A registered_as 1\n+0 OK").await;
    let mut status = device.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    let mut thief = Raw::connect(device.port).await;
    thief.send(&"auth 2 0 1\n".repeat(300)).await;
    centrald.until(|line| line == "authorize 2 1").await;
    centrald.send("A authorization_failed 2\n-5 invalid authorization key").await;
    thief.until(|line| line == "-5 authorization failed").await;
    let mut client = Raw::connect(device.port).await;
    client.send("auth 3 0 2").await;
    let asked = centrald.until(|line| line.starts_with("authorize ")).await.pop().unwrap();
    assert_eq!(asked, "authorize 3 2");
}

/// Whoever holds a handle, and the devices that follow, must not take it for registered.
#[tokio::test]
async fn a_device_whose_future_is_dropped_is_registered_nowhere() {
    let centrald = Centrald::start().await.unwrap();
    let device = start(options("NODES", &[centrald.address().to_string()]), |_| {}).await;
    let mut status = device.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    device.task.abort();
    patiently(status.wait_for(|status| !status.is_registered())).await.unwrap();
}
