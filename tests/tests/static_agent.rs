//! The static agent as it comes to an old computer: alone in a root folder without any library, on a kernel that refuses every call
//! that Linux 3.8 did not have, in TLS with the real hub.
//!
//! Where its compiler is missing, which `make static` installs, one line says that nothing was tested.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]
#![expect(clippy::print_stdout, reason = "what was not tested is said")]

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lamon_tests::foreign::{Elsewhere, Program, configuration, lives};
use lamon_tests::make::{agent_for, top};
use tempfile::TempDir;

/// The most that the file may be, bytes: it is copied to every computer.
const MOST_BYTES: usize = 4_000_000;

/// Its name.
const NODE: &str = "old01";

/// Where names are asked for in there: an address of the loopback that no resolver of this computer has.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(127, 61, 7, 1);

fn program() -> PathBuf {
    top().join("target/static/x86_64-unknown-linux-musl/release/lamon-agent")
}

/// A root folder with the agent, /proc, /dev and what is told here, nothing else.
struct Computer {
    root: TempDir,
    /// How a process gets mounts of its own.
    unshare: &'static str,
}

impl Computer {
    /// `None` where nobody may have a root of his own, which is said.
    fn set_up() -> Option<Self> {
        // Whoever is not root must become it first.
        let may = |options: &&str| {
            let mut command = Command::new("unshare");
            command.args([options, "true"]).stdin(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let Some(unshare) = ["-m", "-rm"].into_iter().find(may) else {
            println!("the static agent was not run alone in a root folder: unshare may not make one");
            return None;
        };
        let root = TempDir::with_prefix("lamon-root").unwrap();
        for name in ["etc", "dev", "proc", "data"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        fs::copy(program(), root.path().join("lamon-agent")).unwrap();
        let write = |name: &str, text: String| fs::write(root.path().join(name), text).unwrap();
        write("etc/hosts", "127.0.0.1 hub-of-the-file\n".into());
        write("etc/resolv.conf", format!("nameserver {NAME_SERVER}\n"));
        write("agent.toml", configuration(NODE, Path::new("/data")));
        Some(Self { root, unshare })
    }
}

impl Elsewhere for Computer {
    /// On its old kernel.
    fn agent(&self, arguments: &str) -> Command {
        let script = top().join("tests/tests/static_agent/old_kernel.py");
        let mut command = Command::new("unshare");
        command.args([
            self.unshare,
            "sh",
            "-c",
            "mount --rbind /proc \"$2/proc\" && mount --rbind /dev \"$2/dev\" && exec python3 \"$@\"",
            "sh",
        ]);
        command.arg(script).arg(self.root.path()).arg("/lamon-agent").args(arguments.split_whitespace());
        command.args(["-c", "/agent.toml"]).stdin(Stdio::null());
        command
    }

    fn node(&self) -> &'static str {
        NODE
    }
}

/// Answers that every name is 127.0.0.1, and has no address of version 6. `false` where nobody may listen on that port.
fn answer_names() -> bool {
    let Ok(socket) = UdpSocket::bind((NAME_SERVER, 53)) else { return false };
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, who)) = socket.recv_from(&mut question) {
            // RFC 1035: an identifier, flags, counts of the four sections; the question, which ends with its type and class.
            let question = &question[..length];
            let wants_v4 = question.ends_with(&[0, 1, 0, 1]);
            let mut answer = question[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(wants_v4), 0, 0, 0, 0]);
            answer.extend(&question[12..]);
            if wants_v4 {
                // The name of the question, its type and class, a minute, four bytes.
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, who);
        }
    });
    true
}

#[test]
fn it_is_one_small_file_that_needs_no_library() {
    if !agent_for("static") {
        return;
    }
    let program = Program::read(&program());
    assert!(program.bytes <= MOST_BYTES && !program.wants_loader, "{program:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_on_an_old_kernel_it_is_enrolled_heard_in_tls_and_loses_nothing() {
    if !agent_for("static") {
        return;
    }
    let Some(computer) = Computer::set_up() else { return };
    lives(&computer, "hub-of-the-file", |enroll| {
        if answer_names() {
            let (code, said) = enroll("hub.of.the.name-server");
            assert!(code == Some(0) && said.contains("takes the samples of old01"), "{said}");
        } else {
            println!("the static agent asked no name server: nobody may listen on port 53");
        }
    })
    .await;
}
