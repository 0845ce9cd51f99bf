//! `make`, for programs that another compiler builds.
#![expect(clippy::panic, reason = "a test whose program is not built ends here")]
#![expect(clippy::print_stdout, reason = "what was not tested is said")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a cargo tells the programs that it runs: of the package that they are of, by the start of the name,
const OF_A_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// and of itself.
const OF_A_RUN: [&str; 7] = [
    "CARGO",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "LD_LIBRARY_PATH",
    "MAKEFLAGS",
    "RUSTC",
];

/// The top folder of the sources.
#[must_use]
pub fn top() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).into()
}

/// A target in the top folder, without what the running cargo tells its children of itself.
///
/// # Panics
///
/// When there is no `make`, or it fails; with what it said.
pub fn make(target: &str) -> String {
    let mut command = Command::new("make");
    command.args(["--no-print-directory", "-s", target]).current_dir(top()).stdin(Stdio::null());
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        // Build scripts look at some of these, and would run again for nothing.
        let of_a_package = OF_A_PACKAGE.iter().any(|start| name.starts_with(start));
        if of_a_package || OF_A_RUN.contains(&&*name) {
            command.env_remove(&variable);
        }
    }
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("make cannot be started: {error}"));
    let [said, complained] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(status.success(), "make {target}: {complained}");
    said
}

/// Builds the agent for another system by `make SYSTEM-agent`, where nothing is missing that `make SYSTEM` would install;
/// otherwise says so and gives `false`.
///
/// # Panics
///
/// When it does not build.
#[must_use]
pub fn agent_for(system: &str) -> bool {
    let missing = make(&format!("{system}-missing"));
    if !missing.trim().is_empty() {
        println!("the {system} agent was not tested, make {system} installs what is missing: {missing}");
        return false;
    }
    make(&format!("{system}-agent"));
    true
}
