//! The way up: from the list of hubs to the one that accepts, and the backlog that flows there.
//!
//! Hubs are tried in order, at once one after the other, until one acknowledges samples; when none does, after a
//! jittered wait of 1 s to 60 s from the first again, for ever. The same follows when a hub that served goes away.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use lamon_daemon::backoff::Backoff;
use lamon_daemon::limit::LogLimit;
use lamon_daemon::systemd;
use lamon_keys::{Fingerprint, JoinToken};
use lamon_wire::frames::{Anchor, Settings};
use lamon_wire::hello::{Extra, Hello, VERSION};
use lamon_wire::names::NodeName;

use crate::clock::Now;
use crate::config::{Config, HubAddress};
use crate::connection::{Connection, Turn};
use crate::identity;
use crate::ring::Ring;
use crate::sampler::Sample;
use crate::session::{Closed, Event, Session};
use crate::spool::{Late, OpenError, Opened, Place, Spool, Tried, Written};
use crate::trust::{self, KnownHub, Trust, TrustError};

/// The agent's samples and its connection to a hub, one at a time.
pub struct Uplink {
    config: Config,
    node: NodeName,
    os: String,
    boot_id: [u8; 16],
    epoch: u32,
    ring: Ring,
    spool: Option<Spool>,
    /// A spool that could not be used at the start.
    late: Option<Late>,
    /// What a hub last said of the time, in this boot.
    hub_time: Option<Anchor>,
    peer: Peer,
    /// The hubs in the order in which they are tried.
    hubs: Vec<HubAddress>,
    /// What lets this node in, where it is not known yet; told to the hub that made it, and so in TLS alone.
    join: Option<JoinToken>,
    /// A hub's key was known in this life: from then on nothing is said in plain.
    knows_keys: bool,
    /// Which hub of the list is tried or used.
    position: usize,
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
    Connecting(Pin<Box<dyn Future<Output = io::Result<Connection>>>>),
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
        let mut ring = Ring::new(config.buffer.bytes());
        let mut epoch = fastrand::u32(..);
        let (mut spool, mut late) = (None, None);
        if let Some(folder) = &config.spool {
            let place = Place {
                folder: folder.clone(),
                node: node.clone(),
                limit_bytes: config.spool_size.bytes() as u64,
                delay: config.spool_delay.duration(),
                boot_id,
                ring_bytes: config.buffer.bytes(),
            };
            match place.open() {
                Ok(opened) => {
                    (spool, ring) = (Some(opened.spool), opened.ring);
                    if let Some(kept) = opened.epoch {
                        epoch = kept;
                        tracing::info!("{} samples come out of the spool", ring.len());
                    }
                }
                Err(error @ OpenError::InUse(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        "{error}; samples are kept in memory only until it can, it is tried again"
                    );
                    late = Some(Late::new(place, Now::read().monotonic_ms()));
                }
            }
        }
        let mut uplink = Self {
            node,
            os: identity::operating_system(),
            boot_id,
            epoch,
            ring,
            spool,
            late,
            hub_time: None,
            peer: Peer::Waiting { until_us: 0 },
            hubs: Vec::new(),
            join: None,
            knows_keys: false,
            position: 0,
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
        let Self { peer, spool, late, .. } = self;
        let peer = async {
            match peer {
                Peer::Waiting { .. } => pending().await,
                Peer::Connecting(connecting) => Progress::Connected(connecting.await),
                Peer::Connected(peer) => Progress::Turn(peer.0.turn().await),
            }
        };
        let spool = async {
            match spool {
                Some(spool) => Progress::Spooled(spool.written().await),
                None => pending().await,
            }
        };
        let late = async {
            match late {
                Some(late) => Progress::SpoolTried(late.tried().await),
                None => pending().await,
            }
        };
        tokio::select! {
            progress = peer => progress,
            progress = spool => progress,
            progress = late => progress,
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
        let spool = self.spool.as_ref().and_then(|spool| spool.deadline_ms(&self.ring));
        let late = self.late.as_ref().and_then(Late::deadline_ms);
        let disk = spool.into_iter().chain(late).map(|ms| ms.saturating_mul(1_000));
        peer.into_iter().chain(disk).min()
    }

    /// Whether every sample is acknowledged.
    #[must_use]
    pub const fn is_flushed(&self) -> bool {
        self.ring.is_empty()
    }

    /// Whether a hub accepted and the connection stands.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(&self.peer, Peer::Connected(peer) if peer.1.is_open())
    }

    /// Takes up a new sample.
    pub fn handle_sample(&mut self, sample: Sample) {
        let lost = self.ring.tally().lost;
        self.ring.push(sample);
        let now_lost = self.ring.tally().lost;
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
                let of_hub = |token: &&JoinToken| connection.hub_key() == Some(token.hub());
                let join = self.join.as_ref().filter(of_hub).map(|token| token.secret().to_owned());
                let extra = Extra { join };
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
                if let Some(spool) = &mut self.spool {
                    spool.handle_written(Now::read(), written, &mut self.ring);
                }
                None
            }
            Progress::SpoolTried(tried) => {
                if let Some(late) = &mut self.late {
                    late.handle_tried(Now::read().monotonic_ms(), tried);
                }
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
        if let Some(spool) = &mut self.spool {
            spool.handle_timeout(now, self.hub_time, self.epoch, &mut self.ring);
        }
        if let Some(late) = &mut self.late {
            late.handle_timeout(now.monotonic_ms());
        }
    }

    /// Uses a spool that could not be used before, if it can be used now.
    fn use_late_spool(&mut self) {
        let nothing_waits = self.ring.is_empty();
        let Some(opened) = self.late.as_mut().and_then(|late| late.take(nothing_waits)) else { return };
        let Opened { spool, ring, epoch } = opened;
        (self.spool, self.late) = (Some(spool), None);
        let Some(epoch) = epoch else {
            tracing::info!("the spool can be used now");
            return;
        };
        (self.ring, self.epoch) = (ring, epoch);
        tracing::info!("the spool can be used now, {} samples come out of it", self.ring.len());
        // A connection has one epoch.
        self.useful = false;
        self.connect();
    }

    /// Leaves on disk what no hub has, when there is a spool.
    pub async fn finish(mut self) {
        if let Some(spool) = &mut self.spool {
            spool.finish(self.hub_time, self.epoch, &mut self.ring).await;
        }
    }

    /// Samples come at this interval from now on.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        if let Peer::Connected(peer) = &mut self.peer {
            peer.1.set_patience(self.config.patience(interval));
        }
    }

    fn hub(&self) -> Option<&HubAddress> {
        self.hubs.get(self.position)
    }

    fn connect(&mut self) {
        if self.position == 0 {
            // Read again each time: an agent that is enrolled while it runs need not be restarted.
            self.hubs = self.config.hubs_now();
        }
        let Some(hub) = self.hub().cloned() else { return };
        tracing::debug!("connecting to {hub}");
        let trust = match Trust::load(&self.config, &self.node, &hub) {
            Ok(None) if self.knows_keys => {
                Err(TrustError::Gone { hubs: self.config.known_hubs(), marker: self.config.enrolled() })
            }
            trust => trust,
        };
        self.knows_keys |= matches!(trust, Ok(Some(_)));
        self.join = trust.as_ref().ok().and_then(|trust| trust.as_ref()?.join.clone());
        let tls = trust.map(|trust| trust.map(|trust| trust.tls));
        self.peer = Peer::Connecting(Box::pin(async move {
            let tls = tls.map_err(io::Error::other)?;
            Connection::connect(&hub, tls).await
        }));
    }

    fn hello(&self, now: Now) -> Hello {
        Hello {
            version: VERSION,
            node: self.node.clone(),
            os: self.os.clone(),
            agent_version: lamon_daemon::VERSION.into(),
            boot_id: self.boot_id,
            epoch: self.epoch,
            hub_position: u8::try_from(self.position).unwrap_or(u8::MAX),
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
            match session.handle_frame(Now::read(), &mut self.ring, payload) {
                Ok(None) => {}
                Ok(Some(Event::Welcomed(time))) => {
                    self.hub_time = Some(time);
                    let hub_key = connection.hub_key();
                    self.learn_joined(hub_key);
                    tracing::debug!("accepted, {} samples to be sent", self.ring.len());
                    // What another hub had set ends with its connection; this one sets its own right after.
                    wanted = Some(Settings::default());
                }
                Ok(Some(Event::Acknowledged)) => self.acknowledged(),
                Ok(Some(Event::Settings(settings))) => wanted = Some(settings),
                Err(closed) => {
                    if matches!(closed, Closed::Epoch(_)) {
                        self.epoch = fastrand::u32(..);
                        self.ring.begin_epoch();
                        if let Some(spool) = &mut self.spool {
                            spool.begin_epoch();
                        }
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
                && let Err(closed) = session.write(Now::read(), &mut self.ring, &mut connection.output)
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

    /// A token did its work at this hub: from now on the hub is known as if the node had been enrolled, so that the token can be
    /// removed.
    fn learn_joined(&self, hub_key: Option<Fingerprint>) {
        let joined = self.join.as_ref().map(JoinToken::hub).filter(|of_token| hub_key == Some(*of_token));
        let (Some(key), Some(address)) = (joined, self.hub().cloned()) else { return };
        let (known, hub) = (self.config.known_hubs(), KnownHub { address, key });
        let learned = match trust::known(&known) {
            Ok(hubs) if hubs.contains(&hub) => return,
            Ok(_) => trust::learn(&known, &self.config.enrolled(), &hub),
            Err(error) => Err(error),
        };
        match learned {
            Ok(()) => tracing::info!(
                "{} is known by its key from now on: the join token can be removed",
                hub.address
            ),
            Err(error) => tracing::warn!("leave the join token where it is: {error}"),
        }
    }

    fn acknowledged(&mut self) {
        self.backoff.reset();
        if std::mem::replace(&mut self.useful, true) {
            return;
        }
        let admitted = self.news.admit(Instant::now()).is_some();
        if let Some(hub) = self.hub() {
            if admitted {
                tracing::info!(
                    "{hub} takes the samples of {}, {} are to be sent",
                    self.node,
                    self.ring.len()
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
        if let Some(hub) = self.hub().filter(|_| admitted) {
            tracing::warn!("{hub}: {why}");
        }
        self.position += 1;
        if !useful && self.position < self.hubs.len() {
            return self.connect();
        }
        self.position = 0;
        let wait = self.backoff.wait();
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.peer = Peer::Waiting { until_us: Now::read().monotonic_us.saturating_add(wait_us) };
        systemd::status(&format!("no hub: {why}; {} samples are kept", self.ring.len()));
    }
}
