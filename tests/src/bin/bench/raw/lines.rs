//! A bare reader of lines on a TCP connection: counts them and does nothing else.

use std::io::Read as _;
use std::net::TcpListener;

use crate::child::answer;

/// Bytes taken from the socket at once.
const READ_BYTES: usize = 64 << 10;

/// Answers with where it listens; counts the lines of one peer, and closes after the last.
pub(crate) fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    answer(&listener.local_addr()?.to_string())?;
    let (mut stream, _) = listener.accept()?;
    let mut read = vec![0; READ_BYTES];
    let mut lines = 0;
    loop {
        let count = stream.read(&mut read)?;
        if count == 0 {
            return answer(&lines);
        }
        lines += memchr::memchr_iter(b'\n', read.get(..count).unwrap_or_default()).count();
    }
}
