//! Colours, bars and curves. No level is told by its colour alone.

use lamon_bus::Level;
use ratatui::style::{Color, Modifier, Style};

/// How levels and bars look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    /// Whether there are colours.
    pub(crate) colours: bool,
    /// Whether bars are of plain ASCII.
    pub(crate) ascii: bool,
}

impl Theme {
    /// The style of a level: RTS2's colours, as rts2-mon shows them. What is wrong is bold as well.
    pub(crate) fn level(self, level: Level) -> Style {
        let (colour, bold) = match level {
            Level::Good => (Color::Green, false),
            Level::Warning => (Color::Yellow, true),
            Level::Error | Level::Silent => (Color::Red, true),
        };
        let style = if self.colours { Style::new().fg(colour) } else { Style::new() };
        if bold { style.add_modifier(Modifier::BOLD) } else { style }
    }

    /// The style of what cannot be overlooked.
    pub(crate) fn alarm(self) -> Style {
        self.level(Level::Error).add_modifier(Modifier::REVERSED)
    }

    /// The style of the chosen row.
    pub(crate) const fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The style of a heading.
    pub(crate) const fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED)
    }

    /// The style of values that are old, and of what is less worth reading.
    pub(crate) const fn old(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// A bar of so many columns, filled to so many percent. What is not empty has a filled column.
    pub(crate) fn bar(self, percent: f64, columns: usize) -> String {
        let (full, empty) = if self.ascii { ('#', '.') } else { ('█', '░') };
        let step = |column: usize| (count(column) + 0.5) / count(columns.max(1)) * 100.0;
        (0..columns)
            .map(
                |column| {
                    if percent >= step(column) || (column == 0 && percent >= 1.0) { full } else { empty }
                },
            )
            .collect()
    }

    /// The last values of a curve from 0 to 100, a column each.
    pub(crate) fn curve(self, values: impl ExactSizeIterator<Item = f64>, columns: usize) -> String {
        let steps: [char; 8] = if self.ascii {
            ['_', '.', ':', '-', '=', '+', '*', '#']
        } else {
            ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        };
        let skipped = values.len().saturating_sub(columns);
        let step = |value: f64| {
            let above = (1..steps.len()).filter(|step| value >= count(*step) * 12.5).count();
            steps.get(above).copied().unwrap_or(' ')
        };
        values.skip(skipped).map(step).collect()
    }
}

/// A small number as one with a fraction.
fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_curves_are_as_wide_as_they_are_told() {
        let plain = Theme { colours: false, ascii: true };
        let bars: Vec<_> =
            [0.0, 1.0, 50.0, 95.0, 100.0].iter().map(|percent| plain.bar(*percent, 4)).collect();
        assert_eq!(bars, ["....", "#...", "##..", "####", "####"]);
        assert_eq!(plain.bar(50.0, 0), "");
        assert_eq!(plain.curve([99.0, 0.0, 12.5, 100.0].into_iter(), 3), "_.#");
        let fine = Theme { colours: true, ascii: false };
        assert_eq!(
            (fine.bar(50.0, 4).as_str(), fine.curve([0.0, 100.0].into_iter(), 9).as_str()),
            ("██░░", "▁█")
        );
    }

    #[test]
    fn without_colours_there_are_none() {
        let plain = Theme { colours: false, ascii: false };
        assert!(Level::ALL.iter().all(|level| plain.level(*level).fg.is_none()));
        assert!(plain.alarm().fg.is_none());
    }
}
