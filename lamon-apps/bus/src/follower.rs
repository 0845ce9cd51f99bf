//! The sockets: what the hub publishes, and its answers to questions for the whole picture.
//!
//! A [`Follower`] waits only in [`Follower::wait`]. Between two calls ZeroMQ keeps what comes, up to [`HIGH_WATER_MARK`]
//! messages; beyond that they are lost, the gap is seen, and the picture is asked for again.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lamon_curve::{KeyFileError, KeyPair, PublicKey};
use thiserror::Error;

use crate::keeper::{Keeper, Presence};
use crate::line::Line;
use crate::message;
use crate::picture::{News, Picture, Source, Taken};

/// The messages that wait for a follower that is busy: a quarter of an hour of a hundred nodes.
pub const HIGH_WATER_MARK: i32 = 10_000;

/// The longest frame that is taken, in bytes: a level message of 512 metrics, each with its rule, with a lot to spare.
/// A peer that sends more is cut off.
pub const MAX_FRAME_BYTES: i64 = 4 << 20;

/// The most messages that one [`Follower::wait`] takes before it returns: a flood must not keep a screen from being drawn.
const MESSAGES_IN_A_ROW: usize = 2_048;

/// Where a hub's bus is, as ZeroMQ writes addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// What it publishes: `tcp://hub:7618`.
    pub publish: String,
    /// Where it answers: `tcp://hub:7619`.
    pub snapshot: String,
    /// By which keys they know each other, where the hub lists who may follow.
    pub keys: Option<Keys>,
}

/// By which keys follower and hub know each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The hub's, as its log and `lamon-sensord check` tell it.
    pub hub: PublicKey,
    /// The file with the follower's own, which is made where there is none; the hub's `[bus.clients]` lists its public half.
    pub own: PathBuf,
}

impl Addresses {
    /// The bus of a hub on this host, on the usual ports.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        Self { publish: format!("tcp://{host}:7618"), snapshot: format!("tcp://{host}:7619"), keys: None }
    }
}

impl Default for Addresses {
    fn default() -> Self {
        Self::of_host("127.0.0.1")
    }
}

/// Why a follower cannot begin. A hub that is not there is no reason: it is waited for.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The address is none.
    #[error("{address:?} is no address of a bus ({source}): write tcp://HOST:PORT")]
    Address {
        /// What was given.
        address: String,
        /// What ZeroMQ says.
        source: zmq::Error,
    },
    /// The follower's own key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// No socket could be had.
    #[error("ZeroMQ gives no socket")]
    Socket(#[from] zmq::Error),
}

/// Follows one hub.
pub struct Follower {
    published: Line,
    answers: Line,
    keeper: Keeper,
    picture: Picture,
    /// Questions on this connection that were not answered yet: with several under way, an answer may be to an older one than
    /// the last.
    questions: u32,
    /// An answer with the whole picture has come since the hub started.
    whole: bool,
}

impl Follower {
    /// Begins to follow. It comes back by itself when the hub does.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] when an address is none, or the system gives no more sockets.
    pub fn connect(addresses: &Addresses) -> Result<Self, ConnectError> {
        let context = zmq::Context::new();
        let keys = match &addresses.keys {
            Some(keys) => Some((keys.hub, KeyPair::load_or_make(&keys.own)?)),
            None => None,
        };
        let published = Line::connect(&context, zmq::SUB, &addresses.publish, keys.clone())?;
        let answers = Line::connect(&context, zmq::DEALER, &addresses.snapshot, keys)?;
        let (keeper, picture) = (Keeper::new(Instant::now()), Picture::default());
        Ok(Self { published, answers, keeper, picture, questions: 0, whole: false })
    }

    /// Waits for news at most this long, and returns what came; nothing when nothing did.
    pub fn wait(&mut self, longest: Duration) -> Vec<News> {
        let end = Instant::now() + longest;
        let mut news = Vec::new();
        loop {
            let now = Instant::now();
            for line in [&mut self.published, &mut self.answers] {
                if line.look(now) {
                    self.keeper.handle_connected();
                    self.questions = 0;
                }
            }
            if self.keeper.ask(now) {
                // Without a connection there is no room for it; the question is put when there is one.
                if self.answers.socket().send("snapshot", zmq::DONTWAIT).is_ok() {
                    self.questions += 1;
                    self.picture.handle_asked();
                }
            }
            if self.keeper.handle_timeout(now) == Presence::Away {
                news.push(News::Away);
            }
            self.receive_published(&mut news);
            self.receive_answers(&mut news);
            if !news.is_empty() || now >= end {
                return news;
            }
            let lines = [&self.published, &self.answers];
            let due = lines.map(Line::next_timeout).into_iter().chain([self.keeper.next_timeout()]);
            let until = due.flatten().fold(end, Instant::min);
            let milliseconds = until.saturating_duration_since(now).as_millis() + 1;
            let [published, answers] = lines;
            let sockets = [published.socket(), published.told(), answers.socket(), answers.told()];
            let mut sockets = sockets.map(|socket| socket.as_poll_item(zmq::POLLIN));
            // An interrupted wait is a short one.
            let _ = zmq::poll(&mut sockets, i64::try_from(milliseconds).unwrap_or(i64::MAX));
        }
    }

    /// What is known.
    #[must_use]
    pub const fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Whether the hub is not heard.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        self.keeper.is_away()
    }

    /// Whether the hub has answered with the whole picture since it started. Before that nodes may be missing.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    fn receive_published(&mut self, news: &mut Vec<News>) {
        for _ in 0..MESSAGES_IN_A_ROW {
            let Ok(frames) = self.published.socket().recv_multipart(zmq::DONTWAIT) else { return };
            let [topic, json] = frames.as_slice() else { continue };
            let (more, gap) = match self.picture.take(Source::Published, topic, json) {
                Taken::New(more) => (more, false),
                Taken::Gap(more) => (more, true),
                // From a hub that has ended, or no hub at all: it says nothing of this one's life.
                Taken::Elder => {
                    self.keeper.handle_elder();
                    continue;
                }
                Taken::Old | Taken::Senseless => continue,
            };
            if self.keeper.handle_published(Instant::now(), gap) {
                news.push(News::Back);
            }
            self.whole &= !more.contains(&News::Restarted);
            news.extend(more);
        }
    }

    fn receive_answers(&mut self, news: &mut Vec<News>) {
        while let Ok(frames) = self.answers.socket().recv_multipart(zmq::DONTWAIT) {
            let [word, header, messages @ ..] = frames.as_slice() else { continue };
            if word != b"snapshot" {
                continue;
            }
            if self.keeper.handle_answer(Instant::now()) {
                news.push(News::Back);
            }
            // Of an answer that was asked for on the connection before, the hub may have ended.
            if self.questions > 0
                && let Some(started) = message::started(header)
            {
                news.extend(self.picture.handle_hub(started));
            }
            let mut named = HashSet::new();
            self.whole = true;
            for message in messages.chunks_exact(2) {
                let [topic, json] = message else { continue };
                named.extend(topic.splitn(2, |byte| *byte == b'/').nth(1));
                // Numbers that the answer leaves out are what it makes good: no gap.
                if let Taken::New(more) | Taken::Gap(more) = self.picture.take(Source::Snapshot, topic, json)
                {
                    news.extend(more);
                }
            }
            if self.questions == 1 {
                news.extend(self.picture.handle_answered(&named));
            }
            self.questions = self.questions.saturating_sub(1);
        }
    }
}
