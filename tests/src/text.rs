//! A sender of text lines, as `printf … | nc hub 7617` is one.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::wait::{PATIENCE, patiently};

/// An open connection.
#[derive(Debug)]
pub struct TextSender(BufReader<TcpStream>);

impl TextSender {
    /// Connects to a hub.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub async fn connect(hub: SocketAddr) -> std::io::Result<Self> {
        TcpStream::connect(hub).await.map(|stream| Self(BufReader::new(stream)))
    }

    /// Sends a line.
    ///
    /// # Errors
    ///
    /// When the connection ended.
    pub async fn send(&mut self, line: &str) -> std::io::Result<()> {
        self.send_bytes(format!("{line}\n").as_bytes()).await
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// When the connection ended.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes).await
    }

    /// The next answer, without its end; `None` when the hub closed.
    ///
    /// # Errors
    ///
    /// When the connection broke.
    pub async fn answer(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let count = patiently("an answer of the hub", self.0.read_line(&mut line)).await?;
        Ok((count > 0).then(|| line.trim_end().to_owned()))
    }

    /// Says that nothing more comes, as a client does that closes its side.
    ///
    /// # Errors
    ///
    /// When the connection ended.
    pub async fn finish(&mut self) -> std::io::Result<()> {
        self.0.get_mut().shutdown().await
    }

    /// Everything up to the hub's close, which it does by itself.
    ///
    /// # Errors
    ///
    /// When the connection broke.
    pub async fn rest(&mut self) -> std::io::Result<String> {
        let mut rest = Vec::new();
        patiently("the hub's close", self.0.read_to_end(&mut rest)).await?;
        Ok(String::from_utf8_lossy(&rest).into_owned())
    }
}

/// Sends one line and gives the hub's answer.
///
/// # Errors
///
/// When the hub cannot be reached or closes without an answer.
pub async fn say(hub: SocketAddr, line: &str) -> std::io::Result<String> {
    let mut sender = TextSender::connect(hub).await?;
    sender.send(line).await?;
    let answer = sender.answer().await?;
    answer.ok_or_else(|| std::io::Error::other("the hub closed without an answer"))
}

/// Sends a line by a program, and gives what it prints when it ends by itself: `printf 'line\n' | nc host port`.
///
/// # Errors
///
/// When it cannot be run, or does not end.
pub async fn netcat(program: &str, hub: SocketAddr, line: &str) -> anyhow::Result<String> {
    let script = format!("printf '%s\\n' '{line}' | {program} {} {}", hub.ip(), hub.port());
    let run = move || Command::new("sh").args(["-c", &script]).output();
    let output = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(run))
        .await
        .context("nc does not end by itself")???;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The netcat of this machine; where there is none a line says so, and the tests that need it have nothing to do.
#[must_use]
#[expect(clippy::print_stdout, reason = "what is not tested is said")]
pub fn installed_netcat() -> Option<String> {
    let found = Command::new("sh").args(["-c", "command -v nc"]).output();
    if found.is_ok_and(|found| found.status.success()) {
        return Some("nc".into());
    }
    println!("nc is not installed: nothing is tested with it");
    None
}
