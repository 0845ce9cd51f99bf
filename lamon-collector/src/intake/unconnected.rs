//! What would be heard of bytes, by what serves connections, without a socket and without a hub around it: for what tries any
//! bytes.

use std::cmp::min;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use lamon_wire::framing::FrameBuffer;
use lamon_wire::text::TextSample;
use lamon_wire::{Language, MAGIC};
use tokio::io::{AsyncRead, ReadBuf};

use super::frames;
use super::session::{Brought, Session};
use super::text::{Line, Lines, to_sample};
use super::timeline::HubClock;
use crate::sample::{Identity, Now, Sample};

/// What was heard of a connection.
#[derive(Debug, Default)]
pub struct Heard {
    /// Samples in their turn, which would go to the disk.
    pub ordered: Vec<Arc<Sample>>,
    /// Samples ahead of their turn, which would only be shown.
    pub ahead: Vec<Arc<Sample>>,
    /// What was refused, a sentence each. An agent is refused once and its connection ends; text goes on with its next line.
    pub refused: Vec<String>,
}

/// Hears a whole connection, plain or what came out of TLS, of somebody who may speak for every node. It comes in pieces of
/// `piece` bytes. A hub whose disk is well acknowledges at once; one that `rewinds` asks for everything again after every
/// fourth frame.
#[must_use]
pub fn hear(bytes: &[u8], piece: usize, rewinds: bool, now: Now) -> Heard {
    let mut heard = Heard::default();
    let mut pieces = Pieces { rest: bytes, piece: piece.max(1) };
    let hear = async {
        match Language::of(bytes) {
            Some(Language::Text) => text(&mut pieces, now, &mut heard).await,
            Some(Language::Binary) if bytes.starts_with(&MAGIC) => {
                if let Err(why) = binary(&mut pieces, rewinds, now, &mut heard).await {
                    heard.refused.push(why);
                }
            }
            _ => {}
        }
    };
    // Bytes that are there never make anybody wait: one look is the whole of it.
    let ended = pin!(hear).poll(&mut Context::from_waker(Waker::noop()));
    if ended.is_pending() {
        heard.refused.push("it waits for something".into());
    }
    heard
}

async fn text(pieces: &mut Pieces<'_>, now: Now, heard: &mut Heard) {
    let mut lines = Lines::default();
    let mut sequence = 0;
    while let Ok(Some(line)) = lines.next(pieces).await {
        match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => {}
            Line::Whole(line) => match TextSample::parse(&line) {
                Ok(sample) => {
                    sequence += 1;
                    heard.ordered.push(Arc::new(to_sample(sample, now, Identity { epoch: 0, sequence })));
                }
                Err(error) => heard.refused.push(error.to_string()),
            },
            Line::TooLong => heard.refused.push("too long".into()),
        }
    }
}

async fn binary(pieces: &mut Pieces<'_>, rewinds: bool, now: Now, heard: &mut Heard) -> Result<(), String> {
    let mut frames = FrameBuffer::new();
    let (hello, _) = frames::read_hello(pieces, &mut frames).await?;
    let clock = HubClock { monotonic_us: 0, unix_ms: now.unix_ms };
    let mut session = Session::new(&hello, clock);
    let mut count = 0_usize;
    loop {
        while let Some(payload) = frames.next_frame() {
            match session.handle_frame(payload, clock).map_err(|error| error.to_string())? {
                Brought::Ordered(samples) => {
                    session.acknowledged(samples.len());
                    heard.ordered.extend(samples);
                }
                Brought::Ahead(samples) => heard.ahead.extend(samples),
                Brought::Tally(_) | Brought::Nothing => {}
            }
            count += 1;
            if rewinds && count.is_multiple_of(4) {
                session.rewind();
            }
        }
        frames.shrink();
        if frames::read(pieces, &mut frames).await.map_err(|error| error.to_string())? == 0 {
            return Ok(());
        }
    }
}

/// Bytes that come a few at a time, and are always there.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = min(self.piece, min(self.rest.len(), out.remaining()));
        let (now, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        out.put_slice(now);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_heard_however_it_comes() {
        let bytes = b"node=ccd01 cpu_percent=1\nnonsense\n\nnode=ccd02 cpu_percent=2";
        for piece in [1, 7, 1_000] {
            let Heard { ordered, ahead, refused } = hear(bytes, piece, false, Now::read());
            let nodes: Vec<_> = ordered.iter().map(|sample| sample.node.as_str()).collect();
            assert_eq!((nodes, ahead.len(), refused.len()), (vec!["ccd01", "ccd02"], 0, 1));
        }
    }

    #[test]
    fn what_is_no_agent_is_refused_and_what_is_silent_is_not_heard() {
        for (bytes, refused) in [
            (&b"\x89LMN\x00\x02xx"[..], 1),
            (b"\x89LMN\x00\x09", 1),
            (b"\x89LM", 0),
            (b"\x16\x03\x01", 0),
            (b"", 0),
        ] {
            assert_eq!(hear(bytes, 3, true, Now::read()).refused.len(), refused, "{bytes:?}");
        }
    }
}
