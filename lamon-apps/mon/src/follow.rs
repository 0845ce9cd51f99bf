//! The follower on a thread of its own, so that a slow terminal never keeps it from reading.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use lamon_bus::{Addresses, ConnectError, Follower, News, Picture};

use crate::site::Batch;

/// Batches that wait for a screen that is busy: one is drawn, one waits. What comes then is put into the next one.
const WAITING: usize = 2;

/// The shortest time between two batches: a screen is not drawn more often.
const BETWEEN: Duration = Duration::from_millis(200);

/// Begins to follow a hub; batches come out of the other end for as long as that is kept.
///
/// # Errors
///
/// [`ConnectError`] when an address is none, or the system gives no sockets.
pub(crate) fn start(addresses: &Addresses) -> Result<Receiver<Batch>, ConnectError> {
    let follower = Follower::connect(addresses)?;
    let (batches, taken) = sync_channel(WAITING);
    thread::spawn(move || follow(follower, &batches));
    Ok(taken)
}

fn follow(mut follower: Follower, batches: &SyncSender<Batch>) {
    let mut pending = Pending::default();
    let mut sent: Option<Instant> = None;
    loop {
        let news = follower.wait(BETWEEN);
        pending.note(news, follower.picture());
        if !pending.any || sent.is_some_and(|sent| sent.elapsed() < BETWEEN) {
            continue;
        }
        let batch = pending.batch(follower.picture(), follower.is_away(), follower.is_whole());
        match batches.try_send(batch) {
            Ok(()) => {
                pending.clear();
                sent = Some(Instant::now());
            }
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return,
        }
    }
}

/// What the screen has not seen yet. No larger than the picture: names of nodes, and a number of events.
#[derive(Debug, Default)]
struct Pending {
    any: bool,
    all: bool,
    hub: bool,
    nodes: BTreeSet<String>,
    events: usize,
    /// How many nodes there were.
    known: usize,
}

impl Pending {
    fn note(&mut self, news: Vec<News>, picture: &Picture) {
        for news in news {
            self.any = true;
            match news {
                News::Sampled(name) | News::Levels(name) => {
                    self.nodes.insert(name);
                }
                News::Event(_) => self.events += 1,
                News::Hub => self.hub = true,
                // The screen's own picture lets go of what a whole batch does not have.
                News::Restarted | News::Gone(_) => self.all = true,
                News::Away | News::Back => {}
            }
        }
        let known = picture.nodes().len();
        self.all |= known < self.known;
        self.known = known;
    }

    fn batch(&self, picture: &Picture, away: bool, whole: bool) -> Batch {
        let nodes = if self.all {
            picture.nodes().cloned().collect()
        } else {
            self.nodes.iter().filter_map(|name| picture.get(name)).cloned().collect()
        };
        let skipped = picture.events().len().saturating_sub(self.events);
        Batch {
            all: self.all,
            nodes,
            hub: picture.hub().filter(|_| self.hub).cloned(),
            events: picture.events().skip(skipped).cloned().collect(),
            away,
            whole,
        }
    }

    fn clear(&mut self) {
        *self = Self { known: self.known, ..Self::default() };
    }
}
