//! Puts the commit and its date into the binaries, so that a hub can tell which of a hundred agents is old.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Where that is git says: in a second work tree it is elsewhere. A file that is not there would have everything built anew each time.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists());
    if let Some(log) = log {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = git(&["log", "-1", "--format=%h %cs"]).unwrap_or_default();
    println!("cargo::rustc-env=LAMON_COMMIT={commit}");
}

/// What git says, `None` where there is no git or no checkout (a source tarball).
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
