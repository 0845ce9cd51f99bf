//! SIGTERM and SIGINT end the daemon, SIGHUP reloads it. On Windows Ctrl-C does, and what closes its console.

use std::io;

use tokio_util::sync::CancellationToken;

/// A token that is cancelled when the process is asked to end (SIGTERM, SIGINT; elsewhere Ctrl-C).
///
/// # Errors
///
/// When the handlers cannot be set up.
pub fn shutdown() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            cancelled.cancel();
        });
    }
    #[cfg(windows)]
    {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        let (mut c, mut pause) = (ctrl_c()?, ctrl_break()?);
        let (mut close, mut end) = (ctrl_close()?, ctrl_shutdown()?);
        tokio::spawn(async move {
            tokio::select! {
                _ = c.recv() => {}
                _ = pause.recv() => {}
                _ = close.recv() => {}
                _ = end.recv() => {}
            }
            cancelled.cancel();
        });
    }
    #[cfg(not(any(unix, windows)))]
    tokio::spawn(async move {
        // Without a handler Ctrl-C ends the process by itself.
        if tokio::signal::ctrl_c().await.is_ok() {
            cancelled.cancel();
        }
    });
    Ok(token)
}

/// Requests to read the configuration again (SIGHUP). Elsewhere than on Unix none ever comes.
#[derive(Debug)]
pub struct Reloads {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Reloads {
    /// Starts to listen; from here on SIGHUP no longer ends the process.
    ///
    /// # Errors
    ///
    /// When the handler cannot be set up.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            hangup: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
        })
    }

    /// Waits for the next request. Cancel-safe.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if self.hangup.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
