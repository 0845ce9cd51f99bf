//! Opening a session with a MySQL server, the way that every session of lamon is.

use std::time::Duration;

use diesel_async::AsyncMysqlConnection;
use mysql_async::{Conn, OptsBuilder};
use tokio::time::timeout;

use super::{ArchiveError, mysql_fault::MysqlFault, url::MysqlTarget};

/// How long a server may take to accept a session. One that hangs costs its own archive this long, and nothing else.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What every session sets. Strict: a value that does not fit is an error, never cut silently. The times are numbers,
/// yet whoever adds a time of the server's gets UTC. A lock is waited for at most 10 s, not MySQL's 50.
const SETUP: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
    ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 10";

/// Connects and sets the session up.
///
/// # Errors
///
/// See [`ArchiveError`].
pub(crate) async fn open_session(target: &MysqlTarget) -> Result<AsyncMysqlConnection, ArchiveError> {
    let password = target.password().map_err(ArchiveError::Refused)?;
    let options = OptsBuilder::default()
        .ip_or_hostname(target.host.clone())
        .tcp_port(target.port)
        .user(Some(target.user.clone()))
        .pass(password)
        .db_name(Some(target.database.clone()))
        // The address says where the server is; a socket that the server names may be another machine's.
        .prefer_socket(false)
        // Affected rows then tell a row that was written from one that was there.
        .client_found_rows(false)
        // diesel keeps its own.
        .stmt_cache_size(0)
        .setup(vec![SETUP]);
    let connecting = async {
        let connection =
            Conn::new(options).await.map_err(|error| MysqlFault::of_connect(error).into_error(target))?;
        AsyncMysqlConnection::try_from(connection)
            .await
            .map_err(|error| MysqlFault::Unreachable(error.to_string()).into_error(target))
    };
    match timeout(CONNECT_LIMIT, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(MysqlFault::Unreachable(format!("no answer within {} s", CONNECT_LIMIT.as_secs()))
            .into_error(target)),
    }
}
