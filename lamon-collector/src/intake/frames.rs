//! Takes an agent's bytes from its connection: the hello first, then what becomes frames.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};

use lamon_wire::MAGIC;
use lamon_wire::framing::FrameBuffer;
use lamon_wire::hello::Hello;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// Bytes taken from the socket at once: a sample of core metrics is 40, a backlog's frame a few thousand. They lie on the
/// stack only while they are read, so that a thousand idle connections have no such buffer each.
const READ_BYTES: usize = 16_384;

/// The hello behind the magic, with the secret that it brings; the sentence for who said none.
pub(super) async fn read_hello(
    stream: &mut (impl AsyncRead + Unpin),
    frames: &mut FrameBuffer,
) -> Result<(Hello, Option<String>), String> {
    let mut magic = [0; MAGIC.len()];
    stream.read_exact(&mut magic).await.map_err(|error| error.to_string())?;
    loop {
        if let Some(payload) = frames.next_frame() {
            let hello = Hello::parse(payload).map_err(|error| error.to_string())?;
            return Ok((hello, Hello::parse_extra(payload).join));
        }
        if read(stream, frames).await.map_err(|error| error.to_string())? == 0 {
            return Err("the connection ended within the hello".into());
        }
    }
}

/// Reads what is there into `frames`; how many bytes, 0 at the end of the stream. Cancel-safe.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    frames: &mut FrameBuffer,
) -> std::io::Result<usize> {
    poll_fn(|context| {
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut bytes);
        match ready!(Pin::new(&mut *stream).poll_read(context, &mut read)) {
            // An agent that ends takes no leave in TLS. Frames say how long they are: nobody can make one of less.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Poll::Ready(Ok(0)),
            read => read?,
        }
        frames.extend(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    })
    .await
}
