//! A file of /proc, opened once and read again from its start at each look.
//!
//! The kernel makes the text anew at each read from position 0; keeping the descriptor saves the path walk, and keeping
//! the buffer saves the allocations.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// A text file that the kernel makes as it is read.
#[derive(Debug)]
pub(super) struct ProcFile {
    path: &'static str,
    limit: usize,
    /// Whether a read that brings less than was asked for has brought the end.
    short_lines: bool,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl ProcFile {
    /// How far the buffer grows at a time, in bytes: most files fit at once.
    const STEP_BYTES: usize = 1_024;

    /// Half of the smallest page that Linux has, in bytes.
    const HALF_PAGE_BYTES: usize = 2_048;

    /// The file at `path`, of which at most the first `limit` bytes are of interest.
    pub(super) const fn new(path: &'static str, limit: usize) -> Self {
        Self { path, limit, short_lines: false, file: None, buffer: Vec::new() }
    }

    /// The same of a file whose lines are short: where it is shorter than half a page, the read that would only find the
    /// end, for which the kernel makes the whole text again, is left out.
    pub(super) const fn of_short_lines(path: &'static str, limit: usize) -> Self {
        Self { path, limit, short_lines: true, file: None, buffer: Vec::new() }
    }

    /// The text of now; `None` when it cannot be read (the next look tries to open it again).
    pub(super) fn read(&mut self) -> Option<&[u8]> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(self.path).ok()?,
        };
        let mut len = 0;
        while len < self.limit {
            if self.buffer.len() == len {
                self.buffer.resize((len + Self::STEP_BYTES).min(self.limit), 0);
            }
            // An error drops the file; it is opened anew at the next look.
            match file.read_at(self.buffer.get_mut(len..)?, u64::try_from(len).ok()?) {
                Ok(0) => break,
                Ok(more) => {
                    len += more;
                    // The kernel (fs/seq_file.c) stops short of what was asked for at the end, or where the next record
                    // does not fit its page.
                    if self.short_lines && len < self.buffer.len() && len < Self::HALF_PAGE_BYTES {
                        break;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        self.file = Some(file);
        self.buffer.get(..len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_again_and_within_its_limit() {
        let mut mounts = ProcFile::new("/proc/self/mountinfo", 1 << 20);
        let first = mounts.read().unwrap().to_vec();
        assert!(first.ends_with(b"\n"));
        assert_eq!(mounts.read().unwrap(), first);
        assert_eq!(ProcFile::new("/proc/self/mountinfo", 7).read().unwrap(), &first[..7]);
        assert_eq!(ProcFile::new("/proc/self/nonexistent", 7).read(), None);
    }

    #[test]
    fn files_of_short_lines_are_whole_too() {
        // The second is longer than half a page.
        for path in ["/proc/loadavg", "/proc/cpuinfo", "/proc/self/limits", "/proc/version"] {
            let words = |mut file: ProcFile| {
                let text = String::from_utf8(file.read().unwrap().to_vec()).unwrap();
                text.lines().map(|line| line.split(['.', ':']).next().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let (short, all) = (ProcFile::of_short_lines(path, 1 << 20), ProcFile::new(path, 1 << 20));
            assert_eq!(words(short).len(), words(all).len(), "{path}");
        }
    }

    #[test]
    fn the_text_is_that_of_now() {
        let mut comm = ProcFile::new("/proc/thread-self/comm", 64);
        std::thread::Builder::new()
            .name("before".into())
            .spawn(move || {
                assert_eq!(comm.read().unwrap(), b"before\n");
                std::fs::write("/proc/thread-self/comm", "later").unwrap();
                assert_eq!(comm.read().unwrap(), b"later\n");
            })
            .unwrap()
            .join()
            .unwrap();
    }
}
