//! Faults, counted: something is killed, cut, filled or torn again and again under load, and in the end every sample that was
//! acknowledged must be in the journal once and in the archive once, with the values that were sent.
//!
//! | module | what it gives |
//! |---|---|
//! | [`mod@line`] | what one agent took, sent and was told of; the values of each sample |
//! | [`fleet`] | the load: simulated agents that never give up |
//! | [`site`] | the hub under test, with its files |
//! | [`cutter`] | a network that is cut in the middle of a frame |
//! | [`audit`] | the count |
//! | [`real_agents`] | real agents with a spool, and their count |
//! | [`wall_clock`] | a hub whose wall clock can be set |
//! | [`rollups`] | rollups against their samples |
//! | [`faults`] | one file for each fault |
//!
//! `make chaos` runs them for long, `tests/chaos.rs` for a moment.

pub mod audit;
pub mod cutter;
pub mod faults;
pub mod fleet;
pub mod line;
pub mod real_agents;
pub mod rollups;
pub mod site;
pub mod wall_clock;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::task::JoinSet;

use self::audit::Audit;

/// A fault that can be run.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Its name, as it stands in the table.
    pub name: &'static str,
    /// What happens, in a few words.
    pub what: &'static str,
    run: fn(Ground) -> Running,
}

type Running = Pin<Box<dyn Future<Output = anyhow::Result<Report>> + Send>>;

/// What a fault has to work with.
#[derive(Debug)]
pub struct Ground {
    /// Its own folder.
    pub folder: PathBuf,
    /// How often the fault is to happen.
    pub times: u32,
    /// Where its random instants come from.
    pub random: fastrand::Rng,
    done: Arc<AtomicU32>,
}

impl Ground {
    /// Waits for some time between these, milliseconds.
    pub async fn pause(&mut self, from_ms: u64, to_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.random.u64(from_ms..=to_ms))).await;
    }

    /// The fault happened once more.
    pub fn step(&self) {
        self.counter()();
    }

    /// What says that the fault happened once more, for tasks.
    pub fn counter(&self) -> impl Fn() + Send + use<> {
        let done = Arc::clone(&self.done);
        move || {
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What came of a fault.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How often it happened.
    pub times: u32,
    /// The count.
    pub audit: Audit,
    /// What else is worth to be known, a line each.
    pub remarks: Vec<String>,
}

impl Report {
    /// Whether everything is as it must be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let Audit { acknowledged, lost, doubled, wrong, .. } = self.audit;
        acknowledged > 0 && lost == 0 && doubled == 0 && wrong == 0
    }
}

/// A fault that ran.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub fault: Fault,
    /// What came of it; none when it could not be run to its end.
    pub report: anyhow::Result<Report>,
    /// How long it took.
    pub took: Duration,
    /// Its folder, when it was kept because something is wrong.
    pub kept: Option<PathBuf>,
}

impl Outcome {
    /// Whether everything is as it must be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.report.as_ref().is_ok_and(Report::is_good)
    }
}

impl Fault {
    /// Runs it in a folder of its own in `parent`, which is kept when something is wrong, with what was found in
    /// `findings.txt`. `done` counts how often it happened.
    ///
    /// # Errors
    ///
    /// When there is no folder.
    pub async fn run(
        self,
        parent: &Path,
        seed: u64,
        times: u32,
        done: Arc<AtomicU32>,
    ) -> anyhow::Result<Outcome> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("lamon-chaos-{}-", self.name))
            .tempdir_in(parent)
            .with_context(|| format!("no folder in {}", parent.display()))?;
        let random = fastrand::Rng::with_seed(seed ^ hash(self.name));
        let ground = Ground { folder: folder.path().into(), times, random, done };
        let began = std::time::Instant::now();
        // A fault that panics is one that failed; one that is given up ends with its programs.
        let mut task = JoinSet::new();
        task.spawn((self.run)(ground));
        let report = match task.join_next().await {
            Some(Ok(report)) => report,
            Some(Err(error)) => Err(error.into()),
            None => Err(anyhow::anyhow!("it did not run")),
        };
        let mut outcome = Outcome { fault: self, report, took: began.elapsed(), kept: None };
        if !outcome.is_good() {
            outcome.kept = Some(keep(folder, &outcome));
        }
        Ok(outcome)
    }
}

fn keep(folder: TempDir, outcome: &Outcome) -> PathBuf {
    let folder = folder.keep();
    let text = match &outcome.report {
        Ok(report) => report.audit.findings.join("\n"),
        Err(error) => format!("{error:#}"),
    };
    // The findings are told on the terminal too.
    let _ = std::fs::write(folder.join("findings.txt"), text);
    folder
}

/// A number of a name, so that faults side by side have instants of their own.
fn hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
