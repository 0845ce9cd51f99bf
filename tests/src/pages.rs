//! The real lamon-web on a free port, and pages that are open: each follows the live stream as a browser does.
#![expect(clippy::panic, reason = "a test whose page does not come ends here, with the reason")]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::wait::PATIENCE;

/// The running program.
#[derive(Debug)]
pub struct Web {
    process: Process,
    at: SocketAddr,
    _folder: TempDir,
}

impl Web {
    /// Starts it, to follow the bus at these two addresses.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn follow(publish: &str, snapshot: &str) -> Self {
        Self::try_follow(publish, snapshot).unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn try_follow(publish: &str, snapshot: &str) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("lamon-web")?;
        let config = folder.path().join("web.toml");
        let bus = format!("[bus]\npublish = {publish:?}\nsnapshot = {snapshot:?}\n");
        std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\n{bus}"))?;
        let arguments = ["-c".as_ref(), config.as_os_str(), "--log-to".as_ref(), "stderr".as_ref()];
        let process = Process::start("lamon-web", &arguments, None)?;
        let line = process.line_with("the page is at http://")?;
        let at = line.rsplit("http://").next().unwrap_or_default().trim_end_matches('/');
        let at = at.parse().with_context(|| format!("no address: {line}"))?;
        Ok(Self { process, at, _folder: folder })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Status and text of a path.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let mut stream = self.request(path, "close")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no answer")?;
        Ok((status, answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.into())))
    }

    /// The rows of all nodes by name, as a page is told them.
    ///
    /// # Errors
    ///
    /// When it does not answer as it should.
    pub fn nodes(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let (status, body) = self.get("/api/v1/nodes")?;
        anyhow::ensure!(status == 200, "{status}: {body}");
        let rows: Vec<Value> = serde_json::from_str(&body)?;
        Ok(by_name(rows).collect())
    }

    /// Opens a page.
    ///
    /// # Panics
    ///
    /// When it is refused.
    #[must_use]
    pub fn open(&self) -> Page {
        self.try_open().unwrap_or_else(|error| panic!("a page is not opened: {error:#}"))
    }

    fn try_open(&self) -> anyhow::Result<Page> {
        let stream = self.request("/api/v1/live", "keep-alive")?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (reader, shown) = (stream.try_clone()?, seen.clone());
        let reading = std::thread::spawn(move || read(reader, &shown));
        Ok(Page { stream, seen, reading: Some(reading) })
    }

    /// A page whose browser hangs: it is open, and nothing of it is read.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn open_and_hang(&self) -> anyhow::Result<TcpStream> {
        self.request("/api/v1/live", "keep-alive")
    }

    fn request(&self, path: &str, connection: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.at)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n")?;
        Ok(stream)
    }
}

/// What a page shows.
#[derive(Debug, Default)]
pub struct Seen {
    /// How often it was sent everything.
    pub hellos: u64,
    /// The row of each node.
    pub nodes: BTreeMap<String, Value>,
    /// When each event came, by its text.
    pub events: HashMap<String, Instant>,
    /// The stream has ended.
    pub ended: bool,
}

/// An open page. It is closed when this is dropped.
#[derive(Debug)]
pub struct Page {
    stream: TcpStream,
    seen: Arc<Mutex<Seen>>,
    reading: Option<JoinHandle<()>>,
}

impl Page {
    /// Looks at what it shows now.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.reading.take().map(JoinHandle::join);
    }
}

/// Takes up server-sent events, as `docs/web.md` tells them. The lines of the transfer between them are none.
fn read(stream: TcpStream, seen: &Mutex<Seen>) {
    let mut event = String::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if let Some(name) = line.strip_prefix("event: ") {
            name.clone_into(&mut event);
        } else if let Some(data) = line.strip_prefix("data: ") {
            let came = Instant::now();
            let Ok(data) = serde_json::from_str::<Value>(data) else { continue };
            seen.lock().unwrap_or_else(PoisonError::into_inner).take(&event, data, came);
        }
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
}

impl Seen {
    fn take(&mut self, event: &str, mut data: Value, came: Instant) {
        match (event, &mut data) {
            ("hello", Value::Object(hello)) => {
                self.hellos += 1;
                let Some(Value::Array(rows)) = hello.remove("nodes") else { return };
                self.nodes = by_name(rows).collect();
            }
            ("nodes", Value::Array(rows)) => self.nodes.extend(by_name(std::mem::take(rows))),
            ("gone", Value::Array(names)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    self.nodes.remove(name);
                }
            }
            ("event", Value::Object(event)) => {
                let text = event.get("text").and_then(Value::as_str).unwrap_or_default();
                self.events.insert(text.into(), came);
            }
            _ => {}
        }
    }
}

fn by_name(rows: Vec<Value>) -> impl Iterator<Item = (String, Value)> {
    rows.into_iter().filter_map(|row| Some((row.get("name")?.as_str()?.to_owned(), row)))
}
