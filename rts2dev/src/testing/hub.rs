//! What the tasks of the small centrald share: the core behind a mutex, and for every peer a bounded box of lines that
//! wait for its task.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rts2_proto::DeviceState;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::action::{Action, Actions};
use super::core::Core;
use super::options::{CentraldOptions, Log, OnOff, PartOfDay};
use super::peer::{Peer, PeerId};

/// Bytes that may wait for a peer; one that leaves more unread is dropped. The introductions of a thousand devices are a
/// twentieth of it.
const MAX_QUEUE: usize = 1024 * 1024;
/// The same for strangers, who have got the metainfo (4 KiB) and may hear of a thousand devices.
const MAX_STRANGERS_QUEUE: usize = 64 * 1024;

/// What a peer's task holds.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    pub(super) id: PeerId,
    /// Something waits.
    pub(super) filled: Arc<Notify>,
    /// The connection is to be closed.
    pub(super) closed: CancellationToken,
}

/// Lines that wait for a peer's task.
struct Queue {
    lines: Vec<u8>,
    mailbox: Mailbox,
}

struct State {
    core: Core,
    queues: HashMap<PeerId, Queue>,
}

/// All of it.
pub(super) struct Hub {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    log: Log,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("devices", &self.devices()).finish_non_exhaustive()
    }
}

impl Hub {
    pub(super) fn new(options: &CentraldOptions) -> Self {
        let core = Core::new(SystemTime::now(), options);
        let state = State { core, queues: HashMap::new() };
        Self { state: Mutex::new(state), changes: watch::Sender::new(0), log: options.log.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn devices(&self) -> Vec<String> {
        let state = self.lock();
        state.core.peers.values().filter(|peer| peer.is_device()).map(|peer| peer.name().to_owned()).collect()
    }

    pub(super) fn state(&self) -> DeviceState {
        self.lock().core.state
    }

    pub(super) fn device_state(&self, name: &str) -> Option<DeviceState> {
        let state = self.lock();
        let device = state.core.peers.values().find(|peer| peer.is_device() && peer.name() == name)?;
        device.told_state.then_some(device.state)
    }

    pub(super) fn messages(&self) -> Vec<String> {
        self.lock().core.messages.iter().cloned().collect()
    }

    pub(super) fn drop_connections(&self) {
        for queue in self.lock().queues.values() {
            queue.mailbox.closed.cancel();
        }
    }

    pub(super) fn switch(&self, on_off: OnOff, user: &str) {
        self.act(|core, out| {
            core.now = SystemTime::now();
            core.switch(on_off, user, out);
        });
    }

    pub(super) fn set_part_of_day(&self, part: PartOfDay) {
        self.act(|core, out| {
            core.now = SystemTime::now();
            core.set_part_of_day(part, out);
        });
    }

    /// A new connection; `None` when there are too many.
    pub(super) fn connected(&self, address: String) -> Option<Mailbox> {
        let now = SystemTime::now();
        let mut mailbox = None;
        self.act_on(|state, out| {
            let Some(id) = state.core.connected(now, address, out) else { return };
            let new = Mailbox { id, filled: Arc::default(), closed: CancellationToken::new() };
            state.queues.insert(id, Queue { lines: Vec::new(), mailbox: new.clone() });
            mailbox = Some(new);
        });
        mailbox
    }

    /// Moves what waits for a peer to its socket's buffer.
    pub(super) fn take_output(&self, id: PeerId, out: &mut Vec<u8>) {
        if let Some(queue) = self.lock().queues.get_mut(&id) {
            out.append(&mut queue.lines);
        }
    }

    pub(super) fn disconnected(&self, id: PeerId) {
        self.act_on(|state, out| {
            state.queues.remove(&id);
            state.core.disconnected(SystemTime::now(), id, out);
        });
    }

    /// A line from a peer.
    pub(super) fn handle_line(&self, id: PeerId, line: &[u8]) {
        self.act(|core, out| core.handle_line(SystemTime::now(), id, line, out));
    }

    fn act(&self, what: impl FnOnce(&mut Core, &mut Actions)) {
        self.act_on(|state, out| what(&mut state.core, out));
    }

    /// Does something, and what follows from it: lines into queues at once, so that every peer gets them in order, and
    /// words to people when the mutex is free again.
    fn act_on(&self, what: impl FnOnce(&mut State, &mut Actions)) {
        let mut actions = Actions::default();
        let mut said = Vec::new();
        {
            let mut state = self.lock();
            what(&mut state, &mut actions);
            for action in actions.0 {
                match action {
                    Action::Send { to, lines } => state.queue(to, &lines, &mut said),
                    Action::SendAll { lines } => {
                        let all: Vec<PeerId> = state.queues.keys().copied().collect();
                        for to in all {
                            state.queue(to, &lines, &mut said);
                        }
                    }
                    Action::Close { peer } => {
                        if let Some(queue) = state.queues.get(&peer) {
                            queue.mailbox.closed.cancel();
                        }
                    }
                    Action::Say(line) => said.push(line),
                }
            }
        }
        for line in said {
            self.log.say(&line);
        }
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl State {
    /// Puts lines into a peer's queue; one that takes nothing out is dropped instead.
    fn queue(&mut self, to: PeerId, lines: &[u8], said: &mut Vec<String>) {
        let Some(queue) = self.queues.get_mut(&to) else { return };
        if lines.is_empty() || queue.mailbox.closed.is_cancelled() {
            return;
        }
        let peer = self.core.peers.get(&to);
        let limit = if peer.is_some_and(Peer::is_stranger) { MAX_STRANGERS_QUEUE } else { MAX_QUEUE };
        if queue.lines.len() + lines.len() > limit {
            queue.lines = Vec::new();
            queue.mailbox.closed.cancel();
            let title = peer.map(Peer::title).unwrap_or_default();
            said.push(format!("{title} is dropped: it does not read, {} KiB wait for it", limit / 1024));
            return;
        }
        queue.lines.extend_from_slice(lines);
        queue.mailbox.filled.notify_one();
    }
}
