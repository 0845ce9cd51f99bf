//! What is unwell without any configuration.

use std::str::FromStr;

use super::hold::Hold;
use super::phase::When;
use super::rule::{Direction, Limits, Rule};
use crate::watch::pattern::NameGlob;

/// The built-in rules. None on CPU: a busy computer is not an unwell one.
pub(super) fn built_in() -> Vec<Rule> {
    use Direction::{Above, Below, Beyond};
    let rule =
        |name: &str, metrics: &[&str], direction, [warning, error]: [Option<f64>; 2], clear, hold| Rule {
            name: name.into(),
            nodes: Vec::new(),
            metrics: metrics.iter().filter_map(|glob| NameGlob::new(glob).ok()).collect(),
            limits: Limits { direction, warning, error, clear },
            hold: Hold::from_str(hold).unwrap_or_default(),
            when: When::Always,
            and: None,
            rate: None,
        };
    vec![
        // As LAMOST has it.
        rule("disk", &["disk_percent", "disk_*_percent"], Above, [Some(80.0), Some(90.0)], 2.0, "1 of 1"),
        rule("inodes", &["disk_*_inodes_percent"], Above, [Some(80.0), Some(90.0)], 2.0, "1 of 1"),
        rule("memory", &["memory_percent"], Above, [Some(90.0), Some(95.0)], 2.0, "1 of 1"),
        rule("swap", &["swap_percent"], Above, [Some(50.0), Some(80.0)], 5.0, "1 of 1"),
        // Two samples: when the hub's own clock was set, the others show it before the second.
        rule("clock", &["clock_offset"], Beyond, [Some(1.0), Some(10.0)], 0.2, "2 of 2"),
        // Two samples: somebody restarts a daemon now and then.
        rule("process", &["proc_*"], Below, [None, Some(1.0)], 0.0, "2 of 2"),
    ]
}
