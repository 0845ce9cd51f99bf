//! Text from the bus, made fit for a terminal: without what moves its cursor, and as wide as there is room.

use lamon_bus::{Event, Hub, Node};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The longest text that is kept of a field, in characters: the hub's sentences are far shorter, and no screen shows more.
const MAX_CHARS: usize = 1_000;

/// The most lines that one text is broken into: no sentence of a hub is longer than a screen.
const MAX_LINES: usize = 24;

/// A text without control characters, and without those that turn the direction of writing or have no width.
pub(crate) fn text(raw: &str) -> String {
    raw.chars().filter(|char| !is_control(*char)).take(MAX_CHARS).collect()
}

fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A node with clean names and rules.
pub(crate) fn node(raw: &Node) -> Node {
    let metrics = raw.metrics.iter().map(|(name, metric)| {
        let mut metric = metric.clone();
        metric.rule = metric.rule.as_deref().map(text);
        if let Some(limits) = &mut metric.limits {
            limits.name = text(&limits.name);
        }
        metric.value = metric.value.filter(|value| value.is_finite());
        (text(name), metric)
    });
    let metrics = metrics.collect();
    Node { name: text(&raw.name), group: text(&raw.group), metrics, ..raw.clone() }
}

/// What the hub says of itself, clean.
pub(crate) fn hub(raw: &Hub) -> Hub {
    Hub {
        hub: text(&raw.hub),
        version: text(&raw.version),
        worst: text(&raw.worst),
        journal: text(&raw.journal),
        database: text(&raw.database),
        ..raw.clone()
    }
}

/// An event, clean; the screen shows its sentence, not what that is made of.
pub(crate) fn event(raw: &Event) -> Event {
    Event {
        node: raw.node.as_deref().map(text),
        metric: raw.metric.as_deref().map(text),
        kind: text(&raw.kind),
        text: text(&raw.text),
        change: None,
        ..raw.clone()
    }
}

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of a text that fits this many columns; one that was cut ends in `~`.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.into();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut out = String::new();
    let mut used = 0;
    for char in text.chars() {
        used += char.width().unwrap_or(0);
        if used > room {
            break;
        }
        out.push(char);
    }
    out.push('~');
    out
}

/// A text cut or filled to exactly this many columns, on the left.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let blanks = columns.saturating_sub(width(&cut));
    cut + &" ".repeat(blanks)
}

/// The same, on the right.
pub(crate) fn fit_right(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    " ".repeat(columns.saturating_sub(width(&cut))) + &cut
}

/// A text in lines of at most this many columns, broken between words where that can be; never more than [`MAX_LINES`].
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for char in text.chars() {
        let wide = char.width().unwrap_or(0);
        if used + wide > columns.max(2) {
            let (done, begun) = match line.rsplit_once(' ').filter(|(done, _)| !done.is_empty()) {
                Some((done, begun)) if char != ' ' => (done.to_owned(), begun.to_owned()),
                _ => (std::mem::take(&mut line), String::new()),
            };
            lines.push(done);
            used = width(&begun);
            line = begun;
        }
        if lines.len() >= MAX_LINES {
            return lines;
        }
        if !(line.is_empty() && char == ' ' && !lines.is_empty()) {
            line.push(char);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(text("a\u{1b}[2Jb\r\n\u{202e}c\u{9b}d\u{200b}"), "a[2Jbcd");
        assert_eq!(text("磁盘 é"), "磁盘 é");
    }

    #[test]
    fn a_text_is_as_wide_as_its_column() {
        assert_eq!(cut("ccd01", 5), "ccd01");
        assert_eq!(cut("ccd01", 4), "ccd~");
        assert_eq!(cut("磁盘空间", 4), "磁~");
        assert_eq!(fit("磁盘", 5), "磁盘 ");
        assert_eq!(fit_right("7", 3), "  7");
        assert_eq!((cut("a", 0).as_str(), fit("", 2).as_str()), ("", "  "));
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("warning > 80, error > 90", 12), ["warning >", "80, error >", "90"]);
        assert_eq!(wrap("磁盘空间不足", 5), ["磁盘", "空间", "不足"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn every_line_fits(raw in ".{0,80}", columns in 2_usize..30) {
            for line in wrap(&text(&raw), columns) {
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }

        #[test]
        fn every_text_fits(raw in ".{0,40}", columns in 0_usize..50) {
            let clean = text(&raw);
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert_eq!(width(&fit(&clean, columns)), columns);
        }
    }
}
