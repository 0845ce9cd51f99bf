//! A password from the terminal, which does not show it, or from standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::password::LONGEST_BYTES;

/// Asks for a new password, twice on a terminal; else its first line is taken.
///
/// # Errors
///
/// A sentence, when there is none, or the two differ.
pub(super) fn new_password(name: &str) -> Result<String, String> {
    let failed = |error: io::Error| format!("no password can be read: {error}");
    if !io::stdin().is_terminal() {
        return line(&mut io::stdin().lock()).map_err(failed);
    }
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let first = ask(&mut terminal, &format!("password of {name}: ")).map_err(failed)?;
    if ask(&mut terminal, "again: ").map_err(failed)? != first {
        return Err("the two passwords differ: nothing was changed".into());
    }
    Ok(first)
}

fn ask(terminal: &mut File, prompt: &str) -> io::Result<String> {
    let quiet = Quiet::new(terminal.try_clone()?)?;
    write!(terminal, "{prompt}")?;
    let text = line(&mut BufReader::with_capacity(1, &mut *terminal));
    drop(quiet);
    writeln!(terminal)?;
    text
}

/// A line without its end, of a password's length at most.
fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    // Two more: the line's end, and what shows that it is too long.
    let most = u64::try_from(LONGEST_BYTES + 2).unwrap_or(u64::MAX);
    input.take(most).read_until(b'\n', &mut bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_password_without_its_end() {
        for (text, wanted) in [("a b\nc", "a b"), ("a\r\n", "a"), ("a", "a"), ("", "")] {
            assert_eq!(line(&mut text.as_bytes()).unwrap(), wanted);
        }
        assert!(line(&mut "x".repeat(9_999).as_bytes()).unwrap().len() > LONGEST_BYTES);
        assert!(line(&mut &b"\xff\n"[..]).is_err());
    }
}
