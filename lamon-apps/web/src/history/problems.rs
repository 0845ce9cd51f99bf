//! From when to when what was wrong, by the events that tell its beginning and its end. Pure: events go in from the newest to the oldest,
//! since that is how they are read in short statements, and problems come out.

mod matter;

use std::collections::HashMap;

use lamon_store::registers::Event;
use serde::Serialize;
use utoipa::ToSchema;

use self::matter::{Matter, Turn, level, read};
use crate::answers::Level;

/// The most problems that are told; a night has some dozens. Those that began first are left out.
const MAX_PROBLEMS: usize = 5_000;

/// Something that was wrong for a while.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Which metric; null when it is about no single one.
    metric: Option<String>,
    /// The kind of the event that it began with: `level`, `silent`, `unknown`, `flapping`, `reboot`, or one of the hub's.
    kind: String,
    /// How grave.
    level: Level,
    /// Since when, unix milliseconds UTC; the beginning of the night when that is not known.
    from_ms: i64,
    /// Until when; null when it was not over at the end of the night. A moment ends where it begins.
    to_ms: Option<i64>,
    /// The sentence that told it.
    text: String,
}

/// A gate that was closed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Blocked {
    /// Which gate.
    what: String,
    /// Since when, unix milliseconds UTC.
    from_ms: i64,
    /// Until when; null when it was still closed at the end of the night.
    to_ms: Option<i64>,
    /// The sentence that told it: what it blocked, and why.
    text: String,
}

/// What was wrong in a night.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Of each node.
    pub(super) nodes: HashMap<String, Vec<Problem>>,
    /// Of the hub.
    pub(super) hub: Vec<Problem>,
    /// What was blocked.
    pub(super) blocked: Vec<Blocked>,
    /// There was more than is told.
    pub(super) more: bool,
}

/// What is known of a matter at a later time than that which is being looked at.
#[derive(Debug, Clone)]
enum Later {
    /// It began, at that level; the place of its problem.
    Began(i64, Level, Option<usize>),
    /// It ended, as this event told.
    Ended(i64, Box<Event>),
    /// Its node was forgotten.
    Cut(i64),
}

/// Takes events, the newest first.
#[derive(Debug)]
pub(super) struct Pairing {
    begin_ms: i64,
    later: HashMap<Matter, Later>,
    forgotten: HashMap<String, i64>,
    problems: Vec<(Matter, Problem)>,
    more: bool,
}

impl Pairing {
    /// Of the night that begins then.
    pub(super) fn new(begin_ms: i64) -> Self {
        Self { begin_ms, later: HashMap::new(), forgotten: HashMap::new(), problems: Vec::new(), more: false }
    }

    /// Takes an event that is older than all before.
    pub(super) fn add(&mut self, event: &Event) {
        if let Some(node) = event.node.as_ref().filter(|_| event.kind == "forgotten") {
            self.forgotten.insert(node.clone(), event.time_ms);
            for (matter, later) in &mut self.later {
                if matter.node.as_ref() == Some(node) {
                    *later = Later::Cut(event.time_ms);
                }
            }
        }
        let Some((matter, turn)) = read(event) else { return };
        match turn {
            Turn::Moment => drop(self.tell(matter, event, Some(event.time_ms))),
            Turn::Ends => {
                self.later.insert(matter, Later::Ended(event.time_ms, Box::new(event.clone())));
            }
            Turn::Begins => self.begins(matter, event),
        }
    }

    fn begins(&mut self, matter: Matter, event: &Event) {
        let level = level(event);
        let forgotten = matter.node.as_ref().and_then(|node| self.forgotten.get(node)).copied();
        let place = match self.later.get(&matter) {
            // Told again, as after the hub's restart: it was so all the time.
            Some(Later::Began(_, same, place)) if *same == level => {
                let place = *place;
                if let Some((_, problem)) = place.and_then(|place| self.problems.get_mut(place)) {
                    (problem.from_ms, problem.text) = (event.time_ms, event.text.clone());
                }
                place
            }
            Some(Later::Began(at, ..) | Later::Ended(at, _) | Later::Cut(at)) => {
                let at = *at;
                self.tell(matter.clone(), event, Some(at))
            }
            None => self.tell(matter.clone(), event, forgotten),
        };
        self.later.insert(matter, Later::Began(event.time_ms, level, place));
    }

    /// Keeps a problem when some of it was in the night; its place.
    fn tell(&mut self, matter: Matter, event: &Event, to_ms: Option<i64>) -> Option<usize> {
        if to_ms.is_some_and(|to_ms| to_ms < self.begin_ms) {
            return None;
        }
        if self.problems.len() >= MAX_PROBLEMS {
            self.more = true;
            return None;
        }
        let problem = Problem {
            metric: Some(matter.name.clone()).filter(|name| !name.is_empty()),
            kind: event.kind.clone(),
            level: level(event),
            from_ms: event.time_ms,
            to_ms,
            text: event.text.clone(),
        };
        self.problems.push((matter, problem));
        self.problems.len().checked_sub(1)
    }

    /// What was wrong, each list in the order of its beginnings.
    pub(super) fn finish(mut self) -> Found {
        // What ended in the night and began before all that was looked at.
        for (matter, later) in std::mem::take(&mut self.later) {
            if let Later::Ended(at, event) = later
                && at >= self.begin_ms
            {
                // Its last word is how it was: `… is good again after 3 h 12 min in error`.
                let was = event.text.rsplit(' ').next().and_then(Level::named);
                let level =
                    if matter.what == "silent" { Level::Silent } else { was.unwrap_or(Level::Warning) };
                let begun = Event {
                    time_ms: self.begin_ms,
                    kind: matter.what.into(),
                    level: String::new(),
                    ..*event
                };
                if let Some(place) = self.tell(matter, &begun, Some(at))
                    && let Some((_, problem)) = self.problems.get_mut(place)
                {
                    problem.level = level;
                }
            }
        }
        let mut found = Found { more: self.more, ..Found::default() };
        self.problems.sort_by_key(|(_, problem)| problem.from_ms);
        for (Matter { node, what, name }, problem) in self.problems {
            if what == "gate_closed" {
                let Problem { from_ms, to_ms, text, .. } = problem;
                found.blocked.push(Blocked { what: name, from_ms, to_ms, text });
            } else if let Some(node) = node {
                found.nodes.entry(node).or_default().push(problem);
            } else {
                found.hub.push(problem);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Node, kind, level and text of an event at a time; a metric in the text.
    fn event(time_ms: i64, node: &str, kind: &str, level: &str, text: &str) -> Event {
        Event {
            time_ms,
            number: time_ms,
            node: Some(node.to_owned()).filter(|node| !node.is_empty()),
            metric: None,
            kind: kind.into(),
            level: level.into(),
            text: text.into(),
        }
    }

    fn found(begin_ms: i64, events: &[Event]) -> Found {
        let mut pairing = Pairing::new(begin_ms);
        events.iter().rev().for_each(|event| pairing.add(event));
        pairing.finish()
    }

    fn spans(problems: &[Problem]) -> Vec<(i64, Option<i64>, Level)> {
        problems.iter().map(|problem| (problem.from_ms, problem.to_ms, problem.level)).collect()
    }

    #[test]
    fn what_gets_worse_and_better_is_told_level_by_level() {
        let metric =
            |time_ms, level: &str| event(time_ms, "a", "level", level, "a disk_percent 91 % over 90");
        let night = [
            metric(110, "warning"),
            event(115, "a", "level", "error", "a load1 9 over 8: error"),
            metric(120, "error"),
            metric(130, "warning"),
            metric(140, "good"),
        ];
        let found = found(100, &night);
        let (disk, load): (Vec<_>, Vec<_>) = found.nodes["a"]
            .iter()
            .cloned()
            .partition(|problem| problem.metric.as_deref() == Some("disk_percent"));
        use Level::{Error, Warning};
        assert_eq!(
            spans(&disk),
            [(110, Some(120), Warning), (120, Some(130), Error), (130, Some(140), Warning)]
        );
        assert_eq!(spans(&load), [(115, None, Error)], "not over in the night");
        assert_eq!(load[0].metric.as_deref(), Some("load1"));
    }

    #[test]
    fn what_began_before_the_night_or_is_told_again_is_one_problem() {
        let named = |event: Event| Event { metric: Some("load1".into()), ..event };
        let night = [
            event(10, "a", "level", "warning", "a disk_percent 81 %"),
            event(20, "b", "silent", "silent", "b is silent"),
            event(30, "b", "back", "good", "b is heard again"),
            event(50, "c", "silent", "silent", "c is silent"),
            // The hub was started again.
            event(105, "a", "level", "warning", "a disk_percent 82 %"),
            event(110, "c", "back", "good", "c is heard again"),
            named(event(120, "d", "level", "good", "d load1 1 is good again after 3 h 12 min in error")),
            event(130, "d", "reboot", "warning", "d was booted"),
            event(140, "d", "joined", "good", "d: heard for the first time"),
        ];
        let found = found(100, &night);
        assert_eq!(spans(&found.nodes["a"]), [(10, None, Level::Warning)]);
        assert_eq!(found.nodes["a"][0].text, "a disk_percent 81 %");
        assert_eq!(found.nodes.get("b"), None, "over before the night");
        assert_eq!(spans(&found.nodes["c"]), [(50, Some(110), Level::Silent)]);
        assert_eq!(
            spans(&found.nodes["d"]),
            [(100, Some(120), Level::Error), (130, Some(130), Level::Warning)]
        );
        assert_eq!(found.nodes["d"][0].metric.as_deref(), Some("load1"));
    }

    #[test]
    fn a_node_that_was_forgotten_has_no_problem_after() {
        let night = [
            event(110, "a", "silent", "silent", "a is silent"),
            event(120, "a", "forgotten", "good", "a was forgotten"),
            event(130, "a", "silent", "silent", "a is silent"),
        ];
        assert_eq!(
            spans(&found(100, &night).nodes["a"]),
            [(110, Some(120), Level::Silent), (130, None, Level::Silent)]
        );
        assert_eq!(spans(&found(100, &night[..2]).nodes["a"]), [(110, Some(120), Level::Silent)]);
    }

    #[test]
    fn gates_block_and_the_hub_has_problems_of_its_own() {
        let night = [
            event(
                105,
                "",
                "gate_closed",
                "error",
                "gate disk full closed and blocks exposures: ccd01 disk_percent 97 > 90",
            ),
            event(110, "", "gate_opened", "good", "gate disk full opened after 5 s: ccd01 is good"),
            event(115, "", "gate_would_close", "good", "gate x would have closed (a shadow)"),
            event(120, "", "database_failed", "warning", "away"),
            event(130, "", "hub_paused", "warning", "paused"),
            event(140, "", "level", "worse", "of no node"),
        ];
        let found = found(100, &night);
        assert_eq!(found.blocked.len(), 1);
        let blocked = &found.blocked[0];
        assert_eq!((blocked.what.as_str(), blocked.from_ms, blocked.to_ms), ("disk full", 105, Some(110)));
        assert_eq!(spans(&found.hub), [(120, None, Level::Warning), (130, Some(130), Level::Warning)]);
        assert!(!found.more && found.nodes.is_empty());
    }

    #[test]
    fn a_night_of_nothing_but_problems_is_bounded() {
        let times = 0..i64::try_from(MAX_PROBLEMS).unwrap() + 5;
        let night: Vec<_> = times.map(|time| event(time, "a", "reboot", "warning", "booted")).collect();
        let found = found(0, &night);
        assert_eq!((found.nodes["a"].len(), found.more), (MAX_PROBLEMS, true));
        assert_eq!(found.nodes["a"][0].from_ms, 5, "the first are left out");
    }
}
