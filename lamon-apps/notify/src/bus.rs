//! The thread that follows the bus, and hands over what matters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use lamon_bus::{Addresses, Event, Follower, News, Node, Picture};

use crate::dispatch::named;
/// How often what is due is looked for, when nothing comes.
const TICK: Duration = Duration::from_millis(250);

/// News between the thread of the bus and the main one. When it is full the bus waits, and ZeroMQ keeps what comes.
const MAX_NEWS: usize = 1_000;

/// What the bus says that matters here.
pub(crate) enum Heard {
    /// Something happened, to these nodes.
    Event(Event, Vec<Node>),
    /// A node may be at another level, muted, or acknowledged.
    Node(Node),
    /// A node was taken out of the picture.
    Gone(String),
    /// All of them were.
    Restarted,
    /// The hub is not heard, or is.
    Presence {
        /// It is not.
        away: bool,
    },
}

/// The thread, and what it hears.
pub(crate) struct Bus {
    heard: Receiver<Heard>,
    /// Tells it to end.
    end: Arc<AtomicBool>,
}

impl Bus {
    /// Starts a thread that follows this hub.
    ///
    /// # Errors
    ///
    /// When an address is none, or the system gives no thread.
    pub(crate) fn follow(hub: &Addresses) -> anyhow::Result<Self> {
        let mut follower = Follower::connect(hub)?;
        let (told, heard) = sync_channel(MAX_NEWS);
        let end = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&end);
        let following = move || {
            while !ends.load(Ordering::Relaxed) {
                let news = follower.wait(TICK);
                for heard in news.into_iter().filter_map(|news| heard_of(news, follower.picture())) {
                    if told.send(heard).is_err() {
                        return;
                    }
                }
            }
        };
        thread::Builder::new().name("bus".to_owned()).spawn(following).context("no thread can be had")?;
        Ok(Self { heard, end })
    }

    /// What was heard; waits a moment when nothing was.
    pub(crate) fn hear(&self) -> impl Iterator<Item = Heard> {
        let first = self.heard.recv_timeout(TICK).ok();
        first.into_iter().chain(self.heard.try_iter().take(MAX_NEWS))
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

fn heard_of(news: News, picture: &Picture) -> Option<Heard> {
    Some(match news {
        News::Event(event) => {
            let names = event.node.as_deref().into_iter().chain(named(&event));
            let nodes = names.filter_map(|name| picture.get(name)).map(lean).collect();
            Heard::Event(event, nodes)
        }
        News::Levels(name) => Heard::Node(picture.get(&name)?.clone()),
        News::Gone(name) => Heard::Gone(name),
        News::Away => Heard::Presence { away: true },
        // Also the first word of the hub after a start at which it was known to be away.
        News::Back | News::Hub => Heard::Presence { away: false },
        News::Restarted => Heard::Restarted,
        News::Sampled(_) => return None,
    })
}

/// A node without its values, of which events have no need.
fn lean(node: &Node) -> Node {
    Node { name: node.name.clone(), group: node.group.clone(), muted: node.muted, ..Node::default() }
}
