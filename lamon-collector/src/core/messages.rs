//! What connections and others tell the core, and its answers to them.

use std::sync::Arc;

use lamon_wire::frames::Settings;
use lamon_wire::hello::Hello;
use lamon_wire::names::NodeName;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::config::HubConfig;
use crate::control::ReloadReply;
use crate::intake::Peer;
use crate::sample::Sample;
use crate::watch::{Event, Progress};

/// What others tell the core.
#[derive(Debug)]
pub(crate) enum ToCore {
    /// An agent said hello and asks whether it may speak.
    Hello(Box<Greeting>),
    /// A connection of an agent ended.
    Closed {
        /// Whose.
        node: NodeName,
        /// Which, as [`Admitted::connection`] said.
        connection: u64,
    },
    /// A sample, at once and in the order of its coming.
    Sample {
        /// The sample.
        sample: Arc<Sample>,
        /// Who sent it as text, and wants to know whether it was taken; agents know since their hello.
        text: Option<TextFrom>,
    },
    /// What became of the samples that an agent took.
    Progress {
        /// Whose.
        node: NodeName,
        /// Of which epoch.
        epoch: u32,
        /// How far they are.
        progress: Progress,
    },
    /// What a peer did that an operator should know.
    Event(Event),
    /// The configuration was read again, or could not be, with the reason.
    Reload {
        /// The configuration, or why it stays as it was.
        config: Result<Box<HubConfig>, String>,
        /// Whether the section of the face is another than at the start.
        face_waits: bool,
        /// Who asked for it.
        reply: Option<ReloadReply>,
    },
}

/// Who sent a line of text.
#[derive(Debug)]
pub(crate) struct TextFrom {
    /// From where, and with which key.
    pub(crate) peer: Peer,
    /// The answer: a sentence when it is refused.
    pub(crate) reply: oneshot::Sender<Result<(), NotTaken>>,
}

/// Why a line of text is not taken, a sentence for its sender.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// He may not speak for this node.
    Stranger(String),
    /// What it says cannot be.
    Wrong(String),
}

/// An agent's hello, with what the core needs to answer it.
#[derive(Debug)]
pub(crate) struct Greeting {
    /// What it said.
    pub(crate) hello: Hello,
    /// From where, and with which key.
    pub(crate) peer: Peer,
    /// The secret that it brought to be let in.
    pub(crate) join: Option<String>,
    /// Ends the connection when another takes its place.
    pub(crate) replaced: CancellationToken,
    /// The answer: a sentence when it is refused.
    pub(crate) reply: oneshot::Sender<Result<Admitted, String>>,
}

/// An agent that may speak.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The connection's number, to be named when it ends.
    pub(crate) connection: u64,
    /// How the node is to be watched, now and after reloads.
    pub(crate) settings: watch::Receiver<Settings>,
}
