//! Who may change the tables, of several hubs that share a database: one at a time.
//!
//! A lone server has a lock for that, which ends with the session (`GET_LOCK`). In a Galera cluster each node has its own,
//! so there it is a row that two nodes cannot both have written: a lease, which is renewed while the work goes on, because
//! nobody notices on another node when its holder ends.

use std::time::Duration;

use diesel::{QueryResult, result::Error};
use diesel_async::AsyncMysqlConnection;
use tokio::time::sleep;
use tracing::{debug, info};

use super::{
    mysql_fault::{MysqlFault, fault_of},
    mysql_session::{Purpose, open_session},
    servers::MysqlTarget,
};
use crate::db::Db;

/// How long a lease lasts that is not renewed: the hubs of a site wait so long for one that was killed in the middle.
const LASTS_S: u32 = 60;

/// How often it is renewed: three times may fail.
const RENEW: Duration = Duration::from_secs(15);

/// How often one looks whether it is free.
const LOOK: Duration = Duration::from_millis(500);

/// Now, by the server's clock, in milliseconds since 1970.
const NOW_MS: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

/// Takes the lease for a hub, after others. A hub that was killed takes up its own.
pub(super) async fn acquire(connection: &mut AsyncMysqlConnection, hub: &str) -> Result<(), MysqlFault> {
    let mut told = false;
    loop {
        match take(connection, hub).await {
            Ok(holder) if holder == hub => return Ok(()),
            Ok(holder) => {
                if !std::mem::replace(&mut told, true) {
                    info!(%holder, "waiting for another hub that brings the tables to its version");
                }
            }
            Err(error) => match fault_of(connection, error).await {
                // Another node's hub was first.
                MysqlFault::Collision(reason) => debug!(reason, "another hub wants the tables as well"),
                fault => return Err(fault),
            },
        }
        sleep(LOOK).await;
    }
}

/// Tries to take or renew it and says who has it now.
async fn take(connection: &mut AsyncMysqlConnection, hub: &str) -> QueryResult<String> {
    let table = "SELECT TABLE_NAME AS t FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'migration_lease'";
    // Even where the table is, this would stop the whole cluster for an instant.
    if connection.text(table, Vec::new()).await?.is_none() {
        connection
            .run(
                "CREATE TABLE IF NOT EXISTS migration_lease (id TINYINT NOT NULL PRIMARY KEY, \
                 holder VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
                 until_ms BIGINT NOT NULL) ENGINE = InnoDB",
                Vec::new(),
            )
            .await?;
    }
    // The second assignment sees the first.
    let sql = format!(
        "INSERT INTO migration_lease (id, holder, until_ms) VALUES (1, ?, {NOW_MS} + {LASTS_S} * 1000) \
         ON DUPLICATE KEY UPDATE holder = IF(until_ms < {NOW_MS}, VALUES(holder), holder), \
         until_ms = IF(holder = VALUES(holder), VALUES(until_ms), until_ms)"
    );
    connection.run(&sql, vec![hub.into()]).await?;
    let holder = connection.text("SELECT holder AS t FROM migration_lease WHERE id = 1", Vec::new()).await?;
    holder.ok_or(Error::NotFound)
}

/// Renews the lease of a hub for ever, on a session of its own: that of the work is busy. When it cannot, others may
/// begin the same work in the end; each step of it bears that, and the server does one change of a table at a time.
pub(super) async fn keep(target: &MysqlTarget, hub: &str) {
    let mut target = target.clone();
    let mut session = None;
    loop {
        sleep(RENEW).await;
        let mut connection = match session.take() {
            Some(connection) => connection,
            None => match open_session(&mut target, Purpose::Write).await {
                Ok(session) => session.connection,
                Err(_) => continue,
            },
        };
        if take(&mut connection, hub).await.is_ok() {
            session = Some(connection);
        }
    }
}

/// Gives it back.
pub(super) async fn release(connection: &mut AsyncMysqlConnection, hub: &str) -> QueryResult<()> {
    let sql = "UPDATE migration_lease SET until_ms = 0 WHERE id = 1 AND holder = ?";
    connection.run(sql, vec![hub.into()]).await.map(drop)
}
