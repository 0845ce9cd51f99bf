//! The primary device of a program, as its other devices see it: they are registered with a centrald only while it is.

use tokio::sync::watch;

use crate::status::{CentraldStatus, Registration};

/// How the primary device stands with one centrald.
pub(super) struct Primary {
    status: watch::Receiver<CentraldStatus>,
    address: String,
}

impl Primary {
    /// `None` when the primary device has no such centrald: there nobody has to wait for it.
    pub(super) fn at(status: &watch::Receiver<CentraldStatus>, address: &str) -> Option<Self> {
        let known = status.borrow().links.iter().any(|link| link.address == address);
        known.then(|| Self { status: status.clone(), address: address.to_owned() })
    }

    /// Its registration there. A device that has ended is registered nowhere.
    pub(super) fn registration(&self) -> Registration {
        if self.status.has_changed().is_err() {
            return Registration::Disconnected;
        }
        let status = self.status.borrow();
        let link = status.links.iter().find(|link| link.address == self.address);
        link.map_or(Registration::Disconnected, |link| link.registration)
    }

    /// Whether it is registered there.
    pub(super) fn is_registered(&self) -> bool {
        matches!(self.registration(), Registration::Registered { .. })
    }

    /// Returns when something about it changed; never again when it has ended.
    pub(super) async fn changed(&mut self) {
        if self.status.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when it is registered there no more.
    pub(super) async fn lost(primary: &mut Option<Self>) {
        match primary {
            None => std::future::pending().await,
            Some(primary) => while primary.is_registered() && primary.status.changed().await.is_ok() {},
        }
    }
}
