//! The twin migrations of SQLite and MySQL: the same names, and after them the same tables, columns, keys; and every
//! step back works.

use std::{collections::BTreeMap, fs, path::Path};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use lamon_store::{Archive, ArchiveUrl, archive_migrations, testing::Mariadb};

/// A column: name, kind, whether it may be null, place in the primary key (0 for none).
type Column = (String, String, bool, i64);

#[derive(QueryableByName)]
struct SqliteColumn {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    not_null: i64,
    #[diesel(sql_type = BigInt)]
    key: i64,
}

fn sqlite_columns(path: &Path) -> BTreeMap<String, Vec<Column>> {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let rows: Vec<SqliteColumn> = sql_query(
        "SELECT m.name AS table_name, c.name AS name, c.type AS kind, c.\"notnull\" AS not_null, c.pk AS key \
         FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY m.name, c.cid",
    )
    .load(&mut connection)
    .unwrap();
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in rows {
        let column = (row.name, row.kind.to_lowercase(), row.not_null == 0, row.key);
        tables.entry(row.table_name).or_default().push(column);
    }
    tables
}

fn mysql_columns(server: &Mariadb) -> BTreeMap<String, Vec<Column>> {
    let rows = server
        .execute(
            "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, COALESCE(k.ordinal_position, 0) \
             FROM information_schema.columns c LEFT JOIN information_schema.key_column_usage k \
             ON k.table_schema = c.table_schema AND k.table_name = c.table_name \
             AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY' \
             WHERE c.table_schema = 'lamon' AND c.table_name NOT LIKE '\\_\\_%' \
             ORDER BY c.table_name, c.ordinal_position",
        )
        .unwrap();
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in rows {
        let [table, name, kind, nullable, key] = row.try_into().unwrap();
        // SQLite has one kind of text.
        let kind = match kind.as_str() {
            "varchar" | "text" | "mediumtext" => "text".to_owned(),
            _ => kind,
        };
        tables.entry(table).or_default().push((name, kind, nullable == "YES", key.parse().unwrap()));
    }
    tables
}

#[tokio::test]
async fn the_twins_make_the_same_tables() {
    let (sqlite, mysql) = archive_migrations();
    assert_eq!(sqlite, mysql);
    assert!(!sqlite.is_empty());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    let server = Mariadb::start().unwrap();
    Archive::connect(&ArchiveUrl::sqlite(&path), "hub1").await.unwrap();
    Archive::connect(&server.url(), "hub1").await.unwrap();
    let tables = sqlite_columns(&path);
    assert_eq!(tables, mysql_columns(&server));
    assert_eq!(
        tables.keys().collect::<Vec<_>>(),
        [
            "dead_letter",
            "events",
            "nodes",
            "retained",
            "rollups_due",
            "samples",
            "samples_10m",
            "samples_1h",
            "settings"
        ]
    );
    assert_eq!(tables["samples_10m"], tables["samples_1h"]);
    assert_eq!(tables["samples_1h"].len(), 2 + 4 * 10 + 1);
    assert_eq!(tables["samples"].len(), 16);
    assert_eq!(tables["samples"][0], ("node".to_owned(), "text".to_owned(), false, 1));

    // Every step back, newest first, leaves nothing; forward again, the same.
    let down = |folder: &str, name: &str| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder).join(name).join("down.sql");
        fs::read_to_string(path).unwrap()
    };
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    for name in sqlite.iter().rev() {
        connection.batch_execute(&down("sqlite", name)).unwrap();
        server.execute(down("mysql", name).trim().trim_end_matches(';')).unwrap();
    }
    connection.batch_execute("DELETE FROM __diesel_schema_migrations").unwrap();
    drop(connection);
    server.execute("DELETE FROM __diesel_schema_migrations").unwrap();
    assert!(sqlite_columns(&path).is_empty());
    assert!(mysql_columns(&server).is_empty());
    Archive::connect(&ArchiveUrl::sqlite(&path), "hub1").await.unwrap();
    Archive::connect(&server.url(), "hub1").await.unwrap();
    assert_eq!(sqlite_columns(&path), tables);
    assert_eq!(mysql_columns(&server), tables);
}

#[test]
fn the_folders_hold_what_is_embedded() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let (sqlite, mysql) = archive_migrations();
    for (folder, embedded) in [("sqlite", sqlite), ("mysql", mysql)] {
        let mut names: Vec<String> = fs::read_dir(migrations.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, embedded, "{folder}");
        for name in &names {
            for file in ["up.sql", "down.sql"] {
                assert!(migrations.join(folder).join(name).join(file).is_file(), "{folder}/{name}/{file}");
            }
        }
    }
}

/// The hub starts while somebody runs `migrate`, or looks.
#[test]
fn all_who_open_a_new_archive_at_once_have_it() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let url =
            ArchiveUrl::parse(&format!("sqlite:{}", folder.path().join("archive.sqlite").display())).unwrap();
        let begin = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    begin.wait();
                    runtime.block_on(Archive::connect(&url, "hub1")).unwrap();
                });
            }
        });
    }
}
