//! Night and day as centrald has them.
//!
//! centrald's part of the day decides, whether it is on or off: computers are wanted while the sky is dark, also when
//! clouds keep the dome closed. Evening and morning, when cameras cool down and warm up, are day.

use std::sync::Arc;
use std::time::Duration;

use lamon_collector::watch::Phase;
use rts2dev::proto::DeviceState;
use rts2dev::{CentraldStatus, Registration};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// centrald's words for the dark part of the day: dusk, night and dawn (RTS2 include/status.h).
const DARK: std::ops::RangeInclusive<u32> = 2..=4;

/// What the centralds say, the first of those that were heard; `None` while none is.
#[must_use]
pub fn phase(status: &CentraldStatus) -> Option<Phase> {
    let registered = |registration| matches!(registration, Registration::Registered { .. });
    let link = status.links.iter().find(|link| registered(link.registration) && link.state_heard)?;
    let part = link.state.intersection(DeviceState::SERVERD_STATUS_MASK).bits();
    Some(if DARK.contains(&part) { Phase::Night } else { Phase::Day })
}

/// How long what was said stands while devices register anew: longer than that takes, so that nothing is judged as by day or by
/// night in between.
const ANEW: Duration = Duration::from_secs(15);

/// Passes on what the centralds of the summary device say.
#[derive(Debug)]
pub struct Sky {
    told: Arc<watch::Sender<Option<Phase>>>,
    following: JoinHandle<()>,
}

impl Sky {
    /// Follows these centralds, in a task of the runtime that it is called on, until one of the ends is gone.
    #[must_use]
    pub fn follow(status: watch::Receiver<CentraldStatus>) -> (Self, watch::Receiver<Option<Phase>>) {
        let (told, sky) = watch::channel(None);
        let told = Arc::new(told);
        (Self { following: tokio::spawn(follow(status, Arc::clone(&told))), told }, sky)
    }

    /// Follows the centralds of a device that stands in the place of the one before.
    pub fn follow_anew(&mut self, mut status: watch::Receiver<CentraldStatus>) {
        self.following.abort();
        let told = Arc::clone(&self.told);
        self.following = tokio::spawn(async move {
            // Heard or not, from then on it is as before.
            let _ = tokio::time::timeout(ANEW, status.wait_for(|status| phase(status).is_some())).await;
            follow(status, told).await;
        });
    }
}

async fn follow(mut status: watch::Receiver<CentraldStatus>, sky: Arc<watch::Sender<Option<Phase>>>) {
    loop {
        let phase = phase(&status.borrow_and_update());
        sky.send_if_modified(|before| std::mem::replace(before, phase) != phase);
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            () = sky.closed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use rts2dev::LinkStatus;

    use super::*;

    fn link(registered: bool, heard: bool, state: u32) -> LinkStatus {
        LinkStatus {
            address: String::new(),
            registration: if registered {
                Registration::Registered { id: 1 }
            } else {
                Registration::Disconnected
            },
            state: DeviceState::from_bits_retain(state),
            state_heard: heard,
            bop: DeviceState::empty(),
        }
    }

    #[test]
    fn the_part_of_the_day_is_night_while_it_is_dark() {
        use Phase::{Day, Night};
        let said = |links: &[LinkStatus]| phase(&CentraldStatus { links: links.to_vec() });
        for (state, wanted) in
            [(0, Day), (1, Day), (2, Night), (3, Night), (4, Night), (5, Day), (0x8000_0033, Night)]
        {
            assert_eq!(said(&[link(true, true, state)]), Some(wanted), "{state:x}");
        }
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[link(false, false, 3), link(true, false, 3)]), None);
        assert_eq!(said(&[link(false, false, 0), link(true, true, 3)]), Some(Night));
    }
}
