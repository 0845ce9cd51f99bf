//! What the tests of this folder share: a device that runs, and a raw connection that speaks line by line.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]
#![allow(dead_code, reason = "each test file uses its part of this")]
#![allow(clippy::allow_attributes, reason = "an expectation would fail in the files that use all of it")]

pub(crate) mod real;

use std::time::Duration;

use rts2dev::{Device, DeviceHandle, DeviceOptions, RunError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything; a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A device that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) handle: DeviceHandle,
    pub(crate) port: u16,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), RunError>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Options for a test: this machine only.
pub(crate) fn options(name: &str, centralds: &[String]) -> DeviceOptions {
    DeviceOptions {
        centralds: centralds.to_vec(),
        host: Some("127.0.0.1".to_owned()),
        info_interval: None,
        syslog: None,
        ..DeviceOptions::new(name)
    }
}

/// Starts a device; `declare` declares its values before it runs.
pub(crate) async fn start(options: DeviceOptions, declare: impl FnOnce(&DeviceHandle)) -> Running {
    let device = Device::new(options).unwrap();
    let handle = device.handle();
    declare(&handle);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(device.run(listener, shutdown.clone()));
    Running { handle, port, shutdown, task }
}

/// A raw connection.
pub(crate) struct Raw {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    /// Longest wait for a line; tests that move the clock give it more.
    pub(crate) patience: Duration,
    /// The state that the peer told last, with an `S` line.
    pub(crate) state: Option<u32>,
}

impl Raw {
    pub(crate) async fn connect(port: u16) -> Self {
        Self::over(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer, patience: PATIENCE, state: None }
    }

    /// Sends a line.
    pub(crate) async fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        tokio::time::timeout(PATIENCE, self.writer.write_all(bytes)).await.unwrap().unwrap();
    }

    /// The next line with its blanks, without its end; `None` when the peer closed.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = tokio::time::timeout(self.patience, self.reader.read_line(&mut line))
            .await
            .expect("no line came");
        let line = match read {
            Ok(0) | Err(_) => return None,
            Ok(_) => line.trim_end_matches('\n').to_owned(),
        };
        let state = line.strip_prefix("S ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        self.state = state.or(self.state);
        Some(line)
    }

    /// Reads lines up to one that satisfies `last`, and returns all of them.
    pub(crate) async fn until(&mut self, last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await.unwrap_or_else(|| panic!("closed after {lines:?}"));
            lines.push(line);
            if last(&lines[lines.len() - 1]) {
                return lines;
            }
        }
    }

    /// Sends a command and returns what comes up to its end line.
    pub(crate) async fn command(&mut self, line: &str) -> Vec<String> {
        self.send(line).await;
        self.until(|line| line.starts_with(['+', '-'])).await
    }

    /// Sends bytes, reading all the while up to as many end lines, and returns these.
    pub(crate) async fn converse(&mut self, bytes: &[u8], ends: usize) -> Vec<String> {
        let send = async { self.writer.write_all(bytes).await.unwrap() };
        let hear = async {
            let mut heard = Vec::new();
            let mut line = String::new();
            while heard.len() < ends {
                line.clear();
                assert_ne!(self.reader.read_line(&mut line).await.unwrap(), 0, "closed after {heard:?}");
                if line.starts_with(['+', '-']) {
                    heard.push(line.trim_end().to_owned());
                }
            }
            heard
        };
        patiently(async { tokio::join!(send, hear).1 }).await
    }

    /// Sends what a peer may not be there to take.
    pub(crate) async fn try_send(&mut self, text: &str) {
        let _ = tokio::time::timeout(PATIENCE, self.writer.write_all(text.as_bytes())).await.unwrap();
    }

    /// Sends as much as goes without waiting; whether that was anything.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> bool {
        self.writer.try_write(bytes).is_ok()
    }

    /// Closes the connection, with a reset where asked: then the peer may not even read what was sent.
    pub(crate) fn close(self, reset: bool) {
        let stream = self.reader.into_inner().reunite(self.writer).unwrap();
        if reset {
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
    }

    /// Expects exactly these lines next.
    pub(crate) async fn expect(&mut self, lines: &[&str]) {
        for expected in lines {
            assert_eq!(self.line().await.as_deref(), Some(*expected));
        }
    }
}

/// Waits for something that tells when it changes.
pub(crate) async fn patiently<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not happen")
}
