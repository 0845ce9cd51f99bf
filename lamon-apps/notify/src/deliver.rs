//! A thread for each channel, which takes its notices from the queue, the oldest first.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamon_daemon::backoff::Backoff;

use crate::channel::Channel;
use crate::config::Retry;
use crate::notice::Notice;
use crate::queue::Queue;

/// Delivers what the queue has for this channel, until the queue ends.
pub(crate) fn deliver(queue: &Arc<Queue>, name: &str, channel: &Channel, retry: Retry) {
    let mut backoff = Backoff::new(retry.first, retry.longest);
    let mut failing: Option<Instant> = None;
    while let Some((number, notice)) = queue.first(name) {
        match channel.deliver(&notice.message) {
            Ok(()) => {
                queue.remove(number);
                backoff.reset();
                match failing.take() {
                    Some(since) => {
                        tracing::info!("channel {name} works again after {} s", since.elapsed().as_secs());
                    }
                    None => tracing::debug!("channel {name}: told {:?}", notice.message.title),
                }
            }
            Err(error) => {
                // Once for each outage; the rest is for whoever looks closely.
                if failing.is_none() {
                    tracing::warn!("channel {name} fails, and is tried again: {error}");
                } else {
                    tracing::debug!("channel {name} fails: {error}");
                }
                failing.get_or_insert_with(Instant::now);
                if fall_back(queue, name, number, &notice) {
                    continue;
                }
                if !queue.pause(until_fallback(&notice).map_or(backoff.wait(), |due| due.min(backoff.wait())))
                {
                    return;
                }
            }
        }
    }
}

/// Gives a notice to its other channel when it waited for long enough.
fn fall_back(queue: &Queue, name: &str, number: u64, notice: &Notice) -> bool {
    let Some(fallback) = &notice.fallback else { return false };
    if until_fallback(notice).is_none_or(|due| due > Duration::ZERO) {
        return false;
    }
    let mut message = notice.message.clone();
    message.text = format!("{}\n(told here because the channel {name} fails)", message.text);
    let moved = Notice { channel: fallback.channel.clone(), fallback: None, message };
    tracing::warn!("a notice goes over {} because {name} fails", fallback.channel);
    if let Err(error) = queue.push(moved) {
        tracing::error!("a notice is not on the disk: {error}");
    }
    queue.remove(number);
    true
}

/// How long it is until this notice goes to its other channel.
fn until_fallback(notice: &Notice) -> Option<Duration> {
    let fallback = notice.fallback.as_ref()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = notice.message.time + fallback.after - now.as_secs_f64();
    Some(Duration::try_from_secs_f64(left.clamp(0.0, fallback.after.max(0.0))).unwrap_or_default())
}
