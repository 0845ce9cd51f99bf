//! The hub's disk is full, again and again. The live path goes on: the bus publishes; an event and an RTS2 value say
//! why nothing is acknowledged. When there is room everything goes on by itself. Now and then the hub is killed meanwhile, and
//! starts on the full disk.
//!
//! The disk is a small tmpfs. Where this process may not mount one, the hub's files may not grow instead (RLIMIT_FSIZE), which
//! a hub meets as a write that fails; the report says which it was.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use rts2dev::client::RemoteDevice;
use rts2dev::proto::Level;
use rts2dev::testing::Centrald;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tokio::task::block_in_place;
use tokio::time::{Duration, Instant, sleep};

use crate::bus::Subscriber;
use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};
use crate::hub::Hub;
use crate::rts2;
use crate::wait::PATIENCE;

pub(super) const FAULT: Fault = Fault {
    name: "disk-full",
    what: "no room on the hub's disk, now and then with a hub that is killed meanwhile",
    run: |ground| Box::pin(run(ground)),
};

/// The size of the disk: the journal, the archive and what SQLite keeps beside them for some minutes.
const DISK: &str = "size=96m";

/// A journal that acknowledges for so long on a full disk needs no room.
const GOES_ON: Duration = Duration::from_secs(10);

/// How many samples must be seen on the bus while nothing can be stored.
const SEEN: usize = 20;

/// The hub's disk.
#[derive(Debug)]
enum Disk {
    /// A file system of its own; it is unmounted when this is dropped.
    Mounted(PathBuf),
    /// An ordinary folder: the hub's files may not grow while it is full.
    Limited,
}

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let centrald = Centrald::start().await?;
    let folder = ground.folder.join("hub");
    fs::create_dir(&folder)?;
    let disk = Disk::mount(&folder);
    let builder = Hub::sensord().under(centrald.address());
    let builder = if matches!(disk, Disk::Limited) { builder.surviving_a_size_limit() } else { builder };
    let mut site = Site::of(builder, "hub", &ground);
    let fleet =
        Fleet::start(Load { agents: 4, pause: Duration::from_millis(100), burst: 2 }, &mut ground.random);
    fleet.aim(Some(site.start().await?));
    let (mut killed, mut spared) = (0, 0);
    for _ in 0..ground.times {
        fleet.gets_on(40).await?;
        ground.pause(1, 700).await;
        let mut bus = Subscriber::join(site.hub()?, &["event/_hub"]).await?;
        disk.fill(site.hub()?)?;
        if !says_so(&mut bus, &fleet).await? {
            disk.free(site.hub()?)?;
            spared += 1;
            ground.step();
            continue;
        }
        if ground.random.u8(0..3) == 0 {
            site.kill();
            fleet.aim(Some(site.start().await?));
            if matches!(disk, Disk::Limited) {
                disk.fill(site.hub()?)?;
            }
            killed += 1;
        }
        says(centrald.address(), Level::Error).await;
        shows(site.hub()?).await?;
        disk.free(site.hub()?)?;
        says(centrald.address(), Level::Good).await;
        ground.step();
    }
    fleet.gets_on(40).await?;
    let audit = site.settle_and_count(&fleet).await?;
    site.kill();
    let remarks = vec![format!(
        "{}; {killed} times the hub was started on the full disk; {spared} times the journal had room in its own files and went on",
        disk.kind()
    )];
    Ok(Report { times: ground.times, audit, remarks })
}

/// Waits for the event that says that the journal fails; whether it came. SQLite writes over its log from the beginning when it
/// can, so that now and then the journal goes on for a while on a disk that is full.
async fn says_so(bus: &mut Subscriber, fleet: &Fleet) -> anyhow::Result<bool> {
    let (began, before) = (Instant::now(), fleet.acknowledged());
    loop {
        bus.mark()?;
        if bus.seen().iter().any(|message| message.text("kind") == "journal_failed") {
            return Ok(true);
        }
        if began.elapsed() > GOES_ON && fleet.acknowledged() > before + GOES_ON.as_secs() * 10 {
            return Ok(false);
        }
        ensure!(began.elapsed() < PATIENCE, "nothing is acknowledged on the full disk, and no event says so");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Sees that the hub shows samples.
async fn shows(hub: &Hub) -> anyhow::Result<()> {
    let mut bus = Subscriber::join(hub, &["sample/chaos"]).await?;
    let began = bus.mark()?;
    // A subscriber blocks its thread, which others need.
    block_in_place(|| {
        for seen in (began..).take(SEEN) {
            bus.after(seen, "samples while the disk is full", |message| {
                message.topic.starts_with("sample/chaos")
            });
        }
    });
    ensure!(bus.gap().is_none(), "messages are missing: {:?}", bus.gap());
    Ok(())
}

/// Waits until the RTS2 value says so.
async fn says(centrald: std::net::SocketAddr, level: Level) {
    let mut nodes: RemoteDevice = rts2::device(centrald, "NODES").await;
    rts2::value(&mut nodes, "journal", |value| {
        value.level() == level && (value.text() == "ok") == (level == Level::Good)
    })
    .await;
}

impl Disk {
    fn mount(folder: &Path) -> Self {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(folder).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Self::Mounted(folder.into());
        }
        Self::Limited
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Mounted(_) => "the disk was a tmpfs",
            Self::Limited => {
                "files that could not grow (RLIMIT_FSIZE) took the place of a disk, since none can be mounted here"
            }
        }
    }

    /// Takes all the room.
    fn fill(&self, hub: &Hub) -> anyhow::Result<()> {
        match self {
            Self::Mounted(folder) => {
                let mut ballast = File::create(folder.join("ballast"))?;
                // Page by page to the very end.
                while ballast.write_all(&[0x55; 4_096]).is_ok() {}
                Ok(())
            }
            Self::Limited => limit(hub, Some(1)),
        }
    }

    /// Gives it back.
    fn free(&self, hub: &Hub) -> anyhow::Result<()> {
        match self {
            Self::Mounted(folder) => fs::remove_file(folder.join("ballast")).context("no ballast"),
            Self::Limited => limit(hub, None),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted(folder) = self {
            // Lazily: the hub may be about to end.
            let _ = Command::new("umount").arg("-l").arg(folder).output();
        }
    }
}

/// How long the files of a running hub may grow.
fn limit(hub: &Hub, bytes: Option<u64>) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(hub.id())?);
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum })?;
    Ok(())
}
