//! Text as roff(7), the manual's language, wants it.

use std::fmt::Write;

/// Text in a line of its own or within one: nothing in it is a command, a hyphen is one that can be copied.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if line.starts_with(['.', '\'']) {
            out.push_str("\\&");
        }
        for character in line.chars() {
            match character {
                '\\' => out.push_str("\\e"),
                '-' => out.push_str("\\-"),
                '`' => out.push_str("\\(ga"),
                '\'' => out.push_str("\\(aq"),
                '^' => out.push_str("\\(ha"),
                '~' => out.push_str("\\(ti"),
                '"' => out.push_str("\\(dq"),
                character => out.push(character),
            }
        }
    }
    out
}

/// A whole page, with every other character named by its number: whatever reads it needs no encoding.
pub(crate) fn ascii(page: &str) -> String {
    page.chars().fold(String::with_capacity(page.len()), |mut out, character| {
        if character.is_ascii() {
            out.push(character);
        } else {
            let _ = write!(out, "\\[u{:04X}]", u32::from(character));
        }
        out
    })
}

/// A page that is named, `lamon(7)`, its name in bold.
pub(crate) fn page(name: &str) -> String {
    match name.split_once('(') {
        Some((page, section)) => format!("\\fB{}\\fR({section}", text(page)),
        None => text(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ascii_has_its_number() {
        assert_eq!(ascii("a…\n"), "a\\[u2026]\n");
    }

    #[test]
    fn nothing_is_taken_for_a_command() {
        assert_eq!(text(".so /etc/passwd\n'x' a-b\\n"), "\\&.so /etc/passwd\n\\&\\(aqx\\(aq a\\-b\\en");
        assert_eq!(page("hub.toml(5)"), "\\fBhub.toml\\fR(5)");
    }
}
