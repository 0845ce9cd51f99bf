//! The hub: sets up its tasks and threads, and lets them end in order.
//!
//! ```text
//! listeners -> connections -> core -> faces (bus, RTS2)
//!                   |
//!                   +-> journal thread -> forwarder thread -> archive
//! ```
//!
//! At the end connections go first, so that nothing new comes; then the journal commits what it has, and the core ends
//! with its faces.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use lamon_store::journal::{Durability, JournalOptions};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{self, HubConfig};
use crate::control::{self, ControlSocket, Inbox, Operations, ReloadReply};
use crate::core::{Core, Errands, QUEUE, ToCore};
use crate::durable::{
    AccountFace, EVENTS, EventFace, ForwarderSettings, HELLOS, JournalSettings, KEEPS, LEVELS_FILE,
    LevelFace, keep_levels, load_levels, read_settings, spawn_forwarder, spawn_journal, spawn_settings,
};
use crate::face::Face;
use crate::intake::{self, Doors, OwnKey, TextNumbers, TurnedAway};
use crate::past::{self, Spawned};
use crate::watch::Phase;

/// How many reports of the durable path wait for the core. There are a few a second at most.
const REPORTS: usize = 256;

/// The sockets of the intake, bound before anything else is started, so that a port in use ends the program at once.
#[derive(Debug)]
pub struct Listeners(Vec<TcpListener>);

impl Listeners {
    /// Binds every address of `[intake] listen`.
    ///
    /// # Errors
    ///
    /// A sentence that names the address.
    pub async fn bind(config: &HubConfig) -> anyhow::Result<Self> {
        let mut listeners = Vec::new();
        for address in &config.intake.listen {
            let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => anyhow::anyhow!(
                    "cannot listen on {address}: the port is in use (is another hub running? [intake] listen names the address)"
                ),
                _ => anyhow::anyhow!("cannot listen on {address}, which [intake] listen names: {error}"),
            })?;
            listeners.push(listener);
        }
        Ok(Self(listeners))
    }

    /// Where they listen, with the ports that the system chose for port 0.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.0.iter().map(TcpListener::local_addr).collect()
    }
}

/// What a hub is reached by while it runs.
#[derive(Debug)]
pub struct Wires {
    /// New configurations, or why there is none, with who asked for them.
    pub reloads: mpsc::Receiver<Reloaded>,
    /// Where the hub asks for a new configuration when an operator wants one; the other end answers by `reloads`.
    pub reload_asks: mpsc::Sender<ReloadReply>,
    /// What operators ask.
    pub inbox: Inbox,
    /// The other end of it, for the control socket.
    pub operations: Operations,
    /// The control socket, if there is one.
    pub control: Option<ControlSocket>,
    /// Night or day, by somebody who knows better than the Sun: centrald. `None` while nobody does.
    pub sky: watch::Receiver<Option<Phase>>,
}

/// A configuration that was read again.
#[derive(Debug)]
pub struct Reloaded {
    /// The configuration, or why it stays as it was.
    pub config: Result<HubConfig, String>,
    /// Whether the section of the face, `[rts2]`, is not as it was at the start, when it is looked at.
    pub face_waits: bool,
    /// Who asked for it, and hears what came of it.
    pub reply: Option<ReloadReply>,
}

/// Runs a hub with these faces until `shutdown`.
///
/// # Errors
///
/// When a thread cannot be started. Whatever goes wrong later is told by events, and the hub goes on.
pub async fn run(
    config: HubConfig,
    listeners: Listeners,
    mut faces: Vec<Box<dyn Face>>,
    Wires { mut reloads, reload_asks, inbox, operations, control, sky }: Wires,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (reports, reports_in) = mpsc::channel(REPORTS);
    let (to_core, messages) = mpsc::channel(QUEUE);
    // The later ones outlive the earlier: connections, then the durable path, then the core.
    let [durable_ends, core_ends] = [CancellationToken::new(), CancellationToken::new()];
    let (events, events_in) = mpsc::channel(EVENTS);
    let (hellos, hellos_in) = mpsc::channel(HELLOS);
    let (journal, journal_thread) =
        spawn_journal(journal_settings(&config), events_in, reports.clone(), durable_ends.clone())
            .context("cannot start the journal's thread")?;
    let settings_path = config.settings_path();
    let found = tokio::task::spawn_blocking({
        let path = settings_path.clone();
        move || read_settings(&path)
    });
    let found = found.await.context("cannot read what operators changed")?;
    let (keeps, keeps_in) = mpsc::channel(KEEPS);
    let (copies, copies_in) = watch::channel(Arc::new(found.registered(config.name.as_str())));
    let settings_thread =
        spawn_settings(settings_path, config.name.to_string(), keeps_in, copies, reports.clone())
            .context("cannot start the thread that keeps what operators change")?;
    let forwarder = ForwarderSettings {
        url: config.database.url.clone(),
        hub: config.name.to_string(),
        retention: config.archive.retention(),
        journal_path: config.journal_path(),
        hellos: hellos_in,
        settings: copies_in,
        fresh: found.fresh,
    };
    let forwarder_thread = spawn_forwarder(forwarder, journal.clone(), reports, durable_ends.clone())
        .context("cannot start the forwarder's thread")?;
    let Spawned { past, disks, thread: past_thread } =
        past::spawn(config.database.url.clone(), nights_at(&config), core_ends.clone())
            .context("cannot start the thread that reads the archive")?;
    faces.push(Box::new(EventFace::new(events)));
    faces.push(Box::new(AccountFace::new(journal.queries.clone())));
    let levels_path = config.data_dir.join(LEVELS_FILE);
    let (levels, levels_in) = LevelFace::new();
    faces.push(Box::new(levels));
    let key_path = config.key_path();
    let own = tokio::task::spawn_blocking({
        let name = config.name.to_string();
        move || OwnKey::load(&key_path, &name)
    });
    let OwnKey { key: own_key, tls } = own.await.context("cannot read the hub's key")?;
    let errands = Errands { keeps, reload_asks, sky, past, disks, own_key };
    let mut core = Core::new(config.clone(), faces, hellos, errands);
    core.restore(found.kept.limits.clone(), load_levels(&levels_path));
    let levels = tokio::spawn(keep_levels(levels_path, levels_in));
    let core = tokio::spawn(core.run(messages, reports_in, inbox, found, core_ends.clone()));

    let doors = Doors {
        core: to_core.clone(),
        journal,
        text_numbers: TextNumbers::new(),
        tls,
        turned_away: TurnedAway::default(),
    };
    let (mut intakes, room) = (JoinSet::new(), intake::Room::new());
    for listener in listeners.0 {
        if let Ok(address) = listener.local_addr() {
            info!(%address, "listening for agents and text");
        }
        intakes.spawn(intake::run(
            listener,
            config.intake.clone(),
            room.clone(),
            doors.clone(),
            shutdown.clone(),
        ));
    }
    drop(doors);
    if let Some(socket) = control {
        intakes.spawn(control::run(socket, operations, shutdown.clone()));
    }
    lamon_daemon::systemd::ready();
    loop {
        tokio::select! {
            Some(Reloaded { config, face_waits, reply }) = reloads.recv() => {
                let _ = to_core.send(ToCore::Reload { config: config.map(Box::new), face_waits, reply }).await;
            }
            () = shutdown.cancelled() => break,
        }
    }

    lamon_daemon::systemd::stopping();
    info!("the hub ends");
    while intakes.join_next().await.is_some() {}
    durable_ends.cancel();
    let threads = tokio::task::spawn_blocking(move || (journal_thread.join(), forwarder_thread.join()));
    let _ = threads.await;
    core_ends.cancel();
    let _ = core.await;
    let _ = levels.await;
    // What operators changed last is written when the core has let go of its end.
    let _ = tokio::task::spawn_blocking(move || (settings_thread.join(), past_thread.join())).await;
    Ok(())
}

/// When nights begin: by the site, else by this computer's clock.
fn nights_at(config: &HubConfig) -> lamon_store::reading::Site {
    let by_clock = || jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds();
    config.site.map_or_else(
        || lamon_store::reading::Site::at_utc_offset(by_clock()),
        |site| lamon_store::reading::Site::at_longitude(site.longitude),
    )
}

fn journal_settings(config: &HubConfig) -> JournalSettings {
    let durability = match config.journal.durability {
        config::Durability::Full => Durability::Full,
        config::Durability::Normal => Durability::Normal,
    };
    JournalSettings {
        path: config.journal_path(),
        options: JournalOptions { durability, ..JournalOptions::default() },
        keep: config.journal.keep.duration(),
        archive: config.database.url.name(),
    }
}
