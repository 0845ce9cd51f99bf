//! A client that listens: a thread that reads, cuts lines, and says when it has heard everything of a round.

use std::io::Read;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use rts2dev::proto::{Fragment, LineSplitter};

use crate::process::Process;

/// Longest wait for a round.
const PATIENCE: Duration = Duration::from_secs(60);

/// Number of the last round of any device: no round may set what the values have.
static ROUND: AtomicUsize = AtomicUsize::new(0);

/// What is asked of all listeners: how many values of which round they should hear.
#[derive(Debug, Default)]
struct Wanted {
    count: AtomicUsize,
    round: AtomicUsize,
}

/// Clients of one device.
pub(crate) struct Listeners {
    streams: Vec<TcpStream>,
    wanted: Arc<Wanted>,
    done: Receiver<Instant>,
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for stream in &self.streams {
            // Its thread ends with it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Listeners {
    /// So many clients, which have heard all that there is when this returns. `last` begins the last line of that.
    pub(crate) fn connect(port: u16, count: usize, last: &'static str) -> anyhow::Result<Self> {
        let (told, done) = channel();
        let wanted = Arc::new(Wanted::default());
        let mut streams = Vec::new();
        for _ in 0..count {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            streams.push(stream.try_clone()?);
            let (told, wanted) = (told.clone(), Arc::clone(&wanted));
            std::thread::spawn(move || listen(stream, last, &wanted, &|| told.send(Instant::now()).is_ok()));
        }
        let listeners = Self { streams, wanted, done };
        listeners.all_heard()?;
        Ok(listeners)
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.streams.len()
    }

    /// Has the device set so many values; how long it took until all had heard all of them.
    pub(crate) fn round(&self, device: &mut Process, what: &str, values: usize) -> anyhow::Result<Duration> {
        let round = ROUND.fetch_add(1, Ordering::Relaxed) + 1;
        self.wanted.count.store(values, Ordering::Relaxed);
        self.wanted.round.store(round, Ordering::Release);
        let start = Instant::now();
        device.tell(&format!("{what} {values} {round}"))?;
        Ok(self.all_heard()?.duration_since(start))
    }

    /// The number of the last round.
    pub(crate) fn last_round(&self) -> usize {
        self.wanted.round.load(Ordering::Relaxed)
    }

    fn all_heard(&self) -> anyhow::Result<Instant> {
        let mut last = Instant::now();
        for _ in &self.streams {
            last = self.done.recv_timeout(PATIENCE).context("a listener did not hear everything")?;
        }
        Ok(last)
    }
}

/// Reads to the end of the connection. `tell` is called when `last` was read, and at the end of each round.
fn listen(mut stream: TcpStream, last: &str, wanted: &Wanted, tell: &dyn Fn() -> bool) {
    let mut splitter = LineSplitter::default();
    let mut buffer = vec![0; 64 * 1024];
    let (mut round, mut heard, mut begun) = (0, 0, false);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        let mut input = buffer.get(..count).unwrap_or_default();
        while let Some(fragment) = splitter.next(&mut input) {
            let Fragment::Line(line) = fragment else { continue };
            if !begun {
                begun = line.starts_with(last.as_bytes());
                if begun && !tell() {
                    return;
                }
                continue;
            }
            let now = wanted.round.load(Ordering::Acquire);
            if now != round {
                (round, heard) = (now, 0);
            }
            if round_of(line) == Some(round) {
                heard += 1;
                if heard == wanted.count.load(Ordering::Relaxed) && !tell() {
                    return;
                }
            }
        }
    }
}

/// The round that a value was set in: its number, or the last digits of its text.
pub(crate) fn round_of(line: &[u8]) -> Option<usize> {
    let value = line.strip_prefix(b"V ")?.rsplit(|&b| b == b' ').next()?;
    let digits = match value {
        [b'"', text @ .., b'"'] => text.get(text.len().checked_sub(8)?..)?,
        number => number.strip_suffix(b".0")?,
    };
    std::str::from_utf8(digits).ok()?.parse().ok()
}
