//! The fuzz targets' corpus, replayed: what fuzzing reached once holds in every run of the tests, without libfuzzer.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says where"
)]

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library there")]
mod fuzz;

/// Calls `run` with every file of a target's corpus.
fn replay(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        // Where it fails, the last file named is the one.
        println!("{}", path.display());
        run(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 5, "{} has {count} files", folder.display());
}

#[test]
fn splitter() {
    replay("splitter", fuzz::splitter::run);
}

#[test]
fn line() {
    replay("line", fuzz::line::run);
}

#[test]
fn set_value() {
    replay("set_value", fuzz::set_value::run);
}

#[test]
fn device_sessions() {
    #[expect(clippy::disallowed_methods, reason = "some instant to start from")]
    let now = std::time::Instant::now();
    replay("device_sessions", |data| fuzz::device_sessions::run(now, data));
}

#[test]
fn client_sessions() {
    #[expect(clippy::disallowed_methods, reason = "some instant to start from")]
    let now = std::time::Instant::now();
    replay("client_sessions", |data| fuzz::client_sessions::run(now, data));
}
