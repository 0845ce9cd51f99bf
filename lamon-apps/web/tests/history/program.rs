//! The real program over a real archive.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_store::upkeep::Retention;
use lamon_store::{Archive, ArchiveUrl, Sample};
use serde_json::Value;

/// No wait of these tests lasts longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// 2026-11-22 00:00:00 UTC.
pub(crate) const T0: i64 = 1_795_305_600_000;

/// An hour in milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;

/// A day in milliseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The program, ended with the test.
pub(crate) struct Web {
    child: Child,
    at: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Web {
    /// Without a hub: `more` is the rest of its configuration.
    pub(crate) fn start(more: &str) -> Self {
        // Ports that nobody answers on.
        Self::beside(&["tcp://127.0.0.1:1".into(), "tcp://127.0.0.1:2".into()], more)
    }

    /// With a hub.
    pub(crate) fn beside([publish, snapshot]: &[String; 2], more: &str) -> Self {
        // Free a moment ago, so free now.
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.toml");
        let bus = format!("[bus]\npublish = \"{publish}\"\nsnapshot = \"{snapshot}\"\n");
        std::fs::write(&file, format!("listen = \"{at}\"\n{bus}{more}\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamon-web"));
        command.arg("-c").arg(file).args(["--log-to", "stderr"]).stderr(Stdio::null());
        let web = Self { child: command.spawn().unwrap(), at, _folder: folder };
        until("the port", || TcpStream::connect(at).ok());
        web
    }

    /// Over an SQLite file.
    pub(crate) fn over(file: &Path) -> Self {
        Self::start(&format!("[database]\nurl = \"sqlite:{}\"", file.display()))
    }

    /// The whole answer, with its head.
    pub(crate) fn raw(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let answer = self.raw(path);
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// A file that is sent in chunks: its head and its lines.
    pub(crate) fn file(&self, path: &str) -> (String, Vec<String>) {
        let answer = self.raw(path);
        let (head, mut rest) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        let mut text = String::new();
        while let Some((size, body)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).unwrap();
            text.push_str(&body[..size]);
            rest = &body[size + 2..];
            if size == 0 {
                break;
            }
        }
        (head.to_owned(), text.split_terminator("\r\n").map(str::to_owned).collect())
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Waits until the hub has told of so many nodes.
    pub(crate) fn wait_for_nodes(&self, count: usize) {
        let nodes = || self.json("/api/v1/nodes").as_array().unwrap().len();
        until("the nodes", || (nodes() == count).then_some(()));
    }

    /// How long an answer takes: printed, never asserted.
    #[expect(clippy::print_stdout, reason = "a measurement is what a test says")]
    pub(crate) fn timed(&self, what: &str, path: &str) -> Value {
        let begun = Instant::now();
        let (status, body) = self.get(path);
        println!("{what}: {:.1} ms, {} KB", begun.elapsed().as_secs_f64() * 1e3, body.len() / 1_000);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// How much memory it takes: printed, never asserted.
    #[expect(clippy::print_stdout, reason = "a measurement is what a test says")]
    pub(crate) fn weighed(&self) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        for line in status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM")) {
            println!("lamon-web: {line}");
        }
    }

    /// The sentence of a refusal.
    pub(crate) fn refusal(&self, path: &str) -> (u16, String) {
        let (status, body) = self.get(path);
        let json: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {body}"));
        (status, json["error"].as_str().unwrap_or_else(|| panic!("{path}: {body}")).to_owned())
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what} did not come");
}

/// A sample.
pub(crate) fn sample(node: &str, time_ms: i64, sequence: u64, metrics: &[(&str, f64)]) -> Sample {
    let metrics = metrics.iter().map(|(name, value)| (Arc::from(*name), *value)).collect();
    Sample { node: node.into(), epoch: 1, sequence, time_ms, metrics }
}

/// Fills an archive, with the rollups of all that is over.
pub(crate) fn fill(url: &ArchiveUrl, samples: &[Sample]) {
    run(async {
        let mut archive = Archive::connect(url, "hub").await.unwrap();
        // As many as the hub writes at once.
        for samples in samples.chunks(500) {
            archive.append(samples).await.unwrap();
        }
        let forever =
            Retention { samples: None, ten_minutes: None, hour: None, events: None, dead_letters: None };
        let end = samples.iter().map(|sample| sample.time_ms).max().unwrap_or(T0) + DAY;
        while archive.upkeep(&forever, end).await.unwrap().more {}
    });
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
