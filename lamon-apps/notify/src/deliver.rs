//! A thread for each channel, which takes its notices from the queue, the oldest first.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamon_daemon::backoff::Backoff;

use crate::channel::Failure;
use crate::crew::Crew;
use crate::notice::{Message, Notice};
use crate::queue::{Next, Queue};

/// A message that is older than this, in seconds, says so: the times of its lines are of another hour, or another day.
const LATE_AFTER: f64 = 600.0;

/// So often a message is tried that the server refuses for what it says. Then it stands in the way of those behind it.
const MAX_REFUSALS: u32 = 5;

/// Delivers what the queue has for this channel, until there is no such channel any more or the queue ends.
pub(crate) fn deliver(crew: &Crew, queue: &Queue, name: &str) {
    let mut failing: Option<Instant> = None;
    loop {
        let generation = queue.generation();
        let Some((channel, retry)) = crew.current(name) else { return };
        let mut backoff = Backoff::new(retry.first, retry.longest);
        let mut refusals = 0;
        loop {
            let (number, notice) = match queue.next(name, generation) {
                Next::Notice(number, notice) => (number, *notice),
                Next::Look => break,
                Next::End => return,
            };
            let failure = match channel.deliver(&as_told_now(&notice.message)) {
                Ok(()) => {
                    queue.remove(number);
                    backoff.reset();
                    refusals = 0;
                    if let Some(since) = failing.take() {
                        tracing::info!("channel {name} works again after {} s", since.elapsed().as_secs());
                    }
                    continue;
                }
                Err(failure) => failure,
            };
            // Once for each outage; the rest is for whoever looks closely.
            if failing.is_none() {
                tracing::warn!("channel {name} fails, and is tried again: {failure}");
            } else {
                tracing::debug!("channel {name} fails: {failure}");
            }
            failing.get_or_insert_with(Instant::now);
            let refused = matches!(failure, Failure::Refused(_));
            refusals = if refused { refusals + 1 } else { 0 };
            if refusals >= MAX_REFUSALS || until_fallback(&notice) == Some(Duration::ZERO) {
                refusals = 0;
                if give_up(crew, queue, name, number, &notice, refused) {
                    continue;
                }
            }
            let longest = until_fallback(&notice).filter(|left| !left.is_zero()).unwrap_or(Duration::MAX);
            queue.pause(longest.min(backoff.wait()), generation);
        }
    }
}

/// Gives a notice to its other channel. Where it has none, one that is refused is written into the log alone.
fn give_up(crew: &Crew, queue: &Queue, name: &str, number: u64, notice: &Notice, refused: bool) -> bool {
    let Notice { mark, message, .. } = notice;
    match notice.fallback.as_ref().filter(|fallback| crew.has(&fallback.channel)) {
        Some(fallback) => {
            let mut message = message.clone();
            message.text = format!("{}\n(told here because the channel {name} fails)", message.text);
            tracing::warn!("a notice goes over {} because {name} fails", fallback.channel);
            let (mark, channel) = (mark.clone(), fallback.channel.clone());
            if let Err(error) = queue.push(Notice { mark, channel, fallback: None, message }) {
                tracing::error!("a notice is not on the disk: {error}");
            }
        }
        None if refused => {
            let text = message.text.replace('\n', "; ");
            tracing::error!("channel {name} refuses a notice for what it says; it was not told: {text}");
        }
        None => return false,
    }
    queue.remove(number);
    true
}

/// A message that comes late says of when it is.
fn as_told_now(message: &Message) -> Message {
    let mut message = message.clone();
    if seconds_now() - message.time > LATE_AFTER {
        message.text = format!("{}\n(late: of {})", message.text, message.local_time());
    }
    message
}

/// How long it is until this notice goes to its other channel; `None` when it has none.
fn until_fallback(notice: &Notice) -> Option<Duration> {
    let fallback = notice.fallback.as_ref()?;
    let left = notice.message.time + fallback.after - seconds_now();
    // A clock that was set back must not make it longer.
    Some(Duration::try_from_secs_f64(left.clamp(0.0, fallback.after.max(0.0))).unwrap_or_default())
}

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
