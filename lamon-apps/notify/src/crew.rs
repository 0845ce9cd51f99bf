//! The channels as they are configured now, and a thread for each.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::channel::Channel;
use crate::config::{Config, Retry};
use crate::deliver::deliver;
use crate::queue::Queue;

/// The channels. The main thread sets them, and each one's thread reads its own; the lock is never held while a message is
/// under way.
pub(crate) struct Crew {
    queue: Arc<Queue>,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    channels: BTreeMap<String, (Channel, Retry)>,
    /// Those that have a thread. One that is taken away keeps it until its delivery is over.
    running: BTreeSet<String>,
}

impl Crew {
    pub(crate) fn new(queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { queue, inside: Mutex::default() })
    }

    /// Goes on with the channels of this configuration. A delivery under way ends as it began.
    ///
    /// # Errors
    ///
    /// When the system gives no thread for one of them.
    pub(crate) fn set(self: &Arc<Self>, config: &Config) -> io::Result<()> {
        let mut inside = self.lock();
        inside.channels = config
            .channels
            .iter()
            .map(|named| (named.name.clone(), (named.channel.clone(), config.retry)))
            .collect();
        let names: Vec<&str> = config.channels.iter().map(|named| named.name.as_str()).collect();
        self.queue.keep_only(&names);
        self.queue.renew();
        for name in names {
            if inside.running.contains(name) {
                continue;
            }
            let (crew, own) = (Arc::clone(self), name.to_owned());
            thread::Builder::new().name(own.clone()).spawn(move || deliver(&crew, &crew.queue, &own))?;
            inside.running.insert(name.to_owned());
        }
        Ok(())
    }

    /// How a channel is configured now. `None` when it is not any more: whoever asked is its thread no longer, and ends.
    pub(crate) fn current(&self, name: &str) -> Option<(Channel, Retry)> {
        let mut inside = self.lock();
        let current = inside.channels.get(name).cloned();
        if current.is_none() {
            inside.running.remove(name);
        }
        current
    }

    /// Whether there is a channel of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.lock().channels.contains_key(name)
    }

    // A thread that panicked ends the process in a release, so a poisoned lock is one of tests.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
