//! One node's noise must not hide the alarms of all others: each has a limit of its own, below the one of all.

use std::collections::HashMap;
use std::time::Duration;

use lamon_daemon::limit::LogLimit;
use lamon_wire::names::NodeName;

use crate::sample::Now;
use crate::watch::{Line, MAX_NODES};

/// As many lines of a node at once as a computer makes of which everything goes wrong.
const BURST: u32 = 30;

/// Then one in this time: 1,440 lines a day from the worst node.
const PERIOD: Duration = Duration::from_secs(60);

/// Limits what is told of each node.
#[derive(Debug, Default)]
pub struct NodeLimits(HashMap<NodeName, LogLimit>);

impl NodeLimits {
    /// Whether a line may be told now: `Some` with the number of lines of its node that were left out since the last that was.
    /// What is of no node is not limited here.
    pub fn admit(&mut self, now: Now, line: &Line) -> Option<u64> {
        let Some(node) = &line.node else { return Some(0) };
        if let Some(limit) = self.0.get_mut(node) {
            return limit.admit(now.monotonic);
        }
        // Names of strangers that were refused come here too.
        if self.0.len() >= MAX_NODES {
            self.0.clear();
        }
        self.0.entry(node.clone()).or_insert_with(|| LogLimit::new(BURST, PERIOD)).admit(now.monotonic)
    }
}

/// What is said of lines that were left out; nothing when there are none.
#[must_use]
pub fn left_out(line: &Line, held_back: u64) -> Option<String> {
    let node = line.node.as_ref().filter(|_| held_back > 0)?;
    let are = if held_back == 1 { "1 message of it was" } else { "messages of it were" };
    let number = if held_back == 1 { String::new() } else { format!("{held_back} ") };
    Some(format!("{node} says too much: {number}{are} left out since the last"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Level;

    fn line(node: Option<&str>) -> Line {
        let node = node.map(|node| NodeName::new(node).unwrap());
        Line { node, metric: None, kind: "level", level: Level::Error, text: String::new() }
    }

    #[test]
    fn a_noisy_node_takes_nothing_from_the_others() {
        let start = Now::read();
        let at = |seconds| Now { monotonic: start.monotonic + Duration::from_secs(seconds), ..start };
        let mut limits = NodeLimits::default();
        let admitted = (0..1_000).filter(|_| limits.admit(start, &line(Some("a"))).is_some()).count();
        assert_eq!(admitted, BURST as usize);
        assert_eq!(limits.admit(start, &line(Some("b"))), Some(0));
        assert!((0..1_000).all(|_| limits.admit(start, &line(None)) == Some(0)));
        assert_eq!(limits.admit(at(59), &line(Some("a"))), None);
        assert_eq!(limits.admit(at(60), &line(Some("a"))), Some(971));
        for number in 0..=MAX_NODES {
            limits.admit(start, &line(Some(&format!("n{number}"))));
        }
        assert!(limits.0.len() <= MAX_NODES, "strangers' names do not pile up");
    }

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(left_out(&line(Some("a")), 0), None);
        let said = [1, 7].map(|count| left_out(&line(Some("a")), count).unwrap());
        assert_eq!(
            said,
            [
                "a says too much: 1 message of it was left out since the last",
                "a says too much: 7 messages of it were left out since the last"
            ]
        );
    }
}
