//! What stops and blocks devices: those that are missing, bad weather, each other; and the `status_info` that asks for it.

use std::collections::BTreeMap;

use rts2dev::proto::DeviceState;
use rts2dev::testing::CentraldOptions;

use crate::common::patiently;
use crate::{centrald, client, connect, device, states, told};

#[tokio::test]
async fn required_devices_stop_everything_while_they_are_missing() {
    let options = CentraldOptions { required_devices: vec!["D1".to_owned()], ..CentraldOptions::default() };
    let (centrald, said) = centrald(options).await;
    let address = centrald.address();
    let mut client = client(address).await;
    let nodes = device(address, "NODES", 15).await;
    // Nobody looked before the first device was ready.
    assert_eq!(states(&mut client).await, ["S 3221225472 \"stop state update from stopChanged\""]);
    said.expect("everything stops: D1 (missing)");
    let d1 = device(address, "D1", 15).await;
    assert_eq!(
        states(&mut client).await,
        [
            "S 1073741824 \"weather state update from weatherChanged\"",
            "S 0 \"stop state update from stopChanged\""
        ]
    );
    said.expect("the weather is good");
    said.expect("everything may move again");
    drop(d1);
    assert_eq!(told(&mut client, "delete_device").await, "delete_device 3 D1");
    assert_eq!(centrald.state(), DeviceState::BAD_WEATHER | DeviceState::STOP_EVERYTHING);
    said.expect("the weather is bad: D1 (missing)");
    drop(nodes);
}

#[tokio::test]
async fn bad_weather_and_its_reason() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut other = device(address, "OTHER", 15).await;
    let mut client = client(address).await;
    nodes.send("S 2147483648 \"rain\"").await;
    assert_eq!(
        client.until(|line| line.starts_with("V bad_weather_device ")).await,
        [
            "V bad_weather_devices NODES",
            "S 2147483648 \"weather state update from weatherChanged\"",
            "V bad_weather_reason \"rain\"",
            "V bad_weather_device \"NODES\""
        ]
    );
    said.expect("NODES reports bad weather (rain)");
    said.expect("the weather is bad: NODES (rain)");
    // Only the first to see it may say more.
    other.send("S 2147483648 \"late\"").await;
    assert_eq!(told(&mut client, "V").await, "V bad_weather_devices NODES OTHER");
    assert_eq!(other.command("weather_update \"OTHER\" \"hail\"").await.pop().unwrap(), "+0 OK");
    assert_eq!(nodes.command("weather_update \"NODES\" \"snow\"").await.pop().unwrap(), "+0 OK");
    assert_eq!(told(&mut client, "V").await, "V bad_weather_reason \"snow\"");
    nodes.send("S 0").await;
    assert_eq!(told(&mut client, "V").await, "V bad_weather_devices OTHER");
    // Its end counts as good weather.
    drop(other);
    let lines = client.until(|line| line.starts_with("delete_device")).await;
    assert!(lines.contains(&"V bad_weather_reason \"\"".to_owned()), "{lines:?}");
    patiently(centrald.wait_for(|c| c.state().is_empty())).await;
}

#[tokio::test]
async fn who_blocks_whom() {
    let blocked_by = BTreeMap::from([("C0".to_owned(), vec!["NODES".to_owned()])]);
    let (centrald, said) = centrald(CentraldOptions { blocked_by, ..CentraldOptions::default() }).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut other = device(address, "OTHER", 15).await;
    let mut camera = device(address, "C0", 3).await;
    other.send("S 16777216 \"not heard\"").await;
    assert_eq!(told(&mut nodes, "B").await, "B 0 16777216");
    assert_eq!(told(&mut camera, "B").await, "B 0 0");
    nodes.send("S 50331648 \"ccd07 lost\"").await;
    assert_eq!(told(&mut camera, "B").await, "B 0 50331648");
    assert_eq!(told(&mut camera, "S").await, "S 0");
    said.expect("C0 may not expose: blocked by NODES (ccd07 lost)");
    said.expect("C0 may not read out: blocked by NODES (ccd07 lost)");
    assert!(!said.has("not expose: blocked by OTHER"));
    nodes.send("S 33554432 \"node back\"").await;
    assert_eq!(told(&mut camera, "B").await, "B 0 33554432");
    said.expect("NODES blocks exposures no more (node back)");
    said.expect("C0 may expose again");
    // What a device blocks goes with it.
    drop(nodes);
    assert_eq!(told(&mut camera, "B").await, "B 0 0");
    said.expect("C0 may read out again");
    assert_eq!(centrald.device_state("OTHER"), Some(DeviceState::BOP_EXPOSURE));
    assert_eq!(centrald.device_state("NODES"), None);
}

#[tokio::test]
async fn status_info_waits_for_those_that_may_block() {
    let blocked_by = BTreeMap::from([("C0".to_owned(), vec!["NODES".to_owned()])]);
    let (centrald, _) = centrald(CentraldOptions { blocked_by, ..CentraldOptions::default() }).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut other = device(address, "OTHER", 15).await;
    let mut camera = device(address, "C0", 3).await;
    let mut client = client(address).await;
    let _stranger = connect(address).await;
    // The camera asks the one that may block it, and gets its answer.
    camera.send("status_info").await;
    nodes.until(|line| line == "status_info").await;
    assert!(states(&mut camera).await.is_empty());
    nodes.send("S 16777216\n+0 OK").await;
    let lines = camera.until(|line| line.starts_with('+')).await;
    assert_eq!(lines[lines.len() - 2..], ["B 0 16777216", "+0 OK"]);
    // A client asks all; of two rounds each ends, and an error is an answer.
    client.send("status_info\nstatus_info").await;
    for _ in 0..2 {
        for device in [&mut nodes, &mut other, &mut camera] {
            device.until(|line| line == "status_info").await;
            device.send("-4 device error").await;
        }
        let lines = client.until(|line| line.starts_with('+')).await;
        assert_eq!(lines[lines.len() - 2..], ["B 0 0", "+0 OK"]);
    }
    // A mute device holds everybody up until it is gone.
    client.send("status_info").await;
    for device in [&mut other, &mut camera] {
        device.until(|line| line == "status_info").await;
        device.send("+0 OK").await;
    }
    assert!(!states(&mut client).await.iter().any(|line| line.starts_with('B')));
    drop(nodes);
    client.until(|line| line == "+0 OK").await;
    // Rounds have a limit.
    client.send("status_info\nstatus_info\nstatus_info\nstatus_info\nstatus_info").await;
    assert_eq!(told(&mut client, "-").await, "-5 too many status_info at the same time");
    // Nobody is left to be asked.
    drop((other, camera));
    for _ in 0..4 {
        client.until(|line| line == "+0 OK").await;
    }
    assert_eq!(client.command("status_info").await.pop().unwrap(), "+0 OK");
}
