//! A sensor of ours under a centrald: registration, values, sets, messages, restarts, names, keys.

use rts2dev::proto::{BaseType, DisplayType, Level, MessageType, SetOp};
use rts2dev::{CentraldStatus, Refusal, Registration, Value};

use crate::common::{Raw, Running, patiently, start};
use crate::world::{Observatory, World};

/// The sensor of these cases.
struct Sensor {
    running: Running,
    load: Value<f64>,
}

async fn sensor(observatory: &Observatory) -> Sensor {
    let mut load = None;
    let running = observatory
        .device("NODES", |h| {
            let declared = h.double("load", "[%] a load").display(DisplayType::Percent).fits().initial(12.5);
            load = Some(declared.declare().unwrap());
            h.selection("mode", "how fast", &["slow", "fast"]).writable().declare().unwrap();
            let refuses = |_| async { Err(Refusal::value("not tonight")) };
            h.integer("limit", "a limit").on_set(refuses).declare().unwrap();
            h.string("note", "a note").writable().declare().unwrap();
        })
        .await;
    Sensor { running, load: load.unwrap() }
}

pub(crate) async fn it_registers_and_clients_see_its_values(world: &World) {
    let observatory = world.observatory().await;
    let sensor = sensor(&observatory).await;
    let client = observatory.client().await;
    let devices = client.devices();
    assert!(devices.iter().any(|it| it.name == "NODES" && it.port == sensor.running.port), "{devices:?}");
    let remote = patiently(client.device("nodes")).await.unwrap();
    let names: Vec<String> = remote.values().into_iter().map(|value| value.name).collect();
    assert_eq!(names, ["infotime", "uptime", "load", "mode", "limit", "note"]);
    let load = remote.value("LOAD").unwrap();
    assert_eq!((load.text().as_str(), load.display_type()), ("12.5", DisplayType::Percent));
    assert_eq!(load.description, "[%] a load");
    assert_eq!(load.flags.value_type().unwrap().base(), BaseType::Double);
    assert_eq!(patiently(remote.command("info")).await.unwrap().to_string(), "+0 OK");
    let refused = patiently(client.device("NOSUCH")).await.unwrap_err();
    assert_eq!(refused.to_string(), "centrald has no device NOSUCH");
}

pub(crate) async fn values_change_with_their_levels(world: &World) {
    let observatory = world.observatory().await;
    let sensor = sensor(&observatory).await;
    let client = observatory.client().await;
    let mut remote = patiently(client.device("NODES")).await.unwrap();
    for (number, level) in
        [(71.5, Level::Warning), (91.5, Level::Error), (91.5, Level::Good), (3.0, Level::Good)]
    {
        sensor.load.set_with_level(number, level);
        let seen = patiently(async {
            loop {
                let load = remote.value("load").unwrap();
                if load.number() == Some(number) && load.level() == level {
                    return true;
                }
                remote.changed().await.unwrap();
            }
        });
        assert!(seen.await);
    }
}

pub(crate) async fn sets_and_their_refusals(world: &World) {
    let observatory = world.observatory().await;
    let _sensor = sensor(&observatory).await;
    let client = observatory.client().await;
    let remote = patiently(client.device("NODES")).await.unwrap();
    for (name, text, answer, after) in [
        ("mode", "fast", "+0 OK", "fast"),
        ("mode", "0", "+0 OK", "slow"),
        ("note", "\"ciao a tutti\"", "+0 OK", "ciao a tutti"),
        ("limit", "5", "-3 not tonight", "0"),
        ("load", "5", "-5 cannot set read-only value", "12.5"),
        ("nosuch", "5", "-2 invalid parameters/invalid number of parameters - X", ""),
    ] {
        let end = patiently(remote.set(name, SetOp::Set, text)).await.unwrap();
        assert_eq!(end.to_string(), answer, "{name}");
        assert_eq!(remote.value(name).map_or(String::new(), |value| value.text()), after, "{name}");
    }
    // What failed is told to operators.
    observatory.heard("NODES 1 command end with error -3 description: not tonight").await;
}

async fn message_of_nodes(client: &mut Raw) -> String {
    client.until(|line| line.starts_with("M ") && line.contains("NODES")).await.pop().unwrap()
}

pub(crate) async fn messages_reach_centrald_and_its_clients(world: &World) {
    let observatory = world.observatory().await;
    let sensor = sensor(&observatory).await;
    let (mut errors, mut all) = (observatory.raw_client().await, observatory.raw_client().await);
    errors.command("message_mask 1").await;
    all.command("message_mask 16777215").await;
    sensor.running.handle.message(MessageType::WARNING, "clouds\nand rain");
    sensor.running.handle.message(MessageType::ERROR, "no disk");
    for text in ["NODES 2 clouds\\nand rain", "NODES 1 no disk"] {
        assert!(message_of_nodes(&mut all).await.ends_with(text));
    }
    assert!(message_of_nodes(&mut errors).await.ends_with("NODES 1 no disk"));
    observatory.heard("NODES 2 clouds").await;
}

pub(crate) async fn it_comes_back_after_a_restart_of_centrald(world: &World) {
    let mut observatory = world.observatory().await;
    let sensor = sensor(&observatory).await;
    sensor.load.set_with_level(77.5, Level::Warning);
    let mut status = sensor.running.handle.centrald_status();
    // A client that is connected to the device stays.
    let client = observatory.client().await;
    let mut remote = patiently(client.device("NODES")).await.unwrap();
    observatory.stop_centrald().await;
    patiently(status.wait_for(|status| !status.is_registered())).await.unwrap();
    sensor.load.set(78.5);
    patiently(async {
        while remote.value("load").unwrap().number() != Some(78.5) {
            remote.changed().await.unwrap();
        }
    })
    .await;
    observatory.start_centrald().await;
    patiently(status.wait_for(CentraldStatus::is_registered)).await.unwrap();
    let client = observatory.client().await;
    let load = patiently(client.device("NODES")).await.unwrap().value("load").unwrap();
    assert_eq!((load.number(), load.level()), (Some(78.5), Level::Warning));
}

pub(crate) async fn a_taken_name_stands_by_and_takes_over(world: &World) {
    let observatory = world.observatory().await;
    let first = sensor(&observatory).await;
    let second = start(observatory.options("NODES"), |h| {
        h.integer("second", "x").declare().unwrap();
    })
    .await;
    let mut status = second.handle.centrald_status();
    patiently(status.wait_for(|status| status.links[0].registration == Registration::StandBy)).await.unwrap();
    drop(first);
    patiently(status.wait_for(CentraldStatus::is_registered)).await.unwrap();
    let client = observatory.client().await;
    assert!(patiently(client.device("NODES")).await.unwrap().value("second").is_some());
}

pub(crate) async fn only_the_right_key_is_authorized(world: &World) {
    let observatory = world.observatory().await;
    let sensor = sensor(&observatory).await;
    let mut raw = Raw::connect(observatory.port()).await;
    raw.command("login observer raw").await;
    let lines = raw.command("password observer").await;
    let id = lines.iter().find_map(|line| line.strip_prefix("logged_as ")).unwrap().to_owned();
    let key = raw.command("key NODES").await;
    let key: i32 = key[0].strip_prefix("authorization_key NODES ").unwrap().parse().unwrap();
    let port = sensor.running.port;
    for (line, end) in [
        (format!("auth {id} 0 {key}"), "+0 OK authorized"),
        (format!("auth {id} 0 {}", key ^ 1), "-5 authorization failed"),
        ("auth 9999 0 1".to_owned(), "-5 authorization failed"),
    ] {
        let mut client = Raw::connect(port).await;
        client.until(|line| line.starts_with("V note")).await;
        assert_eq!(client.command("info").await.pop().unwrap(), "-1 unknow command info");
        assert_eq!(client.command(&line).await.pop().unwrap(), end);
        if end.starts_with('+') {
            assert_eq!(client.command("info").await.pop().unwrap(), "+0 OK");
        } else {
            assert_eq!(client.line().await, None, "still open");
        }
    }
}
