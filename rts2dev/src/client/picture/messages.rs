//! The messages of the picture: the newest, for watchers that have not taken them.

use std::collections::VecDeque;

use rts2_proto::{MAX_MESSAGE_BYTES, Message, QuotedString};

use crate::client::changes::{Change, RemoteMessage};

/// Messages kept for watchers that have not taken them; of more, the oldest are lost to them.
const MAX_MESSAGES: usize = 1000;

/// Messages, with the numbers of their changes.
#[derive(Debug, Default)]
pub(super) struct Messages {
    kept: VecDeque<(u64, RemoteMessage)>,
    /// Messages that have come, kept or not.
    come: u64,
}

impl Messages {
    /// How many had come when change `seen` was told.
    pub(super) fn come_before(&self, seen: u64) -> u64 {
        let newer = self.kept.iter().filter(|(number, _)| *number > seen).count();
        self.come.saturating_sub(u64::try_from(newer).unwrap_or(u64::MAX))
    }

    /// The first message after so many seen, or how many of them are lost. One that came behind the change `next` waits
    /// for that.
    pub(super) fn change_before(&self, next: Option<u64>, seen: &mut u64) -> Option<Change> {
        // The messages that are kept are the last ones that came.
        let kept = u64::try_from(self.kept.len()).unwrap_or(u64::MAX);
        let lost = self.come.saturating_sub(kept).saturating_sub(*seen);
        if lost > 0 {
            *seen += lost;
            return Some(Change::MessagesLost(lost));
        }
        let waiting = self.come.saturating_sub(*seen);
        let place = usize::try_from(kept.saturating_sub(waiting)).unwrap_or(usize::MAX);
        if waiting > 0
            && let Some((number, message)) = self.kept.get(place)
            && next.is_none_or(|other| *number < other)
        {
            *seen += 1;
            return Some(Change::Message(message.clone()));
        }
        None
    }

    /// Keeps a message that came as change `number`.
    pub(super) fn keep(&mut self, message: &Message<'_>, number: u64) {
        if self.kept.len() >= MAX_MESSAGES {
            self.kept.pop_front();
        }
        let kept = RemoteMessage {
            seconds: message.seconds,
            micros: message.micros,
            origin: QuotedString::from(message.origin).to_string(),
            kind: message.kind,
            text: message.text.to_str().chars().take(MAX_MESSAGE_BYTES).collect(),
        };
        self.kept.push_back((number, kept));
        self.come += 1;
    }
}
