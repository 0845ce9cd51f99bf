//! The bus, the clock, and what becomes of both.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Zoned;
use lamon_bus::Follower;
use lamon_daemon::systemd;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::bus::{self, Heard, MAX_NEWS};
use crate::config::Config;
use crate::deliver::deliver;
use crate::dispatch::{Dispatch, Moment, State};
use crate::queue::{Queue, write_synced};

/// How often what is due is looked for, when nothing comes.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// Follows the hub and tells people, until SIGTERM or SIGINT.
///
/// # Errors
///
/// A sentence, when the queue or the bus cannot be used.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&end)).context("signals cannot be had")?;
    }
    let queue = Arc::new(Queue::open(&config.state)?);
    let names: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    queue.keep_only(&names);
    for (channel, count) in queue.waiting() {
        tracing::info!("{count} notices to {channel} wait since before the start");
    }
    let kept = config.state.join("state");
    let mut dispatch = Dispatch::new(config, read_state(&kept), now());
    let follower = Follower::connect(&config.hub)?;
    for channel in &config.channels {
        let (queue, channel, retry) = (Arc::clone(&queue), channel.clone(), config.retry);
        thread::Builder::new()
            .name(channel.name.clone())
            .spawn(move || deliver(&queue, &channel.name, &channel.channel, retry))
            .context("no thread can be had")?;
    }
    let heard = bus::follow(follower, Arc::clone(&end))?;
    tracing::info!(
        "follows {}: {} channels, {} routes",
        config.hub.publish,
        names.len(),
        config.routes.len()
    );
    systemd::ready();
    let watchdog = systemd::watchdog_period();
    let mut alive = Instant::now();
    while !end.load(Ordering::Relaxed) {
        take(&mut dispatch, &heard);
        step(&mut dispatch, &queue, &kept);
        if watchdog.is_some_and(|period| alive.elapsed() >= period) {
            systemd::alive();
            alive = Instant::now();
        }
    }
    systemd::stopping();
    keep(dispatch.state(), &kept);
    queue.end();
    Ok(())
}

/// Takes up what was heard, or waits a moment.
fn take(dispatch: &mut Dispatch, heard: &Receiver<Heard>) {
    let first = heard.recv_timeout(TICK).ok();
    for news in first.into_iter().chain(heard.try_iter().take(MAX_NEWS)) {
        match news {
            Heard::Event(event, nodes) => dispatch.take(&event, &nodes, now()),
            Heard::Node(node) => dispatch.handle_node(&node, now()),
            Heard::Gone(name) => dispatch.handle_gone(&name),
            Heard::Presence { away } => dispatch.handle_presence(away, now()),
        }
    }
}

/// Puts what is due into the queue, and then what is known onto the disk: a crash in between tells something twice.
fn step(dispatch: &mut Dispatch, queue: &Queue, kept: &Path) {
    for notice in dispatch.handle_timeout(now()) {
        tracing::info!("to {}: {}", notice.channel, notice.message.text.replace('\n', "; "));
        if let Err(error) = queue.push(notice) {
            tracing::error!("a notice is not on the disk, and is lost if this process ends: {error}");
        }
    }
    if dispatch.take_changed() {
        keep(dispatch.state(), kept);
    }
}

/// Writes what is known onto the disk.
fn keep(state: &State, kept: &Path) {
    let written = serde_json::to_vec(state).map_err(Into::into).and_then(|bytes| write_synced(kept, &bytes));
    if let Err(error) = written {
        tracing::warn!("what was told is not on the disk: {error}");
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
    Moment { unix, minute }
}
