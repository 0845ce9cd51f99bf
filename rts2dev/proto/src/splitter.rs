//! Cuts a stream of bytes into lines, in bounded memory.
//!
//! RTS2's own buffer grows with its input (lib/rts2/connection.cpp, `checkBufferSize`), so one endless line fills
//! the memory of a daemon. Here a line has a limit: one that passes it is reported once, thrown away up to its end,
//! and the connection goes on. Lines end with `\n` or `\r\n` (quirk `CarriageReturn`); blank lines are dropped (quirk
//! `EmptyLine`), leading blanks too.
//!
//! A `D` line announces raw bytes. They are handed out by their length, as they come, and never looked at for lines:
//! what stands in an image is no command. This is done here and not above, so that no reader of lines can forget it.

use crate::image::bytes_behind;
use crate::text::{is_space, trim};

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
    /// Raw bytes that the `D` line before them announced; never empty.
    Binary {
        /// As many as have come.
        bytes: &'a [u8],
        /// How many of the block are still to come.
        left: u64,
    },
    /// A `D` line does not say readably how many bytes follow it, so that nothing behind it can be told apart: close
    /// the connection, as RTS2 does. This is said once; the splitter takes all that follows and hands out nothing more.
    Lost,
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
    /// Raw bytes that are to come before the next line.
    binary: u64,
    /// [`Fragment::Lost`] was found, and whether it was said.
    lost: Option<bool>,
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
        Self { kept: Vec::new(), given: false, skipping: false, binary: 0, lost: None, limit }
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
        if let Some(said) = &mut self.lost {
            *input = &[];
            return (!std::mem::replace(said, true)).then_some(Fragment::Lost);
        }
        if self.binary > 0 {
            return self.take_binary(input);
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
            let line = self.after_blanks(line);
            if self.skipping {
                self.skipping = false;
                continue;
            }
            if self.kept.len() + line.len() > self.limit {
                self.look_at_overlong(line);
                self.kept.clear();
                return Some(Fragment::Overlong { limit: self.limit });
            }
            if self.kept.is_empty() {
                let line = trim(line);
                if line.is_empty() {
                    continue;
                }
                self.look_at(bytes_behind(line));
                return Some(Fragment::Line(line));
            }
            self.kept.extend_from_slice(line);
            if trim(&self.kept).is_empty() {
                self.kept.clear();
                continue;
            }
            self.given = true;
            self.look_at(bytes_behind(trim(&self.kept)));
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
        let part = self.after_blanks(part);
        if self.kept.len() + part.len() > self.limit {
            self.look_at_overlong(part);
            self.kept = Vec::new();
            self.skipping = true;
            return Some(Fragment::Overlong { limit: self.limit });
        }
        self.kept.extend_from_slice(part);
        None
    }

    fn take_binary<'i>(&mut self, input: &mut &'i [u8]) -> Option<Fragment<'i>> {
        let whole: &'i [u8] = input;
        if whole.is_empty() {
            return None;
        }
        let count = usize::try_from(self.binary).map_or(whole.len(), |binary| binary.min(whole.len()));
        let (bytes, rest) = whole.split_at(count);
        *input = rest;
        self.binary = u64::try_from(count).map_or(0, |count| self.binary.saturating_sub(count));
        Some(Fragment::Binary { bytes, left: self.binary })
    }

    fn look_at(&mut self, behind: Option<u64>) {
        match behind {
            Some(bytes) => self.binary = bytes,
            None => self.lost = Some(false),
        }
    }

    /// Blanks before a line are no part of it, and do not count for its length.
    fn after_blanks<'i>(&self, part: &'i [u8]) -> &'i [u8] {
        let begin = if self.kept.is_empty() { part.iter().position(|&b| !is_space(b)) } else { Some(0) };
        part.get(begin.unwrap_or(part.len())..).unwrap_or_default()
    }

    /// An overlong line may announce bytes like any other; how many is not read. Looks at the bytes up to the limit, so
    /// that chunks make no difference.
    fn look_at_overlong(&mut self, part: &[u8]) {
        let mut line = self.kept.iter().chain(part).take(self.limit + 1);
        if line.next() == Some(&b'D') && line.next().is_none_or(|&b| is_space(b)) {
            self.lost = Some(false);
        }
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
                    Fragment::Binary { bytes, left } => {
                        format!("{} bytes, {left} left", bytes.len())
                    }
                    Fragment::Lost => "lost".to_owned(),
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
    fn announced_bytes_are_no_lines() {
        let table: &[(&[&[u8]], &[&str])] = &[
            (&[b"D 1 0 6\nexit\n\nT OK\n"], &["D 1 0 6", "6 bytes, 0 left", "T OK"]),
            (
                &[b"D 1 0", b" 6\n", b"ex", b"it\n\nT OK\n"],
                &["D 1 0 6", "2 bytes, 4 left", "4 bytes, 0 left", "T OK"],
            ),
            (
                &[b"D 1 0 6\r\nexit\n", b"", b"\nT OK\n"],
                &["D 1 0 6", "5 bytes, 1 left", "1 bytes, 0 left", "T OK"],
            ),
            (&[b"D 1 0 0\nT OK\n"], &["D 1 0 0", "T OK"]),
            (&[b"C 1 0 1 5\nexit\n"], &["C 1 0 1 5", "exit"]),
            (&[b"D 1 0 x\nexit\n", b"exit\n"], &["D 1 0 x", "lost"]),
            (&[b"D\nexit\n"], &["D", "lost"]),
            (&[b"D 1 0 5           6\nexit\n"], &["overlong 16", "lost"]),
            (&[b"D 1 0 5   ", b"        6\n", b"exit\n"], &["overlong 16", "lost"]),
            (&[b"                        ", b" D 1 0 5\n", b"exit\n"], &["D 1 0 5", "5 bytes, 0 left"]),
            (&[b"D 1 0 9223372036854775807\n"], &["overlong 16", "lost"]),
        ];
        for (chunks, lines) in table {
            assert_eq!(all(&mut LineSplitter::new(16), chunks), *lines, "{chunks:?}");
        }
    }

    #[test]
    fn an_endless_block_takes_no_memory() {
        let mut splitter = LineSplitter::default();
        let mut input: &[u8] = b"D 1 0 9223372036854775807\n";
        assert!(matches!(splitter.next(&mut input), Some(Fragment::Line(_))));
        for _ in 0..1000 {
            let mut input: &[u8] = &[b'\n'; 4096];
            assert!(
                matches!(splitter.next(&mut input), Some(Fragment::Binary { bytes, .. }) if bytes.len() == 4096)
            );
            assert_eq!(splitter.next(&mut input), None);
            assert_eq!(splitter.kept.capacity(), 0);
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
