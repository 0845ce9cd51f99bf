//! What of a question about the past makes sense: times, names, counts.

use std::ops::RangeInclusive;

use super::Refused;
use crate::api::State;

/// The longest range, milliseconds: 20 years, with their leap days.
const LONGEST_MS: i64 = 20 * 366 * 86_400_000;

/// The end of the year 9999 in unix milliseconds: no time lies behind it.
const LAST_MS: i64 = 253_402_300_800_000;

/// A time from `from_ms` to before `to_ms`, unix milliseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

impl Span {
    /// Checks it.
    pub(crate) fn new(from_ms: i64, to_ms: i64) -> Result<Self, Refused> {
        for (name, time) in [("from", from_ms), ("to", to_ms)] {
            if !(0..=LAST_MS).contains(&time) {
                return Err(Refused::senseless(format!(
                    "{name} is a time in unix milliseconds, 0 to {LAST_MS}, not {time}"
                )));
            }
        }
        if from_ms >= to_ms {
            return Err(Refused::senseless(format!("from ({from_ms}) is not before to ({to_ms})")));
        }
        if to_ms - from_ms > LONGEST_MS {
            return Err(Refused::senseless("from and to are at most 20 years apart"));
        }
        Ok(Self { from_ms, to_ms })
    }
}

/// Names with commas between, each once.
pub(super) fn names<'a>(what: &str, list: &'a str, at_most: usize) -> Result<Vec<&'a str>, Refused> {
    let mut names: Vec<&str> = Vec::new();
    for name in list.split(',') {
        if name.is_empty() {
            return Err(Refused::senseless(format!("{what} are names with commas between, not {list:?}")));
        }
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > at_most {
            return Err(Refused::senseless(format!("{what} are {at_most} at most")));
        }
    }
    Ok(names)
}

/// A number within its bounds.
pub(super) fn within(what: &str, number: usize, bounds: RangeInclusive<usize>) -> Result<usize, Refused> {
    if bounds.contains(&number) {
        return Ok(number);
    }
    Err(Refused::senseless(format!("{what} is {} to {}, not {number}", bounds.start(), bounds.end())))
}

/// Refuses a node that neither the hub nor the archive knows.
pub(super) async fn known(api: &State, node: &str) -> Result<(), Refused> {
    if api.shared.snapshot().nodes.contains_key(node) {
        return Ok(());
    }
    let name = node.to_owned();
    if api.past.read(async move |reader| reader.knows(&name).await).await? {
        return Ok(());
    }
    Err(Refused::unknown(format!("no node {node:?} is known")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lie_in_their_order_and_not_too_far_apart() {
        assert_eq!(Span::new(0, LONGEST_MS).unwrap().to_ms, LONGEST_MS);
        for (from_ms, to_ms, wanted) in [
            (-1, 1, "from is a time"),
            (0, LAST_MS + 1, "to is a time"),
            (i64::MIN, i64::MAX, "from is a time"),
            (5, 5, "not before"),
            (6, 5, "not before"),
            (0, LONGEST_MS + 1, "20 years"),
        ] {
            let refused = Span::new(from_ms, to_ms).unwrap_err();
            assert!(refused.sentence.contains(wanted), "{}", refused.sentence);
        }
    }

    #[test]
    fn lists_have_names_and_not_too_many() {
        assert_eq!(names("nodes", "a,b,a", 2).unwrap(), ["a", "b"]);
        for list in ["", ",", "a,", ",a", "a,,b", "a,b,c"] {
            assert!(names("nodes", list, 2).is_err(), "{list}");
        }
        assert_eq!(within("count", 1, 1..=2), Ok(1));
        assert_eq!(within("count", 3, 1..=2).unwrap_err().sentence, "count is 1 to 2, not 3");
    }
}
