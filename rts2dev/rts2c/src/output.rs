//! Writing: colours only for a terminal, each line at once.

use std::io::{self, IsTerminal, Write};

use rts2dev::client::RemoteValue;
use rts2dev::proto::{DeviceState, Level, ValueData};
use serde_json::{Value, json};

/// Standard output.
pub(crate) struct Output {
    colours: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        // https://no-color.org: any text that is not empty.
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        Self { colours: io::stdout().is_terminal() && !unwanted }
    }

    /// Writes a line.
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// The text in the colour of a level.
    pub(crate) fn coloured(&self, text: &str, level: Level) -> String {
        let colour = match level {
            Level::Good => return text.to_owned(),
            Level::Warning => 33,
            Level::Error => 31,
        };
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// What a terminal cannot take for anything else than text.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A value as a script takes it: as for a person, but times as unix seconds, all their digits.
pub(crate) fn bare(value: &RemoteValue) -> String {
    if !matches!(value.data, ValueData::Time(_)) {
        return value.text();
    }
    let mut text = Vec::new();
    value.data.write_to(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Bits by the names that conditions know, those without a name as a number.
pub(crate) fn bits(state: DeviceState) -> String {
    let named = state.difference(DeviceState::STATUS_MASK).iter_names();
    let mut left = state;
    let mut words: Vec<String> = named
        .map(|(name, bit)| {
            left.remove(bit);
            name.to_owned()
        })
        .collect();
    if words.is_empty() || !left.is_empty() {
        words.push(format!("{:#x}", left.bits()));
    }
    words.join(" | ")
}

/// A value for a person, with its unit, and its level where that is not good.
pub(crate) fn with_unit_and_level(value: &RemoteValue) -> String {
    let mut text = value.text();
    if !value.unit().is_empty() {
        text.push(' ');
        text.push_str(value.unit());
    }
    if value.level() != Level::Good {
        text.push_str(&format!(" ({})", level_name(value.level())));
    }
    text
}

pub(crate) fn level_name(level: Level) -> &'static str {
    match level {
        Level::Good => "good",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// A value for a program: what is a number as a number, null where it is not set.
pub(crate) fn as_json(value: &RemoteValue) -> Value {
    let data = match &value.data {
        ValueData::Bool(known) => json!(known),
        ValueData::Integer(number) => json!(number),
        ValueData::Long(number) => json!(number),
        ValueData::Float(_) | ValueData::Double(_) | ValueData::Time(_) => {
            json!(value.number().filter(|number| number.is_finite()))
        }
        _ => json!(value.text()),
    };
    json!({
        "value": data,
        "text": value.text(),
        "unit": value.unit(),
        "level": level_name(value.level()),
        "writable": value.is_writable(),
        "description": value.description,
    })
}

/// Rows with columns as wide as their widest cell, but the last.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell: &String| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let pad = |row: &Vec<String>| {
        let last = row.len().saturating_sub(1);
        let cells = row.iter().zip(&widths).enumerate();
        cells
            .map(|(at, (cell, width))| if at == last { cell.clone() } else { format!("{cell:<width$}") })
            .collect()
    };
    rows.iter().map(pad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(table(&rows), [["a  ", "bb"], ["ccc", "d"]]);
        assert!(table(&[]).is_empty());
    }

    #[test]
    fn bits_as_a_condition_takes_them() {
        for (word, text) in [
            (0, "0x0"),
            (0x33, "0x33"),
            (0x0100_0000, "BOP_EXPOSURE"),
            (0x8002_0001, "ERROR_HW | BAD_WEATHER | 0x1"),
        ] {
            assert_eq!(bits(DeviceState::from_bits_retain(word)), text);
            let condition = format!("D.state has {text}").parse::<rts2dev::client::Condition>();
            assert!(condition.is_ok(), "{text}");
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\x1b[31mb\u{9b}"), "a\u{fffd}[31mb\u{fffd}");
    }
}
