//! The embedded migrations: journal, SQLite archive, MySQL archive. They run at each start; a database that has more
//! of them than this program knows is left alone.

use diesel::{
    SqliteConnection,
    backend::Backend,
    migration::{Migration, MigrationSource, MigrationVersion},
    mysql::Mysql,
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tracing::info;

/// The journal's tables.
pub(crate) const JOURNAL: EmbeddedMigrations = embed_migrations!("migrations/journal");
/// The tables of an archive in SQLite.
pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// The tables of an archive in MySQL: the same tables under the same names as in [`SQLITE`].
pub(crate) const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// Why a database cannot be brought to this program's schema.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrateError {
    /// It has a migration that this program does not know.
    #[error(
        "was made by a newer version of lamon (it has migration {version}); install that version or a later one"
    )]
    Newer {
        /// The newest migration that is not known here.
        version: String,
    },
    /// A statement failed.
    #[error("cannot be brought to this version's tables: {0}")]
    Failed(String),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The same in SQLite, alone: of two programs that open a new file at once, the second finds what the first made.
///
/// # Errors
///
/// See [`MigrateError`]. A newer database is not touched.
pub(crate) fn migrate_file(
    connection: &mut SqliteConnection,
    source: &EmbeddedMigrations,
) -> Result<usize, MigrateError> {
    connection.immediate_transaction(|connection| migrate(connection, source))
}

/// Runs the migrations that a database lacks, in order, and says how many these were.
///
/// # Errors
///
/// See [`MigrateError`]. A newer database is not touched.
pub(crate) fn migrate<DB, H>(harness: &mut H, source: &EmbeddedMigrations) -> Result<usize, MigrateError>
where
    DB: Backend,
    H: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| MigrateError::Failed(error.to_string());
    let own = in_order::<DB>(source);
    let applied: Vec<MigrationVersion<'static>> = harness.applied_migrations().map_err(failed)?;
    // The newest comes first.
    if let Some(version) =
        applied.iter().find(|version| !own.iter().any(|own| own.name().version() == **version))
    {
        return Err(MigrateError::Newer { version: version.to_string() });
    }
    let lacking: Vec<_> = own.iter().filter(|own| !applied.contains(&own.name().version())).collect();
    // A new database is made in an instant; an old one may take minutes, and an operator wants to know why.
    let old = !applied.is_empty();
    for (number, migration) in (1..).zip(&lacking) {
        if old {
            info!(migration = %migration.name(), number, of = lacking.len(), "bringing an older database to this version");
        }
        harness.run_migration(&***migration).map_err(failed)?;
    }
    Ok(lacking.len())
}

/// A set of migrations, oldest first.
fn in_order<DB: Backend>(source: &EmbeddedMigrations) -> Vec<Box<dyn Migration<DB>>>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    // Embedded migrations are listed at build time: listing them again cannot fail.
    let mut migrations: Vec<Box<dyn Migration<DB>>> = source.migrations().unwrap_or_default();
    migrations.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    migrations
}

/// The names of the embedded migrations of an archive, in order: SQLite's and MySQL's.
#[must_use]
pub fn archive_migrations() -> (Vec<String>, Vec<String>) {
    (names::<Sqlite>(&SQLITE), names::<Mysql>(&MYSQL))
}

/// The newest migration of an archive that this program knows, as a database notes it; rises with each.
#[must_use]
pub fn archive_version() -> Option<String> {
    in_order::<Sqlite>(&SQLITE).last().map(|migration| migration.name().version().to_string())
}

/// The names of one set of migrations, in order.
fn names<DB: Backend>(source: &EmbeddedMigrations) -> Vec<String>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    in_order::<DB>(source).iter().map(|migration| migration.name().to_string()).collect()
}
