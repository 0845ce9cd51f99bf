//! What happened, and which problem it begins or ends.

use lamon_bus::{Event, Level, Node};
use serde::{Deserialize, Serialize};

/// Kinds that begin a problem, and the kind that ends it, as `docs/bus.md` tells them.
const PAIRS: [(&str, &str); 14] = [
    ("silent", "back"),
    ("common_silence", "common_back"),
    ("hub_cut_off", "common_back"),
    ("hub_clock_suspected", "hub_clock_trusted"),
    ("unknown", "known"),
    ("flapping", "steady"),
    ("journal_failed", "journal_recovered"),
    ("journal_unreadable", "journal_recovered"),
    ("database_failed", "database_recovered"),
    ("gate_closed", "gate_opened"),
    ("settings_failed", "settings_recovered"),
    ("not_ready", "ready"),
    ("reload_failed", "reload"),
    (HUB_AWAY, HUB_BACK),
];

/// The hub is not heard: the only thing that the hub cannot tell itself.
pub(crate) const HUB_AWAY: &str = "hub_away";

/// It is heard again.
pub(crate) const HUB_BACK: &str = "hub_back";

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Happening {
    /// The hub's when there is none.
    pub(crate) node: Option<String>,
    /// Whom it concerns, with their groups: the node, or those that the hub names.
    pub(crate) concerned: Vec<(String, String)>,
    /// It concerns everybody who is told of some nodes.
    pub(crate) everybody: bool,
    pub(crate) kind: String,
    pub(crate) level: Level,
    pub(crate) text: String,
    /// Which metric, when it is about one alone.
    pub(crate) metric: Option<String>,
}

/// What it means for problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The problem of this key begins, or is another now.
    Begins(String),
    /// The problem of this key, or else the first with this beginning, is over.
    Ends(String, String),
    /// Neither.
    Tells,
}

/// The names of nodes that an event of several tells, by its sentence: `switch b2: 3 nodes silent: ccd01, ccd02, ccd03`.
pub(crate) fn named(event: &Event) -> impl Iterator<Item = &str> {
    let several = matches!(event.kind.as_str(), "common_silence" | "hub_cut_off");
    let names = event.text.rsplit([':', '(']).next().filter(|_| several).unwrap_or_default();
    names.split([',', ' ', ')']).filter(|name| !name.is_empty())
}

impl Happening {
    /// An event, with what is known of those nodes that it is about.
    pub(crate) fn of(event: &Event, nodes: &[Node]) -> Self {
        let mut concerned: Vec<_> =
            nodes.iter().map(|node| (node.name.clone(), node.group.clone())).collect();
        // One that the picture does not have is told all the same.
        if let Some(name) = &event.node
            && concerned.is_empty()
        {
            concerned.push((name.clone(), String::new()));
        }
        Self {
            node: event.node.clone(),
            concerned,
            // A hub that hears hardly any node, and names that are left out.
            everybody: event.kind == "hub_cut_off"
                || (event.kind == "common_silence" && event.text.ends_with('…')),
            kind: event.kind.clone(),
            level: event.level,
            text: event.text.clone(),
            metric: event
                .metric
                .clone()
                .or_else(|| event.change.as_ref().map(|change| change.metric.clone())),
        }
    }

    /// The hub is not heard, or is again.
    pub(super) fn presence(away: bool) -> Self {
        let (kind, level, text) = if away {
            (HUB_AWAY, Level::Error, "the hub is not heard: nobody watches the computers until it is back")
        } else {
            (HUB_BACK, Level::Good, "the hub is heard again")
        };
        let (kind, text) = (kind.to_owned(), text.to_owned());
        Self { node: None, concerned: Vec::new(), everybody: true, kind, level, text, metric: None }
    }

    pub(super) fn effect(&self) -> Effect {
        let node = self.node.as_deref().unwrap_or_default();
        let subject = self.subject();
        if self.kind == "level" {
            let key = format!("level/{node}/{subject}");
            return if self.level == Level::Good {
                Effect::Ends(key.clone(), key)
            } else {
                Effect::Begins(key)
            };
        }
        // A problem is named after the kind that ends it, which is one where several begin it.
        for (begins, ends) in PAIRS {
            // Of nodes that fell silent together some may be back before the others.
            if self.kind == begins
                || (self.kind == "common_back" && ends == "common_back" && self.some_are_silent())
            {
                return Effect::Begins(format!("{ends}/{node}/{subject}"));
            }
            if self.kind == ends {
                return Effect::Ends(format!("{ends}/{node}/{subject}"), format!("{ends}/{node}/"));
            }
        }
        Effect::Tells
    }

    fn some_are_silent(&self) -> bool {
        self.text.contains(" still silent")
    }

    /// What tells problems of a kind apart, from the event or its sentence.
    fn subject(&self) -> &str {
        if let Some(metric) = &self.metric {
            return metric;
        }
        match self.kind.as_str() {
            // "gate disk closed", "ccd01 disk_percent does not come any more".
            "gate_closed" | "gate_opened" | "unknown" | "known" | "flapping" | "steady" => {
                self.text.split(' ').nth(1).unwrap_or_default()
            }
            "hub_cut_off" => "the hub hears again",
            // "switch b2: 3 nodes silent: ccd01, ccd02", and without a name of what they share "3 nodes silent: …".
            "common_silence" | "common_back" => match self.text.split_once(": ") {
                Some((about, _)) if !about.starts_with(|c: char| c.is_ascii_digit()) => about,
                _ => "",
            },
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, node: Option<&str>, text: &str, level: Level) -> Event {
        Event {
            time: 0.0,
            node: node.map(Into::into),
            metric: None,
            kind: kind.into(),
            level,
            text: text.into(),
            change: None,
        }
    }

    #[test]
    fn what_begins_a_problem_is_ended_by_its_other() {
        for (begins, ends, node, texts) in [
            ("silent", "back", Some("a"), ["a is silent", "a is back"]),
            ("gate_closed", "gate_opened", None, ["gate disk closed", "gate disk opened"]),
            ("unknown", "known", Some("a"), ["a x does not come any more", "a x comes again"]),
            (
                "common_silence",
                "common_back",
                None,
                [
                    "switch b2: 3 nodes silent: a",
                    "switch b2: 3 nodes are back, 9 s after the silence was told",
                ],
            ),
            (
                "common_silence",
                "common_back",
                None,
                ["2 nodes silent: a, b", "2 nodes are back, 9 s after …"],
            ),
            (
                "hub_cut_off",
                "common_back",
                None,
                ["9 of 10 nodes fell silent", "the hub hears again: 9 nodes are back"],
            ),
            ("journal_unreadable", "journal_recovered", None, ["x", "y"]),
        ] {
            let effect = |kind, text, level| Happening::of(&event(kind, node, text, level), &[]).effect();
            let [first, last] = texts;
            let Effect::Begins(key) = effect(begins, first, Level::Error) else { panic!("{begins}") };
            let Effect::Ends(end, family) = effect(ends, last, Level::Good) else { panic!("{ends}") };
            assert_eq!(key, end);
            assert!(key.starts_with(&family));
        }
        let muted = Happening::of(&event("muted", Some("a"), "x", Level::Good), &[]);
        assert_eq!(muted.effect(), Effect::Tells);
        let some = event("common_back", None, "switch b2: 1 node is back; 2 still silent: a, b", Level::Good);
        assert_eq!(Happening::of(&some, &[]).effect(), Effect::Begins("common_back//switch b2".into()));
    }

    #[test]
    fn events_of_several_name_them() {
        for (kind, text, expected) in [
            ("common_silence", "switch b2: 3 nodes silent: ccd01, ccd02, x", vec!["ccd01", "ccd02", "x"]),
            ("common_silence", "2 nodes silent: a, b", vec!["a", "b"]),
            ("hub_cut_off", "2 of 3 nodes fell silent together: is it? (a, b)", vec!["a", "b"]),
            ("reload", "read: again", vec![]),
        ] {
            assert_eq!(
                named(&event(kind, None, text, Level::Silent)).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
    }
}
