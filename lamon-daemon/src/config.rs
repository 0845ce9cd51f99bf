//! Reads a TOML file and points at the mistakes in it: file, line, column, the line itself, the nearest key.
//!
//! ```text
//! /etc/lamon/hub.toml:14:3: unknown key "treshold" (did you mean "threshold"?)
//!   |
//! 14|   treshold = 80
//!   |   ^^^^^^^^
//! ```

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

/// The largest file that is read, in bytes: far above any real configuration.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{0}")]
    Wrong(Mistake),
}

/// A mistake at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, a sentence without its full stop.
    pub message: String,
    source_line: String,
    width: usize,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, source_line, width } = self;
        writeln!(f, "{file}:{line}:{column}: {message}")?;
        let gutter = line.to_string().len();
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{line} | {source_line}")?;
        write!(f, "{:gutter$} | {:indent$}{}", "", "", "^".repeat((*width).max(1)), indent = column - 1)
    }
}

/// Reads and parses a file.
///
/// # Errors
///
/// [`ConfigError`] when it cannot be read or something in it is wrong.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    parse(&path.display().to_string(), &read(path)?)
}

/// Reads a file's text, for those who also want the places of its values.
///
/// # Errors
///
/// [`ConfigError::Read`].
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let text = || {
        if std::fs::metadata(path)?.len() > MAX_FILE_BYTES {
            return Err(std::io::Error::other("larger than 1 MiB"));
        }
        std::fs::read_to_string(path)
    };
    text().map_err(|source| ConfigError::Read { path: path.into(), source })
}

/// Parses the text of a file.
///
/// # Errors
///
/// [`ConfigError::Wrong`] with the place of the first mistake.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        ConfigError::Wrong(mistake(file, text, span, &explain(error.message())))
    })
}

/// A mistake at `span` (bytes of `text`), for checks beyond the form.
#[must_use]
pub fn mistake(file: &str, text: &str, span: Range<usize>, message: &str) -> Mistake {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let source_line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    let room = source_line.chars().count().saturating_sub(column - 1);
    let spanned = text.get(start..text.ceil_char_boundary(span.end.clamp(start, text.len())));
    Mistake {
        file: file.into(),
        line: before.matches('\n').count() + 1,
        column,
        message: message.into(),
        // A tab would move the marks below it.
        source_line: source_line.replace('\t', " "),
        width: spanned.unwrap_or_default().chars().count().min(room),
    }
}

/// Turns serde's words for an unknown field into ours, with the nearest key that exists.
fn explain(message: &str) -> String {
    let message = message.trim();
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return message.replace('\n', " ");
    };
    let mut quoted = rest.split('`').step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.filter(|key| !key.is_empty()).collect();
    let nearest = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .min()
        .filter(|(distance, key)| *distance <= 1 + key.len().min(unknown.len()) / 3);
    match nearest {
        Some((_, key)) => format!("unknown key \"{unknown}\" (did you mean \"{key}\"?)"),
        None if known.is_empty() => format!("unknown key \"{unknown}\" (none is expected here)"),
        None => format!("unknown key \"{unknown}\" (known here: {})", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::seconds::Seconds;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Hub {
        #[serde(default)]
        rule: Vec<Rule>,
        #[expect(dead_code, reason = "only its parsing is tested")]
        interval: Option<Seconds>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        threshold: f64,
    }

    fn error(text: &str) -> String {
        parse::<Hub>("hub.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_pointed_at() {
        assert_eq!(
            error("# a\n\n[[rule]]\n  treshold = 80\n"),
            "hub.toml:4:3: unknown key \"treshold\" (did you mean \"threshold\"?)\n  |\n4 |   treshold = 80\n  |   ^^^^^^^^"
        );
        assert!(
            error("[[rule]]\nthreshold = \"x\"")
                .starts_with("hub.toml:2:13: invalid type: string \"x\", expected f64")
        );
        assert!(error("interval = \"ten\"").starts_with("hub.toml:1:12: \"ten\" is no duration"));
        assert!(error("rule = [").starts_with("hub.toml:1:"));
        assert!(error("[zzzzzzzz]").contains("unknown key \"zzzzzzzz\" (known here: rule, interval)"));
        let good: Hub = parse("hub.toml", "[[rule]]\nthreshold = 80\n").unwrap();
        assert!((good.rule[0].threshold - 80.0).abs() < f64::EPSILON);
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let error = load::<Hub>(Path::new("/nonexistent/hub.toml")).unwrap_err().to_string();
        assert_eq!(
            error,
            "/nonexistent/hub.toml: cannot read the configuration: No such file or directory (os error 2)"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_configuration_or_a_mistake_with_a_place(text in "[\\[\\]a-z=\" \\n\\t\u{e9}0-9.]{0,60}") {
            if let Err(error) = parse::<Hub>("f", &text) {
                prop_assert!(error.to_string().starts_with("f:"));
            }
        }

        #[test]
        fn any_span_has_a_place(text in ".{0,40}", start in 0..60_usize, len in 0..60_usize) {
            let _ = mistake("f", &text, start..start + len, "m").to_string();
        }
    }
}
