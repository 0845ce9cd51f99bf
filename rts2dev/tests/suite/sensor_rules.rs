//! A sensor of ours under a centrald: states, blocked operations, weather, and who has to answer.

use std::collections::BTreeMap;

use rts2dev::DeviceHandle;
use rts2dev::client::Client;
use rts2dev::proto::DeviceState;

use crate::common::{Raw, patiently};
use crate::world::{Rules, World, until};

/// What the real centrald knows of the Sun is not what these cases are about.
fn without_the_sun(state: DeviceState) -> DeviceState {
    state.difference(DeviceState::SERVERD_STATUS_MASK)
}

/// Waits until a device is told exactly these blocked operations.
async fn blocked(handle: &DeviceHandle, bop: DeviceState) {
    let mut status = handle.centrald_status();
    let is =
        |status: &rts2dev::CentraldStatus| status.links[0].bop.intersection(DeviceState::BOP_MASK) == bop;
    patiently(status.wait_for(is)).await.unwrap();
}

fn nothing(_: &DeviceHandle) {}

pub(crate) async fn what_it_blocks_is_blocked_for_all(world: &World) {
    let observatory = world.observatory().await;
    let sensor = observatory.device("NODES", nothing).await;
    let other = observatory.device("OTHER", nothing).await;
    let client = observatory.client().await;
    let mut remote = patiently(client.device("OTHER")).await.unwrap();
    let both = DeviceState::BOP_EXPOSURE | DeviceState::BOP_READOUT;
    for bop in [DeviceState::BOP_EXPOSURE, both, DeviceState::BOP_TEL_MOVE, DeviceState::empty()] {
        sensor.handle.set_state(bop, "a node is lost");
        for device in [&sensor, &other] {
            blocked(&device.handle, bop).await;
        }
        // And the devices pass it on to their clients.
        patiently(async {
            while remote.bop().intersection(DeviceState::BOP_MASK) != bop {
                remote.changed().await.unwrap();
            }
        })
        .await;
    }
    assert_eq!(remote.state(), DeviceState::empty());
    // What a device blocks goes with it.
    sensor.handle.set_state(DeviceState::BOP_EXPOSURE, "");
    blocked(&other.handle, DeviceState::BOP_EXPOSURE).await;
    drop(sensor);
    blocked(&other.handle, DeviceState::empty()).await;
}

pub(crate) async fn blocked_by_says_who_may_block(world: &World) {
    let blocked_by = BTreeMap::from([("C0".to_owned(), vec!["NODES".to_owned(), "D1".to_owned()])]);
    let observatory = world.observatory_with(Rules { blocked_by, ..Rules::default() }).await;
    let camera = observatory.device("C0", nothing).await;
    let nodes = observatory.device("NODES", nothing).await;
    let other = observatory.device("OTHER", nothing).await;
    other.handle.set_state(DeviceState::BOP_EXPOSURE, "");
    blocked(&nodes.handle, DeviceState::BOP_EXPOSURE).await;
    nodes.handle.set_state(DeviceState::BOP_READOUT, "");
    blocked(&nodes.handle, DeviceState::BOP_EXPOSURE | DeviceState::BOP_READOUT).await;
    blocked(&camera.handle, DeviceState::BOP_READOUT).await;
    nodes.handle.set_state(DeviceState::empty(), "");
    blocked(&camera.handle, DeviceState::empty()).await;
    blocked(&nodes.handle, DeviceState::BOP_EXPOSURE).await;
}

pub(crate) async fn everybodys_state_is_asked(world: &World) {
    let observatory = world.observatory().await;
    let _sensor = observatory.device("NODES", nothing).await;
    let client = observatory.client().await;
    assert_eq!(patiently(client.command("status_info")).await.unwrap().to_string(), "+0 OK");
    let remote = patiently(client.device("NODES")).await.unwrap();
    let end = patiently(remote.command("device_status")).await.unwrap();
    assert_eq!(end.to_string(), "+0 device status updated");
    // One that is registered and mute holds everybody up until it is gone.
    let mut mute = Raw::connect(observatory.port()).await;
    assert_eq!(mute.command("register 0 MUTE 15 127.0.0.1 1").await.pop().unwrap(), "+0 OK");
    let mut raw = observatory.raw_client().await;
    raw.send("status_info").await;
    mute.until(|line| line == "status_info").await;
    // The others have answered when centrald answers this one.
    raw.send("T ready").await;
    let lines = raw.until(|line| line == "T OK").await;
    assert!(!lines.iter().any(|line| line.starts_with('+')), "{lines:?}");
    drop(mute);
    let lines = raw.until(|line| line == "+0 OK").await;
    assert!(lines[lines.len() - 2].starts_with("B "), "{lines:?}");
}

async fn weather(client: &mut Client, bad: bool, device: &str, reason: &str) {
    let text = |client: &Client, name: &str| client.value(name).map_or(String::new(), |value| value.text());
    until(client, |client| {
        client.state().contains(DeviceState::BAD_WEATHER) == bad
            && text(client, "bad_weather_device") == device
            && text(client, "bad_weather_reason") == reason
    })
    .await;
}

pub(crate) async fn bad_weather_has_a_reason(world: &World) {
    let observatory = world.observatory().await;
    let sensor = observatory.device("NODES", nothing).await;
    let other = observatory.device("OTHER", nothing).await;
    let mut client = observatory.client().await;
    until(&mut client, |client| without_the_sun(client.state()).is_empty()).await;
    sensor.handle.set_state(DeviceState::BAD_WEATHER, "it rains");
    weather(&mut client, true, "NODES", "it rains").await;
    // The second to see it has nothing to say, and one is enough.
    other.handle.set_state(DeviceState::BAD_WEATHER, "it hails");
    let both = |client: &Client| {
        client.value("bad_weather_devices").is_some_and(|value| value.text().contains("OTHER"))
    };
    until(&mut client, both).await;
    weather(&mut client, true, "NODES", "it rains").await;
    sensor.handle.set_state(DeviceState::empty(), "dry");
    until(&mut client, |client| {
        client.value("bad_weather_devices").is_some_and(|value| !value.text().contains("NODES"))
    })
    .await;
    assert!(client.state().contains(DeviceState::BAD_WEATHER));
    other.handle.set_state(DeviceState::empty(), "dry");
    weather(&mut client, false, "", "").await;
}

/// Reads until the state of the system is this one. A client is told of changes alone: it may have been told already, with its login.
async fn told(raw: &mut Raw, state: u32) {
    while raw.state.is_none_or(|told| told & !0xf != state) {
        assert!(raw.line().await.is_some(), "centrald ended");
    }
}

pub(crate) async fn a_missing_required_device_stops_everything(world: &World) {
    let rules = Rules { required_devices: vec!["D1".to_owned()], ..Rules::default() };
    let observatory = world.observatory_with(rules).await;
    let mut client = observatory.raw_client().await;
    let _nodes = observatory.device("NODES", nothing).await;
    told(&mut client, 0xc000_0000).await;
    let d1 = observatory.device("D1", nothing).await;
    told(&mut client, 0).await;
    // Its answer comes when it has told everybody. RTS2's own, which learns by writing that a connection is gone, looks after it
    // with the next thing that anybody sends (Block::pollSuccess in block.cpp): here nobody would.
    client.command("info").await;
    drop(d1);
    told(&mut client, 0xc000_0000).await;
    client.until(|line| line.starts_with("delete_device") && line.ends_with("D1")).await;
    // Its stop and its weather are those of a device that is there as well.
    let d1 = observatory.device("D1", |h| h.set_state(DeviceState::empty(), "")).await;
    told(&mut client, 0).await;
    d1.handle.set_state(DeviceState::STOP_EVERYTHING, "a door is open");
    told(&mut client, 0x4000_0000).await;
}
