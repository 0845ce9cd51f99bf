//! Files exchanged with the real rts2-sensor-dummy, where `RTS2_BINDIR` says where RTS2's programs are.

mod common;

use std::path::Path;

use common::real::{self, Program};
use common::{Raw, options, start};
use rts2dev::{DeviceOptions, Time};

/// The real dummy, without a centrald.
async fn dummy(bindir: &Path, folder: &Path, arguments: &[&str]) -> (Program, Raw) {
    let arguments = [&["-d", "DUMMY", "--noauth", "--server", "127.0.0.1:1"], arguments].concat();
    let program = Program::start(bindir, "rts2-sensor-dummy", folder, &arguments).await;
    let raw = Raw::connect(program.port).await;
    (program, raw)
}

#[tokio::test]
async fn what_one_saved_the_other_reads() {
    let Some(bindir) = real::bindir() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved");
    let autosave = ["--autosave", path.to_str().unwrap()];

    // The real one saves.
    let (program, mut real) = dummy(&bindir, folder.path(), &autosave).await;
    for command in ["X TEST_INT = 5", "X TEST_DOUBLE = 1.25", "X TEST_TIME = 1.5e9", "autosave"] {
        assert_eq!(real.command(command).await.pop().unwrap(), "+0 OK", "{command}");
    }
    program.stop().await;

    // Ours reads that, and saves.
    let ours = DeviceOptions { noauth: true, autosave: Some(path.clone()), ..options("DUMMY", &[]) };
    let mut read = None;
    let ours = start(ours, |handle| {
        let integer = handle.integer("TEST_INT", "").autosave().writable().declare().unwrap();
        let double = handle.double("TEST_DOUBLE", "").autosave().writable().declare().unwrap();
        let limit = handle.double("test_limit", "").autosave().writable().declare().unwrap();
        let time = handle.time("TEST_TIME", "").autosave().writable().declare().unwrap();
        read = Some((integer.get(), double.get(), limit.get().is_nan(), time.get()));
    })
    .await;
    assert_eq!(read, Some((5, 1.25, true, Time(1.5e9))));
    let mut client = Raw::connect(ours.port).await;
    for command in ["X TEST_INT + 2", "X test_limit = -1e-3", "autosave"] {
        assert_eq!(client.command(command).await.pop().unwrap(), "+0 OK", "{command}");
    }
    // Declared by the real one alone, it is in the file all the same.
    assert!(std::fs::read_to_string(&path).unwrap().contains("const_value = \"0\""));

    // And the real one reads what ours saved.
    let (_program, mut real) = dummy(&bindir, folder.path(), &autosave).await;
    let mut expected = vec!["V TEST_INT 7", "V TEST_DOUBLE 1.25", "V test_limit -1", "V TEST_TIME 1.5"];
    while !expected.is_empty() {
        let line = real.line().await.unwrap();
        expected.retain(|expected| !line.starts_with(expected));
    }
    drop(ours);
}
