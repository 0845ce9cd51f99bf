//! The bus, the clock, and what becomes of both.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, bail};
use jiff::Zoned;
use lamon_daemon::systemd;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::bus::{Bus, Heard};
use crate::config::Config;
use crate::crew::Crew;
use crate::dispatch::{Dispatch, Moment, State};
use crate::notice::Notice;
use crate::queue::{Queue, write_synced};

/// The file, beside the queue, of what was told.
const KEPT: &str = "state";

/// Follows the hub and tells people, until SIGTERM or SIGINT. SIGHUP reads the configuration of this file again.
///
/// # Errors
///
/// A sentence, when the queue or the bus cannot be used.
pub(crate) fn run(path: &Path, config: Config) -> anyhow::Result<()> {
    let [end, reload] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    for (signal, flag) in [(SIGTERM, &end), (SIGINT, &end), (SIGHUP, &reload)] {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("signals cannot be had")?;
    }
    let mut daemon = Daemon::start(config)?;
    systemd::ready();
    let watchdog = systemd::watchdog_period();
    let mut alive = Instant::now();
    while !end.load(Ordering::Relaxed) {
        daemon.take();
        daemon.step();
        if reload.swap(false, Ordering::Relaxed) {
            match Config::load(path).map_err(Into::into).and_then(|config| daemon.reload(config)) {
                Ok(()) => {}
                Err(error) => {
                    // The lines below the first show the place in the file; `check` prints them.
                    let text = format!("{error:#}");
                    let text = text.lines().next().unwrap_or_default();
                    tracing::error!("goes on with the configuration of before: {text}");
                }
            }
        }
        if watchdog.is_some_and(|period| alive.elapsed() >= period) {
            systemd::alive();
            alive = Instant::now();
        }
    }
    systemd::stopping();
    daemon.keep();
    daemon.queue.end();
    Ok(())
}

/// What the main thread owns.
struct Daemon {
    config: Config,
    queue: Arc<Queue>,
    crew: Arc<Crew>,
    dispatch: Dispatch,
    bus: Bus,
}

impl Daemon {
    fn start(config: Config) -> anyhow::Result<Self> {
        let queue = Arc::new(Queue::open(&config.state)?);
        let dispatch = Dispatch::new(&config, read_state(&config.state.join(KEPT)), now());
        let bus = Bus::follow(&config.hub)?;
        let crew = Crew::new(Arc::clone(&queue));
        crew.set(&config).context("no thread can be had")?;
        for (channel, count) in queue.waiting() {
            tracing::info!("{count} notices to {channel} wait since before the start");
        }
        let (hub, channels, routes) = (&config.hub.publish, config.channels.len(), config.routes.len());
        tracing::info!("follows {hub}: {channels} channels, {routes} routes");
        Ok(Self { config, queue, crew, dispatch, bus })
    }

    /// Goes on with another configuration; queue and open problems stay.
    fn reload(&mut self, config: Config) -> anyhow::Result<()> {
        if config.state != self.config.state {
            bail!("state cannot become {} while it runs: restart it", config.state.display());
        }
        if config.hub != self.config.hub {
            self.bus = Bus::follow(&config.hub)?;
            self.dispatch.handle_restarted();
        }
        let notices = self.dispatch.handle_reload(&config, now());
        self.push(notices);
        let started = self.crew.set(&config).context("a channel has no thread until the next start");
        let (hub, channels, routes) = (&config.hub.publish, config.channels.len(), config.routes.len());
        tracing::info!("the configuration was read again: {hub}, {channels} channels, {routes} routes");
        self.config = config;
        started
    }

    /// Takes up what was heard, or waits a moment.
    fn take(&mut self) {
        for news in self.bus.hear() {
            match news {
                Heard::Event(event, nodes) => self.dispatch.take(&event, &nodes, now()),
                Heard::Node(node) => self.dispatch.handle_node(&node, now()),
                Heard::Gone(name) => self.dispatch.handle_gone(&name),
                Heard::Restarted => self.dispatch.handle_restarted(),
                Heard::Presence { away } => self.dispatch.handle_presence(away, now()),
            }
        }
    }

    /// Puts what is due into the queue, and then what is known onto the disk: a crash in between tells something twice.
    fn step(&mut self) {
        let notices = self.dispatch.handle_timeout(now());
        self.push(notices);
        if self.dispatch.take_changed() {
            self.keep();
        }
    }

    fn push(&self, notices: Vec<Notice>) {
        for notice in notices {
            tracing::info!("to {}: {}", notice.channel, notice.message.text.replace('\n', "; "));
            if let Err(error) = self.queue.push(notice) {
                tracing::error!("a notice is not on the disk, and is lost if this process ends: {error}");
            }
        }
    }

    /// Writes what is known onto the disk.
    fn keep(&self) {
        let bytes = serde_json::to_vec(self.dispatch.state()).map_err(Into::into);
        let written = bytes.and_then(|bytes| write_synced(&self.config.state.join(KEPT), &bytes));
        if let Err(error) = written {
            tracing::warn!("what was told is not on the disk: {error}");
        }
    }
}

/// What was known before a restart; nothing when it cannot be read.
fn read_state(kept: &Path) -> State {
    let Ok(bytes) = fs::read(kept) else { return State::default() };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        tracing::warn!("what was told before the start cannot be read: {error}");
        State::default()
    })
}

fn now() -> Moment {
    let zoned = Zoned::now();
    let minute = u16::from(zoned.hour().unsigned_abs()) * 60 + u16::from(zoned.minute().unsigned_abs());
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit")]
    let unix = zoned.timestamp().as_millisecond() as f64 / 1e3;
    let day = i32::from(zoned.year()) * 1_000 + i32::from(zoned.day_of_year());
    Moment { unix, minute, day }
}
