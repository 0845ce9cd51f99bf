//! Faces: where the picture is shown. The bus is one, RTS2 another.

use crate::sample::Now;
use crate::tonight::Tonight;
use crate::watch::{Gates, Update, Watch};

/// Shows what the watch sees, to programs of one kind.
///
/// The core task calls it with each update, so it must never wait: not for a disk, not for a peer, not for a lock that
/// somebody holds while he waits. It keeps what is newest and lets go of the rest.
pub trait Face: Send {
    /// Something happened; the picture already shows it.
    fn update(&mut self, picture: &Picture<'_>, update: &Update);

    /// All updates of one cause were told: the place for what sums up all nodes, once.
    fn settle(&mut self, picture: &Picture<'_>) {
        let _ = picture;
    }
}

/// All there is to see.
#[derive(Debug)]
pub struct Picture<'a> {
    /// The nodes.
    pub watch: &'a Watch,
    /// What the nodes hold up.
    pub gates: &'a Gates,
    /// The hub itself.
    pub health: &'a Health,
    /// When this is.
    pub now: Now,
}

/// How the hub itself is.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Samples that came since the hub's start, late ones too.
    pub samples: u64,
    /// Samples per second, since the heartbeat before.
    pub samples_rate: f64,
    /// Agents that are connected.
    pub agents: usize,
    /// Whether the journal can be written.
    pub journal: Condition,
    /// Whether the archive takes samples.
    pub database: Condition,
    /// The file or the server that takes the samples; empty while none does.
    pub database_server: String,
    /// Whether what operators change outlives a restart.
    pub settings: Condition,
    /// Samples in the journal that the archive does not have yet, as last counted.
    pub backlog: u64,
    /// When the oldest of them was taken, unix milliseconds UTC.
    pub backlog_oldest_ms: Option<i64>,
    /// Of the samples that agents took, the part that is stored; 1 when none is missing. See
    /// [`Arrivals::progress`](crate::watch::Arrivals::progress) for what counts.
    pub completeness: f64,
    /// Whether it is known how much nights add to disks.
    pub disks: Condition,
    /// Whether the night finds everything ready.
    pub tonight: Tonight,
    /// Nodes whose keys wait to be approved, the first that came first.
    pub waiting: Vec<String>,
}

impl Health {
    /// How old the oldest sample is that the archive does not have yet, in seconds since it was taken; 0 when it has all.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit")]
    pub fn backlog_age(&self, now: Now) -> f64 {
        let age_ms = self.backlog_oldest_ms.map_or(0, |oldest_ms| now.unix_ms.saturating_sub(oldest_ms));
        age_ms.max(0) as f64 / 1e3
    }
}

/// Whether something that the hub needs works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// It was not tried yet.
    #[default]
    NotTried,
    /// It works.
    Works,
    /// It does not, for this reason, and is tried again.
    Fails(String),
}

impl Condition {
    /// `ok`, or a sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::NotTried => "not tried yet",
            Self::Works => "ok",
            Self::Fails(why) => why,
        }
    }
}
