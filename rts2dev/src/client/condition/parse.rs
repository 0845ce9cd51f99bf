//! Reads conditions, with errors that point at the place.

use rts2_proto::{DeviceState, Level};

use super::{Compare, Condition, Test};

/// A condition that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at character {}, {}", .at + 1, self.before())]
pub struct ConditionError {
    /// What should have been there.
    pub expected: &'static str,
    /// The condition as it was given.
    pub text: String,
    /// Where in it the fault is: characters from 0.
    pub at: usize,
}

impl ConditionError {
    fn before(&self) -> String {
        let rest: String = self.text.chars().skip(self.at).collect();
        if rest.is_empty() { "at the end".to_owned() } else { format!("before \"{rest}\"") }
    }
}

const DEVICE: &str = "the name of a device";
const WHAT: &str = "\".value\", \".state\", \".bop\", \"present\" or \"absent\"";
const VALUE: &str = "the name of a value";
const COMPARE: &str = "== != < > <= >= (or eq ne lt gt le ge)";
const BITS_TEST: &str = "& or !& (or has, lacks)";
const OPERAND: &str = "something to compare with";
const LEVEL: &str = "good, warning or error";
const BITS: &str = "a bit's name, as BOP_EXPOSURE, or its number";
const END: &str = "nothing more";

/// Symbols first where one begins another; words need a blank behind them.
const COMPARES: [(&str, Compare); 12] = [
    ("==", Compare::Equal),
    ("!=", Compare::NotEqual),
    ("<=", Compare::LessOrEqual),
    (">=", Compare::GreaterOrEqual),
    ("<", Compare::Less),
    (">", Compare::Greater),
    ("eq", Compare::Equal),
    ("ne", Compare::NotEqual),
    ("le", Compare::LessOrEqual),
    ("ge", Compare::GreaterOrEqual),
    ("lt", Compare::Less),
    ("gt", Compare::Greater),
];
const BITS_TESTS: [(&str, bool); 4] = [("!&", false), ("&", true), ("has", true), ("lacks", false)];

pub(super) fn condition(text: &str) -> Result<Condition, ConditionError> {
    let mut reader = Reader { text, left: text };
    reader.skip_blanks();
    let device = reader.name().ok_or_else(|| reader.error(DEVICE))?.to_owned();
    let test = if reader.take(".") { of_member(&mut reader)? } else { of_presence(&mut reader)? };
    Ok(Condition { device, test })
}

fn of_presence(reader: &mut Reader<'_>) -> Result<Test, ConditionError> {
    reader.skip_blanks();
    let before = *reader;
    let test = match reader.name() {
        Some("present") => Test::Present,
        Some("absent") => Test::Absent,
        _ => return Err(before.error(WHAT)),
    };
    reader.skip_blanks();
    if reader.left.is_empty() { Ok(test) } else { Err(reader.error(END)) }
}

fn of_member(reader: &mut Reader<'_>) -> Result<Test, ConditionError> {
    let name = reader.name().ok_or_else(|| reader.error(VALUE))?.to_owned();
    let of_level = reader.take(".level");
    reader.skip_blanks();
    // A value may be called `state`, too: only the test for bits says that the state is meant.
    let is_state = !of_level && name.eq_ignore_ascii_case("state");
    let is_bop = !of_level && name.eq_ignore_ascii_case("bop");
    if (is_state || is_bop)
        && let Some(set) = reader.one_of(&BITS_TESTS)
    {
        let bits = bits(reader)?;
        return Ok(if is_bop { Test::Bop { bits, set } } else { Test::State { bits, set } });
    }
    let expected = if is_state || is_bop { BITS_TEST } else { COMPARE };
    let compare = reader.one_of(&COMPARES).ok_or_else(|| reader.error(expected))?;
    reader.skip_blanks();
    let operand = reader.left.trim_end();
    if operand.is_empty() {
        return Err(reader.error(OPERAND));
    }
    if of_level {
        let level = match operand.to_ascii_lowercase().as_str() {
            "good" => Level::Good,
            "warning" => Level::Warning,
            "error" => Level::Error,
            _ => return Err(reader.error(LEVEL)),
        };
        return Ok(Test::Level { name, compare, level });
    }
    let bare = operand.strip_prefix('"').and_then(|operand| operand.strip_suffix('"'));
    Ok(Test::Value { name, compare, operand: bare.unwrap_or(operand).to_owned() })
}

fn bits(reader: &mut Reader<'_>) -> Result<DeviceState, ConditionError> {
    let mut bits = DeviceState::empty();
    loop {
        reader.skip_blanks();
        let before = *reader;
        bits |= reader.name().and_then(bit).ok_or_else(|| before.error(BITS))?;
        reader.skip_blanks();
        if reader.left.is_empty() {
            return Ok(bits);
        }
        if !reader.take("|") {
            return Err(reader.error(END));
        }
    }
}

fn bit(word: &str) -> Option<DeviceState> {
    let number = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    match number {
        Some(bits) => Some(DeviceState::from_bits_retain(bits)),
        None => DeviceState::from_name(&word.to_ascii_uppercase()),
    }
}

/// What is left of a condition.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    left: &'a str,
}

impl<'a> Reader<'a> {
    fn error(&self, expected: &'static str) -> ConditionError {
        let at = self.text.chars().count() - self.left.chars().count();
        ConditionError { expected, text: self.text.to_owned(), at }
    }

    fn skip_blanks(&mut self) {
        self.left = self.left.trim_start();
    }

    /// A name or a number; `None`, and nothing taken, when none stands here.
    fn name(&mut self) -> Option<&'a str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let end = self.left.find(|c| !is_part(c)).unwrap_or(self.left.len());
        let (name, left) = self.left.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
        self.left = left;
        Some(name)
    }

    fn take(&mut self, text: &str) -> bool {
        let left = self.left.strip_prefix(text);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// The first of the words that stands here; one of letters needs a blank behind it.
    fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let (left, meaning) = words.iter().find_map(|(word, meaning)| {
            let left = self.left.strip_prefix(word)?;
            let whole = !word.ends_with(|c: char| c.is_ascii_alphabetic()) || left.starts_with(' ');
            whole.then_some((left, *meaning))
        })?;
        self.left = left;
        Some(meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, compare: Compare, operand: &str) -> Test {
        Test::Value { name: name.to_owned(), compare, operand: operand.to_owned() }
    }

    #[test]
    fn what_the_grammar_takes() {
        let exposure = DeviceState::BOP_EXPOSURE;
        let level = |compare, level| Test::Level { name: "cpu".to_owned(), compare, level };
        let table = [
            ("NODES.level == good", "NODES", value("level", Compare::Equal, "good")),
            ("NODES.level==good", "NODES", value("level", Compare::Equal, "good")),
            ("  NODES.level  eq  good ", "NODES", value("level", Compare::Equal, "good")),
            ("A-1.note != \"two  words \"", "A-1", value("note", Compare::NotEqual, "two  words ")),
            ("A.x<=-3", "A", value("x", Compare::LessOrEqual, "-3")),
            ("A.x ge 1e3", "A", value("x", Compare::GreaterOrEqual, "1e3")),
            ("A.x < y", "A", value("x", Compare::Less, "y")),
            ("A.state == 5", "A", value("state", Compare::Equal, "5")),
            ("A.cpu.level == warning", "A", level(Compare::Equal, Level::Warning)),
            ("A.cpu.level lt Error", "A", level(Compare::Less, Level::Error)),
            ("A.state & BOP_EXPOSURE", "A", Test::State { bits: exposure, set: true }),
            ("A.state !& bop_exposure", "A", Test::State { bits: exposure, set: false }),
            ("A.bop has 0x1000000", "A", Test::Bop { bits: exposure, set: true }),
            (
                "A.bop lacks BOP_EXPOSURE | BOP_READOUT|1",
                "A",
                Test::Bop { bits: DeviceState::from_bits_retain(0x0300_0001), set: false },
            ),
            ("A present", "A", Test::Present),
            ("A absent ", "A", Test::Absent),
        ];
        for (text, device, test) in table {
            assert_eq!(condition(text), Ok(Condition { device: device.to_owned(), test }), "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_place() {
        let table = [
            ("", 0, DEVICE),
            ("  .x == 1", 2, DEVICE),
            ("A", 1, WHAT),
            ("A here", 2, WHAT),
            ("A == 5", 2, WHAT),
            ("A present now", 10, END),
            ("A. == 5", 2, VALUE),
            ("A.x", 3, COMPARE),
            ("A.x = 5", 4, COMPARE),
            ("A.x is 5", 4, COMPARE),
            ("A.x eq5", 4, COMPARE),
            ("A.x ==", 6, OPERAND),
            ("A.x.level == bad", 13, LEVEL),
            ("A.x.lever == bad", 3, COMPARE),
            ("A.state is 5", 8, BITS_TEST),
            ("A.state & BOP_EXPOSING", 10, BITS),
            ("A.state & BOP_EXPOSURE |", 24, BITS),
            ("A.state & 1 2", 12, END),
            ("Aä.x == 1", 1, WHAT),
        ];
        for (text, at, expected) in table {
            let error = ConditionError { expected, text: text.to_owned(), at };
            assert_eq!(condition(text), Err(error), "{text}");
        }
    }
}
