//! Readiness and watchdog of a `Type=notify` unit. Without systemd nothing happens.

use std::time::Duration;

/// Tells systemd that the daemon does its work from now on.
pub fn ready() {
    notify(State::Ready);
}

/// Tells systemd that the daemon ends.
pub fn stopping() {
    notify(State::Stopping);
}

/// Shows a line in `systemctl status`.
pub fn status(text: &str) {
    notify(State::Status(text));
}

/// Tells systemd that the daemon is alive; see [`watchdog_period`].
pub fn alive() {
    notify(State::Alive);
}

/// How often [`alive`] must be called: half of what the unit's `WatchdogSec=` allows, `None` without a watchdog.
///
/// The call belongs into the task whose standstill would be the daemon's, not into one of its own.
#[must_use]
pub fn watchdog_period() -> Option<Duration> {
    #[cfg(unix)]
    return sd_notify::watchdog_enabled().map(|allowed| allowed / 2);
    #[cfg(not(unix))]
    None
}

#[derive(Clone, Copy)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nobody is told there"))]
enum State<'a> {
    Ready,
    Stopping,
    Alive,
    Status(&'a str),
}

fn notify(state: State<'_>) {
    #[cfg(unix)]
    {
        use sd_notify::NotifyState;
        let state = match state {
            State::Ready => NotifyState::Ready,
            State::Stopping => NotifyState::Stopping,
            State::Alive => NotifyState::Watchdog,
            State::Status(text) => NotifyState::Status(text),
        };
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::debug!(%error, "systemd does not take a notice");
        }
    }
    #[cfg(not(unix))]
    let _ = state;
}
