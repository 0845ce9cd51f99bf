//! Our client and a dummy sensor: every type, every set, every error.

use rts2dev::client::RemoteDevice;
use rts2dev::proto::{Level, Line, SetOp, ValueData, ValueFlags};

use crate::common::{Raw, patiently};
use crate::world::{World, until};

/// What the dummy sensor declares, as a capture has it.
struct Declared {
    flags: ValueFlags,
    name: String,
    description: String,
    items: Vec<String>,
}

fn declared() -> Vec<Declared> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/tests/transcripts/client-to-device.txt");
    let capture = std::fs::read_to_string(path).unwrap();
    let mut declared: Vec<Declared> = Vec::new();
    for line in capture.lines().filter_map(|line| line.split_once("S> ")) {
        match Line::parse(line.1.as_bytes()) {
            // Later on it sends some again, with another level.
            Ok(Line::MetaInfo { name, .. }) if declared.iter().any(|value| name.is(&value.name)) => {}
            Ok(Line::MetaInfo { flags, name, description }) => {
                let (name, description) = (name.to_string(), description.to_string());
                declared.push(Declared { flags, name, description, items: Vec::new() });
            }
            Ok(Line::SelMetaInfo { name, item: Some(item) }) => {
                let value = declared.iter_mut().find(|value| name.is(&value.name)).unwrap();
                if !value.items.contains(&item.to_string()) {
                    value.items.push(item.to_string());
                }
            }
            _ => {}
        }
    }
    declared
}

/// What clients do with flags.
fn meaning(flags: ValueFlags) -> ValueFlags {
    let kind = ValueFlags::FITS | ValueFlags::DEBUG | ValueFlags::WRITABLE | ValueFlags::AUTOSAVE;
    flags & kind
}

pub(crate) async fn every_value_of_the_dummy_sensor(world: &World) {
    let observatory = world.observatory().await;
    let _dummy = observatory.dummy().await;
    let mut client = observatory.client().await;
    until(&mut client, |client| client.devices().iter().any(|device| device.name == "DUMMY")).await;
    let remote = patiently(client.device("dummy")).await.unwrap();
    let declared = declared();
    assert_eq!(declared.len(), 37);
    let names: Vec<String> = remote.values().into_iter().map(|value| value.name).collect();
    assert_eq!(names, declared.iter().map(|value| value.name.clone()).collect::<Vec<_>>());
    for (value, expected) in remote.values().iter().zip(&declared) {
        let name = &expected.name;
        assert_eq!(value.flags.value_type(), expected.flags.value_type(), "{name}");
        assert_eq!(value.display_type(), expected.flags.display_type(), "{name}");
        assert_eq!(meaning(value.flags), meaning(expected.flags), "{name}");
        assert_eq!(value.description, expected.description, "{name}");
        assert_eq!(value.items, expected.items, "{name}");
        assert!(!matches!(value.data, ValueData::Raw(_)), "{name} is {:?}", value.data);
    }
}

/// A line without the length of its numbers.
fn numbers(line: &str) -> String {
    let word = |word: &str| word.parse::<f64>().map_or_else(|_| word.to_owned(), |it| it.to_string());
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The value that a line sets, without an index.
fn target(line: &str) -> Option<String> {
    let name = line.strip_prefix("X ")?.split([' ', '[']).next()?.trim_matches('"').to_lowercase();
    Some(match name.rsplit_once('_') {
        Some(("test_content1", index)) if !index.is_empty() => "test_content1".to_owned(),
        _ => name,
    })
}

/// Every line of `sets.txt` with the answers that rts2-sensor-dummy gave to it.
pub(crate) async fn every_set_and_every_error(world: &World) {
    let observatory = world.observatory().await;
    let dummy = observatory.dummy_for_all().await;
    let mut device = Raw::connect(dummy.port()).await;
    device.until(|line| line.starts_with("V const_value")).await;
    let mut transcript = include_str!("sets.txt").lines().filter(|line| !line.starts_with('#')).peekable();
    let mut count = 0;
    while let Some(sent) = transcript.next() {
        let sent = sent.strip_prefix("> ").unwrap();
        let mut expected = Vec::new();
        while let Some(answer) = transcript.next_if(|line| line.starts_with("< ")) {
            expected.push(numbers(answer[2..].trim_end()));
        }
        let target = target(sent);
        let mut answers = device.command(sent).await;
        answers.retain(|line| {
            let changed = line.strip_prefix("V ").and_then(|rest| rest.split(' ').next());
            let is_its_own = changed.is_some_and(|name| Some(name.to_lowercase()) == target);
            is_its_own || line.starts_with(['+', '-'])
        });
        let answers: Vec<String> = answers.iter().map(|line| numbers(line.trim_end())).collect();
        assert_eq!(answers, expected, "{sent}");
        count += 1;
    }
    assert_eq!(count, 180);
}

async fn changed(remote: &mut RemoteDevice, condition: impl Fn(&RemoteDevice) -> bool) {
    patiently(async {
        while !condition(remote) {
            remote.changed().await.unwrap();
        }
    })
    .await;
}

pub(crate) async fn levels_changes_and_the_end_of_the_dummy_sensor(world: &World) {
    let observatory = world.observatory().await;
    let dummy = observatory.dummy().await;
    let mut client = observatory.client().await;
    until(&mut client, |client| client.devices().iter().any(|device| device.name == "DUMMY")).await;
    let mut remote = patiently(client.device("DUMMY")).await.unwrap();
    // A value that changes by itself.
    let before = remote.value("random_double").unwrap().number();
    changed(&mut remote, |remote| remote.value("random_double").unwrap().number() != before).await;
    // Levels, of another value than the one that is set.
    for (word, level) in [("warning", Level::Warning), ("error", Level::Error), ("good", Level::Good)] {
        let end = patiently(remote.set("stop_move_err", SetOp::Set, word)).await.unwrap();
        assert_eq!(end.to_string(), "+0 OK");
        changed(&mut remote, |remote| remote.value("stop_move").unwrap().level() == level).await;
    }
    // Sets through the client, and a command with what follows from it.
    for (name, op, text, after) in [
        ("TEST_INT", SetOp::Set, "5", "5"),
        ("TEST_INT", SetOp::Add, "3", "8"),
        ("test_string", SetOp::Set, "\"hello world\"", "hello world"),
        ("open_close", SetOp::Set, "OPEN", "OPEN"),
        ("generate_critical", SetOp::Set, "on", "on"),
        ("TEST_TIME", SetOp::Set, "+10m", "1970-01-01T00:00:10.000Z"),
        ("test_PID", SetOp::Set, "1 2 3", "1 2 3"),
        ("ra_dec_test", SetOp::Set, "155:07:30 -0:30:40", "10:20:30.00 -00:30:40.0"),
        ("test_minmax", SetOp::Set, "7 0 10", "7.0 0.0..10.0"),
        ("test_content1", SetOp::Set, "1 2.5", "1.0, 2.5"),
        ("bools[2]", SetOp::Set, "off", ""),
    ] {
        let end = patiently(remote.set(name, op, text)).await.unwrap();
        let text = remote.value(name).map_or(String::new(), |value| value.text());
        assert_eq!((end.code, text.as_str()), (0, after), "{name}");
    }
    assert_eq!(patiently(remote.command("add 10")).await.unwrap().to_string(), "+0 OK");
    assert_eq!(patiently(remote.command("add 20.5")).await.unwrap().to_string(), "+0 OK");
    changed(&mut remote, |remote| remote.value("const_value").unwrap().number() == Some(20.0)).await;
    assert_eq!(remote.value("test_stat").unwrap().number(), Some(15.25));
    assert_eq!(patiently(remote.command("bogus")).await.unwrap().to_string(), "-1 unknow command bogus");
    // Its end is told, by itself and by centrald.
    dummy.stop().await;
    let lost = patiently(async {
        loop {
            if let Err(lost) = remote.changed().await {
                break lost;
            }
        }
    });
    assert!(lost.await.to_string().starts_with("connection to DUMMY lost"));
    until(&mut client, |client| client.devices().is_empty()).await;
}
