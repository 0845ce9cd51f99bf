//! What changed last, so that any number of watchers can follow a picture at their own pace: for each subject only its
//! latest change is kept, and a watcher only a number.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Devices and clients that went and are still remembered, for watchers that have not heard of it. Of more, the first
/// to go are forgotten.
const MAX_GONE: usize = 1000;

/// What can change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// The value at that place.
    Value(usize),
    State,
    Progress,
    Bop,
    /// A device at centrald.
    Device(String),
    /// A client at centrald.
    Client(i32),
}

/// The latest change of each subject, by number.
#[derive(Debug, Default)]
pub(super) struct Log {
    last: u64,
    by_number: BTreeMap<u64, Subject>,
    numbers: HashMap<Subject, u64>,
    gone: VecDeque<Subject>,
}

impl Log {
    /// Number of the last change.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// A number for a change that is kept elsewhere.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Something changed; gives the number of the change.
    pub(super) fn note(&mut self, subject: Subject) -> u64 {
        let number = self.number();
        if let Some(before) = self.numbers.insert(subject.clone(), number) {
            self.by_number.remove(&before);
        }
        self.by_number.insert(number, subject);
        number
    }

    /// A subject is no more. `is_back` says of one that went before whether it has come back since.
    pub(super) fn note_gone(&mut self, subject: Subject, is_back: impl Fn(&Subject) -> bool) {
        self.note(subject.clone());
        self.gone.push_back(subject);
        if self.gone.len() > MAX_GONE
            && let Some(oldest) = self.gone.pop_front()
            && !is_back(&oldest)
            && !self.gone.contains(&oldest)
            && let Some(number) = self.numbers.remove(&oldest)
        {
            self.by_number.remove(&number);
        }
    }

    /// The first change after that number.
    pub(super) fn after(&self, seen: u64) -> Option<(u64, &Subject)> {
        self.by_number.range(seen + 1..).next().map(|(number, subject)| (*number, subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(log: &Log, mut seen: u64) -> Vec<Subject> {
        let mut found = Vec::new();
        while let Some((number, subject)) = log.after(seen) {
            seen = number;
            found.push(subject.clone());
        }
        found
    }

    #[test]
    fn only_the_latest_change_of_each_is_kept() {
        let mut log = Log::default();
        for _ in 0..1000 {
            log.note(Subject::Value(0));
            log.note(Subject::State);
        }
        let seen = log.last();
        log.note(Subject::Value(0));
        assert_eq!(all(&log, 0), [Subject::State, Subject::Value(0)]);
        assert_eq!(all(&log, seen), [Subject::Value(0)]);
        assert_eq!(log.by_number.len(), 2);
    }

    #[test]
    fn what_is_gone_is_forgotten_in_the_end() {
        let mut log = Log::default();
        for id in 0..5000 {
            log.note(Subject::Client(id));
            log.note_gone(Subject::Client(id), |_| false);
        }
        assert_eq!((log.numbers.len(), log.by_number.len()), (MAX_GONE, MAX_GONE));
        for _ in 0..5000 {
            log.note_gone(Subject::Client(7), |_| false);
        }
        assert!(log.numbers.len() <= MAX_GONE && log.gone.len() <= MAX_GONE);
        assert_eq!(all(&log, 0).last(), Some(&Subject::Client(7)));
    }
}
