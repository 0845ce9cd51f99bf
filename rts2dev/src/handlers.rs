//! What a program answers to a client: the closures that a device calls, and how they refuse.
//!
//! Handlers of one device run one at a time, in the order in which their causes came, on a thread of their own: one
//! that takes minutes, or blocks its thread, delays other handlers of its device and nothing else. They may use the
//! runtime on which the device runs, and set values and states of any device. They must not wait for another handler
//! of the same device, which would wait for them. A handler finishes even when its client has gone; it is given up
//! (at its next await) only when the device ends. One that panics refuses.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use rts2_proto::{CommandReturn, ErrorCode, ValueData};

use crate::value::ValueKind;

/// What a handler becomes when it is called.
pub(crate) type Handling = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// Who has a device do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A client.
    Client(CallingClient),
    /// The device itself: a value takes what was saved or given at the start, or goes back at the end of a script.
    Device,
}

/// The client that asks.
///
/// Only its address can be relied on: centrald vouches for everybody whose password is his name, and names are what
/// clients say of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallingClient {
    /// From where it came.
    pub address: SocketAddr,
    /// As whom it logged in at centrald, which told the device so; `None` for a client that centrald did not vouch for
    /// (with [`noauth`](crate::DeviceOptions::noauth)).
    pub login: Option<ClientLogin>,
}

/// As whom a client logged in at centrald.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLogin {
    /// The user: RTS2's clients say who they run as.
    pub user: String,
    /// The program, such as `monitor` or `scripted`.
    pub program: String,
}

impl Caller {
    /// The client's address.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Client(client) => Some(client.address),
            Self::Device => None,
        }
    }
}

/// Asked before a client's set is done.
pub(crate) type SetHandler = Arc<dyn Fn(Caller, &ValueData) -> Handling + Send + Sync>;

/// A set handler of a typed value.
pub(crate) fn set_handler<T, F, R>(on_set: F) -> SetHandler
where
    T: ValueKind,
    F: Fn(Caller, T) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    Arc::new(move |caller, data| Box::pin(on_set(caller, T::from_data(data))))
}

/// Why a device does not do what a client asks; the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(CommandReturn);

impl Refusal {
    /// The operand is wrong: `-2 invalid parameters/invalid number of parameters - X`, as RTS2 says it.
    #[must_use]
    pub fn parameters() -> Self {
        Self(CommandReturn::bad_parameters(b"X"))
    }

    /// The value is not possible: `-3 reason`.
    #[must_use]
    pub fn value(reason: &str) -> Self {
        Self(CommandReturn::failed(ErrorCode::Value, reason))
    }

    /// The hardware does not do it: `-4 reason`.
    #[must_use]
    pub fn hardware(reason: &str) -> Self {
        Self(CommandReturn::failed(ErrorCode::Hardware, reason))
    }

    /// The hardware cannot be asked: `-4 device not ready`, as RTS2 says it when `info` fails.
    #[must_use]
    pub fn not_ready() -> Self {
        Self::hardware("device not ready")
    }

    /// It is not allowed, or the system does not do it: `-5 reason`.
    #[must_use]
    pub fn not_allowed(reason: &str) -> Self {
        Self(CommandReturn::failed(ErrorCode::System, reason))
    }

    pub(crate) fn command_return(self) -> CommandReturn {
        self.0
    }
}
