//! What a program was asked to print, for a person or for the next program of a pipe.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::exit;

/// Prints a text as it is.
///
/// Where the reader went away (`| head`) nobody wants the rest: the program ends, as it would by SIGPIPE, which Rust's programs
/// ignore. Where the output cannot be written, a full disk, it ends with [`exit::SOFTWARE`] after a sentence: a half answer must not
/// look like a whole one.
pub fn print(text: impl Display) {
    let mut output = io::stdout().lock();
    let Err(error) = write!(output, "{text}").and_then(|()| output.flush()) else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(exit::OK.into());
    }
    let _ = writeln!(io::stderr(), "the answer cannot be written: {error}");
    std::process::exit(exit::SOFTWARE.into());
}

/// [`print()`] with an end of line.
pub fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}
