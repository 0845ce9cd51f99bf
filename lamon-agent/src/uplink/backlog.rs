//! The backlog: the samples that no hub has yet, in the ring and, where that is configured, in the spool.

use std::future::pending;

use lamon_wire::frames::Anchor;
use lamon_wire::names::NodeName;

use super::Progress;
use crate::clock::Now;
use crate::config::Config;
use crate::ring::Ring;
use crate::spool::{Late, OpenError, Opened, Place, Spool, Tried, Written};

/// The ring, with the spool that follows it.
pub(super) struct Backlog {
    pub(super) ring: Ring,
    pub(super) epoch: u32,
    /// What a hub last said of the time, in this boot.
    pub(super) hub_time: Option<Anchor>,
    spool: Option<Spool>,
    /// A spool that could not be used at the start.
    late: Option<Late>,
}

impl Backlog {
    /// Takes up what is in the spool. One that cannot be used is told of and done without until it can.
    ///
    /// # Errors
    ///
    /// When another agent uses the spool.
    pub(super) fn open(config: &Config, node: &NodeName, boot_id: [u8; 16]) -> Result<Self, OpenError> {
        let mut ring = Ring::new(config.buffer.bytes());
        let mut epoch = fastrand::u32(..);
        let (mut spool, mut late) = (None, None);
        if let Some(folder) = &config.spool {
            let place = Place {
                folder: folder.clone(),
                node: node.clone(),
                limit_bytes: config.spool_size.bytes() as u64,
                delay: config.spool_delay.duration(),
                boot_id,
                ring_bytes: config.buffer.bytes(),
            };
            match place.open() {
                Ok(opened) => {
                    (spool, ring) = (Some(opened.spool), opened.ring);
                    if let Some(kept) = opened.epoch {
                        epoch = kept;
                        tracing::info!("{} samples come out of the spool", ring.len());
                    }
                }
                Err(error @ OpenError::InUse(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        "{error}; samples are kept in memory only until it can, it is tried again"
                    );
                    late = Some(Late::new(place, Now::read().monotonic_ms()));
                }
            }
        }
        Ok(Self { ring, epoch, hub_time: None, spool, late })
    }

    /// Waits for the spool's disk. Cancel-safe.
    pub(super) async fn progress(&mut self) -> Progress {
        let Self { spool, late, .. } = self;
        let spool = async {
            match spool {
                Some(spool) => Progress::Spooled(spool.written().await),
                None => pending().await,
            }
        };
        let late = async {
            match late {
                Some(late) => Progress::SpoolTried(late.tried().await),
                None => pending().await,
            }
        };
        tokio::select! {
            progress = spool => progress,
            progress = late => progress,
        }
    }

    /// When [`Backlog::handle_timeout`] has something to do, milliseconds of the monotonic clock.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let spool = self.spool.as_ref().and_then(|spool| spool.deadline_ms(&self.ring));
        let late = self.late.as_ref().and_then(Late::deadline_ms);
        spool.into_iter().chain(late).min()
    }

    /// The disk is done with what it was given.
    pub(super) fn handle_written(&mut self, written: Written) {
        if let Some(spool) = &mut self.spool {
            spool.handle_written(Now::read(), written, &mut self.ring);
        }
    }

    /// A spool that could not be used was tried again.
    pub(super) fn handle_tried(&mut self, tried: Tried) {
        if let Some(late) = &mut self.late {
            late.handle_tried(Now::read().monotonic_ms(), tried);
        }
    }

    /// Time passed.
    pub(super) fn handle_timeout(&mut self, now: Now) {
        if let Some(spool) = &mut self.spool {
            spool.handle_timeout(now, self.hub_time, self.epoch, &mut self.ring);
        }
        if let Some(late) = &mut self.late {
            late.handle_timeout(now.monotonic_ms());
        }
    }

    /// Uses a spool that could not be used before, if it can be used now. `true` when the epoch that it left goes on.
    pub(super) fn use_late_spool(&mut self) -> bool {
        let nothing_waits = self.ring.is_empty();
        let Some(opened) = self.late.as_mut().and_then(|late| late.take(nothing_waits)) else { return false };
        let Opened { spool, ring, epoch } = opened;
        (self.spool, self.late) = (Some(spool), None);
        let Some(epoch) = epoch else {
            tracing::info!("the spool can be used now");
            return false;
        };
        (self.ring, self.epoch) = (ring, epoch);
        tracing::info!("the spool can be used now, {} samples come out of it", self.ring.len());
        true
    }

    /// The hub has more of this epoch than is here: another one begins.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch = fastrand::u32(..);
        self.ring.begin_epoch();
        if let Some(spool) = &mut self.spool {
            spool.begin_epoch();
        }
    }

    /// Leaves on disk what no hub has, when there is a spool.
    pub(super) async fn finish(mut self) {
        if let Some(spool) = &mut self.spool {
            spool.finish(self.hub_time, self.epoch, &mut self.ring).await;
        }
    }
}
