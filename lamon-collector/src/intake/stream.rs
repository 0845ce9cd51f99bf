//! A connection of the intake, plain or in TLS, and what every one does the same way.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lamon_keys::Fingerprint;
use lamon_wire::{Language, MAGIC};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// Within this time a connection must have said which language it speaks, and who it is, its handshake included.
pub(super) const HELLO_TIME: Duration = Duration::from_secs(10);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// From where.
    pub(crate) address: SocketAddr,
    /// The key that it proved to have.
    pub(crate) key: Option<Fingerprint>,
    /// Whether it may speak without one.
    pub(crate) plain_taken: bool,
    /// By when it must have said who it is.
    pub(crate) until: Instant,
}

/// The bytes to and from a peer.
#[derive(Debug)]
pub(super) enum Stream {
    /// As they are.
    Plain(TcpStream),
    /// In TLS, with those that were read to tell their language and are to be read again.
    Tls(Box<TlsStream<TcpStream>>, Vec<u8>),
}

impl Stream {
    /// Shakes hands with a peer that speaks TLS; with the key that it has, and the language that it speaks inside. `None`
    /// when it ends or breaks off before that is known, or speaks TLS inside TLS.
    pub(super) async fn accept(
        tls: Arc<ServerConfig>,
        stream: TcpStream,
    ) -> io::Result<Option<(Self, Option<Fingerprint>, Language)>> {
        let mut stream = Box::new(TlsAcceptor::from(tls).accept(stream).await?);
        let key = lamon_keys::key_of(stream.get_ref().1);
        let mut first = Vec::with_capacity(MAGIC.len());
        loop {
            let mut byte = [0];
            if stream.read(&mut byte).await? == 0 {
                return Ok(None);
            }
            first.extend(byte);
            match Language::of(&first) {
                Some(Language::Tls) => return Ok(None),
                Some(language) => return Ok(Some((Self::Tls(stream, first), key, language))),
                None => {}
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, out),
            Self::Tls(stream, first) if first.is_empty() => Pin::new(stream).poll_read(context, out),
            Self::Tls(_, first) => {
                let count = first.len().min(out.remaining());
                for byte in first.drain(..count) {
                    out.put_slice(&[byte]);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream, _) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream, _) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream, _) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// Ends a connection so that the peer still gets the last answer: a close with unread bytes would be a reset, which
/// throws the answer away on its side.
pub(super) async fn close_gently(mut stream: Stream) {
    /// As much as a peer may still have on its way; more is its own fault.
    const DRAIN_BYTES: usize = 64 * 1_024;
    let end = async {
        let _ = stream.shutdown().await;
        let mut drained = 0;
        let mut scratch = [0; 1_024];
        while drained < DRAIN_BYTES {
            match stream.read(&mut scratch).await {
                Ok(0) | Err(_) => break,
                Ok(count) => drained += count,
            }
        }
    };
    let _ = timeout(Duration::from_secs(1), end).await;
}
