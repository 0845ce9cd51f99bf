//! Brings the tables of a MySQL database up to date, one hub at a time.

use std::time::Duration;

use diesel::result::Error;
use diesel_async::{AsyncMysqlConnection, async_connection_wrapper::AsyncConnectionWrapper};
use tokio::{select, task, time::timeout};

use super::{
    ArchiveError,
    marks::now_ms,
    mysql_fault::{MysqlFault, fault_of},
    mysql_lease::{acquire, keep, release},
    mysql_session::Session,
    servers::{MysqlServer, MysqlTarget},
};
use crate::{
    db::Db,
    migrations::{self, MigrateError},
    upkeep::{are_partitioned, prepare_partitions},
};

/// How long the migrations may take, with the wait for another hub that runs them: a large table that is written anew
/// takes its time.
const MIGRATE_LIMIT: Duration = Duration::from_secs(6 * 3_600);

/// Runs the migrations that lack and partitions the tables, one hub at a time.
pub(super) async fn migrate(
    session: Session,
    target: &MysqlTarget,
    hub: &str,
) -> Result<AsyncMysqlConnection, ArchiveError> {
    let server = target.present();
    let Session { mut connection, galera } = session;
    if !galera {
        // The session's end gives the lock back too.
        if let Err(error) = connection.run("DO GET_LOCK('lamon_migrate', 300)", Vec::new()).await {
            return Err(fault_of(&mut connection, error).await.into_error(server));
        }
        let mut connection = migrate_alone(connection, server).await?;
        return match connection.run("DO RELEASE_LOCK('lamon_migrate')", Vec::new()).await {
            Ok(_) => Ok(connection),
            Err(error) => Err(fault_of(&mut connection, error).await.into_error(server)),
        };
    }
    match is_current(&mut connection).await {
        Ok(true) => return Ok(connection),
        Ok(false) => {}
        Err(error) => return Err(fault_of(&mut connection, error).await.into_error(server)),
    }
    match timeout(MIGRATE_LIMIT, acquire(&mut connection, hub)).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => return Err(fault.into_error(server)),
        Err(_) => return Err(too_long(server)),
    }
    let mut connection = select! {
        done = migrate_alone(connection, server) => done?,
        () = keep(target, hub) => return Err(too_long(server)),
    };
    match release(&mut connection, hub).await {
        Ok(()) => Ok(connection),
        Err(error) => Err(fault_of(&mut connection, error).await.into_error(server)),
    }
}

/// Whether there is nothing to migrate.
async fn is_current(connection: &mut AsyncMysqlConnection) -> Result<bool, Error> {
    let sql = "SELECT TABLE_NAME AS t FROM information_schema.TABLES \
               WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '__diesel_schema_migrations'";
    if connection.text(sql, Vec::new()).await?.is_none() {
        return Ok(false);
    }
    let newest =
        connection.text("SELECT MAX(version) AS t FROM __diesel_schema_migrations", Vec::new()).await?;
    Ok(newest == migrations::archive_version() && are_partitioned(connection, now_ms()).await?)
}

fn too_long(server: &MysqlServer) -> ArchiveError {
    let text = format!("its tables were not ready within {} s", MIGRATE_LIMIT.as_secs());
    MysqlFault::Unreachable(text).into_error(server)
}

/// Runs the migrations, on a thread that may block, since diesel's are not asynchronous, and partitions the tables.
async fn migrate_alone(
    connection: AsyncMysqlConnection,
    server: &MysqlServer,
) -> Result<AsyncMysqlConnection, ArchiveError> {
    let work = task::spawn_blocking(move || {
        let mut connection: AsyncConnectionWrapper<AsyncMysqlConnection> = connection.into();
        let result = migrations::migrate(&mut connection, &migrations::MYSQL);
        (connection.into_inner(), result)
    });
    let (mut connection, result) = match timeout(MIGRATE_LIMIT, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => {
            return Err(ArchiveError::Other(format!("the migration of {server} ended early: {error}")));
        }
        Err(_) => return Err(too_long(server)),
    };
    match result {
        Ok(_) => match prepare_partitions(&mut connection, now_ms()).await {
            Ok(()) => Ok(connection),
            Err(error) => Err(fault_of(&mut connection, error).await.into_error(server)),
        },
        Err(error @ MigrateError::Newer { .. }) => {
            Err(ArchiveError::Newer(format!("the database {server} {error}")))
        }
        Err(MigrateError::Failed(text)) => {
            let error = Error::DatabaseError(diesel::result::DatabaseErrorKind::Unknown, Box::new(text));
            Err(fault_of(&mut connection, error).await.into_error(server))
        }
    }
}
