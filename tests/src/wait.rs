//! Waiting for what must happen: one deadline for all, long enough for a busy machine, and a panic that says what was
//! waited for.
#![expect(clippy::panic, reason = "a test that waited in vain ends here, with what it waited for")]

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// The longest wait for anything. A test that reaches it has failed; none measures how long it took.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// How often something that cannot be waited for is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(30);

/// Waits for something to happen.
///
/// # Panics
///
/// When it does not within [`PATIENCE`].
pub async fn patiently<T>(what: &str, happening: impl Future<Output = T>) -> T {
    timeout(PATIENCE, happening).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

/// Looks again and again until there is something to see.
///
/// # Panics
///
/// When there is nothing within [`PATIENCE`].
pub async fn eventually<T, L: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> L) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        sleep(LOOK_AGAIN).await;
    }
}
