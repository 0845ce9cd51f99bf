//! What every connection of the intake does the same way.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Within this time a connection must have said which language it speaks, and who it is.
pub(super) const HELLO_TIME: Duration = Duration::from_secs(10);

/// Ends a connection so that the peer still gets the last answer: a close with unread bytes would be a reset, which
/// throws the answer away on its side.
pub(super) async fn close_gently(mut stream: TcpStream) {
    /// As much as a peer may still have on its way; more is its own fault.
    const DRAIN_BYTES: usize = 64 * 1_024;
    let _ = stream.shutdown().await;
    let drain = async {
        let mut drained = 0;
        let mut scratch = [0; 1_024];
        while drained < DRAIN_BYTES {
            match stream.read(&mut scratch).await {
                Ok(0) | Err(_) => break,
                Ok(count) => drained += count,
            }
        }
    };
    let _ = timeout(Duration::from_secs(1), drain).await;
}
