//! The way up: from the list of hubs to the one that accepts, and the backlog that flows there.
//!
//! Hubs are tried in order, at once one after the other, until one acknowledges samples; when none does, after a
//! jittered wait of 1 s to 60 s from the first again, for ever. The same follows when a hub that served goes away.

mod backlog;
mod hubs;

use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use lamon_daemon::backoff::Backoff;
use lamon_daemon::limit::LogLimit;
use lamon_daemon::systemd;
use lamon_wire::frames::Settings;
use lamon_wire::hello::{Extra, Hello, VERSION};
use lamon_wire::names::NodeName;

use self::backlog::Backlog;
use self::hubs::{Connecting, Hubs};
use crate::clock::Now;
use crate::config::Config;
use crate::connection::{Connection, Turn};
use crate::identity;
use crate::sampler::Sample;
use crate::session::{Closed, Event, Session};
use crate::spool::{OpenError, Tried, Written};

/// The agent's samples and its connection to a hub, one at a time.
pub struct Uplink {
    config: Config,
    node: NodeName,
    os: String,
    boot_id: [u8; 16],
    backlog: Backlog,
    peer: Peer,
    hubs: Hubs,
    backoff: Backoff,
    interval: Duration,
    /// Whether this connection's hub has acknowledged something: one that only listens is as good as none.
    useful: bool,
    complaints: LogLimit,
    news: LogLimit,
    overflow: LogLimit,
}

enum Peer {
    /// No hub accepted; the list is tried again at this time.
    Waiting {
        until_us: u64,
    },
    Connecting(Connecting),
    Connected(Box<(Connection, Session)>),
}

/// Something happened on the way up.
pub enum Progress {
    /// A connection was made, or not.
    Connected(io::Result<Connection>),
    /// The connection moved bytes, or broke.
    Turn(io::Result<Turn>),
    /// The disk of the spool is done with what it was given.
    Spooled(Written),
    /// A spool that could not be used was tried again.
    SpoolTried(Tried),
}

impl Uplink {
    /// Takes up what is in the spool, and starts to connect to the first hub. A spool that cannot be used is told of and
    /// done without until it can.
    ///
    /// # Errors
    ///
    /// When another agent uses the spool.
    pub fn new(config: Config, node: NodeName) -> Result<Self, OpenError> {
        let boot_id = identity::boot_id();
        let mut uplink = Self {
            backlog: Backlog::open(&config, &node, boot_id)?,
            node,
            os: identity::operating_system(),
            boot_id,
            peer: Peer::Waiting { until_us: 0 },
            hubs: Hubs::default(),
            backoff: Backoff::default(),
            interval: config.interval.duration(),
            useful: false,
            // A hub that is away for a weekend is a few hundred lines.
            complaints: LogLimit::new(5, Duration::from_secs(600)),
            news: LogLimit::default(),
            overflow: LogLimit::new(1, Duration::from_secs(3_600)),
            config,
        };
        uplink.connect();
        Ok(uplink)
    }

    /// Waits for something to happen. Cancel-safe.
    pub async fn progress(&mut self) -> Progress {
        let Self { peer, backlog, .. } = self;
        let peer = async {
            match peer {
                Peer::Waiting { .. } => pending().await,
                Peer::Connecting(connecting) => Progress::Connected(connecting.await),
                Peer::Connected(peer) => Progress::Turn(peer.0.turn().await),
            }
        };
        tokio::select! {
            progress = peer => progress,
            progress = backlog.progress() => progress,
        }
    }

    /// When [`Uplink::handle_timeout`] is to be called, microseconds of the monotonic clock.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let peer = match &self.peer {
            Peer::Waiting { until_us } => Some(*until_us),
            Peer::Connecting(_) => None,
            Peer::Connected(peer) => peer.1.deadline(),
        };
        let disk = self.backlog.deadline_ms().map(|ms| ms.saturating_mul(1_000));
        peer.into_iter().chain(disk).min()
    }

    /// Whether every sample is acknowledged.
    #[must_use]
    pub const fn is_flushed(&self) -> bool {
        self.backlog.ring.is_empty()
    }

    /// Whether a hub accepted and the connection stands.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(&self.peer, Peer::Connected(peer) if peer.1.is_open())
    }

    /// Takes up a new sample.
    pub fn handle_sample(&mut self, sample: Sample) {
        let lost = self.backlog.ring.tally().lost;
        self.backlog.ring.push(sample);
        let now_lost = self.backlog.ring.tally().lost;
        if now_lost > lost && self.overflow.admit(Instant::now()).is_some() {
            let buffer = self.config.buffer.bytes();
            tracing::warn!("the buffer of {buffer} bytes is full: {now_lost} oldest samples are lost so far");
        }
        if let Peer::Connected(peer) = &mut self.peer {
            peer.1.handle_sample();
        }
        self.write();
    }

    /// Acts upon what happened. What the hub sets is returned.
    pub fn handle_progress(&mut self, progress: Progress) -> Option<Settings> {
        match progress {
            Progress::Connected(Ok(connection)) => {
                let now = Now::read();
                let extra = Extra { join: self.hubs.join_secret(connection.hub_key()) };
                let patience = self.config.patience(self.interval);
                let session = Session::new(now, self.hello(now), extra, patience);
                self.peer = Peer::Connected(Box::new((connection, session)));
                self.write();
                None
            }
            Progress::Turn(Ok(Turn::Moved)) => {
                let settings = self.read();
                self.use_late_spool();
                self.write();
                settings
            }
            Progress::Spooled(written) => {
                self.backlog.handle_written(written);
                None
            }
            Progress::SpoolTried(tried) => {
                self.backlog.handle_tried(tried);
                self.use_late_spool();
                None
            }
            Progress::Turn(Ok(Turn::End)) => {
                self.lose(&"the hub closed the connection");
                None
            }
            Progress::Connected(Err(error)) | Progress::Turn(Err(error)) => {
                self.lose(&error);
                None
            }
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self) {
        let now = Now::read();
        match &self.peer {
            Peer::Waiting { until_us } if now.monotonic_us >= *until_us => self.connect(),
            Peer::Waiting { .. } | Peer::Connecting(_) => {}
            Peer::Connected(peer) => {
                if let Err(closed) = peer.1.handle_timeout(now) {
                    self.lose(&closed);
                }
            }
        }
        self.backlog.handle_timeout(now);
    }

    /// Uses a spool that could not be used before, if it can be used now.
    fn use_late_spool(&mut self) {
        if self.backlog.use_late_spool() {
            // A connection has one epoch.
            self.useful = false;
            self.connect();
        }
    }

    /// Leaves on disk what no hub has, when there is a spool.
    pub async fn finish(self) {
        self.backlog.finish().await;
    }

    /// Samples come at this interval from now on.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        if let Peer::Connected(peer) = &mut self.peer {
            peer.1.set_patience(self.config.patience(interval));
        }
    }

    fn connect(&mut self) {
        if let Some(connecting) = self.hubs.connect(&self.config, &self.node) {
            self.peer = Peer::Connecting(connecting);
        }
    }

    fn hello(&self, now: Now) -> Hello {
        Hello {
            version: VERSION,
            node: self.node.clone(),
            os: self.os.clone(),
            agent_version: lamon_daemon::VERSION.into(),
            boot_id: self.boot_id,
            epoch: self.backlog.epoch,
            hub_position: u8::try_from(self.hubs.position()).unwrap_or(u8::MAX),
            interval_ms: u32::try_from(self.config.interval.duration().as_millis()).unwrap_or(u32::MAX),
            monotonic_ms: now.monotonic_ms(),
            wall_ms: now.wall_ms(),
        }
    }

    /// Handles every whole frame that came.
    fn read(&mut self) -> Option<Settings> {
        let mut wanted = None;
        loop {
            let Peer::Connected(peer) = &mut self.peer else { return wanted };
            let (connection, session) = &mut **peer;
            let Some(payload) = connection.input.next_frame() else {
                connection.input.shrink();
                return wanted;
            };
            match session.handle_frame(Now::read(), &mut self.backlog.ring, payload) {
                Ok(None) => {}
                Ok(Some(Event::Welcomed(time))) => {
                    self.backlog.hub_time = Some(time);
                    let hub_key = connection.hub_key();
                    self.hubs.learn_joined(&self.config, hub_key);
                    tracing::debug!("accepted, {} samples to be sent", self.backlog.ring.len());
                    // What another hub had set ends with its connection; this one sets its own right after.
                    wanted = Some(Settings::default());
                }
                Ok(Some(Event::Acknowledged)) => self.acknowledged(),
                Ok(Some(Event::Settings(settings))) => wanted = Some(settings),
                Err(closed) => {
                    if matches!(closed, Closed::Epoch(_)) {
                        self.backlog.begin_epoch();
                    }
                    self.lose(&closed);
                    return wanted;
                }
            }
        }
    }

    /// Sends what is to be sent, as far as the system takes it.
    fn write(&mut self) {
        loop {
            let Peer::Connected(peer) = &mut self.peer else { return };
            let (connection, session) = &mut **peer;
            if connection.is_flushed()
                && let Err(closed) =
                    session.write(Now::read(), &mut self.backlog.ring, &mut connection.output)
            {
                return self.lose(&closed);
            }
            if connection.is_flushed() {
                return;
            }
            if let Err(error) = connection.try_write() {
                return self.lose(&error);
            }
            if !connection.is_flushed() {
                return;
            }
        }
    }

    fn acknowledged(&mut self) {
        self.backoff.reset();
        if std::mem::replace(&mut self.useful, true) {
            return;
        }
        let admitted = self.news.admit(Instant::now()).is_some();
        if let Some(hub) = self.hubs.current() {
            if admitted {
                tracing::info!(
                    "{hub} takes the samples of {}, {} are to be sent",
                    self.node,
                    self.backlog.ring.len()
                );
            }
            systemd::status(&format!("{hub} takes the samples of {}", self.node));
        }
    }

    /// The connection is over, or none came about: the next hub, or a wait.
    fn lose(&mut self, why: &dyn std::fmt::Display) {
        let useful = std::mem::take(&mut self.useful);
        let limit = if useful { &mut self.news } else { &mut self.complaints };
        let admitted = limit.admit(Instant::now()).is_some();
        if let Some(hub) = self.hubs.current().filter(|_| admitted) {
            tracing::warn!("{hub}: {why}");
        }
        if !useful && self.hubs.next() {
            return self.connect();
        }
        self.hubs.first();
        let wait = self.backoff.wait();
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.peer = Peer::Waiting { until_us: Now::read().monotonic_us.saturating_add(wait_us) };
        systemd::status(&format!("no hub: {why}; {} samples are kept", self.backlog.ring.len()));
    }
}
