//! Lines of RTS2's ini files: `name = value ; comment`, `name.suffix = "a value"`, `[section]` (RTS2
//! lib/rts2/iniparser.cpp). Stricter than RTS2 in one thing: behind an unquoted value it drops what follows the first blank;
//! here that is a fault.

use std::io::Read;
use std::path::Path;

/// Most bytes of a file: as many values as a device has, each with the longest text.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// `name = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// The section that it stands in; empty before the first.
    pub(crate) section: String,
    /// Everything before the last dot.
    pub(crate) name: String,
    /// What stands behind the last dot of the name.
    pub(crate) suffix: Option<String>,
    /// The value without its quotes.
    pub(crate) value: String,
    /// What stands behind `;` or `#`.
    pub(crate) comment: String,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// Why, with the remedy.
    pub(crate) reason: &'static str,
}

/// Reads a file whole; what is not UTF-8 becomes U+FFFD.
pub(crate) fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(std::io::Error::other("the file is longer than 16 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Every setting, and every line that is none.
pub(crate) fn parse(text: &str) -> (Vec<Setting>, Vec<Fault>) {
    let (mut settings, mut faults, mut section) = (Vec::new(), Vec::new(), "");
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with([';', '#']) {
            continue;
        }
        if let Some(header) = text.strip_prefix('[') {
            match header.split_once(']') {
                Some((name, _)) => section = name,
                None => faults.push(Fault { line, reason: "a section ends with ]" }),
            }
            continue;
        }
        match setting(text) {
            Ok((name, value, comment)) => {
                let (name, suffix) = match name.rsplit_once('.') {
                    Some((name, suffix)) => (name, Some(suffix.to_owned())),
                    None => (name, None),
                };
                let (name, value, comment) = (name.to_owned(), value.to_owned(), comment.to_owned());
                settings.push(Setting { line, section: section.to_owned(), name, suffix, value, comment });
            }
            Err(reason) => faults.push(Fault { line, reason }),
        }
    }
    (settings, faults)
}

/// Name, value and comment.
fn setting(text: &str) -> Result<(&str, &str, &str), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a line is: name = value")?;
    let name = name.trim_end();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err("a line is: name = value, and names have no blanks");
    }
    let value = value.trim_start();
    let (value, rest) = match value.strip_prefix('"') {
        Some(value) => value.split_once('"').ok_or("the closing \" is missing")?,
        None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
    };
    let rest = rest.trim_start();
    match rest.strip_prefix([';', '#']) {
        Some(comment) => Ok((name, value, comment.trim_start())),
        None if rest.is_empty() => Ok((name, value, "")),
        None => Err("a value with blanks stands between quotes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (String, Option<String>, String, String) {
        let (mut settings, faults) = parse(text);
        assert_eq!((settings.len(), faults.len()), (1, 0), "{text}: {faults:?}");
        let setting = settings.remove(0);
        (setting.name, setting.suffix, setting.value, setting.comment)
    }

    #[test]
    fn lines_as_rts2_reads_them() {
        let table = [
            ("TEST_INT = \"5\"", ("TEST_INT", None, "5", "")),
            ("a=5", ("a", None, "5", "")),
            ("  a\t=  5  ; what it is", ("a", None, "5", "what it is")),
            ("a = \"two words\" # why", ("a", None, "two words", "why")),
            ("a = \"\"", ("a", None, "", "")),
            ("a = 5;x", ("a", None, "5;x", "")),
            ("limit.min = -3", ("limit", Some("min"), "-3", "")),
            ("a.b.ia = \"1 2\"", ("a.b", Some("ia"), "1 2", "")),
        ];
        for (text, (name, suffix, value, comment)) in table {
            let suffix = suffix.map(str::to_owned);
            assert_eq!(one(text), (name.into(), suffix, value.into(), comment.into()), "{text}");
        }
    }

    #[test]
    fn a_damaged_line_costs_that_line() {
        let text = "; head\na = 1\nb = \"open\n\ngarbage\n[s\n[night]\nc d = 3\ne = 1 2\n= 4\nf = \u{fffd}\n";
        let (settings, faults) = parse(text);
        let good: Vec<_> = settings.iter().map(|s| (s.line, s.section.as_str(), s.name.as_str())).collect();
        assert_eq!(good, [(2, "", "a"), (11, "night", "f")]);
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 5, 6, 8, 9, 10]);
    }
}
