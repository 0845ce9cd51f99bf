//! One connection to the small centrald. Waits on its socket, on lines for it, and on time.

use std::sync::Arc;

use rts2_proto::{KeepAlive, KeepAliveAction, Line, Technical};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::hub::{Hub, Mailbox};
use crate::wire::Wire;

/// Serves a peer to its end.
pub(super) async fn serve(stream: TcpStream, hub: Arc<Hub>, shutdown: CancellationToken) {
    let address = stream.peer_addr().map_or_else(|_| "nowhere".to_owned(), |address| address.to_string());
    let Some(mailbox) = hub.connected(address) else { return };
    converse(Wire::new(stream), &hub, &mailbox, &shutdown).await;
    hub.disconnected(mailbox.id);
}

async fn converse(mut wire: Wire, hub: &Hub, mailbox: &Mailbox, shutdown: &CancellationToken) {
    let mut keep_alive = KeepAlive::new(Instant::now().into_std());
    let mut line = Vec::new();
    loop {
        wire.give_way().await;
        // A peer that does not read fills its queue, where it is noticed, and not this buffer.
        if wire.has_room() {
            hub.take_output(mailbox.id, &mut wire.out);
        }
        if wire.has_room()
            && let Some(whole) = wire.next_line(&mut line)
        {
            if mailbox.closed.is_cancelled() {
                return;
            }
            keep_alive.handle_heard(Instant::now().into_std());
            if whole {
                hub.handle_line(mailbox.id, &line);
            }
            continue;
        }
        let read = wire.has_room();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = mailbox.closed.cancelled() => return,
            turned = wire.turn(read) => if turned.is_err() {
                return;
            },
            () = mailbox.filled.notified() => {}
            () = tokio::time::sleep_until(Instant::from_std(keep_alive.next_timeout())) => {
                match keep_alive.handle_timeout(Instant::now().into_std()) {
                    KeepAliveAction::Wait => {}
                    KeepAliveAction::AskReady => Line::Technical(Technical::Ready).write_to(&mut wire.out),
                    KeepAliveAction::Close => return,
                }
            }
        }
    }
}
