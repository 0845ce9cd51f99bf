//! What values begin with: the command line, the defaults file, the autosave file, and what is saved there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use common::{Raw, options, patiently, start};
use rts2dev::proto::ValueFlags;
use rts2dev::{DeclareError, Device, DeviceOptions, Refusal, RunError, Selection, Time};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn initial(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn run(device: Device) -> Result<(), RunError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    patiently(device.run(listener, CancellationToken::new())).await
}

/// Waits for what a thread writes to a file.
async fn until_saved(path: &Path, line: &str) {
    patiently(async {
        while !std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(|l| l == line)) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[test]
fn what_comes_later_stands_over_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new(DeviceOptions {
        initial: initial(&[("A", "1"), ("B", "1"), ("c", "1"), ("text", "two words"), ("mode", "fast one")]),
        defaults: Some(file(folder.path(), "defaults", "b = 2 ; the second\nC = \"2\"\nflag = yes\n")),
        autosave: Some(file(folder.path(), "saved", "; head\nc = \"3\"\nd = \"3\"\nwhen = \"1.5e9\"\n")),
        ..options("A", &[])
    });
    let handle = device.unwrap().handle();
    let integer = |name: &str| handle.integer(name, "").initial(9).declare().unwrap().get();
    assert_eq!(["a", "b", "C", "D", "e"].map(integer), [1, 2, 3, 3, 9]);
    assert_eq!(handle.string("text", "").declare().unwrap().get(), "two words");
    assert!(handle.boolean("flag", "").declare().unwrap().get());
    assert_eq!(handle.time("when", "").declare().unwrap().get(), Time(1.5e9));
    let mode = handle.selection("mode", "", &["slow", "fast one"]).declare().unwrap();
    assert_eq!(mode.get(), Selection(1));
}

#[tokio::test]
async fn mistakes_of_a_person_end_the_start_and_say_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let defaults = file(folder.path(), "defaults", "\nlimit = 5\nnosuch = 1\n");
    let place = |line| format!("{}:{line}", defaults.display());

    // A name that no value has.
    let device =
        Device::new(DeviceOptions { defaults: Some(defaults.clone()), ..options("A", &[]) }).unwrap();
    device.handle().double("limit", "").declare().unwrap();
    let error = run(device).await.unwrap_err().to_string();
    assert_eq!(error, format!("{}: there is no value nosuch: correct the name, or remove it", place(3)));

    // A text that is not of the value's type.
    let device =
        Device::new(DeviceOptions { defaults: Some(defaults.clone()), ..options("A", &[]) }).unwrap();
    let error = device.handle().boolean("limit", "").declare().unwrap_err();
    assert!(matches!(&error, DeclareError::Preset(error) if error.place == place(2)), "{error}");

    // What the value's handler refuses.
    let device = Device::new(DeviceOptions { initial: initial(&[("limit", "500")]), ..options("A", &[]) });
    let device = device.unwrap();
    let limit = device.handle().double("limit", "");
    limit.on_set(|_| async { Err(Refusal::value("above 100")) }).declare().unwrap();
    let error = run(device).await.unwrap_err().to_string();
    assert_eq!(error, "command line: limit cannot be set to \"500\": above 100");

    // A line that cannot be read, and a file that is not there.
    let bad = file(folder.path(), "bad", "limit 5\n");
    for path in [bad.clone(), folder.path().join("none")] {
        let error = Device::new(DeviceOptions { defaults: Some(path.clone()), ..options("A", &[]) });
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn values_are_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let declare = |handle: &rts2dev::DeviceHandle| {
        let asked = Arc::clone(&asked);
        let limit = handle.double("Limit", "").initial(50).autosave().on_set(move |limit| {
            let asked = Arc::clone(&asked);
            async move {
                asked.lock().unwrap().push(limit);
                if limit < 100.0 { Ok(()) } else { Err(Refusal::value("above 100")) }
            }
        });
        let limit = limit.declare().unwrap();
        assert!(limit.flags().contains(ValueFlags::AUTOSAVE));
        handle.string("note", "").autosave().writable().declare().unwrap();
        handle.boolean("known", "").autosave().declare().unwrap();
        handle.integer("other", "").writable().declare().unwrap();
        limit
    };
    let with_file = || DeviceOptions {
        noauth: true,
        autosave: Some(path.clone()),
        initial: initial(&[("limit", "60")]),
        ..options("A", &[])
    };

    // First start: nothing is saved yet, and nothing is written that did not change.
    let device = start(with_file(), |handle| assert!((declare(handle).get() - 60.0).abs() < 0.1)).await;
    let mut client = Raw::connect(device.port).await;
    client.command("X other = 3").await;
    assert_eq!(client.command("X limit = 70").await.pop().unwrap(), "+0 OK");
    until_saved(&path, "Limit = \"70.0\"").await;
    // At once when a client asks, and what comes last is written when the device ends.
    client.command("X note = \"two words\"").await;
    assert_eq!(client.command("autosave").await.pop().unwrap(), "+0 OK");
    let saved = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = saved.lines().skip(2).collect();
    assert_eq!(lines, ["Limit = \"70.0\"", "note = \"two words\""], "{saved}");
    client.command("X limit = 71").await;
    device.shutdown.cancel();
    let mut device = device;
    patiently(&mut device.task).await.unwrap().unwrap();
    until_saved(&path, "Limit = \"71.0\"").await;

    // Second start: over the command line, and the handler knows. A damaged line costs that line, one of a value that
    // is declared later waits for it.
    let mut saved = std::fs::read_to_string(&path).unwrap();
    saved.push_str("note = \"open\nlater = \"7\"\n");
    std::fs::write(&path, saved).unwrap();
    asked.lock().unwrap().clear();
    let device = start(with_file(), |handle| assert!((declare(handle).get() - 71.0).abs() < 0.1)).await;
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line == "V note \"two words\"").await;
    assert_eq!(*asked.lock().unwrap(), [71.0]);
    assert_eq!(client.command("autosave").await.pop().unwrap(), "+0 OK");
    until_saved(&path, "later = \"7\"").await;
    assert_eq!(device.handle.integer("later", "").autosave().declare().unwrap().get(), 7);
    drop((client, device));

    // What the handler refuses now is what the value was without.
    std::fs::write(&path, "limit = 200\n").unwrap();
    let device = start(with_file(), |handle| drop(declare(handle))).await;
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line == "V Limit 60.0").await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no").join("saved");
    let device = start(DeviceOptions { noauth: true, autosave: Some(path), ..options("A", &[]) }, |handle| {
        handle.integer("a", "").autosave().writable().declare().unwrap();
    })
    .await;
    let mut client = Raw::connect(device.port).await;
    assert_eq!(client.command("X a = 1").await.pop().unwrap(), "+0 OK");
    let end = client.command("autosave").await.pop().unwrap();
    assert!(end.starts_with("-5 not saved: "), "{end}");
    // Without the option it is RTS2's error.
    let device = start(DeviceOptions { noauth: true, ..options("B", &[]) }, |_| {}).await;
    let end = Raw::connect(device.port).await.command("autosave").await.pop().unwrap();
    assert_eq!(end, "-2 invalid parameters/invalid number of parameters - autosave");
}
