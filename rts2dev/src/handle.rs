//! The handle by which a program drives its device.

use std::fmt;
use std::sync::Arc;

use rts2_proto::MessageType;
use tokio::sync::watch;

use crate::commands::{CommandError, Reply};
use crate::declaration::Declaration;
use crate::handlers::{Caller, Refusal};
use crate::parameters::FromParameters;
use crate::shared::Shared;
use crate::status::CentraldStatus;
use crate::value::{Selection, Time};

/// Declares values, sets the state, sends messages: from any thread, before and while the device runs, and without
/// ever blocking on the network. Clones are the same device.
#[derive(Clone)]
pub struct DeviceHandle {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for DeviceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceHandle").field(&self.shared.name).finish()
    }
}

impl DeviceHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Name of the device.
    #[must_use]
    pub fn name(&self) -> &str {
        self.shared.name.as_str()
    }

    /// A double. Descriptions begin with the unit in brackets by custom: `"[%] CPU of ccd01"`.
    pub fn double(&self, name: &str, description: &str) -> Declaration<f64> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// A float.
    pub fn float(&self, name: &str, description: &str) -> Declaration<f32> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// A 32-bit integer.
    pub fn integer(&self, name: &str, description: &str) -> Declaration<i32> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// A 64-bit integer.
    pub fn long(&self, name: &str, description: &str) -> Declaration<i64> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// A bool; not known until it is set.
    pub fn boolean(&self, name: &str, description: &str) -> Declaration<bool> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// A text.
    pub fn string(&self, name: &str, description: &str) -> Declaration<String> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// A point in time.
    pub fn time(&self, name: &str, description: &str) -> Declaration<Time> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }

    /// One of a list of names.
    pub fn selection(&self, name: &str, description: &str, items: &[&str]) -> Declaration<Selection> {
        Declaration::new(Arc::clone(&self.shared), name, description, items)
    }

    /// Adds a command, which clients send as its name and parameters: `move 12.5 "slowly"`. The closure takes these as a
    /// tuple and is called when its turn among the device's handlers has come; the client waits for its end meanwhile.
    /// It ends with `+0 OK`, with `+0` and the text of a [`Reply`], or with the reason of a [`Refusal`]. Parameters
    /// that do not fit end with RTS2's -2, an unknown command with -1.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let handle = rts2dev::Device::new(rts2dev::DeviceOptions::new("FOC"))?.handle();
    /// use rts2dev::{Refusal, Reply};
    ///
    /// handle.command("home", |()| async { Ok(()) })?;
    /// handle.command("move", |(steps, how): (i32, Option<String>)| async move {
    ///     if steps.abs() > 1000 {
    ///         return Err(Refusal::value("1000 steps at most"));
    ///     }
    ///     Ok(Reply::text(&format!("{steps} steps {}", how.unwrap_or_default())))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A name that is not letters, digits and `_`, or that RTS2 has, or that is taken; too many.
    pub fn command<P, F, D, R>(&self, name: &str, command: F) -> Result<(), CommandError>
    where
        P: FromParameters,
        F: Fn(P) -> D + Send + Sync + 'static,
        D: Future<Output = Result<R, Refusal>> + Send + 'static,
        R: Into<Reply>,
    {
        self.command_by(name, move |_, parameters| command(parameters))
    }

    /// As [`command`](Self::command), for a closure that wants to know who asks.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub fn command_by<P, F, D, R>(&self, name: &str, command: F) -> Result<(), CommandError>
    where
        P: FromParameters,
        F: Fn(Caller, P) -> D + Send + Sync + 'static,
        D: Future<Output = Result<R, Refusal>> + Send + 'static,
        R: Into<Reply>,
    {
        self.shared.commands().add(name, command)
    }

    /// Says what a command wants, as `<node> <seconds> "<reason>" [who]`: who gave other parameters is told so, behind RTS2's own
    /// words. A command that is not there has no use for it.
    pub fn set_command_usage(&self, name: &str, usage: &str) {
        self.shared.commands().set_usage(name, usage);
    }

    /// Sends a message to every centrald, where operators see it; while none has the device registered, to the system's
    /// log ([`syslog`](crate::DeviceOptions::syslog)). Where there is no such log either, the newest
    /// [`MAX_WAITING_MESSAGES`](crate::MAX_WAITING_MESSAGES) wait for a centrald. It is cut at
    /// [`MAX_MESSAGE_BYTES`](crate::proto::MAX_MESSAGE_BYTES). Beside its level a message may carry the number by which
    /// programs know it ([`MessageType::with_id`]). RTS2 lib/rts2/device.cpp, `sendMessage`.
    pub fn message(&self, kind: MessageType, text: &str) {
        self.shared.message(kind, text);
    }

    /// Messages that were dropped before any centrald got them.
    #[must_use]
    pub fn dropped_messages(&self) -> u64 {
        self.shared.lock().messages.dropped()
    }

    /// Registered with at least one centrald.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.shared.status().borrow().is_registered()
    }

    /// Registration, state and blocked operations at every centrald, and a way to wait for their change.
    #[must_use]
    pub fn centrald_status(&self) -> watch::Receiver<CentraldStatus> {
        self.shared.status()
    }

    /// Runs `sets`, which sets several values, and tells the connections behind the last of them: they wake once and
    /// send one packet. A connection that is awake anyway may send some of them earlier. `sets` should be short, as
    /// nothing at all is told meanwhile.
    pub fn at_once<R>(&self, sets: impl FnOnce() -> R) -> R {
        let _hold = self.shared.hold();
        sets()
    }

    /// Sets `infotime` to the present: the values were refreshed now.
    pub fn touch_infotime(&self) {
        self.shared.touch_infotime();
    }
}
