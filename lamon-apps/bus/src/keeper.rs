//! When the whole picture must be asked for. Pure: takes the time, says what to do.
//!
//! A subscription takes a moment to reach the publisher, so the picture is asked for at the start, and once more when the
//! first message has come; so again after each connection, and after each gap. A hub that is not heard is asked as well: its answer is the first
//! thing that tells of its return, and of what was missed.

use std::time::{Duration, Instant};

/// How long a hub may be mute: it speaks each ten seconds, and two may be lost.
pub const AWAY_AFTER: Duration = Duration::from_secs(25);

/// How long an answer may take before the question is put again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The shortest time between two questions: a follower that cannot keep up must not spend its time on pictures.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(2);

/// Knows what the follower still has to ask.
#[derive(Debug)]
pub struct Keeper {
    /// The whole picture is to be asked for.
    wanted: bool,
    /// When it was last asked for.
    asked: Option<Instant>,
    /// An answer to that has not come.
    waiting: bool,
    /// The first published message since the hub was away has come.
    subscribed: bool,
    heard: Instant,
    away: bool,
}

/// What a stretch of time made of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// As it was.
    Same,
    /// It is not heard any more.
    Away,
}

impl Keeper {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { wanted: true, asked: None, waiting: false, subscribed: false, heard: now, away: false }
    }

    /// A message was published; `gap` when some before it are missing. Whether the hub is back.
    pub fn handle_published(&mut self, now: Instant, gap: bool) -> bool {
        self.heard = now;
        self.wanted |= gap || !self.subscribed;
        self.subscribed = true;
        std::mem::take(&mut self.away)
    }

    /// A message came of a hub that started earlier than the one that is followed: the answer tells which of them lives.
    pub const fn handle_elder(&mut self) {
        self.wanted = true;
    }

    /// A connection to the hub came about, the first or another: what was published before is missing, and the subscription
    /// takes a moment more. A question that was put before went nowhere.
    pub const fn handle_connected(&mut self) {
        (self.wanted, self.asked, self.waiting, self.subscribed) = (true, None, false, false);
    }

    /// An answer came. Whether the hub is back.
    pub fn handle_answer(&mut self, now: Instant) -> bool {
        self.heard = now;
        self.waiting = false;
        std::mem::take(&mut self.away)
    }

    /// Whether the whole picture is to be asked for now; it counts as asked then.
    pub fn ask(&mut self, now: Instant) -> bool {
        let due = self.asked_due().is_some_and(|due| due <= now);
        if due {
            (self.asked, self.waiting, self.wanted) = (Some(now), true, false);
        }
        due
    }

    /// Finds out that the hub is not heard any more.
    pub fn handle_timeout(&mut self, now: Instant) -> Presence {
        if self.away || now < self.heard + AWAY_AFTER {
            return Presence::Same;
        }
        (self.away, self.subscribed) = (true, false);
        Presence::Away
    }

    /// When [`Keeper::ask`] or [`Keeper::handle_timeout`] has something to do, at the latest.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let away = (!self.away).then(|| self.heard + AWAY_AFTER);
        self.asked_due().into_iter().chain(away).min()
    }

    /// Whether the hub is not heard.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        self.away
    }

    fn asked_due(&self) -> Option<Instant> {
        let Some(asked) = self.asked else { return Some(self.heard) };
        if self.waiting || self.away {
            Some(asked + ANSWER_WITHIN)
        } else {
            self.wanted.then(|| asked + BETWEEN_QUESTIONS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn it_asks_at_the_start_and_after_the_first_message() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        assert!(keeper.ask(start));
        assert!(!keeper.ask(start), "asked already");
        keeper.handle_answer(start);
        assert!(!keeper.ask(at(start, 3)), "nothing more is wanted");
        keeper.handle_published(at(start, 3), false);
        assert!(keeper.ask(at(start, 3)));
        keeper.handle_answer(at(start, 3));
        keeper.handle_published(at(start, 9), false);
        assert!(!keeper.ask(at(start, 9)));
    }

    #[test]
    fn it_asks_again_after_each_connection() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        keeper.ask(start);
        keeper.handle_answer(start);
        keeper.handle_published(start, false);
        keeper.ask(at(start, 2));
        keeper.handle_answer(at(start, 2));
        assert!(!keeper.ask(at(start, 9)));
        keeper.handle_connected();
        assert!(keeper.ask(at(start, 9)));
        keeper.handle_answer(at(start, 9));
        keeper.handle_published(at(start, 12), false);
        assert!(keeper.ask(at(start, 12)), "what was published before the subscription");
    }

    #[test]
    fn gaps_are_asked_for_but_not_without_end() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        keeper.ask(start);
        keeper.handle_published(start, false);
        keeper.handle_answer(start);
        let asked = (0..100).filter(|tenth| {
            let now = start + Duration::from_millis(tenth * 100);
            keeper.handle_published(now, true);
            let asked = keeper.ask(now);
            if asked {
                keeper.handle_answer(now);
            }
            asked
        });
        assert_eq!(asked.count(), 4, "ten seconds of gaps, a question each two");
    }

    #[test]
    fn a_hub_that_started_earlier_is_asked_about_but_not_without_end() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        keeper.ask(start);
        keeper.handle_answer(start);
        keeper.handle_elder();
        assert!(!keeper.ask(at(start, 1)));
        assert!(keeper.ask(at(start, 2)));
        keeper.handle_answer(at(start, 2));
        assert!(!keeper.ask(at(start, 9)));
    }

    #[test]
    fn a_question_without_an_answer_is_put_again() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        assert!(keeper.ask(start));
        assert_eq!(keeper.next_timeout(), Some(at(start, 5)));
        assert!(!keeper.ask(at(start, 4)));
        assert!(keeper.ask(at(start, 5)));
    }

    #[test]
    fn a_hub_that_is_mute_is_away_once_and_asked_until_it_is_back() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        keeper.ask(start);
        keeper.handle_answer(start);
        keeper.handle_published(start, false);
        keeper.ask(at(start, 2));
        keeper.handle_answer(at(start, 2));
        assert_eq!(keeper.next_timeout(), Some(at(start, 27)));
        assert_eq!(keeper.handle_timeout(at(start, 26)), Presence::Same);
        assert_eq!(keeper.handle_timeout(at(start, 27)), Presence::Away);
        assert_eq!(keeper.handle_timeout(at(start, 28)), Presence::Same);
        assert!(keeper.ask(at(start, 28)) && keeper.ask(at(start, 33)));
        assert!(keeper.handle_answer(at(start, 34)), "it is back");
        assert!(!keeper.is_away());
        assert!(!keeper.handle_published(at(start, 35), false), "and was before");
        assert!(keeper.ask(at(start, 36)), "its subscription may have begun late");
    }
}
