//! Opening a session with a MySQL server, the way that every session of lamon is, with the first of several servers that
//! will do.

use std::time::Duration;

use diesel_async::AsyncMysqlConnection;
use mysql_async::{Conn, OptsBuilder, prelude::Queryable};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{
    ArchiveError,
    mysql_fault::MysqlFault,
    mysql_standing::Standing,
    servers::{MysqlServer, MysqlTarget},
};

/// How long a server may take to accept a session. One that hangs costs its own archive this long, and nothing else.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long a session may be idle before the system asks whether the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What every session sets. Strict: a value that does not fit is an error, never cut silently. The times are numbers,
/// yet whoever adds a time of the server's gets UTC. A lock is waited for at most 10 s, not MySQL's 50.
const SETUP: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
    ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 10";

/// A transaction of a Galera node begins when the node has everything that the cluster had committed by then. Else a
/// hub that comes from another node could roll samples up without those that it had just stored there.
const CAUSAL: &str = "SET SESSION wsrep_sync_wait = 1";

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading alone: a replica will do.
    Read,
    /// Writing.
    Write,
}

/// A session, and whether the server is one of a Galera cluster.
pub(crate) struct Session {
    pub(crate) connection: AsyncMysqlConnection,
    pub(crate) galera: bool,
}

/// Opens a session with the first server, from the one that worked last, that will do. That one is then the present one.
///
/// # Errors
///
/// See [`ArchiveError`]: of the only server, or of all, in the order of the configuration.
pub(crate) async fn open_session(
    target: &mut MysqlTarget,
    purpose: Purpose,
) -> Result<Session, ArchiveError> {
    let mut failed = Vec::new();
    for place in target.turn() {
        let Some(server) = target.servers().get(place) else { continue };
        match open(server, purpose).await {
            Ok(session) => {
                for (_, error) in &failed {
                    // A reader takes what it finds; where a hub writes, an operator wants to know.
                    match purpose {
                        Purpose::Read => debug!(%error, "a server was passed over"),
                        Purpose::Write => warn!(%error, "a server was passed over"),
                    }
                }
                target.stay_with(place);
                return Ok(session);
            }
            Err(error) => failed.push((place, error)),
        }
    }
    // Always in the same order, so that the same trouble is the same sentence.
    failed.sort_unstable_by_key(|(place, _)| *place);
    let errors = failed.into_iter().map(|(_, error)| error);
    Err(all_failed(errors.collect(), purpose))
}

/// Asks each server by itself whether it would take rows.
pub(super) async fn survey(target: &MysqlTarget) -> Vec<(String, Result<(), ArchiveError>)> {
    let mut answers = Vec::new();
    for server in target.servers() {
        answers.push((server.to_string(), open(server, Purpose::Write).await.map(drop)));
    }
    answers
}

/// One error for those of all servers.
fn all_failed(mut errors: Vec<ArchiveError>, purpose: Purpose) -> ArchiveError {
    if errors.len() == 1
        && let Some(only) = errors.pop()
    {
        return only;
    }
    let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let can = if purpose == Purpose::Write { "takes rows" } else { "can be read" };
    let text = format!("none of {} servers {can}: {}", errors.len(), reasons.join("; "));
    if errors.iter().all(|error| matches!(error, ArchiveError::Refused(_))) {
        ArchiveError::Refused(text)
    } else {
        ArchiveError::Unreachable(text)
    }
}

/// Opens a session with one server.
async fn open(server: &MysqlServer, purpose: Purpose) -> Result<Session, ArchiveError> {
    match timeout(CONNECT_LIMIT, connect(server, purpose)).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(fault)) => Err(fault.into_error(server)),
        Err(_) => {
            let text = format!("no answer within {} s", CONNECT_LIMIT.as_secs());
            Err(MysqlFault::Unreachable(text).into_error(server))
        }
    }
}

async fn connect(server: &MysqlServer, purpose: Purpose) -> Result<Session, MysqlFault> {
    let password = server.password().map_err(MysqlFault::Setup)?;
    let tls = server.tls.options(&server.host).map_err(MysqlFault::Setup)?;
    let options = OptsBuilder::default()
        .ip_or_hostname(server.host.clone())
        .tcp_port(server.port)
        .user(Some(server.user.clone()))
        .pass(password)
        .db_name(Some(server.database.clone()))
        .ssl_opts(tls)
        .tcp_keepalive(u32::try_from(KEEPALIVE.as_millis()).ok())
        // The address says where the server is; a socket that the server names may be another machine's.
        .prefer_socket(false)
        // Affected rows then tell a row that was written from one that was there.
        .client_found_rows(false)
        // diesel keeps its own.
        .stmt_cache_size(0)
        .setup(vec![SETUP]);
    let mut connection = Conn::new(options).await.map_err(MysqlFault::of_connect)?;
    let standing = Standing::ask(&mut connection).await.map_err(MysqlFault::of_connect)?;
    if let Some(reason) = standing.unfit(purpose == Purpose::Write) {
        return Err(MysqlFault::Unreachable(reason));
    }
    let galera = standing.is_galera();
    if galera && purpose == Purpose::Write {
        connection.query_drop(CAUSAL).await.map_err(MysqlFault::of_connect)?;
    }
    let connection = AsyncMysqlConnection::try_from(connection)
        .await
        .map_err(|error| MysqlFault::Unreachable(error.to_string()))?;
    Ok(Session { connection, galera })
}
