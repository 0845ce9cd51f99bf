//! The agent's side of one connection to a hub, from hello to close; pure: no socket, no clock.
//!
//! The driver calls, each time with the time:
//!
//! - [`Session::handle_frame`] for every frame that came;
//! - [`Session::handle_sample`] after a sample was pushed into the ring;
//! - [`Session::handle_timeout`] when [`Session::deadline`] is reached;
//! - [`Session::write`] whenever all bytes of the last call are sent, until it appends nothing.
//!
//! An error from any of them ends the connection; what is in the ring stays there for the next.

use std::sync::Arc;
use std::time::Duration;

use lamon_wire::MAGIC;
use lamon_wire::frames::{AgentFrame, Anchor, Boot, FrameError, HubFrame, Pong, Settings, Table};
use lamon_wire::framing::FrameTooLong;
use lamon_wire::hello::{Answer, Extra, Hello, VERSION, VERSION_HISTORY, Welcome};
use thiserror::Error;

use crate::clock::Now;
use crate::ring::{NeverSent, Ring};

/// How long the hub may take to answer the hello.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Something the driver must act upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The hub accepted this agent, and told what time it is. What an earlier hub set no longer holds.
    Welcomed(Anchor),
    /// The hub has samples on its disk that it had not before.
    Acknowledged,
    /// Sample at this interval from now on, and count these processes too.
    Settings(Settings),
}

/// Why a connection ends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Closed {
    /// The hub did not answer the hello in time.
    #[error("no answer to the hello within {} s", HELLO_TIMEOUT.as_secs())]
    HelloTimeout,
    /// The hub does not serve now.
    #[error("the hub stands by: {0}")]
    Standby(String),
    /// The hub does not take this agent.
    #[error("the hub refuses this node: {0}")]
    Refused(String),
    /// The hub says nothing, though samples wait for its acknowledgement.
    #[error("no word from the hub for {} s, though samples wait to be acknowledged", .0.as_secs())]
    Mute(Duration),
    /// The hub answered with a protocol version that was not offered.
    #[error("the hub speaks version {0} of the protocol, this agent {VERSION}")]
    Version(u16),
    /// The hub's first frame is no answer.
    #[error("the hub's answer to the hello does not decode")]
    Answer,
    /// A later frame makes no sense.
    #[error("bad frame from the hub: {0}")]
    Frame(#[from] FrameError),
    /// The hub named samples that it was never sent.
    #[error("{0}")]
    NeverSent(#[from] NeverSent),
    /// The hub has committed samples of this epoch that this agent did not take. A new epoch must be drawn.
    #[error("the hub knows this epoch from another agent, or from an earlier life of this one: {0}")]
    Epoch(NeverSent),
    /// A frame of ours is too long; never happens within the limits of tables and samples.
    #[error("{0}")]
    TooLong(#[from] FrameTooLong),
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// How long the hub may be mute while samples wait.
    patience: Duration,
    /// When the last frame came, or the connection was made.
    heard_us: u64,
    /// Since when samples are unacknowledged.
    waiting_us: Option<u64>,
    /// The table that the hub has of this connection.
    table: Option<Arc<Table>>,
    /// Whether the newest sample is to be shown live where it cannot go in its turn.
    live: bool,
    ping: Option<Ping>,
    /// Whose clock stamps samples, as the hub of this connection knows.
    boot: Boot,
    /// The answer to a rewind, which is to be sent.
    rewound: Option<u64>,
    /// The tally is to be told.
    tally: bool,
    /// How many samples were lost when it last was.
    lost: u64,
}

#[derive(Debug)]
enum State {
    /// The hello is to be sent.
    Start(Box<(Hello, Extra)>),
    /// It was sent; the answer is awaited.
    Greeted,
    /// Accepted; at most `window` samples may be unacknowledged, and the hub knows version 2 or not.
    Open { window: u64, history: bool },
}

/// A ping that is to be answered.
#[derive(Debug, Clone, Copy)]
struct Ping {
    hub_us: u64,
    received_us: u64,
}

impl Session {
    /// A session on a connection that was just made. `patience` is how long the hub may be mute while samples wait.
    #[must_use]
    pub fn new(now: Now, hello: Hello, extra: Extra, patience: Duration) -> Self {
        Self {
            state: State::Start(Box::new((hello, extra))),
            patience,
            heard_us: now.monotonic_us,
            waiting_us: None,
            table: None,
            live: false,
            ping: None,
            boot: Boot::This,
            rewound: None,
            tally: false,
            lost: 0,
        }
    }

    /// Whether the hub accepted this agent.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// The hub may be mute for this long from now on: the interval changed.
    pub const fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// A frame came.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the connection must end.
    pub fn handle_frame(
        &mut self,
        now: Now,
        ring: &mut Ring,
        payload: &[u8],
    ) -> Result<Option<Event>, Closed> {
        self.heard_us = now.monotonic_us;
        match self.state {
            State::Start(_) | State::Greeted => {
                let welcome = match Answer::parse(payload).map_err(|_| Closed::Answer)? {
                    Answer::Welcome(welcome) => welcome,
                    Answer::Standby { why } => return Err(Closed::Standby(excerpt(&why))),
                    Answer::Refused { why } => return Err(Closed::Refused(excerpt(&why))),
                };
                self.open(ring, &welcome)?;
                let anchor = Anchor { monotonic_ms: now.monotonic_ms(), unix_ms: welcome.hub_unix_ms };
                Ok(Some(Event::Welcomed(anchor)))
            }
            State::Open { .. } => match HubFrame::parse(payload)? {
                HubFrame::Ack(sequence) => {
                    let more = ring.acknowledge(sequence)? > 0;
                    if ring.in_flight() == 0 {
                        self.waiting_us = None;
                    }
                    Ok(more.then_some(Event::Acknowledged))
                }
                HubFrame::Rewind(sequence) => {
                    ring.rewind(sequence)?;
                    self.rewound = Some(sequence);
                    // The hub may have lost the table too.
                    self.table = None;
                    Ok(None)
                }
                HubFrame::Settings(settings) => Ok(Some(Event::Settings(settings))),
                HubFrame::Ping { hub_us } => {
                    self.ping = Some(Ping { hub_us, received_us: now.monotonic_us });
                    Ok(None)
                }
            },
        }
    }

    /// A sample was pushed into the ring.
    pub const fn handle_sample(&mut self) {
        self.live = true;
    }

    /// When [`Session::handle_timeout`] is to be called, microseconds of the monotonic clock.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        match self.state {
            State::Start(_) | State::Greeted => Some(self.heard_us.saturating_add(micros(HELLO_TIMEOUT))),
            State::Open { .. } => {
                let since = self.waiting_us?.max(self.heard_us);
                Some(since.saturating_add(micros(self.patience)))
            }
        }
    }

    /// Time passed.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the deadline is over.
    pub fn handle_timeout(&self, now: Now) -> Result<(), Closed> {
        if self.deadline().is_none_or(|deadline| now.monotonic_us < deadline) {
            return Ok(());
        }
        Err(if self.is_open() { Closed::Mute(self.patience) } else { Closed::HelloTimeout })
    }

    /// Appends what is to be sent next: at most one frame of samples with what goes beside it, so that a pong is never
    /// far behind its ping. Nothing appended: nothing to send.
    ///
    /// # Errors
    ///
    /// [`Closed::TooLong`] never happens within the limits of tables and samples.
    pub fn write(&mut self, now: Now, ring: &mut Ring, out: &mut Vec<u8>) -> Result<(), Closed> {
        if let State::Start(first) = &mut self.state {
            let (hello, extra) = &mut **first;
            out.extend_from_slice(&MAGIC);
            hello.monotonic_ms = now.monotonic_ms();
            hello.wall_ms = now.wall_ms();
            if *extra == Extra::default() {
                hello.write(out)?;
            } else {
                hello.write_with(extra, out)?;
            }
            self.state = State::Greeted;
        }
        let State::Open { window, history } = self.state else { return Ok(()) };
        if let Some(Ping { hub_us, received_us }) = self.ping.take() {
            let pong = Pong { hub_us, received_us, sent_us: now.monotonic_us, wall_us: now.wall_us };
            AgentFrame::Pong(pong).write(out)?;
            self.tally = true;
        }
        if history {
            self.send_history(ring, out)?;
        }
        if ring.in_flight() < window
            && let Some(table) = ring.next_table().cloned()
        {
            self.send_table(&table, out)?;
            if history && self.boot != ring.next_boot() {
                self.boot = ring.next_boot();
                AgentFrame::Boot(self.boot).write(out)?;
            }
            if ring.write_samples(window, history, out)? {
                self.waiting_us.get_or_insert(now.monotonic_us);
            }
        }
        if std::mem::take(&mut self.live)
            && let Some((table, live)) = ring.unsent_newest()
        {
            let table = Arc::clone(table);
            self.send_table(&table, out)?;
            AgentFrame::Live(live).write(out)?;
        }
        Ok(())
    }

    fn open(&mut self, ring: &mut Ring, welcome: &Welcome) -> Result<(), Closed> {
        // The hub speaks no newer version than it was offered, and there is none before the first.
        if !(1..=VERSION).contains(&welcome.version) {
            return Err(Closed::Version(welcome.version));
        }
        ring.resume(welcome.committed).map_err(Closed::Epoch)?;
        // A window of none would be a standstill.
        let history = welcome.version >= VERSION_HISTORY;
        self.state = State::Open { window: u64::from(welcome.window).max(1), history };
        (self.live, self.tally) = (true, true);
        Ok(())
    }

    /// What hubs of version 2 are told beside samples.
    fn send_history(&mut self, ring: &Ring, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        if let Some(sequence) = self.rewound.take() {
            AgentFrame::Rewound(sequence).write(out)?;
        }
        let tally = ring.tally();
        if std::mem::take(&mut self.tally) || tally.lost != self.lost {
            self.lost = tally.lost;
            AgentFrame::Tally(tally).write(out)?;
        }
        Ok(())
    }

    fn send_table(&mut self, table: &Arc<Table>, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        if !self.table.as_ref().is_some_and(|sent| Arc::ptr_eq(sent, table)) {
            AgentFrame::Table(Table::clone(table)).write(out)?;
            self.table = Some(Arc::clone(table));
        }
        Ok(())
    }
}

/// As much of a hub's reason as a log should repeat, without what would break its lines.
fn excerpt(why: &str) -> String {
    const MAX_CHARS: usize = 200;
    why.chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
