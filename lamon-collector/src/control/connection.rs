//! A connection of the control socket: a line, an answer, and so on, one at a time.

use std::io;
use std::time::Duration;

use lamon_control::{MAX_ANSWER_BYTES, MAX_REQUEST_BYTES, Refusal, Request, RequestError, Response, Why};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tracing::error;

use super::{Operations, who};

/// How long a connection may be without a whole request, and a request without its whole answer being read.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Serves a connection to its end.
pub(super) async fn serve(stream: UnixStream, operations: Operations) {
    let user = who::user_of(&stream).await;
    let mut stream = BufReader::with_capacity(1 << 10, stream);
    let mut line = Vec::new();
    // Whoever goes away or stays silent loses his connection, and nothing else.
    while let Ok(Ok(true)) = timeout(IDLE_TIME, read_line(&mut stream, &mut line)).await {
        let (response, last) = match Request::parse(&line) {
            Ok(Request { who: says, ask, .. }) => {
                let who = who::called(&user, says.as_deref());
                (operations.ask(ask, &who).await, false)
            }
            // What follows an endless line is the rest of it.
            Err(error) => (refused(Why::BadRequest, &error.to_string()), error == RequestError::TooLong),
        };
        let written = timeout(IDLE_TIME, stream.get_mut().write_all(&encoded(&response))).await;
        if last || !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}

/// Reads a line, no more than a request may have and one byte. Whether there was one.
async fn read_line(stream: &mut BufReader<UnixStream>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let most = u64::try_from(MAX_REQUEST_BYTES + 1).unwrap_or(u64::MAX);
    stream.take(most).read_until(b'\n', line).await?;
    // Half a line at the end is none: it may be half an order.
    Ok(line.ends_with(b"\n") || line.len() > MAX_REQUEST_BYTES)
}

fn refused(why: Why, text: &str) -> Response {
    Err(Refusal::new(why, text)).into()
}

fn encoded(response: &Response) -> Vec<u8> {
    let encode = |response: &Response| {
        serde_json::to_vec(response).map(|mut line| {
            line.push(b'\n');
            line
        })
    };
    match encode(response) {
        Ok(line) if line.len() <= MAX_ANSWER_BYTES => line,
        Ok(line) => {
            error!(bytes = line.len(), "an answer of the control socket is longer than it may be");
            encode(&refused(Why::NotPossible, "the answer would be too long")).unwrap_or_default()
        }
        Err(error) => {
            error!(%error, "an answer of the control socket does not become JSON");
            Vec::new()
        }
    }
}

/// Says that there are too many, if that can be said at once.
pub(super) fn turn_away(stream: &UnixStream) {
    let text = "too many connections to the control socket: try again";
    let _ = stream.try_write(&encoded(&refused(Why::Busy, text)));
}
