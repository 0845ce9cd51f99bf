//! Takes browsers' connections, so many and no longer than they deserve, and not all of one address.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::crowd::Crowd;
use crate::login::Peer;
use crate::tls::Certificate;

/// The most connections at once: every live page, and as many again that ask for something. The others wait.
const MAX_CONNECTIONS: usize = 400;

/// How long a request's head may take, and how long a connection may be idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long the handshake of TLS may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long a client may take nothing of an answer before it counts as gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// The longest head of a request, bytes: a browser's is a tenth.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// The pause after the system gave no connection: it has no files left, most likely.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers until the end, by TLS where there is a certificate.
pub(crate) async fn serve(
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    ended: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let crowd = Crowd::default();
    while let Ok(permit) = room.clone().acquire_owned().await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended.cancelled() => return,
        };
        match accepted {
            Ok((stream, from)) => {
                // Closed without a word: an answer would cost what there is too little of.
                let Some(place) = crowd.admit(from.ip()) else { continue };
                let router = router.clone().layer(Extension(Peer(from)));
                let tls = certificate.as_ref().map(|certificate| certificate.acceptor());
                tokio::spawn(async move {
                    converse(stream, tls, router).await;
                    drop((permit, place));
                });
            }
            Err(error) => {
                warn!("a connection could not be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
    // Small answers go at once; where that cannot be had they go a little later.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_WITHIN));
    let stream = Box::pin(stream);
    match tls {
        None => speak(stream, router).await,
        Some(acceptor) => match timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => speak(stream, router).await,
            Ok(Err(error)) => debug!("a connection did not come to TLS: {error}"),
            Err(_) => debug!("a connection did not come to TLS in time"),
        },
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(MAX_HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        debug!("a connection ended: {error}");
    }
}
