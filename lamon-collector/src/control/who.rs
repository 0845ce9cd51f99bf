//! Who is at the other end of a connection: the user by the kernel's word, and what he calls himself.

use std::time::Duration;

use nix::unistd::{Uid, User};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The longest wait for the system's list of users, which may be on another machine.
const LOOK_UP_TIME: Duration = Duration::from_secs(2);

/// The user's name, or his number where he has none that can be had.
pub(super) async fn user_of(stream: &UnixStream) -> String {
    let Ok(peer) = stream.peer_cred() else { return "somebody".into() };
    let uid = peer.uid();
    // The look-up may ask a server: not on the thread that owns everything.
    let looked_up = tokio::task::spawn_blocking(move || User::from_uid(Uid::from_raw(uid)));
    match timeout(LOOK_UP_TIME, looked_up).await {
        Ok(Ok(Ok(Some(user)))) => user.name,
        _ => format!("uid {uid}"),
    }
}

/// The name to write down: what somebody calls himself stands beside his user, never instead.
pub(super) fn called(user: &str, says: Option<&str>) -> String {
    match says.map(str::trim) {
        Some(says) if !says.is_empty() && says != user => format!("{says} ({user})"),
        _ => user.into(),
    }
}
