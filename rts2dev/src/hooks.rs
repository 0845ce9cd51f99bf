//! What a program does at `info`, at the end of a script, and when somebody kills everything.

use std::sync::Arc;

use rts2_proto::{CommandReturn, DeviceState, ErrorCode, MessageType};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::handle::DeviceHandle;
use crate::handlers::{Caller, Handling, Refusal};
use crate::lane::{Begun, Kind};
use crate::shared::Shared;

type Hook = Arc<dyn Fn() -> Handling + Send + Sync>;

/// The hooks of a device; each is there once.
#[derive(Default)]
pub(crate) struct Hooks {
    info: Option<Hook>,
    killall: Option<Hook>,
    script_ends: Option<Hook>,
    /// Who waits for the `info` that runs or is about to; `None` when none does. As many as there are clients, since
    /// those that went away are dropped when one comes.
    asking: Option<Vec<oneshot::Sender<CommandReturn>>>,
    /// The last `info` failed: an outage is told once.
    failing: bool,
}

impl DeviceHandle {
    /// What refreshes the device's values: it is called when the device starts, every
    /// [`info_interval`](crate::DeviceOptions::info_interval) from then on, and at `info` of a client. What it sets is sent, `infotime` becomes the present, and
    /// the client gets `+0 OK`. When it fails, the client gets the reason, `infotime` stays, and nothing else happens:
    /// use [`Refusal::not_ready`] where there is no better one.
    ///
    /// It takes its turn among the device's handlers. Clients that ask while it runs, or waits for its turn, share its
    /// result. Unlike in RTS2 the authorization of a client does not call it, so that a device that hangs still shows
    /// what it knows.
    ///
    /// The hook replaces one that was there before. RTS2 lib/rts2/daemon.cpp, `info` and `infoAll`.
    pub fn on_info<F, D>(&self, hook: F)
    where
        F: Fn() -> D + Send + Sync + 'static,
        D: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.shared.hooks().info = Some(boxed(hook));
    }

    /// What stops the device's work at once: it is called at `killall` and `killall_wse` of a client, before the error
    /// bits of the state become [`ERROR_KILL`](DeviceState::ERROR_KILL). A refusal is the client's answer, but the state
    /// changes all the same.
    ///
    /// It does not wait for its turn: it runs beside the handler that it is to stop. Sets and commands that wait are
    /// dropped before; their clients get -5.
    ///
    /// The hook replaces one that was there before. RTS2 lib/rts2/device.cpp, `killAll`.
    pub fn on_killall<F, D>(&self, hook: F)
    where
        F: Fn() -> D + Send + Sync + 'static,
        D: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.shared.hooks().killall = Some(boxed(hook));
    }

    /// What ends an observation's script: it is called at `script_ends` and `killall` of a client, in its turn among the
    /// device's handlers, when the values that were declared with
    /// [`reset_at_script_end`](crate::Declaration::reset_at_script_end) are back to what they began with.
    ///
    /// The hook replaces one that was there before. RTS2 lib/rts2/device.cpp, `scriptEnds`.
    pub fn on_script_ends<F, D>(&self, hook: F)
    where
        F: Fn() -> D + Send + Sync + 'static,
        D: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.shared.hooks().script_ends = Some(boxed(hook));
    }
}

fn boxed<F, D>(hook: F) -> Hook
where
    F: Fn() -> D + Send + Sync + 'static,
    D: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    Arc::new(move || Box::pin(hook()))
}

/// Whether the program refreshes the values, so that only it knows when that was.
pub(crate) fn refreshes(shared: &Shared) -> bool {
    shared.hooks().info.is_some()
}

/// Begins an `info`, or joins the one that is under way.
pub(crate) fn begin_info(shared: &Arc<Shared>, end: CancellationToken) -> Begun {
    let (answer, receiver) = oneshot::channel();
    let hook = {
        let mut hooks = shared.hooks();
        let Some(hook) = hooks.info.clone() else {
            drop(hooks);
            shared.touch_infotime();
            return Begun::Ended(CommandReturn::ok());
        };
        if let Some(asking) = &mut hooks.asking {
            asking.retain(|answer| !answer.is_closed());
            asking.push(answer);
            return Begun::Running(receiver);
        }
        hooks.asking = Some(vec![answer]);
        hook
    };
    let mut asked = Asked { shared: Arc::clone(shared), end: None };
    let work = async move {
        let end = match hook().await {
            Ok(()) => {
                asked.shared.touch_infotime();
                CommandReturn::ok()
            }
            Err(refusal) => refusal.command_return(),
        };
        asked.end.insert(end).clone()
    };
    // Where there is no room for it, its dropping has answered.
    let _ = shared.lane.submit(Kind::Upkeep, end, work);
    Begun::Running(receiver)
}

/// Answers everybody who waits for an `info` when it is over, however it ended.
struct Asked {
    shared: Arc<Shared>,
    end: Option<CommandReturn>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let end = self
            .end
            .take()
            .unwrap_or_else(|| CommandReturn::failed(ErrorCode::System, "the values could not be refreshed"));
        let mut hooks = self.shared.hooks();
        if end.is_error() && !hooks.failing {
            tracing::warn!(device = %self.shared.name, why = end.text, "cannot refresh the values");
        }
        hooks.failing = end.is_error();
        for answer in hooks.asking.take().unwrap_or_default() {
            // A client that is gone needs no answer.
            let _ = answer.send(end.clone());
        }
    }
}

/// Begins a `killall`: drops what waits, stops what runs, resets errors; the end of scripts follows in its turn.
pub(crate) fn begin_killall(shared: &Arc<Shared>, script_ends: bool, end: CancellationToken) -> Begun {
    shared.lane.drop_commands(&CommandReturn::failed(ErrorCode::System, "killed"));
    let hook = shared.hooks().killall.clone();
    let Some(hook) = hook else {
        if script_ends {
            let _ = begin_script_ends(shared, end);
        }
        reset_errors(shared);
        return Begun::Ended(CommandReturn::ok());
    };
    if script_ends {
        let _ = begin_script_ends(shared, end.clone());
    }
    let resets = Resets(Arc::clone(shared));
    let work = async move {
        let _resets = resets;
        hook().await.map_or_else(Refusal::command_return, |()| CommandReturn::ok())
    };
    shared.urgent.submit(Kind::Upkeep, end, work).into()
}

/// Resets errors when the hook is over, however it ended.
struct Resets(Arc<Shared>);

impl Drop for Resets {
    fn drop(&mut self) {
        reset_errors(&self.0);
    }
}

fn reset_errors(shared: &Shared) {
    // The spelling is RTS2's.
    shared.change_state(DeviceState::ERROR_MASK, DeviceState::ERROR_KILL, None, "reseting all errors");
}

/// Begins a `script_ends`: values go back to what they began with, those with a handler through it, then the hook.
pub(crate) fn begin_script_ends(shared: &Arc<Shared>, end: CancellationToken) -> Begun {
    let (changed, asks) = {
        let mut state = shared.lock();
        (state.table.reset_at_script_end(), !state.table.resets_to_ask().is_empty())
    };
    if changed {
        shared.wake();
    }
    shared.message(MessageType::DEBUG, "executed script ends, all values changed to defaults");
    let hook = shared.hooks().script_ends.clone();
    // A set that waits may still change a value that has a handler.
    if hook.is_none() && !asks && shared.lane.is_idle() {
        return Begun::Ended(CommandReturn::ok());
    }
    let device = Arc::clone(shared);
    let work = async move {
        let resets = device.lock().table.resets_to_ask();
        for reset in resets {
            match (reset.on_set)(Caller::Device, &reset.data).await {
                Ok(()) => device.set(reset.index, Some(reset.data), None),
                Err(refusal) => {
                    let why = refusal.command_return().text;
                    let text = format!("{} keeps its value at the end of the script: {why}", reset.name);
                    device.message(MessageType::ERROR, &text);
                }
            }
        }
        match hook {
            Some(hook) => hook().await.map_or_else(Refusal::command_return, |()| CommandReturn::ok()),
            None => CommandReturn::ok(),
        }
    };
    shared.lane.submit(Kind::Upkeep, end, work).into()
}
