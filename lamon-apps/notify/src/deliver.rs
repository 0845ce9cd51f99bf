//! A thread for each channel, which takes its notices from the queue, the oldest first.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamon_daemon::backoff::Backoff;

use crate::channel::Failure;
use crate::config::Retry;
use crate::crew::Crew;
use crate::notice::{Message, Notice};
use crate::queue::{Next, Queue};

/// A message that is older than this, in seconds, says so: the times of its lines are of another hour, or another day.
const LATE_AFTER: f64 = 600.0;

/// So often a message is tried that the server refuses for what it says. Then it stands in the way of those behind it.
const MAX_REFUSALS: u32 = 5;

/// So long a notice waits for recipients that others did not have to wait for, seconds: older news are of no use to them.
const LONGEST_WAIT: f64 = 86_400.0;

/// Delivers what the queue has for this channel, until there is no such channel any more or the queue ends.
pub(crate) fn deliver(crew: &Crew, queue: &Queue, name: &str) {
    let mut failing = None;
    loop {
        let generation = queue.generation();
        let Some((channel, retry)) = crew.current(name) else { return };
        let backoff = Backoff::new(retry.first, retry.longest);
        let mut worker = Worker { crew, queue, name, generation, retry, backoff, refusals: 0, failing };
        loop {
            let (number, notice) = match queue.next(name, generation) {
                Next::Notice(number, notice) => (number, *notice),
                Next::Look => break,
                Next::End => return,
            };
            match channel.deliver(&as_told_now(&notice.message), &notice.only) {
                Ok(()) => {
                    queue.remove(number);
                    worker.handle_works();
                }
                Err(Failure::Some { left, why }) => worker.handle_some(number, &notice, left, &why),
                Err(failure) if notice.only.is_empty() => worker.handle_failure(number, &notice, &failure),
                Err(failure) => worker.handle_some_failure(number, &notice, &failure),
            }
        }
        failing = worker.failing;
    }
}

/// How a channel does, as it is configured now.
struct Worker<'a> {
    crew: &'a Crew,
    queue: &'a Queue,
    name: &'a str,
    generation: u64,
    retry: Retry,
    backoff: Backoff,
    /// How often the notice that is the first was refused for what it says.
    refusals: u32,
    /// Since when the channel fails.
    failing: Option<Instant>,
}

impl Worker<'_> {
    fn handle_works(&mut self) {
        self.backoff.reset();
        self.refusals = 0;
        if let Some(since) = self.failing.take() {
            tracing::info!("channel {} works again after {} s", self.name, since.elapsed().as_secs());
        }
    }

    /// All but some have it: those wait by themselves.
    fn handle_some(&mut self, number: u64, notice: &Notice, left: Vec<String>, why: &str) {
        self.handle_works();
        let told = format!("the others have a notice, {} have it later: {why}", left.join(", "));
        if let Err(error) = self.queue.narrow(number, left) {
            tracing::error!("who has a notice is not on the disk: {error}");
        }
        tracing::warn!("{told}");
        self.postpone(number, notice);
    }

    /// Those who are left do not have it either.
    fn handle_some_failure(&self, number: u64, notice: &Notice, failure: &Failure) {
        let whom = notice.only.join(", ");
        tracing::debug!("{whom} cannot be told yet: {failure}");
        let lost =
            matches!(failure, Failure::Refused(_)) || seconds_now() - notice.message.time >= LONGEST_WAIT;
        let over = lost || until_fallback(notice) == Some(Duration::ZERO);
        if !over || !self.give_up(&format!("{} to {whom}", self.name), number, notice, lost) {
            self.postpone(number, notice);
        }
    }

    fn postpone(&self, number: u64, notice: &Notice) {
        let longest = until_fallback(notice).filter(|left| !left.is_zero()).unwrap_or(Duration::MAX);
        self.queue.postpone(number, self.retry, longest);
    }

    /// Nobody has it: it is tried again before those behind it, unless it stands in their way for too long.
    fn handle_failure(&mut self, number: u64, notice: &Notice, failure: &Failure) {
        // Once for each outage; the rest is for whoever looks closely.
        if self.failing.is_none() {
            tracing::warn!("channel {} fails, and is tried again: {failure}", self.name);
        } else {
            tracing::debug!("channel {} fails: {failure}", self.name);
        }
        self.failing.get_or_insert_with(Instant::now);
        let refused = matches!(failure, Failure::Refused(_));
        self.refusals = if refused { self.refusals + 1 } else { 0 };
        if self.refusals >= MAX_REFUSALS || until_fallback(notice) == Some(Duration::ZERO) {
            self.refusals = 0;
            if self.give_up(self.name, number, notice, refused) {
                return;
            }
        }
        let longest = until_fallback(notice).filter(|left| !left.is_zero()).unwrap_or(Duration::MAX);
        self.queue.pause(longest.min(self.backoff.wait()), self.generation);
    }

    /// Gives a notice to its other channel. Where it has none, one that is `lost` is written into the log alone.
    fn give_up(&self, way: &str, number: u64, notice: &Notice, lost: bool) -> bool {
        let Notice { mark, message, .. } = notice;
        match notice.fallback.as_ref().filter(|fallback| self.crew.has(&fallback.channel)) {
            Some(fallback) => {
                let mut message = message.clone();
                message.text = format!("{}\n(told here because the channel {way} fails)", message.text);
                tracing::warn!("a notice goes over {} because {way} fails", fallback.channel);
                let (mark, channel) = (mark.clone(), fallback.channel.clone());
                let moved = Notice { mark, channel, fallback: None, only: Vec::new(), message };
                if let Err(error) = self.queue.push(moved) {
                    tracing::error!("a notice is not on the disk: {error}");
                }
            }
            None if lost => {
                let text = message.text.replace('\n', "; ");
                tracing::error!("channel {way} does not take a notice; it was not told: {text}");
            }
            None => return false,
        }
        self.queue.remove(number);
        true
    }
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
