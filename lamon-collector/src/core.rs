//! The core task: owns the watch, knows who is connected, and tells the faces.
//!
//! It waits on the intake's messages, what operators ask, the durable path's reports, the next timeout of watch and gates, and the heartbeat. It never
//! waits for a disk or a peer, so a sample is on every face as soon as it is parsed.

mod agents;
mod answers;
mod gates;
mod keys;
mod log;
mod messages;
mod operate;
mod recent;
mod reload;
mod reports;
mod sky;
mod tonight;

use std::collections::HashMap;
use std::time::Duration;

use lamon_daemon::limit::LogLimit;
use lamon_keys::Fingerprint;
use lamon_store::registers::NodeRecord;
use lamon_wire::names::NodeName;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::agents::Connection;
use self::keys::Speaks;
use self::log::Log;
pub(crate) use self::messages::{Admitted, Greeting, NotTaken, TextFrom, ToCore};
use self::recent::Recent;
use crate::config::HubConfig;
use crate::control::{Asked, Inbox, ReloadReply};
use crate::durable::{Found, Keep, Report};
use crate::face::{Face, Health, Picture};
use crate::keys::Keys;
use crate::past::{Disks, Past};
use crate::sample::Now;
use crate::tonight::Notice;
use crate::watch::{Event, EventKind, Gates, Phase, Progress, Update, Watch};

/// How often the faces hear that the hub lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How late the core wakes when it was not the load: the process stood still, and nodes are not to blame.
const PAUSE: Duration = Duration::from_secs(5);

/// How many messages wait for the core: it takes each in microseconds, so a full queue lasts no longer than a burst.
pub(crate) const QUEUE: usize = 1_024;

/// Where the core task sends what others have to do for an operator.
pub(crate) struct Errands {
    /// What operators changed, to the thread that writes it.
    pub(crate) keeps: mpsc::Sender<Keep>,
    /// Reloads, to whoever reads the file.
    pub(crate) reload_asks: mpsc::Sender<ReloadReply>,
    /// Night or day, as somebody outside knows it who looks at more than the Sun.
    pub(crate) sky: watch::Receiver<Option<Phase>>,
    /// Who reads the archive.
    pub(crate) past: Past,
    /// What it found of disks.
    pub(crate) disks: watch::Receiver<Disks>,
    /// The hub's own key, or why there is none.
    pub(crate) own_key: Result<Fingerprint, String>,
}

/// The core task's state.
pub(crate) struct Core {
    config: HubConfig,
    /// As it was at the start, which much of it stays until the next one.
    at_start: HubConfig,
    watch: Watch,
    keys: Keys,
    /// The hub's own key, or why there is none.
    own_key: Result<Fingerprint, String>,
    gates: Gates,
    health: Health,
    faces: Vec<Box<dyn Face>>,
    /// What agents say of themselves, for the archive.
    hellos: mpsc::Sender<NodeRecord>,
    agents: HashMap<NodeName, Connection>,
    connections: u64,
    keeps: mpsc::Sender<Keep>,
    reload_asks: mpsc::Sender<ReloadReply>,
    /// At which change of operators' doings they were last written down.
    kept_at: u64,
    /// What they changed before is not known: the file was lost, and the archive was not asked yet.
    incomplete: bool,
    recent: Recent,
    /// What somebody else says of night and day.
    sky: watch::Receiver<Option<Phase>>,
    past: Past,
    disks: watch::Receiver<Disks>,
    notice: Notice,
    started_ms: i64,
    /// Samples at the heartbeat before, for the rate.
    counted: u64,
    log: Log,
    /// What peers do: comings, goings, nonsense. On every face and in the log.
    peer_limit: LogLimit,
    /// Who spoke for whom without the right key. Apart from the others, because the same is told once an hour: whoever may send
    /// nonsense could hide it else.
    key_limit: LogLimit,
}

/// A hundred agents that come back at once, with a word to spare, then two lines a second.
const PEER_BURST: u32 = 300;
const PEER_PAUSE: Duration = Duration::from_millis(500);

enum Chosen {
    Message(Option<ToCore>),
    Report(Report),
    Asked(Asked),
    Timeout,
    Sky,
    Disks,
    Heartbeat,
    Shutdown,
}

impl Core {
    pub(crate) fn new(
        config: HubConfig,
        faces: Vec<Box<dyn Face>>,
        hellos: mpsc::Sender<NodeRecord>,
        Errands { keeps, reload_asks, sky, past, disks, own_key }: Errands,
    ) -> Self {
        let mut watch = Watch::new(config.rules.clone(), config.groups.clone());
        watch.in_zone(jiff::tz::TimeZone::system());
        let gates = Gates::new(config.gates.clone());
        let health = Health { completeness: 1.0, ..Health::default() };
        Self {
            at_start: config.clone(),
            config,
            watch,
            keys: Keys::default(),
            own_key,
            gates,
            health,
            faces,
            hellos,
            agents: HashMap::new(),
            connections: 0,
            keeps,
            reload_asks,
            kept_at: 0,
            incomplete: false,
            recent: Recent::default(),
            sky,
            past,
            disks,
            notice: Notice::default(),
            started_ms: Now::read().unix_ms,
            counted: 0,
            log: Log::new(),
            peer_limit: LogLimit::new(PEER_BURST, PEER_PAUSE),
            key_limit: LogLimit::new(PEER_BURST, PEER_PAUSE),
        }
    }

    pub(crate) async fn run(
        mut self,
        mut messages: mpsc::Receiver<ToCore>,
        mut reports: mpsc::Receiver<Report>,
        Inbox(mut asked): Inbox,
        found: Found,
        shutdown: CancellationToken,
    ) {
        self.look_at_the_sky();
        self.show(&[Update::Heartbeat]);
        self.start_with(found);
        if let Err(why) = self.own_key.clone() {
            self.show(&[event(
                None,
                EventKind::KeyFailed,
                format!("nobody can speak TLS to this hub: {why}"),
            )]);
        }
        let mut heartbeat = Instant::now() + HEARTBEAT;
        let mut planned = heartbeat;
        loop {
            // A process that was stopped, or a computer that was, wakes long after it meant to.
            let late = Instant::now().saturating_duration_since(planned);
            if late >= PAUSE {
                let updates = self.watch.handle_pause(Now::read(), late);
                self.show(&updates);
            }
            let timeouts = [self.watch.next_timeout(), self.gates.next_timeout()];
            let timeout = timeouts.into_iter().flatten().min().map_or(heartbeat, Instant::from_std);
            planned = timeout.min(heartbeat).max(Instant::now());
            let chosen = tokio::select! {
                message = messages.recv() => Chosen::Message(message),
                Some(report) = reports.recv() => Chosen::Report(report),
                Some(asked) = asked.recv() => Chosen::Asked(asked),
                Ok(()) = self.sky.changed() => Chosen::Sky,
                Ok(()) = self.disks.changed() => Chosen::Disks,
                () = sleep_until(planned) => {
                    if Instant::now() >= heartbeat { Chosen::Heartbeat } else { Chosen::Timeout }
                }
                () = shutdown.cancelled() => Chosen::Shutdown,
            };
            match chosen {
                Chosen::Message(Some(message)) => self.handle(message),
                Chosen::Report(report) => self.report(report),
                Chosen::Asked(asked) => self.operate(asked),
                Chosen::Sky => self.look_at_the_sky(),
                Chosen::Disks => self.look_at_disks(),
                Chosen::Timeout => {
                    // After a pause of the whole process the samples that came meanwhile wait here: they were heard.
                    for _ in 0..QUEUE {
                        let Ok(message) = messages.try_recv() else { break };
                        self.handle(message);
                    }
                    let updates = self.watch.handle_timeout(Now::read());
                    self.show(&updates);
                    let updates = self.gates.handle_timeout(Now::read());
                    self.show(&updates);
                }
                Chosen::Heartbeat => {
                    heartbeat = Instant::now() + HEARTBEAT;
                    // This task's standstill would be the hub's, so it is the one that feeds systemd's watchdog.
                    lamon_daemon::systemd::alive();
                    self.heartbeat();
                }
                Chosen::Message(None) | Chosen::Shutdown => {
                    // The last word, for faces that gather.
                    self.show(&[Update::Heartbeat]);
                    return;
                }
            }
        }
    }

    fn handle(&mut self, message: ToCore) {
        match message {
            ToCore::Hello(greeting) => self.greet(*greeting),
            ToCore::Closed { node, connection } => self.see_off(&node, connection),
            ToCore::Sample { sample, text } => {
                let (peer, reply) = match text {
                    Some(TextFrom { peer, reply }) => (Some(peer), Some(reply)),
                    None => (None, None),
                };
                if let Some(Err(why)) = peer.map(|peer| self.may_speak(&sample.node, &peer, Speaks::Text)) {
                    if let Some(reply) = reply {
                        let _ = reply.send(Err(NotTaken::Stranger(why)));
                    }
                    return;
                }
                let taken = self.watch.handle_sample(Now::read(), &sample);
                self.health.samples += u64::from(taken.is_ok());
                let answer = taken.map(|updates| self.show(&updates));
                match (reply, answer) {
                    (Some(reply), answer) => {
                        let _ = reply.send(answer.map_err(|error| NotTaken::Wrong(error.to_string())));
                    }
                    (None, Err(error)) => {
                        let text = format!("a sample of {} is stored but not shown: {error}", sample.node);
                        self.show_of_peer(event(Some(sample.node.clone()), EventKind::Refused, text));
                    }
                    (None, Ok(())) => {}
                }
            }
            ToCore::Progress { node, epoch, progress } => self.watch.handle_progress(&node, epoch, progress),
            ToCore::Event(event) => self.show_of_peer(Update::Event(event)),
            ToCore::Reload { config, face_waits, reply } => {
                self.handle_reload(config, face_waits, reply);
            }
        }
    }

    fn heartbeat(&mut self) {
        self.look_at_the_sky();
        let fresh = self.health.samples - self.counted;
        self.counted = self.health.samples;
        #[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
        let number = |count: u64| count as f64;
        self.health.samples_rate = number(fresh) / HEARTBEAT.as_secs_f64();
        self.health.completeness =
            self.watch.nodes().map(|node| node.arrivals.progress()).sum::<Progress>().completeness();
        self.look_who_waits();
        // Also for nodes and disks that joined since.
        self.look_at_disks();
        self.show(&[Update::Heartbeat]);
    }

    /// Shows an event that a peer caused, unless too many come: one bad peer must not hide the alarms of all others.
    fn show_of_peer(&mut self, update: Update) {
        let admitted = self.peer_limit.admit(Now::read().monotonic);
        self.show_admitted(admitted, update);
    }

    /// The same of what a peer did with keys.
    fn show_of_key(&mut self, update: Update) {
        let admitted = self.key_limit.admit(Now::read().monotonic);
        self.show_admitted(admitted, update);
    }

    /// Shows what a limit admitted, if it did, and how many it had held back.
    fn show_admitted(&mut self, admitted: Option<u64>, update: Update) {
        let Some(held_back) = admitted else { return };
        if held_back > 0 {
            warn!(held_back, "lines about peers were left out, because too many came at once");
        }
        self.show(&[update]);
    }

    fn picture(&self) -> Picture<'_> {
        Picture { watch: &self.watch, gates: &self.gates, health: &self.health, now: Now::read() }
    }

    fn show(&mut self, updates: &[Update]) {
        if updates.is_empty() {
            return;
        }
        // What a level does to a gate is told with it: faces see both at once.
        let of_gates = self.gates.handle_updates(Now::read(), &self.watch, updates);
        let picture =
            Picture { watch: &self.watch, gates: &self.gates, health: &self.health, now: Now::read() };
        for update in updates.iter().chain(&of_gates) {
            self.log.write(picture.now, update);
            self.recent.note(picture.now, update);
            for face in &mut self.faces {
                face.update(&picture, update);
            }
        }
        for face in &mut self.faces {
            face.settle(&picture);
        }
        self.keep_if_changed();
    }
}

fn event(node: Option<NodeName>, kind: EventKind, text: String) -> Update {
    Update::Event(Event::new(node, kind, text))
}
