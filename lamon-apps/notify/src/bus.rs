//! The thread that follows the bus, and hands over what matters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::Context;
use lamon_bus::{Event, Follower, News, Node, Picture};

use crate::dispatch::named;
use crate::run::TICK;

/// News between the thread of the bus and the main one. When it is full the bus waits, and ZeroMQ keeps what comes.
pub(crate) const MAX_NEWS: usize = 1_000;

/// What the bus says that matters here.
pub(crate) enum Heard {
    /// Something happened, to these nodes.
    Event(Event, Vec<Node>),
    /// A node may be at another level, muted, or acknowledged.
    Node(Node),
    /// A node was taken out of the picture.
    Gone(String),
    /// The hub is not heard, or is.
    Presence {
        /// It is not.
        away: bool,
    },
}

/// Starts the thread; it ends when `end` is set or nobody takes what it hears.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn follow(mut follower: Follower, end: Arc<AtomicBool>) -> anyhow::Result<Receiver<Heard>> {
    let (told, heard) = sync_channel(MAX_NEWS);
    let following = move || {
        while !end.load(Ordering::Relaxed) {
            let news = follower.wait(TICK);
            for heard in news.into_iter().filter_map(|news| heard_of(news, follower.picture())) {
                if told.send(heard).is_err() {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("bus".to_owned()).spawn(following).context("no thread can be had")?;
    Ok(heard)
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
        News::Sampled(_) | News::Restarted => return None,
    })
}

/// A node without its values, of which events have no need.
fn lean(node: &Node) -> Node {
    Node { name: node.name.clone(), group: node.group.clone(), muted: node.muted, ..Node::default() }
}
