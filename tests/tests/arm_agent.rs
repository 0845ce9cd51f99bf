//! The agent for boards with ARM processors, under an emulator of each, in TLS with the real hub.
//!
//! Where its compiler or the emulator is missing, which `make arm` installs, one line says that nothing was tested.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use lamon_tests::foreign::{Elsewhere, Program, configuration, lives};
use lamon_tests::make::{agent_for, top};
use tempfile::TempDir;

/// The most that a file may be, bytes: as for other computers.
const MOST_BYTES: usize = 4_000_000;

/// The name of each board.
const NODE: &str = "board";

/// A processor, and what runs programs for it here.
struct Processor {
    target: &'static str,
    /// Names of the emulator, as Debian's qemu-user and qemu-user-static have it.
    emulators: [&'static str; 2],
    /// The oldest processor that is promised: of the Raspberry Pi 3, and of the first one.
    model: &'static str,
    /// Its number in elf(5).
    machine: usize,
}

const PROCESSORS: [Processor; 2] = [
    Processor {
        target: "aarch64-unknown-linux-musl",
        emulators: ["qemu-aarch64", "qemu-aarch64-static"],
        model: "cortex-a53",
        machine: 183,
    },
    Processor {
        target: "arm-unknown-linux-musleabihf",
        emulators: ["qemu-arm", "qemu-arm-static"],
        model: "arm1176",
        machine: 40,
    },
];

impl Processor {
    fn program(&self) -> PathBuf {
        top().join("target/static").join(self.target).join("release/lamon-agent")
    }
}

/// A board with this computer's disks and network, and that processor.
struct Board<'a> {
    processor: &'a Processor,
    folder: TempDir,
}

impl<'a> Board<'a> {
    fn with(processor: &'a Processor) -> Self {
        let folder = TempDir::with_prefix("lamon-arm").unwrap();
        std::fs::write(folder.path().join("agent.toml"), configuration(NODE, folder.path())).unwrap();
        Self { processor, folder }
    }
}

impl Elsewhere for Board<'_> {
    fn agent(&self, arguments: &str) -> Command {
        let there = |name: &&&str| {
            let status =
                Command::new(name).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        let mut command = Command::new(self.processor.emulators.iter().find(there).unwrap());
        command.args(["-cpu", self.processor.model]).arg(self.processor.program());
        command.args(arguments.split_whitespace()).arg("-c").arg(self.folder.path().join("agent.toml"));
        command.stdin(Stdio::null());
        command
    }

    fn node(&self) -> &'static str {
        NODE
    }
}

#[test]
fn they_are_small_files_that_need_no_library() {
    if !agent_for("arm") {
        return;
    }
    for processor in &PROCESSORS {
        let program = Program::read(&processor.program());
        let as_promised =
            program.bytes <= MOST_BYTES && program.machine == processor.machine && !program.wants_loader;
        assert!(as_promised, "{}: {program:?}", processor.target);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_64_bit_it_is_enrolled_heard_in_tls_and_loses_nothing() {
    if agent_for("arm") {
        lives(&Board::with(&PROCESSORS[0]), "127.0.0.1", |_| {}).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_first_boards_it_is_enrolled_heard_in_tls_and_loses_nothing() {
    if agent_for("arm") {
        lives(&Board::with(&PROCESSORS[1]), "127.0.0.1", |_| {}).await;
    }
}
