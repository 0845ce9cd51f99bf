//! The bounded queue of lines, and the thread that writes them.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait: the burst of a hundred nodes that fall silent at once fits several times.
const MAX_LINES: usize = 1_024;

/// How long the end of the process waits for the last lines.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// Where lines go.
pub(super) trait Sink: Send {
    /// Writes one line, with its end.
    fn write_line(&mut self, level: Level, line: &[u8]);
}

impl Sink for io::Stderr {
    fn write_line(&mut self, _level: Level, line: &[u8]) {
        // Nobody is left to be told when this fails.
        let _ = self.write_all(line);
    }
}

enum Message {
    Line(Level, Vec<u8>),
    Flush(SyncSender<()>),
}

/// The way into the queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    messages: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Queue {
    /// Starts the thread; where the system gives none, lines are lost and counted.
    pub(super) fn start(sink: Box<dyn Sink>) -> Self {
        let (messages, received) = sync_channel(MAX_LINES);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let _ =
            std::thread::Builder::new().name("log".into()).spawn(move || write(&received, &counted, sink));
        Self { messages, lost }
    }

    /// Waits for the lines so far, but not for ever.
    pub(super) fn flush(&self) {
        let deadline = Instant::now() + FLUSH_TIME;
        let (done, flushed) = sync_channel(1);
        let mut message = Message::Flush(done);
        // A full queue has room again as soon as its thread writes.
        while let Err(TrySendError::Full(again)) = self.messages.try_send(message) {
            if Instant::now() >= deadline {
                return;
            }
            message = again;
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = flushed.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

fn write(received: &Receiver<Message>, lost: &AtomicU64, mut sink: Box<dyn Sink>) {
    while let Ok(message) = received.recv() {
        match message {
            Message::Line(level, line) => sink.write_line(level, &line),
            Message::Flush(done) => {
                let _ = done.send(());
            }
        }
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            let line = format!(
                "{count} lines of the log were lost, because they could not be written fast enough\n"
            );
            sink.write_line(Level::WARN, line.as_bytes());
        }
    }
}

/// One line on its way, queued when it is complete.
pub(super) struct Line<'a> {
    queue: &'a Queue,
    level: Level,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { queue: self, level: Level::INFO, text: Vec::new() }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        Line { queue: self, level: *meta.level(), text: Vec::new() }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let line = Message::Line(self.level, std::mem::take(&mut self.text));
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.queue.messages.try_send(line)
        {
            self.queue.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A sink that hangs while somebody holds its lock, as a log daemon does that was stopped.
    struct Hanging(Arc<Mutex<Vec<String>>>);

    impl Sink for Hanging {
        fn write_line(&mut self, level: Level, line: &[u8]) {
            self.0.lock().unwrap().push(format!("{level} {}", String::from_utf8_lossy(line)));
        }
    }

    #[test]
    fn a_sink_that_hangs_stops_nobody_and_what_was_lost_is_counted() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let queue = Queue::start(Box::new(Hanging(Arc::clone(&lines))));
        let held = lines.lock().unwrap();
        for number in 0..3_000 {
            writeln!(queue.make_writer(), "line {number}").unwrap();
        }
        drop(held);
        queue.flush();
        let lines = lines.lock().unwrap();
        assert_eq!(lines[0], "INFO line 0\n");
        let lost: usize = lines
            .iter()
            .filter_map(|line| line.strip_prefix("WARN ")?.split(' ').next()?.parse::<usize>().ok())
            .sum();
        let written = lines.iter().filter(|line| line.starts_with("INFO line")).count();
        assert_eq!(written + lost, 3_000, "each line was written or counted");
        assert!(written > MAX_LINES / 2 && lost > 1_000, "{written} written, {lost} lost");
    }
}
