//! What the watch tells its faces: the bus, RTS2, the log.

use std::sync::Arc;
use std::time::Duration;

use lamon_wire::names::{MetricName, NodeName};

use super::change::LevelChange;
use super::level::Level;
use crate::sample::Sample;

/// One thing that happened. The picture already shows it when a face is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// A node was heard for the first time since the hub's start.
    Joined {
        /// Which.
        node: NodeName,
    },
    /// A sample came. When it is not late, the picture holds its values.
    Sampled {
        /// The sample.
        sample: Arc<Sample>,
        /// Too old on arrival to say how the node is now.
        late: bool,
        /// It brought metrics that the node did not have.
        new_metrics: bool,
    },
    /// Metrics of a node changed their level.
    Levels {
        /// Whose.
        node: NodeName,
        /// The changes; none when only what is shown changed, as a metric that is not known any more.
        changes: Vec<LevelChange>,
    },
    /// Nothing was heard of a node for three intervals.
    Silent {
        /// Which.
        node: NodeName,
        /// How long nothing was heard.
        after: Duration,
        /// Whether that is to be told by itself; if not, an event tells of all nodes with the same cause.
        alone: bool,
    },
    /// A silent node was heard again.
    Back {
        /// Which.
        node: NodeName,
        /// How long it had not been heard.
        after: Duration,
        /// How it was before, apart from its silence; what its sample changes is told next.
        level: Level,
        /// Whether that is to be told by itself; if not, an event tells of all nodes that are back together.
        alone: bool,
    },
    /// An operator, or the end of what one wanted, changed how a node stands.
    Standing {
        /// Which.
        node: NodeName,
        /// How.
        what: Standing,
    },
    /// A node was forgotten: it is no longer in the picture.
    Gone {
        /// Which.
        node: NodeName,
    },
    /// Something an operator should know that is no change of level.
    Event(Event),
    /// The hub's own health changed, for the first time since its start.
    Condition,
    /// The hub lives; told at its start and every ten seconds.
    Heartbeat,
}

/// How a node stands with its operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It neither gates nor notifies.
    Muted,
    /// It does again.
    Unmuted,
    /// Somebody knows of all that is wrong with it.
    Acknowledged,
    /// Nobody does, or nothing is wrong.
    Unacknowledged,
}

impl Standing {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Muted => "muted",
            Self::Unmuted => "unmuted",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
        }
    }
}

/// Something worth a line in a log, of a node or of the hub itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The node, or `None` for the hub.
    pub node: Option<NodeName>,
    /// The metric of the node, when it is about one alone.
    pub metric: Option<MetricName>,
    /// What kind.
    pub kind: EventKind,
    /// A sentence for people.
    pub text: String,
}

impl Event {
    /// An event that is about no metric.
    #[must_use]
    pub const fn new(node: Option<NodeName>, kind: EventKind, text: String) -> Self {
        Self { node, metric: None, kind, text }
    }

    /// The same, about a metric of its node where one is given.
    #[must_use]
    pub fn about(self, metric: Option<MetricName>) -> Self {
        Self { metric, ..self }
    }
}

/// Kinds of [`Event`]s; their words are part of the bus's stable JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A second connection of a node took the place of the first.
    Replaced,
    /// A node was refused.
    Refused,
    /// The journal cannot be written, or was moved aside.
    JournalFailed,
    /// The journal takes samples, but cannot be read for the archive.
    JournalUnreadable,
    /// The journal takes samples again, or can be read again.
    JournalRecovered,
    /// The clock of the hub's computer jumped by days.
    ClockJumped,
    /// The archive cannot be reached or refuses.
    DatabaseFailed,
    /// The archive takes samples again.
    DatabaseRecovered,
    /// Samples that the archive refuses for good were put to `dead_letter`.
    DeadLetter,
    /// The archive's rollups, or the deletion of its old rows, fail.
    UpkeepFailed,
    /// A peer sent what nobody understands.
    Protocol,
    /// A metric does not come any more: its level is of the past.
    Unknown,
    /// It comes again.
    Known,
    /// A node was booted anew.
    Reboot,
    /// A node is silent, told after it was waited for others with the same cause.
    Silent,
    /// Several nodes fell silent together.
    CommonSilence,
    /// They are back.
    CommonBack,
    /// Most nodes fell silent together: the hub itself may be cut off.
    HubCutOff,
    /// The hub's process stood still.
    HubPaused,
    /// Most clocks are off by the same: the hub's own may be wrong.
    HubClockSuspected,
    /// They are not any more.
    HubClockTrusted,
    /// A metric's level changes so often that it is held at its worst.
    Flapping,
    /// It is steady again.
    Steady,
    /// Nodes are muted.
    Muted,
    /// A mute ended, or rests.
    Unmuted,
    /// Somebody knows of something that is unwell.
    Acknowledged,
    /// That is over.
    AckEnded,
    /// An operator set limits.
    LimitsSet,
    /// Those of the file hold again.
    LimitsReset,
    /// Limits that an operator set can no longer be used, because the file changed.
    LimitsUnused,
    /// A node was forgotten.
    Forgotten,
    /// A gate closed: what it blocks is blocked.
    GateClosed,
    /// It opened.
    GateOpened,
    /// A gate that only tells, a shadow or overridden, would have closed.
    GateWouldClose,
    /// It would have opened.
    GateWouldOpen,
    /// An operator lets a gate block nothing for a while.
    GateOverridden,
    /// That is over.
    GateOverrideEnded,
    /// What operators change cannot be kept.
    SettingsFailed,
    /// It can again.
    SettingsRecovered,
    /// A node comes with a key that nobody knows, and waits to be approved.
    KeyWaiting,
    /// A key may speak for a node from now on.
    KeyApproved,
    /// A key is believed no more.
    KeyRevoked,
    /// Somebody without the right key wanted to speak for a node.
    KeyRefused,
    /// Two computers have one key.
    KeyCloned,
    /// The hub's own key cannot be used.
    KeyFailed,
    /// A secret that lets nodes in was made, or ended.
    Join,
    /// Something is not ready for the coming night.
    NotReady,
    /// Everything is.
    Ready,
    /// The configuration was read again.
    Reload,
    /// The configuration could not be read again and stays as it was.
    ReloadFailed,
}

impl EventKind {
    /// The kind's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Refused => "refused",
            Self::JournalFailed => "journal_failed",
            Self::JournalUnreadable => "journal_unreadable",
            Self::JournalRecovered => "journal_recovered",
            Self::ClockJumped => "clock_jumped",
            Self::DatabaseFailed => "database_failed",
            Self::DatabaseRecovered => "database_recovered",
            Self::DeadLetter => "dead_letter",
            Self::UpkeepFailed => "upkeep_failed",
            Self::Protocol => "protocol",
            Self::Unknown => "unknown",
            Self::Known => "known",
            Self::Reboot => "reboot",
            Self::Silent => "silent",
            Self::CommonSilence => "common_silence",
            Self::CommonBack => "common_back",
            Self::HubCutOff => "hub_cut_off",
            Self::HubPaused => "hub_paused",
            Self::HubClockSuspected => "hub_clock_suspected",
            Self::HubClockTrusted => "hub_clock_trusted",
            Self::Flapping => "flapping",
            Self::Steady => "steady",
            Self::Muted => "muted",
            Self::Unmuted => "unmuted",
            Self::Acknowledged => "acknowledged",
            Self::AckEnded => "ack_ended",
            Self::LimitsSet => "limits_set",
            Self::LimitsReset => "limits_reset",
            Self::LimitsUnused => "limits_unused",
            Self::Forgotten => "forgotten",
            Self::GateClosed => "gate_closed",
            Self::GateOpened => "gate_opened",
            Self::GateWouldClose => "gate_would_close",
            Self::GateWouldOpen => "gate_would_open",
            Self::GateOverridden => "gate_overridden",
            Self::GateOverrideEnded => "gate_override_ended",
            Self::SettingsFailed => "settings_failed",
            Self::SettingsRecovered => "settings_recovered",
            Self::KeyWaiting => "key_waiting",
            Self::KeyApproved => "key_approved",
            Self::KeyRevoked => "key_revoked",
            Self::KeyRefused => "key_refused",
            Self::KeyCloned => "key_cloned",
            Self::KeyFailed => "key_failed",
            Self::Join => "join",
            Self::NotReady => "not_ready",
            Self::Ready => "ready",
            Self::Reload => "reload",
            Self::ReloadFailed => "reload_failed",
        }
    }

    /// How grave it is.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::JournalFailed
            | Self::JournalUnreadable
            | Self::HubCutOff
            | Self::GateClosed
            | Self::KeyFailed => Level::Error,
            Self::Silent | Self::CommonSilence => Level::Silent,
            Self::DatabaseFailed
            | Self::ClockJumped
            | Self::Refused
            | Self::Replaced
            | Self::DeadLetter
            | Self::UpkeepFailed
            | Self::Protocol
            | Self::Unknown
            | Self::Flapping
            | Self::Reboot
            | Self::HubPaused
            | Self::HubClockSuspected
            | Self::GateOverridden
            | Self::KeyWaiting
            | Self::KeyRevoked
            | Self::KeyRefused
            | Self::KeyCloned
            | Self::SettingsFailed
            | Self::LimitsUnused
            | Self::NotReady
            | Self::ReloadFailed => Level::Warning,
            Self::JournalRecovered
            | Self::DatabaseRecovered
            | Self::Known
            | Self::Steady
            | Self::CommonBack
            | Self::HubClockTrusted
            | Self::Muted
            | Self::Unmuted
            | Self::Acknowledged
            | Self::AckEnded
            | Self::LimitsSet
            | Self::LimitsReset
            | Self::Forgotten
            | Self::GateOpened
            | Self::GateWouldClose
            | Self::GateWouldOpen
            | Self::GateOverrideEnded
            | Self::SettingsRecovered
            | Self::KeyApproved
            | Self::Join
            | Self::Ready
            | Self::Reload => Level::Good,
        }
    }
}
