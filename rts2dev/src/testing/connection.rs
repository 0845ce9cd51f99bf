//! One connection to the small centrald. Waits on its socket, on lines for it, and on time.

use std::sync::Arc;

use rts2_proto::{KeepAlive, KeepAliveAction, Line, Technical};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use crate::wire::Wire;

pub(super) async fn serve(stream: TcpStream, hub: Arc<Hub>, shutdown: CancellationToken) {
    let mut wire = Wire::new(stream);
    let (id, outbox, closed) = hub.connected();
    let mut keep_alive = KeepAlive::new(Instant::now().into_std());
    let mut line = Vec::new();
    loop {
        wire.give_way().await;
        hub.take_output(id, &mut wire.out);
        if wire.has_room()
            && let Some(whole) = wire.next_line(&mut line)
        {
            if whole {
                hub.handle_line(id, &line);
            }
            continue;
        }
        let read = wire.has_room();
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = closed.cancelled() => break,
            turned = wire.turn(read) => match turned {
                Ok(()) => keep_alive.handle_heard(Instant::now().into_std()),
                Err(_) => break,
            },
            () = outbox.notified() => {}
            () = tokio::time::sleep_until(Instant::from_std(keep_alive.next_timeout())) => {
                match keep_alive.handle_timeout(Instant::now().into_std()) {
                    KeepAliveAction::Wait => {}
                    KeepAliveAction::AskReady => Line::Technical(Technical::Ready).write_to(&mut wire.out),
                    KeepAliveAction::Close => break,
                }
            }
        }
    }
    hub.disconnected(id);
}
