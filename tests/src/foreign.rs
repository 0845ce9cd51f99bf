//! An agent that another compiler built for another system, and the life that it leads with the real hub: it is enrolled, heard in
//! TLS, killed while the hub is away, and loses nothing.
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::path::Path;
use std::process::{Command, Output};

use crate::archive;
use crate::hub::Hub;
use crate::lamon::lamon;
use crate::process::Process;
use crate::wait::eventually;

/// The configuration of such an agent, with its key and its spool in `folder`, as it is called there.
#[must_use]
pub fn configuration(node: &str, folder: &Path) -> String {
    let (key, spool) = (folder.join("agent.key"), folder.join("spool"));
    format!(
        "node = {node:?}\nkey = {key:?}\nspool = {spool:?}\nspool_delay = \"1s\"\ninterval = \"1s\"\nlog = \"debug\"\n\
         log_to = \"stderr\"\n"
    )
}

/// A file with the program of another system.
///
/// Of elf(5), where a program for Linux says what it is.
#[derive(Debug)]
pub struct Program {
    /// Its length, bytes.
    pub bytes: usize,
    /// Its `e_machine`: for which processor it is.
    pub machine: usize,
    /// Whether it wants a loader of libraries (`PT_INTERP`).
    pub wants_loader: bool,
}

impl Program {
    /// Reads one, of 32 or 64 bit, whose bytes are the lowest first.
    ///
    /// # Panics
    ///
    /// When there is none, or it is something else.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let file = std::fs::read(path).unwrap();
        let number = |at: usize, bytes: usize| {
            let range = file.get(at..at + bytes).unwrap_or_else(|| panic!("{} ends early", path.display()));
            range.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        assert_eq!(
            number(0, 4),
            usize::from_le_bytes(*b"\x7fELF\0\0\0\0"),
            "{} is no program",
            path.display()
        );
        // e_phoff, e_phentsize, e_phnum: addresses are as wide as the class says.
        let (start, size, count) = match number(4, 1) {
            1 => (number(28, 4), number(42, 2), number(44, 2)),
            _ => (number(32, 8), number(54, 2), number(56, 2)),
        };
        let kinds: Vec<_> = (0..count).map(|header| number(start + header * size, 4)).collect();
        assert!(kinds.contains(&1), "{} has nothing to run: {kinds:?}", path.display());
        Self { bytes: file.len(), machine: number(18, 2), wants_loader: kinds.contains(&3) }
    }
}

/// Where such an agent runs.
pub trait Elsewhere {
    /// The agent with these arguments, and its configuration, in which it is `node`; the process that is started becomes it.
    fn agent(&self, arguments: &str) -> Command;

    /// Its name there.
    fn node(&self) -> &str;

    /// How it ends with these arguments, and what it says.
    fn says(&self, arguments: &str) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.agent(arguments).output().unwrap();
        (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
    }

    /// Runs it.
    fn start(&self) -> Process {
        Process::run("lamon-agent", self.agent(""), None).unwrap()
    }
}

/// The whole life. `host` is what the hub's computer is called there, and `meanwhile` is done while the agent is approved and does
/// not run yet, with a way to enroll it by another of the hub's names.
///
/// # Panics
///
/// When anything is not as it should be.
pub async fn lives(
    elsewhere: &impl Elsewhere,
    host: &str,
    meanwhile: impl FnOnce(&dyn Fn(&str) -> (Option<i32>, String)),
) {
    let node = elsewhere.node();
    let hub = Hub::collector().believing("[]").start();
    let port = hub.address().port();
    let keys: serde_json::Value = serde_json::from_str(&lamon(hub.control(), "--json keys").out).unwrap();
    let key = keys.pointer("/keys/hub").and_then(serde_json::Value::as_str).unwrap().to_owned();

    let enroll = |name: &str| elsewhere.says(&format!("enroll {name}:{port} --hub-key {key} --wait 0"));
    let (code, said) = enroll(host);
    assert!(code == Some(69) && said.contains("waits to be approved"), "{said}");
    assert_eq!(lamon(hub.control(), &format!("approve {node}")).code, Some(0));
    let (code, said) = enroll(host);
    assert!(code == Some(0) && said.contains(&format!("takes the samples of {node}")), "{said}");
    meanwhile(&enroll);

    let mut agent = elsewhere.start();
    for sample in archive::rows(&hub.archive(), node, 3).await {
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
    let agent = elsewhere.start();
    let hub = hub.start();
    let numbers = eventually("a sample of the second life", async || {
        let rows = archive::rows(&hub.archive(), node, 1).await;
        let numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
        numbers.last().is_some_and(|number| *number > 1 << 32).then_some(numbers)
    })
    .await;
    // The second life goes on far from the first.
    let steps = numbers.iter().zip(numbers.iter().skip(1)).map(|(one, next)| next - one);
    let jumps: Vec<_> = steps.filter(|step| *step != 1).collect();
    let one_far = matches!(*jumps, [jump] if jump > 1 << 32);
    assert!(one_far, "none of the samples on disk is missing: {numbers:?}");
    drop(agent);
}
