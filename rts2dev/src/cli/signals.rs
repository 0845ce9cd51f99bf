//! The signals that end a daemon: SIGTERM and SIGINT (RTS2 lib/rts2/block.cpp). RTS2's scripts stop a device with SIGTERM.

use std::io;

use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM and SIGINT, for [`Device::run`](crate::Device::run): the device then ends in
/// order. SIGHUP, which RTS2's `reload` sends, is ignored from then on. To be called on a tokio runtime.
///
/// # Errors
/// When the system does not let the program listen for signals.
pub fn ended_by_signal() -> io::Result<CancellationToken> {
    let ended = CancellationToken::new();
    let cancel = ended.clone().drop_guard();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            let _cancel = cancel;
            loop {
                tokio::select! {
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                    _ = hangup.recv() => {}
                }
            }
        });
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        let _cancel = cancel;
        let _ = tokio::signal::ctrl_c().await;
    });
    Ok(ended)
}
