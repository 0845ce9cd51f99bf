//! The task of a text connection: a line in, a sample out, `ok` when it is on disk.
//!
//! It waits on the peer's bytes, on the journal, and on its own idle time: after [`IDLE`] without a line it closes, so
//! that `printf … | nc hub 7617` ends by itself. Of whom no line was taken in time it closes too.

use std::sync::Arc;
use std::time::Duration;

use lamon_wire::text::{MAX_LINE_BYTES, TextError, TextSample};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Doors;
use super::strangers::Stranger;
use super::stream::{Peer, Stream, close_gently};
use crate::core::{NotTaken, TextFrom, ToCore};
use crate::durable::{Append, GivenBack, Line as JournalLine};
use crate::sample::{Arrival, Identity, Now, Sample};
use crate::watch::{Event, EventKind};

/// How long a connection may be idle. `nc` waits for the hub to close, and a person who types has time for a line.
const IDLE: Duration = Duration::from_secs(3);

/// How long a line waits to be on disk before its sender is told that it is not.
const DISK_TIME: Duration = Duration::from_secs(10);

/// How long an answer may take to be read.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Why a line has no `ok`.
enum Refusal {
    /// The line itself is wrong, and an operator may want to know.
    Wrong(String),
    /// Its sender may not speak for this node; the core tells of that.
    Stranger(String),
    /// The hub cannot now; it tells of that by itself.
    NotNow(&'static str),
}

/// Serves one text connection until it ends, is idle, or cannot be written to.
pub(super) async fn serve(
    mut stream: Stream,
    who: Peer,
    stranger: Stranger,
    doors: Doors,
    shutdown: CancellationToken,
) {
    let peer = who.address;
    let mut lines = Lines::default();
    let mut stranger = Some(stranger);
    loop {
        let line = tokio::select! {
            line = timeout(IDLE, lines.next(&mut stream)) => line,
            () = sleep_until(who.until), if stranger.is_some() => break,
            () = shutdown.cancelled() => break,
        };
        let answer = match line {
            Ok(Ok(Some(Line::Whole(line)))) if line.trim_ascii().is_empty() => continue,
            Ok(Ok(Some(Line::Whole(line)))) => tokio::select! {
                answer = take(&line, &who, &doors, &mut stranger) => answer,
                () = shutdown.cancelled() => Err(Refusal::NotNow(ENDS)),
            },
            Ok(Ok(Some(Line::TooLong))) => Err(Refusal::Wrong(TextError::TooLong.to_string())),
            // Idle, closed, or broken.
            Err(_) | Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                debug!(%peer, %error, "a text connection broke");
                return;
            }
        };
        let text = match answer {
            Ok(()) => "ok\n".into(),
            Err(Refusal::NotNow(why)) => format!("error: {why}\n"),
            Err(Refusal::Stranger(why)) => format!("error: {why}\n"),
            // Whatever a stranger says is no event: he could say it for ever.
            Err(Refusal::Wrong(why)) if stranger.is_some() && !who.plain_taken => format!("error: {why}\n"),
            Err(Refusal::Wrong(why)) => {
                let text = format!("a text line from {peer} was refused: {why}");
                let event = Event::new(None, EventKind::Protocol, text);
                let _ = doors.core.send(ToCore::Event(event)).await;
                format!("error: {why}\n")
            }
        };
        let write = async {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await
        };
        let written = tokio::select! {
            written = timeout(ANSWER_TIME, write) => written,
            () = shutdown.cancelled() => break,
        };
        let Ok(Ok(())) = written else {
            debug!(%peer, "a text connection does not take its answers");
            return;
        };
    }
    drop(stranger);
    close_gently(stream).await;
}

/// What a sender is told whose line comes too late.
const ENDS: &str = "the hub is ending";

/// Takes one line up: to the live path at once, then to the disk.
async fn take(
    line: &[u8],
    who: &Peer,
    doors: &Doors,
    stranger: &mut Option<Stranger>,
) -> Result<(), Refusal> {
    let ends = |_| Refusal::NotNow(ENDS);
    let text = TextSample::parse(line).map_err(|error| Refusal::Wrong(error.to_string()))?;
    let sample = Arc::new(to_sample(text, Now::read(), doors.text_numbers.next()));
    let (reply, taken) = oneshot::channel();
    let text = Some(TextFrom { peer: who.clone(), reply });
    let message = ToCore::Sample { sample: Arc::clone(&sample), text };
    doors.core.send(message).await.map_err(|_| Refusal::NotNow(ENDS))?;
    taken.await.map_err(ends)?.map_err(|not_taken| match not_taken {
        NotTaken::Stranger(why) => Refusal::Stranger(why),
        NotTaken::Wrong(why) => Refusal::Wrong(why),
    })?;
    *stranger = None;
    // Both queues are fair and this runtime has one thread, so samples of a node reach the journal in the order of
    // their numbers, which it relies on.
    let durable = async {
        let (done, on_disk) = oneshot::channel();
        let line = JournalLine::default();
        let append = Append { samples: vec![sample.to_stored()], urgent: true, line, done };
        doors.journal.appends.send(append).await.map_err(|_| Refusal::NotNow(ENDS))?;
        doors.journal.handed_over(true);
        let refused = "shown, but not on disk: the hub's journal refuses it";
        on_disk.await.map_err(ends)?.map_err(|GivenBack| Refusal::NotNow(refused))
    };
    let late = Err(Refusal::NotNow("shown, but not on disk yet: the hub's journal cannot be written now"));
    timeout(DISK_TIME, durable).await.unwrap_or(late)
}

/// The sample of a line that came now.
pub(super) fn to_sample(text: TextSample, now: Now, identity: Identity) -> Sample {
    let interval = text.interval_seconds.map(Duration::from_secs_f64);
    let taken_ms = believed(text.time, interval, now.unix_ms);
    Sample {
        taken_ms,
        age: Duration::from_millis(u64::try_from(now.unix_ms - taken_ms).unwrap_or_default()),
        node: text.node,
        identity,
        interval,
        arrival: Arrival::Text,
        metrics: text.metrics,
    }
}

/// A line's own time is believed only within one interval of its arrival; a cron job's clock may be anything.
fn believed(stated_seconds: Option<f64>, interval: Option<Duration>, now_ms: i64) -> i64 {
    /// The interval of a line that states none, for this purpose.
    const CRON: Duration = Duration::from_secs(60);
    #[expect(clippy::cast_possible_truncation, reason = "the parser bounds it to 1e11 seconds")]
    let stated_ms = stated_seconds.map(|seconds| (seconds * 1e3).round() as i64);
    let interval_ms = i64::try_from(interval.unwrap_or(CRON).as_millis()).unwrap_or(i64::MAX);
    stated_ms.filter(|stated| (now_ms - stated).abs() <= interval_ms).unwrap_or(now_ms)
}

/// A line of the peer.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// As it came, without its end.
    Whole(Vec<u8>),
    /// Longer than [`MAX_LINE_BYTES`]; its rest is skipped.
    TooLong,
}

/// Cuts bytes into lines, holding at most one that is not whole and one read.
#[derive(Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    skipping: bool,
    ended: bool,
}

impl Lines {
    /// The next line; `None` at the end. A last line without its newline counts, since `printf` forgets it. Cancel-safe.
    pub(super) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> std::io::Result<Option<Line>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.bytes.drain(..=end).collect();
                line.pop();
                if std::mem::take(&mut self.skipping) {
                    continue;
                }
                return Ok(Some(if line.len() > MAX_LINE_BYTES { Line::TooLong } else { Line::Whole(line) }));
            }
            if self.bytes.len() > MAX_LINE_BYTES {
                self.bytes.clear();
                if !std::mem::replace(&mut self.skipping, true) {
                    return Ok(Some(Line::TooLong));
                }
            }
            if self.ended {
                let rest = std::mem::take(&mut self.bytes);
                return Ok((!rest.is_empty() && !self.skipping).then_some(Line::Whole(rest)));
            }
            let mut read = [0; 2 * MAX_LINE_BYTES];
            let count = stream.read(&mut read).await?;
            self.ended = count == 0;
            self.bytes.extend_from_slice(read.get(..count).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_time_is_believed_within_an_interval() {
        let now = 1_795_000_000_000;
        let minute = Some(Duration::from_secs(60));
        for (stated, interval, expected) in [
            (None, None, now),
            (Some(1_794_999_990.5), None, now - 9_500),
            (Some(1_794_999_900.0), None, now),
            (Some(1_794_999_950.0), minute, now - 50_000),
            (Some(1_795_000_061.0), minute, now),
            (Some(0.0), minute, now),
        ] {
            assert_eq!(believed(stated, interval, now), expected, "{stated:?}");
        }
    }

    /// All lines of a stream that comes in pieces of this size.
    async fn lines_of(bytes: &[u8], piece: usize) -> Vec<Line> {
        let (mut stream, mut writer) = tokio::io::duplex(piece);
        let bytes = bytes.to_vec();
        tokio::spawn(async move { writer.write_all(&bytes).await });
        let mut lines = Lines::default();
        let mut all = Vec::new();
        while let Some(line) = lines.next(&mut stream).await.unwrap() {
            assert!(lines.bytes.len() <= 3 * MAX_LINE_BYTES, "one line and one read at most");
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn lines_are_cut_and_long_ones_cost_only_themselves() {
        let whole = |text: &str| Line::Whole(text.into());
        let longest = "x".repeat(MAX_LINE_BYTES);
        let too_long = "y".repeat(MAX_LINE_BYTES + 1);
        let endless = "z".repeat(9 * MAX_LINE_BYTES);
        for (bytes, lines) in [
            ("a\nb\n".to_owned(), vec![whole("a"), whole("b")]),
            ("a\nno end".to_owned(), vec![whole("a"), whole("no end")]),
            (format!("{longest}\nb\n"), vec![whole(&longest), whole("b")]),
            (format!("{too_long}\nb\n"), vec![Line::TooLong, whole("b")]),
            (format!("{endless}\nb\n"), vec![Line::TooLong, whole("b")]),
            (endless.clone(), vec![Line::TooLong]),
        ] {
            for piece in [7, 1_000, 64 * MAX_LINE_BYTES] {
                assert_eq!(lines_of(bytes.as_bytes(), piece).await, lines, "in pieces of {piece}");
            }
        }
    }
}
