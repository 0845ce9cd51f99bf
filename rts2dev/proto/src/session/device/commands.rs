//! Commands that a device sends to centrald: one is under way, the others wait in a bounded queue, `status_info` last. centrald's
//! `+…`/`-…` lines belong to the command that is under way.

use std::collections::VecDeque;

use crate::command::Command;
use crate::device_type::DeviceType;
use crate::line::Line;
use crate::names::DeviceName;
use crate::text::{QuotedString, Text};

/// Commands that may wait for centrald. Each client waits for one authorization at most, and a device serves fewer
/// clients than this.
pub const MAX_QUEUED_COMMANDS: usize = 128;

/// Too many commands wait for centrald.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_QUEUED_COMMANDS} commands wait for centrald already")]
pub struct QueueFull;

/// A command that waits or is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Under {
    Register,
    Authorize { client: i32, key: i32, answered: bool },
    StatusInfo,
    WeatherUpdate { reason: QuotedString },
}

/// The queue of a session, and what its commands tell of the device.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    name: DeviceName,
    device_type: DeviceType,
    centrald_num: i32,
    host: String,
    port: u16,
    under_way: Option<Under>,
    queue: VecDeque<Under>,
}

impl Commands {
    /// An empty queue.
    pub(super) fn new(
        name: DeviceName,
        device_type: DeviceType,
        centrald_num: i32,
        (host, port): (&str, u16),
    ) -> Self {
        Self {
            name,
            device_type,
            centrald_num,
            host: QuotedString::cleaned(host).as_str().to_owned(),
            port,
            under_way: None,
            queue: VecDeque::new(),
        }
    }

    /// Asks for registration.
    pub(super) fn register(&mut self, out: &mut Vec<u8>) {
        // What waits from before belongs to a registration; the new one comes first.
        self.queue.push_front(Under::Register);
        self.send_next(out);
    }

    /// Sends a command, now or when those before it have ended.
    pub(super) fn send(&mut self, command: Under, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        if self.queue.len() >= MAX_QUEUED_COMMANDS {
            return Err(QueueFull);
        }
        // A round of states takes as long as the slowest device, minutes if that is mute. RTS2, too, puts keys before it.
        let behind = self.queue.iter().position(|waiting| *waiting == Under::StatusInfo);
        match behind {
            Some(place) if command != Under::StatusInfo => self.queue.insert(place, command),
            _ => self.queue.push_back(command),
        }
        self.send_next(out);
        Ok(())
    }

    /// An `A` line about a client's key came. Says which client and key it answers, the first time.
    pub(super) fn authorized(&mut self, id: i32) -> Option<(i32, i32)> {
        match &mut self.under_way {
            Some(Under::Authorize { client, key, answered }) if *client == id && !*answered => {
                *answered = true;
                Some((*client, *key))
            }
            _ => None,
        }
    }

    /// An end line came. Says whose it was.
    pub(super) fn handle_end(&mut self, out: &mut Vec<u8>) -> Option<Under> {
        let ended = self.under_way.take();
        self.send_next(out);
        ended
    }

    fn send_next(&mut self, out: &mut Vec<u8>) {
        if self.under_way.is_some() {
            return;
        }
        let Some(next) = self.queue.pop_front() else { return };
        let command = match &next {
            Under::Register => {
                let (Ok(name), Ok(host)) =
                    (Text::new(self.name.as_str().as_bytes()), Text::new(self.host.as_bytes()))
                else {
                    return;
                };
                Command::Register {
                    centrald_num: self.centrald_num,
                    name,
                    device_type: self.device_type,
                    host,
                    port: self.port,
                }
            }
            Under::Authorize { client, key, .. } => Command::Authorize { id: *client, key: *key },
            Under::StatusInfo => Command::StatusInfo,
            Under::WeatherUpdate { reason } => {
                let Ok(device) = Text::new(self.name.as_str().as_bytes()) else { return };
                Command::WeatherUpdate { device, reason: Text::from(reason) }
            }
        };
        Line::Command(command).write_to(out);
        self.under_way = Some(next);
    }
}
