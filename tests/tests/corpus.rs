//! The fuzz targets' corpus, replayed: what must hold for any bytes of strangers holds for these in every run of the tests, without
//! libfuzzer.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says where"
)]

use std::path::Path;
use std::time::Instant;

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "it is a library there, of what is to fail"
)]
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
fn frames() {
    replay("frames", fuzz::frames::run);
}

#[test]
fn text() {
    replay("text", fuzz::text::run);
}

#[test]
fn intake() {
    let now = Instant::now();
    replay("intake", |data| fuzz::intake::run(now, data));
}

#[test]
fn keys() {
    replay("keys", fuzz::keys::run);
}

#[test]
fn bus() {
    replay("bus", fuzz::bus::run);
}

#[test]
fn control() {
    replay("control", fuzz::control::run);
}
