//! What is done on an archive's connection besides storing samples: written once, done on either database.

use std::time::Duration;

use diesel::QueryResult;

use crate::{
    age::Present,
    db::Db,
    registers::{self, Event, NodeRecord, Setting},
    upkeep::{Retention, Upkeep, Upkept},
};

/// Something to do on an archive's connection, the same on both databases.
pub(crate) trait Task: Clone + Send + 'static {
    /// What it gives.
    type Output: Send + 'static;

    /// How long a server may take for it. One that takes longer is as good as away.
    const LIMIT: Duration = Duration::from_secs(60);

    /// Does it. When it fails, what it began is rolled back.
    async fn perform<D: Db>(self, db: &mut D, hub: &str, upkeep: &mut Upkeep) -> QueryResult<Self::Output>;
}

/// One step of upkeep.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) retention: Retention,
    pub(super) present: Present,
}

impl Task for Step {
    type Output = Upkept;

    /// Dropping a partition waits for whoever reads it, and making months may move rows.
    const LIMIT: Duration = Duration::from_secs(1_800);

    async fn perform<D: Db>(self, db: &mut D, _: &str, upkeep: &mut Upkeep) -> QueryResult<Upkept> {
        upkeep.step(db, &self.retention, self.present).await
    }
}

/// Storing events.
#[derive(Clone)]
pub(super) struct AppendEvents(pub(super) Vec<Event>);

impl Task for AppendEvents {
    type Output = ();

    async fn perform<D: Db>(self, db: &mut D, hub: &str, _: &mut Upkeep) -> QueryResult<()> {
        registers::append_events(db, hub, &self.0).await
    }
}

/// Storing what is known of nodes.
#[derive(Clone)]
pub(super) struct UpsertNodes(pub(super) Vec<NodeRecord>);

impl Task for UpsertNodes {
    type Output = ();

    async fn perform<D: Db>(self, db: &mut D, hub: &str, _: &mut Upkeep) -> QueryResult<()> {
        registers::upsert_nodes(db, hub, &self.0).await
    }
}

/// Writing a setting.
#[derive(Clone)]
pub(super) struct Set(pub(super) Setting);

impl Task for Set {
    type Output = ();

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<()> {
        registers::set(db, &self.0).await
    }
}

/// Removing a setting.
#[derive(Clone)]
pub(super) struct Reset(pub(super) String);

impl Task for Reset {
    type Output = bool;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<bool> {
        registers::reset(db, &self.0).await
    }
}

/// Reading settings whose names begin so.
#[derive(Clone)]
pub(super) struct ListSettings(pub(super) String);

impl Task for ListSettings {
    type Output = Vec<Setting>;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<Vec<Setting>> {
        registers::settings(db, &self.0).await
    }
}
