//! Columns and colours for the terminal.

use std::fmt::Write as _;

/// Whether levels have colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// A text in the colour of a level: RTS2's, as rts2-mon shows them.
    pub(crate) fn level(self, level: &str, text: &str) -> String {
        let code = match level {
            "good" => "32",
            "warning" => "33",
            // Whatever a later hub calls it, it is not good.
            _ => "31",
        };
        self.with(code, text)
    }

    /// A heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
    }
}

/// A cell, and the level in whose colour it is.
pub(crate) type Cell = (String, Option<String>);

/// Lines with columns as wide as their widest cell. The last column is as long as it likes. What would move the cursor is left
/// out of the cells: some of it strangers said.
pub(crate) fn columns(paint: Paint, headings: &[&str], rows: &[Vec<Cell>]) -> String {
    let clean =
        |(text, level): &Cell| (text.chars().filter(|char| !char.is_control()).collect(), level.clone());
    let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.iter().map(clean).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.chars().count());
        cells.chain(headings.get(column).map(|heading| heading.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut out = String::new();
    let heading: Vec<String> =
        headings.iter().zip(&widths).map(|(text, width)| format!("{text:width$}")).collect();
    let _ = writeln!(out, "{}", paint.heading(heading.join("  ").trim_end()));
    for row in &rows {
        let mut line = String::new();
        for (place, ((text, level), width)) in row.iter().zip(&widths).enumerate() {
            let shown = level.as_ref().map_or_else(|| text.clone(), |level| paint.level(level, text));
            let last = place + 1 == row.len();
            let blanks = if last { 0 } else { width.saturating_sub(text.chars().count()) + 2 };
            let _ = write!(line, "{shown}{}", " ".repeat(blanks));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_their_colour() {
        let cell = |text: &str, level: Option<&str>| (text.to_owned(), level.map(Into::into));
        let rows =
            [vec![cell("a", None), cell("error", Some("error"))], vec![cell("ccd01", None), cell("", None)]];
        assert_eq!(columns(Paint(false), &["node", "level"], &rows), "node   level\na      error\nccd01\n");
        let painted = columns(Paint(true), &["node", "level"], &rows);
        assert!(painted.contains("a      \u{1b}[31merror\u{1b}[0m\n"), "{painted:?}");
    }

    #[test]
    fn a_cell_moves_nothing() {
        let rows = [vec![("SHA256:true\u{1b}[9D\r\n".to_owned(), None), ("x".to_owned(), None)]];
        assert_eq!(columns(Paint(false), &["key", ""], &rows).lines().nth(1), Some("SHA256:true[9D  x"));
    }
}
