//! What happened, and which problem it begins or ends.

use lamon_bus::{Event, Level};
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
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) level: Level,
    pub(crate) text: String,
    /// Of a level: which metric.
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

impl Happening {
    pub(crate) fn of(event: &Event, group: &str) -> Self {
        Self {
            node: event.node.clone(),
            group: group.to_owned(),
            kind: event.kind.clone(),
            level: event.level,
            text: event.text.clone(),
            metric: event.change.as_ref().map(|change| change.metric.clone()),
        }
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
            if self.kind == begins {
                return Effect::Begins(format!("{ends}/{node}/{subject}"));
            }
            if self.kind == ends {
                return Effect::Ends(format!("{ends}/{node}/{subject}"), format!("{ends}/{node}/"));
            }
        }
        Effect::Tells
    }

    /// What tells problems of a kind apart, from the event or its sentence.
    fn subject(&self) -> &str {
        if let Some(metric) = &self.metric {
            return metric;
        }
        match self.kind.as_str() {
            // "gate disk closed", "ccd01 disk_percent is unknown".
            "gate_closed" | "gate_opened" | "unknown" | "known" | "flapping" | "steady" => {
                self.text.split(' ').nth(1).unwrap_or_default()
            }
            // "switch b2: 3 nodes silent: ccd01, ccd02".
            "common_silence" | "common_back" => {
                self.text.find(':').map_or("", |end| self.text.get(..end).unwrap_or_default())
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_problem_is_ended_by_its_other() {
        let happening = |kind: &str, node: Option<&str>, text: &str, level| Happening {
            node: node.map(Into::into),
            group: String::new(),
            kind: kind.into(),
            level,
            text: text.into(),
            metric: (kind == "level").then(|| "disk_percent".into()),
        };
        for (begins, ends, node, texts) in [
            ("level", "level", Some("a"), ["a disk_percent 95 %", "a disk_percent is good again"]),
            ("silent", "back", Some("a"), ["a is silent", "a is back"]),
            ("gate_closed", "gate_opened", None, ["gate disk closed", "gate disk opened"]),
            (
                "common_silence",
                "common_back",
                None,
                ["switch b2: 3 nodes silent: a", "switch b2: 3 nodes are back"],
            ),
            ("journal_unreadable", "journal_recovered", None, ["x", "y"]),
        ] {
            let [first, last] = texts;
            let Effect::Begins(key) = happening(begins, node, first, Level::Error).effect() else {
                panic!("{begins}")
            };
            let Effect::Ends(end, family) = happening(ends, node, last, Level::Good).effect() else {
                panic!("{ends}")
            };
            assert_eq!(key, end);
            assert!(key.starts_with(&family));
        }
        assert_eq!(happening("muted", Some("a"), "x", Level::Good).effect(), Effect::Tells);
    }
}
