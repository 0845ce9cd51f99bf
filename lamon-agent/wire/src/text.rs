//! The text line: one sample, for a node where no agent can be installed.
//!
//! ```text
//! line   = "node=" NAME *( " " field )
//! field  = METRIC "=" NUMBER | "interval=" SECONDS | "t=" UNIX-SECONDS
//! answer = "ok" | "error: " what and where
//! ```
//!
//! Fields may come in any order, `node` too; blanks and tabs separate them; each may come once. Numbers are decimal,
//! with an exponent where wanted; `nan` and `inf` are refused.

use std::fmt::Write as _;

use thiserror::Error;

use crate::names::{MetricName, NameError, NodeName};

/// The longest line, in bytes, without its end: far above what the metrics of one computer take, and small enough that
/// a thousand senders that never finish their lines cost a megabyte.
pub const MAX_LINE_BYTES: usize = 1_024;

/// The longest interval that is believed, in seconds: a day. Silence of a node is seen after three of them.
pub const MAX_INTERVAL_SECONDS: f64 = 86_400.0;

/// The shortest interval that is believed, in seconds.
pub const MIN_INTERVAL_SECONDS: f64 = 1.0;

/// What one line said.
#[derive(Debug, Clone, PartialEq)]
pub struct TextSample {
    /// The computer that the line is about.
    pub node: NodeName,
    /// Seconds until the sender's next line, where it said so: [`MIN_INTERVAL_SECONDS`] to [`MAX_INTERVAL_SECONDS`].
    pub interval_seconds: Option<f64>,
    /// When the values were taken, unix seconds UTC, where it said so. Not yet believed: the hub compares it with the
    /// time of arrival.
    pub time: Option<f64>,
    /// The values, in the line's order, each metric once, all finite.
    pub metrics: Vec<(MetricName, f64)>,
}

/// Why a line is no sample. The text is the sender's answer: what is wrong, and where (bytes counted from 1).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("line longer than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// Bytes that are not UTF-8.
    #[error("not a text in UTF-8, at byte {at}")]
    NotUtf8 {
        /// Where, from 1.
        at: usize,
    },
    /// Something that is not `name=value`.
    #[error("{word:?} at byte {at} is not name=value")]
    NotAField {
        /// The word, cut to a readable length.
        word: String,
        /// Where, from 1.
        at: usize,
    },
    /// A name that cannot be one.
    #[error("at byte {at}: {error}")]
    Name {
        /// Where the name starts, from 1.
        at: usize,
        /// What is wrong with it.
        error: NameError,
    },
    /// A value that is not a finite decimal number, or out of its range.
    #[error("{field}={value:?} at byte {at}: {expected}")]
    Number {
        /// The field's name.
        field: String,
        /// What came, cut to a readable length.
        value: String,
        /// Where the field starts, from 1.
        at: usize,
        /// What would have been right.
        expected: &'static str,
    },
    /// A field that came before.
    #[error("{field} at byte {at} comes twice")]
    Twice {
        /// The field's name.
        field: String,
        /// Where it came again, from 1.
        at: usize,
    },
    /// No `node=` in the line.
    #[error("no node= in the line")]
    NoNode,
}

impl TextSample {
    /// Reads a line, without its end of line (a `\r` before it is accepted).
    ///
    /// # Errors
    ///
    /// [`TextError`] for the first thing that is wrong; nothing of a wrong line is used.
    pub fn parse(line: &[u8]) -> Result<Self, TextError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(TextError::TooLong);
        }
        let line =
            str::from_utf8(line).map_err(|error| TextError::NotUtf8 { at: error.valid_up_to() + 1 })?;
        let mut node = None;
        let mut interval_seconds = None;
        let mut time = None;
        let mut metrics: Vec<(MetricName, f64)> = Vec::new();
        for (at, word) in words(line) {
            let Some((field, value)) = word.split_once('=') else {
                return Err(TextError::NotAField { word: excerpt(word), at });
            };
            let twice = || TextError::Twice { field: excerpt(field), at };
            let number = |expected, range: fn(f64) -> bool| match value.parse::<f64>() {
                Ok(number) if number.is_finite() && range(number) => Ok(number),
                _ => Err(TextError::Number { field: excerpt(field), value: excerpt(value), at, expected }),
            };
            match field {
                "node" => {
                    let at = at + "node=".len();
                    let name = NodeName::new(value).map_err(|error| TextError::Name { at, error })?;
                    node.replace(name).map_or(Ok(()), |_| Err(twice()))?;
                }
                "interval" => {
                    let seconds = number("expected seconds between lines, 1 to 86400", |s| {
                        (MIN_INTERVAL_SECONDS..=MAX_INTERVAL_SECONDS).contains(&s)
                    })?;
                    interval_seconds.replace(seconds).map_or(Ok(()), |_| Err(twice()))?;
                }
                "t" => {
                    let seconds = number("expected unix seconds", |s| (0.0..1e11).contains(&s))?;
                    time.replace(seconds).map_or(Ok(()), |_| Err(twice()))?;
                }
                _ => {
                    let name = MetricName::new(field).map_err(|error| TextError::Name { at, error })?;
                    let number = number("expected a finite number", |_| true)?;
                    if metrics.iter().any(|(earlier, _)| *earlier == name) {
                        return Err(twice());
                    }
                    metrics.push((name, number));
                }
            }
        }
        let node = node.ok_or(TextError::NoNode)?;
        Ok(Self { node, interval_seconds, time, metrics })
    }

    /// Writes the line, without its end.
    #[must_use]
    pub fn write(&self) -> String {
        let mut line = format!("node={}", self.node);
        for (name, value) in &self.metrics {
            let _ = write!(line, " {name}={value}");
        }
        if let Some(seconds) = self.interval_seconds {
            let _ = write!(line, " interval={seconds}");
        }
        if let Some(time) = self.time {
            let _ = write!(line, " t={time}");
        }
        line
    }
}

/// The words of a line with their positions in bytes, from 1.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = line.as_ptr().addr();
    line.split([' ', '\t', '\r'])
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr().addr() - start + 1, word))
}

/// As much of a peer's word as an error message should repeat.
fn excerpt(word: &str) -> String {
    const MAX_CHARS: usize = 40;
    match word.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", word.get(..end).unwrap_or_default()),
        None => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_designs_example() {
        let line =
            b"node=ccd01 cpu_percent=3.5 memory_percent=41 disk_percent=82.5 nic_in=1234 nic_out=99 interval=60";
        let sample = TextSample::parse(line).unwrap();
        assert_eq!(sample.node.as_str(), "ccd01");
        assert_eq!(sample.interval_seconds, Some(60.0));
        assert_eq!(sample.time, None);
        let names: Vec<_> = sample.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(
            names,
            [
                ("cpu_percent", 3.5),
                ("memory_percent", 41.0),
                ("disk_percent", 82.5),
                ("nic_in", 1234.0),
                ("nic_out", 99.0)
            ]
        );
        assert_eq!(sample.write().as_bytes(), line);
        assert!(line.len() < 128, "the paper's six quantities stay under 128 bytes");
    }

    #[test]
    fn order_blanks_and_carriage_returns_do_not_matter() {
        let sample = TextSample::parse(b"  load1=1e-1\t node=Door  t=1795327904.5 \r").unwrap();
        assert_eq!((sample.node.as_str(), sample.time), ("door", Some(1_795_327_904.5)));
        assert_eq!(sample.metrics, [(MetricName::new("load1").unwrap(), 0.1)]);
    }

    #[test]
    fn errors_say_what_and_where() {
        for (line, answer) in [
            (&b"cpu_percent=3"[..], "no node= in the line"),
            (b"", "no node= in the line"),
            (b"node=a cpu", "\"cpu\" at byte 8 is not name=value"),
            (b"node=a cpu_percent=nan", "cpu_percent=\"nan\" at byte 8: expected a finite number"),
            (b"node=a cpu_percent=inf", "cpu_percent=\"inf\" at byte 8: expected a finite number"),
            (b"node=a cpu_percent=", "cpu_percent=\"\" at byte 8: expected a finite number"),
            (b"node=a interval=0", "interval=\"0\" at byte 8: expected seconds between lines, 1 to 86400"),
            (b"node=a node=b", "node at byte 8 comes twice"),
            (b"node=a x=1 x=2", "x at byte 12 comes twice"),
            (b"node=a level=1", "at byte 8: the name \"level\" is reserved for a value of the hub"),
            (b"node=a CPU=1", "at byte 8: character 'C' at position 0 (names are made of a-z, 0-9 and _)"),
            (b"node=\xff", "not a text in UTF-8, at byte 6"),
        ] {
            assert_eq!(TextSample::parse(line).unwrap_err().to_string(), answer, "{line:?}");
        }
        assert_eq!(TextSample::parse(&[b'a'; 1_025]), Err(TextError::TooLong));
        let long = format!("node=a {}", "x".repeat(900));
        assert!(
            TextSample::parse(long.as_bytes()).unwrap_err().to_string().len() < 200,
            "answers stay short"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_sample_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..1_100)) {
            let _ = TextSample::parse(&bytes);
        }

        #[test]
        fn anything_that_looks_like_fields_too(line in "(node=[a-zA-Z0-9_]{0,4} )?([a-z_]{0,6}=[0-9.einf-]{0,8} ?){0,8}") {
            if let Ok(sample) = TextSample::parse(line.as_bytes()) {
                prop_assert_eq!(TextSample::parse(sample.write().as_bytes()), Ok(sample));
            }
        }

        #[test]
        fn what_is_written_reads_the_same(
            node in "[a-z0-9][a-z0-9_-]{0,31}",
            values in proptest::collection::btree_map("[a-z0-9_]{6,12}", -1e15..1e15_f64, 0..12),
            interval in proptest::option::of(1.0..86_400.0_f64),
            time in proptest::option::of(0.0..1e10_f64),
        ) {
            let metrics = values
                .into_iter()
                .filter(|(name, _)| name != "interval")
                .map(|(name, value)| (MetricName::new(&name).unwrap(), value))
                .collect();
            let sample = TextSample { node: NodeName::new(&node).unwrap(), interval_seconds: interval, time, metrics };
            let line = sample.write();
            if line.len() <= MAX_LINE_BYTES {
                prop_assert_eq!(TextSample::parse(line.as_bytes()), Ok(sample));
            }
        }
    }
}
