//! The static agent as it comes to an old computer: alone in a root folder without any library, on a kernel that refuses every call
//! that Linux 3.8 did not have, in TLS with the real hub.
//!
//! Where its compiler is missing, which `make static` installs, one line says that nothing was tested.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]
#![expect(clippy::print_stdout, reason = "what was not tested is said")]

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::make::{agent_for, top};
use lamon_tests::process::Process;
use lamon_tests::wait::eventually;
use tempfile::TempDir;

/// The most that the file may be, bytes: it is copied to every computer.
const MOST_BYTES: usize = 4_000_000;

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
        write(
            "agent.toml",
            "node = \"old01\"\ninterval = \"1s\"\nkey = \"/data/agent.key\"\nspool = \"/data/spool\"\n\
             spool_delay = \"1s\"\nlog = \"debug\"\nlog_to = \"stderr\"\n"
                .into(),
        );
        Some(Self { root, unshare })
    }

    /// The agent in there, on its old kernel; the process that is started becomes it.
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

    fn says(&self, arguments: &str) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.agent(arguments).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
    }

    fn start(&self) -> Process {
        Process::run("lamon-agent", self.agent(""), None).unwrap()
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
    let file = fs::read(program()).unwrap();
    assert!(file.len() <= MOST_BYTES, "{} bytes", file.len());
    // elf(5): a program that wants a loader of libraries says so in a header of type PT_INTERP.
    let number = |at: usize, bytes: usize| {
        file[at..at + bytes].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let kinds: Vec<_> = (0..count).map(|header| number(start + header * size, 4)).collect();
    assert!(kinds.contains(&1) && !kinds.contains(&3), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_on_an_old_kernel_it_is_enrolled_heard_in_tls_and_loses_nothing() {
    if !agent_for("static") {
        return;
    }
    let Some(computer) = Computer::set_up() else { return };
    let hub = Hub::collector().believing("[]").start();
    let port = hub.address().port();
    let keys: serde_json::Value = serde_json::from_str(&lamon(hub.control(), "--json keys").out).unwrap();
    let key = keys["keys"]["hub"].as_str().unwrap();

    let enroll = |name: &str| computer.says(&format!("enroll {name}:{port} --hub-key {key} --wait 0"));
    let (code, said) = enroll("hub-of-the-file");
    assert!(code == Some(69) && said.contains("waits to be approved"), "{said}");
    assert_eq!(lamon(hub.control(), "approve old01").code, Some(0));
    let (code, said) = enroll("hub-of-the-file");
    assert!(code == Some(0) && said.contains("takes the samples of old01"), "{said}");
    if answer_names() {
        let (code, said) = enroll("hub.of.the.name-server");
        assert!(code == Some(0) && said.contains("takes the samples of old01"), "{said}");
    } else {
        println!("the static agent asked no name server: nobody may listen on port 53");
    }

    let mut agent = computer.start();
    for sample in archive::rows(&hub.archive(), "old01", 3).await {
        for (metric, least, most) in [
            ("cpu_percent", 0.0, 100.0),
            ("memory_percent", 0.1, 100.0),
            ("processes", 2.0, 1e6),
            ("uptime", 1.0, 1e9),
        ] {
            let value = sample.metric(metric).unwrap_or(f64::NAN);
            assert!((least..=most).contains(&value), "{metric} is {value} in {sample:?}");
        }
    }

    // Killed while the hub is away, with samples on its disk.
    let hub = hub.crash();
    eventually("samples in the spool", || async {
        let log = agent.log();
        let away = log.iter().skip_while(|line| !line.contains("the hub closed the connection"));
        let counts = away.filter_map(|line| line.strip_suffix(" unacknowledged samples are on disk"));
        counts
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .any(|count: u32| count > 1)
            .then_some(())
    })
    .await;
    agent.kill();
    let agent = computer.start();
    let hub = hub.start();
    let numbers = eventually("a sample of the second life", async || {
        let rows = archive::rows(&hub.archive(), "old01", 1).await;
        let numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
        numbers.last().is_some_and(|number| *number > 1 << 32).then_some(numbers)
    })
    .await;
    // The second life goes on far from the first.
    let jumps: Vec<_> = numbers.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step != 1).collect();
    assert!(jumps.len() == 1 && jumps[0] > 1 << 32, "none of the samples on disk is missing: {numbers:?}");
    drop(agent);
}
