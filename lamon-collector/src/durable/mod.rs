//! The durable path: samples to the journal, acknowledged when they are on its disk, and from there to the archive.
//!
//! ```text
//! connections --Append--> journal thread --commit--> journal.sqlite <--reads-- forwarder thread --> archive
//!      ^                       |                                                    |
//!      +---- done, then ok/Ack-+  <------------------ Forwarded(position) ----------+
//! ```
//!
//! Both are threads of their own, because SQLite blocks and a disk may hang: the live path never waits for either.
//! Events go the same way: the journal keeps them while the archive is away. The forwarder also has the archive make its
//! rollups and delete what is old, a short step at a time, when no samples wait.
//!
//! What operators change has a file and a thread of its own (`settings`), and a copy in the archive (`register`).
//!
//! What they have to tell goes to the core task as [`Report`]s.

mod accounts;
mod ages;
mod events;
mod forward;
mod heard;
mod journal;
mod levels;
mod register;
mod settings;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lamon_store::journal::NodeAccount;
use lamon_store::registers::Setting;
use lamon_wire::names::NodeName;
use tokio::sync::{Notify, mpsc, oneshot, watch};

pub(crate) use self::accounts::{AccountFace, kept as kept_account};
use self::ages::Ages;
pub(crate) use self::ages::Jump;
pub(crate) use self::events::{EVENTS, EventFace};
pub(crate) use self::forward::{ForwarderSettings, spawn as spawn_forwarder};
pub(crate) use self::heard::{HELLOS, Heard};
pub(crate) use self::journal::{JournalSettings, spawn as spawn_journal};
pub(crate) use self::levels::{FILE as LEVELS_FILE, LevelFace, keep as keep_levels, load as load_levels};
pub(crate) use self::register::of_register;
pub(crate) use self::settings::{
    Found, KEEPS, Keep, Kept, look as look_at_settings, read as read_settings, spawn as spawn_settings,
};
use self::words::Words;

/// Samples to be made durable, all of one node, in order.
#[derive(Debug)]
pub(crate) struct Append {
    /// The samples.
    pub(crate) samples: Vec<lamon_store::Sample>,
    /// Somebody waits for the answer: commit without gathering more.
    pub(crate) urgent: bool,
    /// The samples that must be committed in order with these.
    pub(crate) line: Line,
    /// Told when the samples are on disk, or were given back. It is dropped without a word only when the hub ends.
    pub(crate) done: oneshot::Sender<Result<(), GivenBack>>,
}

/// The journal takes others' samples, but not these; whoever handed them over has to do it again, later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GivenBack;

/// What one connection hands to the journal, in order. Once something of it was given back, so is all that comes behind
/// it: the numbers that are on disk would else pass those that are not, which then counted as known.
///
/// The journal's thread alone breaks a line and asks whether it is broken; connections only pass it on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn mend(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Questions and notices to the journal, which it takes between commits, also while it cannot commit.
#[derive(Debug)]
pub(crate) enum Query {
    /// Up to which sequence number of the epoch is the node's data on disk?
    Committed {
        /// The node.
        node: NodeName,
        /// The epoch.
        epoch: u32,
        /// The answer.
        reply: oneshot::Sender<Option<u64>>,
    },
    /// Where the forwarder begins, once the journal is open.
    Cursor {
        /// The answer.
        reply: oneshot::Sender<Begin>,
    },
    /// The archive has every row up to this position.
    Forwarded {
        /// The journal's position.
        position: i64,
    },
    /// The archive has every event up to this number.
    EventsForwarded {
        /// The event's number.
        number: i64,
    },
    /// What became of the samples of some nodes' agents, to be kept over the hub's end.
    Accounts(Vec<NodeAccount>),
}

/// Where the forwarder begins.
#[derive(Debug)]
pub(crate) struct Begin {
    /// The archive's cursor.
    cursor: i64,
    /// By which time rows are old.
    ages: Ages,
}

/// The handles of the journal thread.
#[derive(Debug, Clone)]
pub(crate) struct JournalHandle {
    /// Samples to commit. Bounded: connections wait, and their agents keep.
    pub(crate) appends: mpsc::Sender<Append>,
    /// Questions.
    pub(crate) queries: mpsc::Sender<Query>,
    /// The position of the newest row on disk.
    pub(crate) newest: watch::Receiver<i64>,
    /// Wakes the thread while it gathers.
    hurry: Arc<Notify>,
}

impl JournalHandle {
    /// To be called after each append. The thread does not listen while it gathers, so that a sample does not cost a
    /// switch of threads: it is woken for an append that somebody waits for, or when half of the queue is full.
    pub(crate) fn handed_over(&self, urgent: bool) {
        if urgent || self.appends.capacity() <= self.appends.max_capacity() / 2 {
            self.hurry.notify_one();
        }
    }
}

/// What the durable path tells the core task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The journal cannot be written, with the reason; it is tried again for ever.
    JournalFailed(String),
    /// The journal was damaged and moved aside; a new one is in use.
    JournalMovedAside(String),
    /// The journal takes samples, but not these of one node, with the reason; they are sent again and again.
    JournalRefuses {
        /// Whose.
        node: Arc<str>,
        /// Why.
        reason: String,
    },
    /// The journal takes samples.
    JournalWorks,
    /// What an earlier run of the hub wrote down of its nodes' samples; once, when the journal is open.
    Accounts(Vec<NodeAccount>),
    /// The forwarder cannot read the journal, with the reason; it is tried again for ever. What agents send is still
    /// committed and acknowledged.
    JournalUnreadable(String),
    /// The forwarder can read the journal again.
    JournalReadable,
    /// The wall clock is not believed.
    ClockJumped(Jump),
    /// The archive does not take samples, with the reason; it is tried again for ever.
    DatabaseFailed(String),
    /// The archive takes samples.
    DatabaseWorks {
        /// The file, or the one of several servers.
        server: String,
    },
    /// Rollups or the deletion of old rows fail, with the reason; tried again for ever.
    UpkeepFailed(String),
    /// What operators changed is on disk.
    SettingsWork,
    /// What operators changed cannot be written, with the reason; the next change tries again.
    SettingsFailed(String),
    /// The archive knows settings of this hub, which had no file of them.
    SettingsFound(Vec<Setting>),
    /// The archive refuses so many samples for good, with the first reason.
    DeadLetters(usize, String),
    /// What waits in the journal for the archive.
    Backlog {
        /// How many samples.
        samples: u64,
        /// When the oldest was taken, unix milliseconds UTC.
        oldest_ms: Option<i64>,
    },
}

#[cfg(test)]
mod tests;
