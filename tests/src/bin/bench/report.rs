//! Numbers for people: one table, printed at the end.

use std::fmt::Display;
use std::io::IsTerminal;

/// Measurements of one thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Vec<f64>);

impl FromIterator<f64> for Runs {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }
}

impl Runs {
    /// The one in the middle, or between the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let at = |place: usize| self.0.get(place).copied().unwrap_or(f64::NAN);
        let middle = self.0.len() / 2;
        if self.0.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
    }

    /// The median with the smallest and the largest behind it.
    pub(crate) fn text(&self, decimals: usize, unit: &str) -> String {
        let median = grouped(self.median(), decimals);
        match (self.0.first(), self.0.last()) {
            (Some(low), Some(high)) if self.0.len() > 1 => {
                format!("{median} {unit} ({} … {})", grouped(*low, decimals), grouped(*high, decimals))
            }
            _ => format!("{median} {unit}"),
        }
    }
}

/// What the issue that asked for the numbers wants.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// Nothing.
    Nothing,
    /// At most this.
    AtMost(f64, &'static str),
    /// At least this.
    AtLeast(f64, &'static str),
}

/// One line.
#[derive(Debug)]
struct Row {
    what: String,
    ours: String,
    raw: String,
    ratio: String,
    asked: String,
}

/// Everything that was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    facts: Vec<(String, String)>,
    sections: Vec<(String, Vec<Row>)>,
}

impl Table {
    /// On what, or with what, it was measured.
    pub(crate) fn fact(&mut self, what: &str, value: impl Display) {
        self.facts.push((what.into(), value.to_string()));
    }

    /// What follows is about this.
    pub(crate) fn section(&mut self, title: impl Into<String>) {
        self.sections.push((title.into(), Vec::new()));
    }

    /// A measurement, with what was asked of its median.
    pub(crate) fn row(&mut self, what: &str, runs: &Runs, decimals: usize, unit: &str, asked: Asked) {
        self.measured(what, runs, String::new(), decimals, unit, asked);
    }

    /// A measurement beside what a bare loop does meanwhile.
    pub(crate) fn beside(
        &mut self,
        what: &str,
        runs: &Runs,
        raw: &Runs,
        decimals: usize,
        unit: &str,
        asked: Asked,
    ) {
        self.measured(what, runs, raw.text(decimals, unit), decimals, unit, asked);
    }

    fn measured(&mut self, what: &str, runs: &Runs, raw: String, decimals: usize, unit: &str, asked: Asked) {
        let median = runs.median();
        let asked = match asked {
            Asked::Nothing => String::new(),
            Asked::AtMost(limit, text) => format!("≤ {text}: {}", verdict(median <= limit)),
            Asked::AtLeast(limit, text) => format!("≥ {text}: {}", verdict(median >= limit)),
        };
        self.push(what, runs.text(decimals, unit), raw, String::new(), asked);
    }

    /// A rate a second beside the raw limit of the same machine, with the share that was asked.
    pub(crate) fn rate(&mut self, what: &str, ours: &Runs, raw: &Runs, share: Option<f64>, asked: Asked) {
        let ratio = ours.median() / raw.median();
        let mut wanted = Vec::new();
        if let Asked::AtLeast(limit, text) = asked {
            wanted.push(format!("≥ {text}: {}", verdict(ours.median() >= limit)));
        }
        if let Some(share) = share {
            wanted.push(format!("≥ {share} of raw: {}", verdict(ratio >= share)));
        }
        let ratio = if ratio.is_finite() { format!("{ratio:.2}") } else { String::new() };
        let raw = if raw.median().is_finite() { raw.text(0, "/s") } else { String::new() };
        self.push(what, ours.text(0, "/s"), raw, ratio, wanted.join(", "));
    }

    /// Words under the last row.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.push(&format!("  {}", text.into()), String::new(), String::new(), String::new(), String::new());
    }

    /// A measurement that failed says so in the table; the others go on.
    pub(crate) fn unless_failed(&mut self, name: &str, done: anyhow::Result<()>) {
        if let Err(error) = done {
            progress(&format!("bench: {name}: {error:#}"));
            self.section(format!("{name}: not measured"));
            self.note(format!("{error:#}"));
        }
    }

    fn push(&mut self, what: &str, ours: String, raw: String, ratio: String, asked: String) {
        if let Some((_, rows)) = self.sections.last_mut() {
            rows.push(Row { what: what.into(), ours, raw, ratio, asked });
        }
    }

    /// Prints all of it.
    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    pub(crate) fn print(&self) {
        println!("What agent and hub cost, and what the hub takes");
        for (what, value) in &self.facts {
            println!("  {what:<18} {value}");
        }
        let line = |what: &str, ours: &str, raw: &str, ratio: &str, asked: &str| {
            println!("{}", format!("{what:<58} {ours:>36} {raw:>34} {ratio:>6}  {asked}").trim_end());
        };
        println!();
        line("", "median (min … max)", "raw limit", "ratio", "asked");
        for (title, rows) in &self.sections {
            println!("{title}");
            for row in rows {
                line(&format!("  {}", row.what), &row.ours, &row.raw, &row.ratio, &row.asked);
            }
        }
    }
}

const fn verdict(holds: bool) -> &'static str {
    if holds { "ok" } else { "short" }
}

/// A number with commas between its thousands.
fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left % 3 == 0 && digit.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

/// Says on a terminal where it is: it takes minutes.
#[expect(clippy::print_stderr, reason = "what takes minutes says where it is")]
pub(crate) fn progress(text: &str) {
    if std::io::stderr().is_terminal() || text.starts_with("bench:") {
        eprintln!("{text}");
    }
}

/// Bytes as megabytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    number(bytes) / 1e6
}

/// A count to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (number, decimals, text) in [
            (0.0, 0, "0"),
            (-123_456.0, 0, "-123,456"),
            (999.96, 1, "1,000.0"),
            (1_234_567.891, 2, "1,234,567.89"),
            (f64::NAN, 0, "NaN"),
        ] {
            assert_eq!(grouped(number, decimals), text);
        }
        let runs: Runs = [3.0, 1_000.0, 2.0].into_iter().collect();
        assert_eq!(runs.text(0, "B"), "3 B (2 … 1,000)");
        assert!((Runs::from_iter([1.0, 2.0]).median() - 1.5).abs() < 1e-9);
    }
}
