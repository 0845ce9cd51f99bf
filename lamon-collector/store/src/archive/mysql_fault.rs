//! What an error of a MySQL server means: whether a row is at fault, the connection, the password or the disk.
//!
//! Codes: MariaDB `include/mysqld_error.h`, MySQL "Server Error Message Reference".

use diesel::{
    QueryableByName,
    result::Error,
    sql_query,
    sql_types::{Integer, Text, Unsigned},
};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl};
use mysql_async::DriverError;

use super::{ArchiveError, servers::MysqlServer, tls};

/// What an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MysqlFault {
    /// The connection is gone, or the server cannot work at the moment.
    Unreachable(String),
    /// Another hub did something at the same time: try again at once.
    Collision(String),
    /// Password or privileges.
    Refused(String),
    /// This computer lacks what the session needs: a password, a certificate. The sentence says all.
    Setup(String),
    /// No session that is encrypted as it has to be.
    Unencrypted(String),
    /// No room.
    Full(String),
    /// For certain the rows of the statement.
    Row(String),
    /// Something else, perhaps a row: if the server takes other rows, it was.
    Unclear(String),
}

impl MysqlFault {
    /// Sorts an error code of the server.
    pub(super) fn of_code(code: u32, message: String) -> Self {
        match code {
            // Access denied: to the database, with this password, to a command, a table, a column; no such plugin;
            // password expired; account locked.
            1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1524 | 1698 | 1820 | 1862 | 3118 | 4151 => {
                Self::Refused(message)
            }
            // Disk full, error writing a file (mostly that), table full.
            1021 | 1026 | 1114 => Self::Full(message),
            // Galera's words for both are "not yet prepared".
            1047 => Self::Unreachable(format!(
                "{message} (it is joining its Galera cluster, or cut off from the majority of it)"
            )),
            // Too many connections, out of memory, killed or shutting down, lock wait, read-only, network trouble,
            // timeouts, too many connections of the user or the host.
            1037
            | 1040
            | 1041
            | 1042
            | 1043
            | 1053
            | 1077
            | 1079
            | 1129
            | 1152
            | 1158..=1161
            | 1184
            | 1203
            | 1205
            | 1226
            | 1290
            | 1317
            | 1792
            | 1836
            | 1927
            | 1969
            | 3024
            | 3100
            | 3101 => Self::Unreachable(message),
            // Deadlock, or a conflict of Galera's; partitions that another hub has just dropped or made.
            1213 | 1493 | 1507 | 1517 => Self::Collision(message),
            // Null, wrong value, out of range, cut, too long, no partition, check constraint (MySQL, MariaDB), row
            // too large.
            1048 | 1118 | 1264 | 1265 | 1292 | 1366 | 1406 | 1411 | 1526 | 3819 | 4025 => Self::Row(message),
            _ => Self::Unclear(message),
        }
    }

    /// Sorts an error of opening a connection.
    pub(super) fn of_connect(error: mysql_async::Error) -> Self {
        if let Some(sentence) = tls::fault(&error) {
            return Self::Unencrypted(sentence);
        }
        match error {
            mysql_async::Error::Server(error) => match Self::of_code(error.code.into(), error.message) {
                Self::Row(message) => Self::Unclear(message),
                other => other,
            },
            mysql_async::Error::Io(mysql_async::IoError::Io(error)) => Self::Unreachable(error.to_string()),
            // Ways to log in that this program does not have, or that would send the password in the clear.
            mysql_async::Error::Driver(
                error @ (DriverError::UnknownAuthPlugin { .. }
                | DriverError::MysqlOldPasswordDisabled
                | DriverError::CleartextPluginDisabled),
            ) => Self::Refused(error.to_string()),
            error => Self::Unreachable(error.to_string()),
        }
    }

    /// The fault as a sentence about the server.
    pub(super) fn into_error(self, target: &MysqlServer) -> ArchiveError {
        match self {
            Self::Unreachable(text) => {
                ArchiveError::Unreachable(format!("{target} is not available: {text}"))
            }
            Self::Collision(text) => ArchiveError::Unreachable(format!(
                "other hubs got in the way on {target} each time that this was tried: {text}"
            )),
            Self::Refused(text) => {
                ArchiveError::Refused(format!("{target} refuses the user or the password: {text}"))
            }
            Self::Setup(text) => ArchiveError::Refused(format!("{target} was not asked: {text}")),
            Self::Unencrypted(text) => ArchiveError::Refused(format!("{target} is not used: {text}")),
            Self::Full(text) => ArchiveError::Full(format!("{target} has no room: {text}")),
            Self::Row(text) | Self::Unclear(text) => ArchiveError::Other(format!("{target} reports: {text}")),
        }
    }
}

/// One line of `SHOW ERRORS`.
#[derive(QueryableByName)]
struct Reported {
    #[diesel(sql_type = Unsigned<Integer>, column_name = "Code")]
    code: u32,
    #[diesel(sql_type = Text, column_name = "Message")]
    message: String,
}

/// What the statement failed of that was the connection's last.
///
/// diesel hands on the server's text but not its code, so the server is asked again; when it does not answer, the
/// connection is gone.
pub(super) async fn fault_of(connection: &mut AsyncMysqlConnection, error: Error) -> MysqlFault {
    if !matches!(error, Error::DatabaseError(..)) {
        return MysqlFault::Unclear(error.to_string());
    }
    match sql_query("SHOW ERRORS").load::<Reported>(connection).await {
        Ok(reported) => match reported.into_iter().last() {
            Some(Reported { code, message }) => MysqlFault::of_code(code, message),
            None => MysqlFault::Unclear(error.to_string()),
        },
        Err(_) => MysqlFault::Unreachable(error.to_string()),
    }
}

/// [`fault_of`] as a sentence about the server.
pub(crate) async fn fault_sentence(
    connection: &mut AsyncMysqlConnection,
    error: Error,
    target: &MysqlServer,
) -> ArchiveError {
    fault_of(connection, error).await.into_error(target)
}
