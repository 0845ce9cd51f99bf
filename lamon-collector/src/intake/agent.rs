//! The task of an agent's connection, around the pure `session`.
//!
//! It waits on the agent's frames, on room in the journal's queue, on the journal's word that samples are on disk, on new
//! settings, on its ping timer, and on being replaced. Samples go to the live path as they are parsed; their way to the
//! disk is a queue of its own, so that a hanging disk never makes the picture old.
//!
//! What the journal gives back, because it takes others' samples but not these, is let go: after a pause the agent is asked
//! to send it again ([`HubFrame::Rewind`]). Its samples go on being shown meanwhile.

use std::sync::Arc;
use std::time::Duration;

use lamon_daemon::backoff::Backoff;
use lamon_wire::frames::{HubFrame, Tally};
use lamon_wire::framing::{FrameBuffer, FrameTooLong};
use lamon_wire::hello::{Answer, Hello, VERSION, VERSION_HISTORY, Welcome};
use lamon_wire::names::NodeName;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Doors;
use super::frames::{read, read_hello};
use super::pings::{MUTE_TIME, hub_clock, ping_at};
use super::session::{Brought, Session, SessionError, WINDOW};
use super::strangers::Stranger;
use super::stream::{Peer, Stream, close_gently};
use super::under_way::{Stored, UnderWay};
use crate::core::{Admitted, Greeting, ToCore};
use crate::durable::{Append, GivenBack, Query};
use crate::sample::{Now, Sample};
use crate::watch::{Event, EventKind, Progress};

/// How long the peer may take to read what it is sent.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long a hello waits for the journal to say what it has. A journal that hangs must not hold up the live path: an
/// agent that is told nothing sends again what it has, and what is on disk already is dropped there.
const COMMITTED_TIME: Duration = Duration::from_secs(1);

/// Why a connection ended other than by the peer's close.
#[derive(Debug, Error)]
enum Ended {
    /// The socket broke.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The peer does not read, or says nothing.
    #[error("{0}")]
    Mute(&'static str),
    /// The peer breaks the protocol.
    #[error("{0}")]
    Protocol(#[from] SessionError),
    /// A frame of ours is too long.
    #[error("{0}")]
    Frame(#[from] FrameTooLong),
    /// The hub ends, or another connection took the place of this one.
    #[error("the hub ended it")]
    ByHub,
    /// The journal gave samples back, and this agent knows no rewind: it sends them again when it connects again.
    #[error("the journal refuses its samples for now")]
    GivenBack,
}

/// Serves one agent until either side ends it.
pub(super) async fn serve(
    mut stream: Stream,
    who: Peer,
    stranger: Stranger,
    doors: Doors,
    shutdown: CancellationToken,
) {
    let peer = who.address;
    let mut frames = FrameBuffer::new();
    let hello = tokio::select! {
        hello = timeout_at(who.until, read_hello(&mut stream, &mut frames)) => hello,
        () = shutdown.cancelled() => return,
    };
    let (hello, join) = match hello {
        Ok(Ok(hello)) => hello,
        Ok(Err(why)) => {
            debug!(%peer, why, "a hello was refused");
            return refuse(stream, why).await;
        }
        Err(_) => return debug!(%peer, "an agent said no hello"),
    };
    let began = Instant::now();
    let session = Session::new(&hello, hub_clock(began));
    let replaced = shutdown.child_token();
    let (reply, answer) = oneshot::channel();
    // A secret that everybody could hear on the way is none.
    let join = join.filter(|_| who.key.is_some());
    let greeting = Greeting { hello: hello.clone(), peer: who, join, replaced: replaced.clone(), reply };
    if doors.core.send(ToCore::Hello(Box::new(greeting))).await.is_err() {
        return;
    }
    let admitted = match answer.await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(why)) => return refuse(stream, why).await,
        Err(_) => return,
    };
    drop(stranger);
    let (node, number) = (hello.node.clone(), admitted.connection);
    let connection = Connection {
        session,
        node: node.clone(),
        epoch: hello.epoch,
        stream,
        frames,
        doors: doors.clone(),
        admitted,
        under_way: UnderWay::default(),
        pauses: Backoff::default(),
        waiting_since: None,
        rewind: None,
        tally: None,
        stored: 0,
        knows_history: hello.version.min(VERSION) >= VERSION_HISTORY,
        began,
        out: Vec::new(),
    };
    let ended = tokio::select! {
        ended = connection.run(&hello) => ended,
        () = replaced.cancelled() => Err(Ended::ByHub),
    };
    match ended {
        Ok(()) => debug!(%node, %peer, "the agent closed its connection"),
        Err(Ended::ByHub) => {}
        Err(Ended::Protocol(error)) => {
            let text = format!("{node} at {peer} broke the protocol, and its connection was closed: {error}");
            let event = Event::new(Some(node.clone()), EventKind::Protocol, text);
            let _ = doors.core.send(ToCore::Event(event)).await;
        }
        Err(error) => debug!(%node, %peer, %error, "an agent's connection broke"),
    }
    let _ = doors.core.send(ToCore::Closed { node, connection: number }).await;
}

async fn refuse(mut stream: Stream, why: String) {
    let mut out = Vec::new();
    // A sentence always fits a frame.
    let _ = Answer::Refused { why }.write(&mut out);
    if let Ok(Ok(())) = timeout(WRITE_TIME, stream.write_all(&out)).await {
        close_gently(stream).await;
    }
}

struct Connection {
    session: Session,
    node: NodeName,
    epoch: u32,
    stream: Stream,
    frames: FrameBuffer,
    doors: Doors,
    admitted: Admitted,
    /// Samples that are not on disk yet.
    under_way: UnderWay,
    /// How long to wait before each rewind, until something is on disk again.
    pauses: Backoff,
    /// Since when something of it is not on disk; `None` when everything is.
    waiting_since: Option<Instant>,
    /// When the agent is to be asked to send again from this number.
    rewind: Option<(Instant, u64)>,
    /// What the agent last told of its samples.
    tally: Option<Tally>,
    /// How many of its samples are on disk, since it began to tell.
    stored: u64,
    /// Whether the agent knows tallies and rewinds.
    knows_history: bool,
    /// The zero of the clock that stamps pings.
    began: Instant,
    /// Bytes to send; kept for its capacity.
    out: Vec<u8>,
}

enum Chosen<'a> {
    Read(std::io::Result<usize>),
    Room(Result<mpsc::Permit<'a, Append>, mpsc::error::SendError<()>>),
    OnDisk(Result<Result<(), GivenBack>, oneshot::error::RecvError>),
    Rewind,
    Settings,
    Ping,
    Mute,
}

impl Connection {
    async fn run(mut self, hello: &Hello) -> Result<(), Ended> {
        self.welcome(hello).await?;
        let mut pinged = Instant::now();
        let mut heard = Instant::now();
        self.take_frames().await?;
        loop {
            let appends = self.doors.journal.appends.clone();
            self.waiting_since =
                (!self.under_way.is_empty()).then(|| self.waiting_since.unwrap_or_else(Instant::now));
            let ping_at = ping_at(pinged, self.waiting_since);
            let rewind_at = self.rewind.map_or(ping_at, |(at, _)| at);
            let chosen = tokio::select! {
                count = read(&mut self.stream, &mut self.frames) => Chosen::Read(count),
                permit = appends.reserve(), if self.under_way.wants_room() => Chosen::Room(permit),
                done = self.under_way.next(), if self.under_way.in_journal() => Chosen::OnDisk(done),
                Ok(()) = self.admitted.settings.changed() => Chosen::Settings,
                () = sleep_until(rewind_at), if self.rewind.is_some() => Chosen::Rewind,
                () = sleep_until(ping_at) => Chosen::Ping,
                () = sleep_until(heard + MUTE_TIME) => Chosen::Mute,
            };
            match chosen {
                Chosen::Read(count) => {
                    if count? == 0 {
                        return Ok(());
                    }
                    heard = Instant::now();
                    self.take_frames().await?;
                }
                Chosen::Room(permit) => {
                    let permit = permit.map_err(|_| Ended::ByHub)?;
                    self.under_way.hand_over(permit, &self.doors.journal);
                }
                Chosen::OnDisk(done) => match done.map_err(|_| Ended::ByHub)? {
                    Ok(()) => self.acknowledge().await?,
                    Err(GivenBack) => self.let_go()?,
                },
                Chosen::Rewind => {
                    if let Some((_, from)) = self.rewind.take() {
                        HubFrame::Rewind(from).write(&mut self.out)?;
                    }
                }
                Chosen::Settings => self.send_settings()?,
                Chosen::Ping => {
                    pinged = Instant::now();
                    self.ping()?;
                }
                Chosen::Mute => return Err(Ended::Mute("nothing heard for three pings")),
            }
            self.flush().await?;
        }
    }

    async fn welcome(&mut self, hello: &Hello) -> Result<(), Ended> {
        let (reply, answer) = oneshot::channel();
        let query = Query::Committed { node: self.node.clone(), epoch: hello.epoch, reply };
        let ask = async {
            self.doors.journal.queries.send(query).await.ok()?;
            answer.await.ok()?
        };
        let committed = timeout(COMMITTED_TIME, ask).await.ok().flatten();
        let hub_unix_ms = Now::read().unix_ms;
        let version = hello.version.min(VERSION);
        Answer::Welcome(Welcome { version, hub_unix_ms, committed, window: WINDOW }).write(&mut self.out)?;
        self.ping()?;
        let settings = self.admitted.settings.borrow_and_update().clone();
        if settings != lamon_wire::frames::Settings::default() {
            self.write_settings(settings)?;
        }
        self.flush().await
    }

    /// Takes up every whole frame that came.
    async fn take_frames(&mut self) -> Result<(), Ended> {
        while let Some(payload) = self.frames.next_frame() {
            match self.session.handle_frame(payload, hub_clock(self.began))? {
                Brought::Ordered(samples) => {
                    for sample in &samples {
                        self.show(Arc::clone(sample)).await?;
                    }
                    self.under_way.take_up(samples);
                }
                Brought::Ahead(samples) => {
                    for sample in samples {
                        self.show(sample).await?;
                    }
                }
                Brought::Tally(tally) => {
                    // The first counts what was acknowledged before; from then on the hub knows better.
                    if self.tally.replace(tally).is_none() {
                        self.stored = tally.acknowledged;
                    }
                    self.tell_progress().await?;
                }
                Brought::Nothing => {}
            }
        }
        self.frames.shrink();
        Ok(())
    }

    async fn show(&self, sample: Arc<Sample>) -> Result<(), Ended> {
        let message = ToCore::Sample { sample, text: None };
        self.doors.core.send(message).await.map_err(|_| Ended::ByHub)
    }

    /// Tells the agent what is on disk.
    async fn acknowledge(&mut self) -> Result<(), Ended> {
        let stored = self.under_way.take_stored().map_err(|_| Ended::ByHub)?;
        let Some(Stored { last, count, given_back }) = stored else { return Ok(()) };
        self.session.acknowledged(count);
        self.pauses.reset();
        HubFrame::Ack(last).write(&mut self.out)?;
        if given_back {
            self.let_go()?;
        }
        let was = self.stored;
        self.stored = was.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        // In daily life the agent's next tally is soon enough; a backlog that comes in is shown as it does.
        if self.tally.is_some_and(|tally| was < tally.taken) { self.tell_progress().await } else { Ok(()) }
    }

    /// The first on the way cannot be stored, and so none behind them: after a pause they are to be sent again.
    fn let_go(&mut self) -> Result<(), Ended> {
        let Some(first) = self.under_way.first() else { return Ok(()) };
        if !self.knows_history {
            return Err(Ended::GivenBack);
        }
        // What the journal still has of this line it gives back too, to nobody.
        self.under_way = UnderWay::default();
        self.session.rewind();
        self.rewind = Some((Instant::now() + self.pauses.wait(), first));
        Ok(())
    }

    async fn tell_progress(&self) -> Result<(), Ended> {
        let Some(tally) = self.tally else { return Ok(()) };
        let progress = Progress { taken: tally.taken, stored: self.stored, lost: tally.lost };
        let message = ToCore::Progress { node: self.node.clone(), epoch: self.epoch, progress };
        self.doors.core.send(message).await.map_err(|_| Ended::ByHub)
    }

    fn send_settings(&mut self) -> Result<(), Ended> {
        let settings = self.admitted.settings.borrow_and_update().clone();
        self.write_settings(settings)
    }

    fn write_settings(&mut self, settings: lamon_wire::frames::Settings) -> Result<(), Ended> {
        self.session.settings_sent(&settings);
        Ok(HubFrame::Settings(settings).write(&mut self.out)?)
    }

    fn ping(&mut self) -> Result<(), Ended> {
        let hub_us = hub_clock(self.began).monotonic_us;
        Ok(HubFrame::Ping { hub_us }.write(&mut self.out)?)
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        if self.out.is_empty() {
            return Ok(());
        }
        let write = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        timeout(WRITE_TIME, write).await.map_err(|_| Ended::Mute("it does not read what it is sent"))??;
        self.out.clear();
        Ok(())
    }
}
