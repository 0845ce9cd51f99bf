//! Cuts a stream of bytes into lines, in bounded memory.
//!
//! RTS2's own buffer grows with its input (lib/rts2/connection.cpp, `checkBufferSize`), so one endless line fills
//! the memory of a daemon. Here a line has a limit: one that passes it is reported once, thrown away up to its end,
//! and the connection goes on. Lines end with `\n` or `\r\n`; blank lines are dropped, leading blanks too.

use crate::text::trim;

/// Longest line that is taken, in bytes, without its `\n`. The longest line seen from RTS2 is 270 bytes; arrays of a
/// camera's or a queue's device reach some kilobytes, and 64 KiB leaves room for the largest of them.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// What the splitter found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment<'a> {
    /// A line, without its end and leading blanks; never empty.
    Line(&'a [u8]),
    /// A line passed the limit. It is skipped up to its end; this is said once per line.
    Overlong {
        /// The limit that it passed, bytes.
        limit: usize,
    },
}

/// Cuts chunks of a stream into lines. Keeps at most its limit in memory, whatever comes.
///
/// ```
/// use rts2_proto::{Fragment, LineSplitter};
///
/// let mut splitter = LineSplitter::new(100);
/// let mut chunk: &[u8] = b"T ready\nT O";
/// assert_eq!(splitter.next(&mut chunk), Some(Fragment::Line(b"T ready")));
/// assert_eq!(splitter.next(&mut chunk), None);
/// let mut chunk: &[u8] = b"K\r\n";
/// assert_eq!(splitter.next(&mut chunk), Some(Fragment::Line(b"T OK")));
/// ```
#[derive(Debug)]
pub struct LineSplitter {
    /// The beginning of a line whose end has not come yet; at most `limit` bytes.
    kept: Vec<u8>,
    /// `kept` was handed out as a whole line and is empty from the next call on.
    given: bool,
    /// The rest of an overlong line is being thrown away.
    skipping: bool,
    limit: usize,
}

impl Default for LineSplitter {
    fn default() -> Self {
        Self::new(MAX_LINE_BYTES)
    }
}

impl LineSplitter {
    /// A splitter for lines of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), given: false, skipping: false, limit }
    }

    /// Takes bytes off the front of `input` until a line is complete. `None` means that all of `input` was taken
    /// and more is needed. Call it again with the rest of `input` as long as it returns something.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Fragment<'s>> {
        if self.given {
            self.given = false;
            self.kept.clear();
            // A burst may have made the buffer large; an idle connection must not keep that.
            self.kept.shrink_to(1024);
        }
        loop {
            let whole: &'i [u8] = input;
            // The end of a line of gigabytes is looked for faster than it is read.
            if self.skipping && !whole.contains(&b'\n') {
                *input = &[];
                return None;
            }
            let Some(end) = whole.iter().position(|&b| b == b'\n') else {
                *input = &[];
                return self.keep(whole);
            };
            let (line, rest) = whole.split_at(end);
            *input = rest.get(1..).unwrap_or_default();
            if self.skipping {
                self.skipping = false;
                continue;
            }
            if self.kept.len() + line.len() > self.limit {
                self.kept.clear();
                return Some(Fragment::Overlong { limit: self.limit });
            }
            if self.kept.is_empty() {
                let line = trim(line);
                if line.is_empty() {
                    continue;
                }
                return Some(Fragment::Line(line));
            }
            self.kept.extend_from_slice(line);
            if trim(&self.kept).is_empty() {
                self.kept.clear();
                continue;
            }
            self.given = true;
            return Some(Fragment::Line(trim(&self.kept)));
        }
    }

    /// Bytes held for a line that is not complete.
    #[must_use]
    pub fn pending(&self) -> usize {
        if self.given { 0 } else { self.kept.len() }
    }

    fn keep(&mut self, part: &[u8]) -> Option<Fragment<'static>> {
        if self.skipping {
            return None;
        }
        if self.kept.len() + part.len() > self.limit {
            self.kept = Vec::new();
            self.skipping = true;
            return Some(Fragment::Overlong { limit: self.limit });
        }
        self.kept.extend_from_slice(part);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(splitter: &mut LineSplitter, chunks: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        for chunk in chunks {
            let mut input = *chunk;
            while let Some(fragment) = splitter.next(&mut input) {
                found.push(match fragment {
                    Fragment::Line(line) => String::from_utf8_lossy(line).into_owned(),
                    Fragment::Overlong { limit } => format!("overlong {limit}"),
                });
            }
            assert!(input.is_empty());
        }
        found
    }

    #[test]
    fn lines_in_any_chunks() {
        let table: &[(&[&[u8]], &[&str])] = &[
            (&[b"a\nb\r\n"], &["a", "b"]),
            (&[b"a", b"b\n", b"\n \n", b"  c\n"], &["ab", "c"]),
            (&[b"a\r", b"\nb\n"], &["a", "b"]),
            (&[b" ", b"\n", b"x\n"], &["x"]),
            (&[b"12345678\n"], &["12345678"]),
            (&[b"1234567\r\n"], &["1234567"]),
            (&[b"1234567", b"\r\n"], &["1234567"]),
            (&[b"12345678\r\n"], &["overlong 8"]),
            (&[b"12345678\r", b"\n"], &["overlong 8"]),
            (&[b"123456789\nok\n"], &["overlong 8", "ok"]),
            (&[b"12345", b"6789", b"abc", b"d\nok\n"], &["overlong 8", "ok"]),
            (&[b"12345", b"6789\nok\n"], &["overlong 8", "ok"]),
            (&[b"unfinished"], &["overlong 8"]),
            (&[b"open"], &[]),
        ];
        for (chunks, lines) in table {
            assert_eq!(all(&mut LineSplitter::new(8), chunks), *lines, "{chunks:?}");
        }
    }

    #[test]
    fn an_overlong_line_frees_its_memory() {
        let mut splitter = LineSplitter::new(100_000);
        let mut input: &[u8] = &[b'x'; 90_000];
        assert_eq!(splitter.next(&mut input), None);
        assert_eq!(splitter.pending(), 90_000);
        let mut input: &[u8] = &[b'x'; 20_000];
        assert_eq!(splitter.next(&mut input), Some(Fragment::Overlong { limit: 100_000 }));
        assert_eq!((splitter.pending(), splitter.kept.capacity()), (0, 0));
    }
}
