//! What a device's handle, its values and its connections share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rts2_proto::{
    CommandReturn, DeviceName, DeviceState, ErrorCode, Level, Line, Message, MessageType, Rest, Text,
    ValueData, ValueFlags, escape_message,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::commands::Commands;
use crate::hooks::Hooks;
use crate::lane::Lane;
use crate::messages::Messages;
use crate::presets::{Presets, autosave};
use crate::status::{CentraldStatus, Registration};
use crate::syslog::Syslog;
use crate::table::Table;

/// The one shared state of a device.
///
/// Values are set from any thread and sent by the device's tasks. Both take a plain mutex: it is held only to copy a
/// number in or some lines out, never across a wait, a handler or a system call, so that setting a value costs
/// less than a microsecond and no slow client is ever felt. A channel instead would have to choose between growing,
/// blocking and losing when a value is set faster than it is sent; the table keeps the newest.
pub(crate) struct Shared {
    pub(crate) name: DeviceName,
    state: Mutex<State>,
    /// Runs the handlers.
    pub(crate) lane: Arc<Lane>,
    /// Runs what must not wait for a handler.
    pub(crate) urgent: Arc<Lane>,
    commands: Mutex<Commands>,
    hooks: Mutex<Hooks>,
    syslog: Option<Syslog>,
    /// Told whenever there is something to send.
    wake: watch::Sender<u64>,
    held: Mutex<Held>,
    status: watch::Sender<CentraldStatus>,
    /// What values that are declared begin with.
    presets: Mutex<Presets>,
    /// Where `autosave` goes while there is a file.
    autosave: OnceLock<mpsc::Sender<autosave::Request>>,
}

/// Who changes several values at once, and wants the connections to be told when he is through.
#[derive(Default)]
struct Held {
    by: usize,
    /// There is something to send.
    changed: bool,
}

/// Tells the connections, when it goes, what was changed while it was there.
pub(crate) struct Hold<'a>(&'a Shared);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut held = self.0.held();
        held.by -= 1;
        let changed = held.by == 0 && std::mem::take(&mut held.changed);
        drop(held);
        if changed {
            self.0.wake();
        }
    }
}

/// What the mutex guards.
pub(crate) struct State {
    pub(crate) table: Table,
    pub(crate) messages: Messages,
}

impl Shared {
    pub(crate) fn new(
        name: DeviceName,
        status: CentraldStatus,
        presets: Presets,
        syslog: Option<Syslog>,
    ) -> Self {
        Self {
            state: Mutex::new(State { table: Table::new(), messages: Messages::default() }),
            lane: Arc::new(Lane::new(name.as_str())),
            urgent: Arc::new(Lane::new(name.as_str())),
            commands: Mutex::default(),
            hooks: Mutex::default(),
            syslog,
            name,
            wake: watch::Sender::new(0),
            held: Mutex::default(),
            status: watch::Sender::new(status),
            presets: Mutex::new(presets),
            autosave: OnceLock::new(),
        }
    }

    /// The shared state. A thread that panicked while holding it left it whole: every change is one assignment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device's own commands.
    pub(crate) fn commands(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the program does at `info` and the like.
    pub(crate) fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What values that are declared begin with. Never taken while the state is locked.
    pub(crate) fn presets(&self) -> MutexGuard<'_, Presets> {
        self.presets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to save values. Requests come from clients.
    pub(crate) fn begin_autosave(&self) -> mpsc::Receiver<autosave::Request> {
        let (requests, receiver) = mpsc::channel(autosave::MAX_WAITING);
        // A device runs once.
        let _ = self.autosave.set(requests);
        receiver
    }

    /// A client's `autosave`: its end line comes when the file is written. RTS2 without a file finds the parameters bad.
    pub(crate) fn autosave(&self) -> Result<oneshot::Receiver<CommandReturn>, CommandReturn> {
        let requests = self.autosave.get().ok_or_else(|| CommandReturn::bad_parameters(b"autosave"))?;
        let (request, end) = oneshot::channel();
        match requests.try_send(request) {
            Ok(()) => Ok(end),
            Err(_) => Err(CommandReturn::failed(ErrorCode::System, "too many commands wait for this device")),
        }
    }

    /// The autosave file's text. A bool that is not known is left out: RTS2 cannot read it and does not start.
    pub(crate) fn autosave_text(&self) -> String {
        let now = unix_seconds(SystemTime::now());
        let mut text =
            format!("; Values of {}, saved at {now:.0}. Written anew at each change.\n\n", self.name);
        {
            let state = self.lock();
            let saved =
                state.table.entries().iter().filter(|entry| entry.flags.contains(ValueFlags::AUTOSAVE));
            let mut data = Vec::new();
            for entry in saved.filter(|entry| entry.data != ValueData::Bool(None)) {
                data.clear();
                entry.data.write_to(&mut data);
                autosave::write_line(entry.name.as_str(), &String::from_utf8_lossy(&data), &mut text);
            }
        }
        self.presets().write_waiting(&mut text);
        text
    }

    /// Tells what of the saved values could not be used.
    pub(crate) fn tell_faults(&self) {
        let faults = self.presets().take_faults();
        for fault in faults {
            tracing::warn!(device = %self.name, "{fault}");
            self.message(MessageType::WARNING, &fault);
        }
    }

    /// Tells every connection that there is something to send; when somebody holds it back, as soon as he lets go.
    pub(crate) fn wake(&self) {
        let mut held = self.held();
        if held.by > 0 {
            held.changed = true;
            return;
        }
        drop(held);
        self.wake.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Holds back what connections are told until this is dropped.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.held().by += 1;
        Hold(self)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    pub(crate) fn set(&self, index: usize, data: Option<ValueData>, level: Option<Level>) {
        let changed = self.lock().table.set(index, data, level);
        if changed {
            self.wake();
        }
    }

    pub(crate) fn add_sample(&self, index: usize, measured: f64, at: f64) {
        let changed = self.lock().table.add_sample(index, measured, at);
        if changed {
            self.wake();
        }
    }

    /// Replaces the bits of the mask, and the progress where one is given, in one go: changes of two threads both count.
    pub(crate) fn change_state(
        &self,
        mask: DeviceState,
        bits: DeviceState,
        progress: Option<Option<(f64, f64)>>,
        text: &str,
    ) {
        let changed = self.lock().table.change_state(mask, bits, progress, text);
        if changed {
            self.wake();
        }
    }

    pub(crate) fn touch_infotime(&self) {
        // The first value of every device.
        self.set(0, Some(ValueData::Time(unix_seconds(SystemTime::now()))), None);
    }

    pub(crate) fn message(&self, kind: MessageType, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = escape_message(text);
        // A message goes one way only: what the system's log has does not come again when a centrald does.
        if !self.status.borrow().is_registered()
            && self.syslog.as_ref().is_some_and(|syslog| syslog.send(self.name.as_str(), kind, &text))
        {
            return;
        }
        let (Ok(origin), Ok(text)) = (Text::new(self.name.as_str().as_bytes()), Rest::new(text.as_bytes()))
        else {
            return;
        };
        let message = Message {
            seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            micros: now.subsec_micros(),
            origin,
            kind,
            text,
        };
        self.lock().messages.push(Line::Message(message).to_bytes());
        self.wake();
    }

    pub(crate) fn status(&self) -> watch::Receiver<CentraldStatus> {
        self.status.subscribe()
    }

    pub(crate) fn registration(&self, link: usize) -> Registration {
        self.status.borrow().links.get(link).map_or(Registration::Disconnected, |link| link.registration)
    }

    pub(crate) fn set_registration(&self, link: usize, registration: Registration) {
        self.status.send_if_modified(|status| match status.links.get_mut(link) {
            Some(link) if link.registration != registration => {
                link.registration = registration;
                link.state_heard &= registration != Registration::Disconnected;
                true
            }
            _ => false,
        });
    }

    pub(crate) fn set_centrald_state(&self, link: usize, state: DeviceState) {
        self.status.send_if_modified(|status| match status.links.get_mut(link) {
            Some(link) if link.state != state || !link.state_heard => {
                (link.state, link.state_heard) = (state, true);
                true
            }
            _ => false,
        });
    }

    /// What a centrald blocks for us; clients are told what all of them together block. A centrald that is gone
    /// blocks nothing.
    pub(crate) fn set_bop(&self, link: usize, bop: DeviceState) {
        self.status.send_if_modified(|status| {
            let changed = match status.links.get_mut(link) {
                Some(link) if link.bop != bop => {
                    link.bop = bop;
                    true
                }
                _ => false,
            };
            let merged = status.links.iter().fold(DeviceState::empty(), |all, link| all.union(link.bop));
            self.lock().table.set_bop(merged);
            changed
        });
        self.wake();
    }
}

/// Seconds since 1970, as RTS2 counts time.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Device, DeviceOptions};

    #[test]
    fn values_that_are_set_at_once_wake_the_connections_once_and_behind_the_last() {
        let device = Device::new(DeviceOptions::new("TEST")).unwrap().handle();
        let [a, b] = ["a", "b"].map(|name| device.integer(name, "a number").declare().unwrap());
        let mut changes = device.shared.subscribe();
        let before = *changes.borrow_and_update();
        device.at_once(|| {
            a.set(1);
            device.at_once(|| b.set(2));
            assert!(!changes.has_changed().unwrap(), "told before the last was set");
        });
        assert_eq!(*changes.borrow_and_update(), before + 1);
        device.at_once(|| a.set(1));
        assert!(!changes.has_changed().unwrap(), "nothing changed");
        b.set(3);
        assert!(changes.has_changed().unwrap());
    }
}
