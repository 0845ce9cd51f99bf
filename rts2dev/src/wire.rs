//! A TCP connection that speaks in lines: bounded input, buffered output, and one wait for both.

use std::io;

use rts2_proto::{Fragment, LineSplitter, MAX_LINE_BYTES};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Output is gathered up to this many bytes before it is written; beyond, nothing more is added until some of it is
/// gone. Large enough to send the metainfo of a big device in a few writes, small enough for a slow client to cost
/// little.
pub(crate) const OUT_BYTES: usize = 32 * 1024;

/// Bytes read at once.
const READ_BYTES: usize = 4096;

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    splitter: LineSplitter,
    input: Box<[u8]>,
    /// What of `input` was read and not taken.
    unread: std::ops::Range<usize>,
    /// What is to be written; append lines to it.
    pub(crate) out: Vec<u8>,
    /// How much of `out` is written.
    written: usize,
    /// When output last went away, or began to wait.
    progress: Instant,
    /// As much was moved as goes at once: more is waiting, probably.
    busy: bool,
    /// The input can no more be told apart.
    lost: bool,
}

/// What [`Wire::next`] found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Received<'a> {
    /// A line; it is in the caller's buffer.
    Line,
    /// A line was too long and is skipped.
    Overlong,
    /// Raw bytes that the `D` line before them announced.
    Binary(&'a [u8]),
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // Lines are gathered here; Nagle's algorithm would only delay them. A socket that refuses is slower, no more.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            splitter: LineSplitter::new(MAX_LINE_BYTES),
            input: vec![0; READ_BYTES].into_boxed_slice(),
            unread: 0..0,
            out: Vec::new(),
            written: 0,
            progress: Instant::now(),
            lost: false,
            busy: false,
        }
    }

    /// After a turn that moved as much as goes at once, waits until the other connections had theirs: whoever floods
    /// us, or reads without end, delays nobody by more. Not for a `select!`, whose other branches would cut it short.
    pub(crate) async fn give_way(&mut self) {
        if std::mem::take(&mut self.busy) {
            tokio::task::yield_now().await;
        }
    }

    /// There is room for more output.
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() < OUT_BYTES
    }

    /// Something waits to be written.
    pub(crate) fn has_output(&self) -> bool {
        self.written < self.out.len()
    }

    /// When waiting output last moved; `None` when none waits.
    pub(crate) fn stalled_since(&self) -> Option<Instant> {
        self.has_output().then_some(self.progress)
    }

    /// The next whole line of what was read, copied into `line`. `Some(false)` says that a line was too long and is
    /// skipped. Raw bytes are skipped in silence.
    pub(crate) fn next_line(&mut self, line: &mut Vec<u8>) -> Option<bool> {
        loop {
            match self.next(line)? {
                Received::Line => return Some(true),
                Received::Overlong => return Some(false),
                Received::Binary(_) => {}
            }
        }
    }

    /// The next line, or raw bytes, of what was read; a line is copied into `line`.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> Option<Received<'_>> {
        let mut unread = self.input.get(self.unread.clone()).unwrap_or_default();
        let fragment = self.splitter.next(&mut unread);
        self.unread.start = self.unread.end - unread.len();
        match fragment? {
            Fragment::Line(found) => {
                line.clear();
                line.extend_from_slice(found);
                Some(Received::Line)
            }
            Fragment::Overlong { .. } => Some(Received::Overlong),
            Fragment::Binary { bytes, .. } => Some(Received::Binary(bytes)),
            Fragment::Lost => {
                self.lost = true;
                None
            }
        }
    }

    /// Waits until something was written or, when `read` says so, read. An error or the end of the stream comes back
    /// as an error. Dropping the future loses nothing. Call it only after [`Wire::next_line`] gave nothing, or with
    /// `read` false.
    pub(crate) async fn turn(&mut self, read: bool) -> io::Result<()> {
        if self.lost {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "binary data of unknown length"));
        }
        loop {
            if self.has_output() && self.flush()? {
                return Ok(());
            }
            let interest = match (read, self.has_output()) {
                (true, true) => Interest::READABLE | Interest::WRITABLE,
                (true, false) => Interest::READABLE,
                (false, true) => Interest::WRITABLE,
                (false, false) => return std::future::pending().await,
            };
            let ready = self.stream.ready(interest).await?;
            let mut moved = false;
            if ready.is_writable() && self.has_output() {
                moved |= self.flush()?;
            }
            if read && (ready.is_readable() || ready.is_read_closed()) {
                moved |= self.fetch()?;
            }
            if moved {
                return Ok(());
            }
        }
    }

    /// Writes what the socket takes without waiting. `true` when it took something.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let mut moved = false;
        self.busy |= !self.has_room();
        while let Some(waiting) = self.out.get(self.written..).filter(|waiting| !waiting.is_empty()) {
            match self.stream.try_write(waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.written += count;
                    moved = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if moved {
            self.progress = Instant::now();
            if self.written == self.out.len() {
                self.out.clear();
                self.out.shrink_to(READ_BYTES);
                self.written = 0;
            } else if self.written >= OUT_BYTES / 2 {
                self.out.drain(..self.written);
                self.written = 0;
            }
        }
        Ok(moved)
    }

    fn fetch(&mut self) -> io::Result<bool> {
        match self.stream.try_read(&mut self.input) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.unread = 0..count;
                self.busy |= count == READ_BYTES;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}
