//! `db` and `export`, as an operator calls them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: what fails ends the test, as in the tests themselves"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lamon_store::upkeep::Retention;
use lamon_store::{Archive, ArchiveUrl, Journal, JournalOptions, Sample};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

/// 2020-01-01 00:00 UTC.
const PAST: i64 = 1_577_836_800_000;

/// Calls lamon-collector with a configuration whose data are in this folder.
fn call(folder: &Path, arguments: &[&str]) -> Output {
    let config = folder.join("hub.toml");
    std::fs::write(&config, format!("data_dir = \"{}\"\n", folder.display())).unwrap();
    Command::new(env!("CARGO_BIN_EXE_lamon-collector"))
        .args(arguments)
        .arg("-c")
        .arg(config)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn sample(node: &str, sequence: u64, metrics: &[(&str, f64)]) -> Sample {
    Sample {
        node: node.into(),
        epoch: 1,
        sequence,
        time_ms: PAST + i64::try_from(sequence).unwrap() * 60_000,
        metrics: metrics.iter().map(|(name, value)| ((*name).into(), *value)).collect(),
    }
}

/// An archive with two nodes, all rolled up, and a journal with a backlog.
fn fill(folder: &Path) {
    let url = ArchiveUrl::sqlite(folder.join("archive.sqlite"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let samples: Vec<Sample> = (0..120)
        .flat_map(|minute| {
            let load = f64::from(u32::try_from(minute).unwrap()) / 4.0;
            let with_two = sample("ccd01", minute, &[("load1", load), ("temp a,b", 1.5)]);
            [with_two, sample("door", minute, &[("load1", 0.0)])]
        })
        .collect();
    runtime.block_on(async {
        let mut archive = Archive::connect(&url, "hub1").await.unwrap();
        archive.append(&samples).await.unwrap();
        let keep =
            Retention { samples: None, ten_minutes: None, hour: None, events: None, dead_letters: None };
        while archive.upkeep(&keep, PAST + 86_400_000).await.unwrap().more {}
    });
    let (mut journal, _) = Journal::open(&folder.join("journal.sqlite"), JournalOptions::default()).unwrap();
    journal.use_archives(&[&url.name()]).unwrap();
    journal.append(&samples).unwrap();
    journal.set_cursor(&url.name(), journal.last_position() - 8).unwrap();
    journal.flush().unwrap();
}

#[test]
fn status_shows_tiers_and_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let output = call(folder.path(), &["db", "status"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    for expected in [
        "backlog   8 samples, the oldest of 2020-01-01T01:56:00Z",
        "(of this version)",
        "nodes     2",
        "due       0 rollups",
        "refused   0 samples",
    ] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    let tier = |name: &str| -> String {
        let line = shown.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tier("samples"), "samples 240 - 2020-01-01T00:00:00Z 2020-01-01T01:59:00Z for 30d");
    assert_eq!(tier("samples_10m"), "samples_10m 24 - 2020-01-01T00:00:00Z 2020-01-01T01:50:00Z for 730d");
    assert_eq!(tier("samples_1h"), "samples_1h 4 - 2020-01-01T00:00:00Z 2020-01-01T01:00:00Z for ever");

    // Where no hub has run, a sentence, not a fault of the program; and nothing is made.
    let empty = tempfile::tempdir().unwrap();
    let output = call(empty.path(), &["db", "status"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(text(&output.stdout).contains("is not there yet"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("archive.sqlite"), "{}", text(&output.stderr));
    assert!(!empty.path().join("archive.sqlite").exists());
}

#[test]
fn an_older_and_a_newer_database_are_told_apart() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let archive = folder.path().join("archive.sqlite");
    let run = |sql: &str| {
        SqliteConnection::establish(archive.to_str().unwrap()).unwrap().batch_execute(sql).unwrap();
    };
    run("DELETE FROM __diesel_schema_migrations WHERE version > '20261122110001'; DROP TABLE samples_10m;");
    let output = call(folder.path(), &["db", "status"]);
    assert!(text(&output.stdout).contains("older than this program"), "{}", text(&output.stdout));
    assert!(output.status.success());
    run("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')");
    let output = call(folder.path(), &["migrate"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(text(&output.stderr).contains("made by a newer version of lamon"), "{}", text(&output.stderr));
}

#[test]
fn a_backup_put_back_is_the_same_and_replaces_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let to = folder.path().join("backup/today");
    let arguments = ["db", "backup", to.to_str().unwrap()];
    for _ in 0..2 {
        let output = call(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(said.contains("today/journal.sqlite, ") && said.contains("today/archive.sqlite, "), "{said}");
        let mut there: Vec<_> =
            std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        there.sort();
        assert_eq!(there, ["archive.sqlite", "journal.sqlite"], "nothing half");
    }
    let status = |folder: &Path| {
        let output = call(folder, &["db", "status"]);
        let shown = text(&output.stdout);
        assert!(output.status.success(), "{shown}{}", text(&output.stderr));
        let lines = shown.lines().filter(|line| !line.contains(".sqlite") && !line.starts_with("size"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let [restored, before] = [status(&to), status(folder.path())];
    // The copy's archive has another name, which has no cursor; all else is the same.
    assert_eq!(restored.len() + 1, before.len(), "{restored:?} {before:?}");
    assert!(restored.iter().all(|line| before.contains(line) || line.starts_with("cursor")), "{restored:?}");

    let own = ["db", "backup", folder.path().to_str().unwrap()];
    let output = call(folder.path(), &own);
    assert!(text(&output.stderr).contains("cannot be copied to"), "{}", text(&output.stderr));
    let empty = tempfile::tempdir().unwrap();
    let output = call(empty.path(), &arguments);
    assert!(text(&output.stderr).contains("no hub has run here"), "{}", text(&output.stderr));
}

#[test]
fn a_database_is_copied_into_another_once() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let to = folder.path().join("new.sqlite");
    let urls = [folder.path().join("archive.sqlite"), to].map(|path| format!("sqlite:{}", path.display()));
    for written in [240, 0] {
        let output = call(folder.path(), &["db", "copy", "--from", &urls[0], "--to", &urls[1]]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        let line = said.lines().find(|line| line.starts_with("samples ")).unwrap();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(line, format!("samples 240 rows, {written} of them new in {}", urls[1]));
    }
    let output = call(folder.path(), &["db", "copy", "--from", &urls[0]]);
    assert!(text(&output.stderr).contains("into itself"), "{}", text(&output.stderr));
}

#[test]
fn export_writes_a_table() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let export = |arguments: &[&str]| {
        let output = call(folder.path(), &[&["export"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "no bar where there is no terminal");
        text(&output.stdout)
    };
    let all = export(&["--from", "2020-01-01"]);
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.len(), 1 + 240);
    assert_eq!(lines[0], "time,node,load1,\"temp a,b\"");
    assert_eq!(lines[1], "2020-01-01T00:00:00Z,ccd01,0,1.5");
    assert_eq!(lines[2], "2020-01-01T00:01:00Z,ccd01,0.25,1.5");
    assert_eq!(lines[121], "2020-01-01T00:00:00Z,door,0,");

    let ten_past = "2020-01-01T00:10:00Z";
    let some = ["--node", "ccd01", "--from", ten_past, "--to", "2020-01-01T00:12:00Z", "--metric", "load1"];
    assert_eq!(
        export(&some),
        "time,node,load1\n2020-01-01T00:10:00Z,ccd01,2.5\n2020-01-01T00:11:00Z,ccd01,2.75\n"
    );
    let hours =
        ["--node", "ccd01", "--from", "2020-01-01", "--tier", "1h", "--metric", "load1", "--format", "csv"];
    assert_eq!(
        export(&hours),
        "time,node,load1_mean,load1_min,load1_max,load1_count\n2020-01-01T00:00:00Z,ccd01,7.375,0,14.75,60\n\
         2020-01-01T01:00:00Z,ccd01,22.375,15,29.75,60\n"
    );
    let file = folder.path().join("out.csv");
    assert_eq!(export(&["--from", "2020-01-01", "--output", file.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), all);

    let output = call(folder.path(), &["export", "--from", "2020-01-01", "--node", "nobody"]);
    assert!(text(&output.stderr).contains("nothing of a node nobody"), "{}", text(&output.stderr));
    let output = call(folder.path(), &["export", "--from", "yesterday"]);
    assert!(text(&output.stderr).contains("7d (so long ago)"), "{}", text(&output.stderr));
}

/// The rows of a table: time and node, and each metric that has a value, under its column's name in CSV.
type Rows = Vec<(String, String, BTreeMap<String, f64>)>;

fn csv_rows(bytes: &[u8]) -> Rows {
    let mut reader = csv::Reader::from_reader(bytes);
    let head = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        let values = head.iter().zip(&row).skip(2).filter(|(_, value)| !value.is_empty());
        let values = values.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect();
        (row[0].to_owned(), row[1].to_owned(), values)
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn parquet_rows(path: &Path) -> Rows {
    let file = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let row = |row: parquet::record::Row| {
        let (mut time, mut node, mut values) = (String::new(), String::new(), BTreeMap::new());
        for (name, field) in row.get_column_iter() {
            match (name.as_str(), field) {
                (_, Field::Null) => {}
                ("time", Field::TimestampMillis(ms)) => {
                    let at = time::OffsetDateTime::from_unix_timestamp(ms / 1_000).unwrap();
                    time = at.format(&time::format_description::well_known::Rfc3339).unwrap();
                }
                ("node", Field::Str(text)) => node.clone_from(text),
                ("metrics", Field::Str(text)) => {
                    let rest: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).unwrap();
                    for (name, value) in rest {
                        match value.as_array() {
                            Some(parts) => {
                                for (part, value) in ["mean", "min", "max", "count"].iter().zip(parts) {
                                    values.insert(format!("{name}_{part}"), value.as_f64().unwrap());
                                }
                            }
                            None => drop(values.insert(name, value.as_f64().unwrap())),
                        }
                    }
                }
                (name, Field::Double(value)) => drop(values.insert(name.to_owned(), *value)),
                (name, Field::Long(count)) => drop(values.insert(name.to_owned(), *count as f64)),
                other => panic!("{other:?}"),
            }
        }
        (time, node, values)
    };
    file.get_row_iter(None).unwrap().map(|record| row(record.unwrap())).collect()
}

#[test]
fn a_parquet_table_has_what_the_csv_has() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let path = folder.path().join("out.parquet");
    for more in [&["--tier", "samples"][..], &["--tier", "1h"], &["--metric", "temp a,b"]] {
        let arguments = [&["export", "--from", "2020-01-01"], more].concat();
        let csv = call(folder.path(), &arguments);
        let to = ["--format", "parquet", "--output", path.to_str().unwrap()];
        let output = call(folder.path(), &[&arguments[..], &to].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let rows = parquet_rows(&path);
        assert!(rows.iter().any(|(_, _, values)| values.keys().any(|name| name.starts_with("temp a,b"))));
        assert_eq!(rows, csv_rows(&csv.stdout), "{more:?}");
    }
    // What is in the way of the last step leaves nothing half, and what was there.
    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("x")).unwrap();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = files();
    let to = ["export", "--from", "2020-01-01", "--output", taken.to_str().unwrap()];
    let output = call(folder.path(), &to);
    assert!(text(&output.stderr).contains("cannot write"), "{}", text(&output.stderr));
    assert_eq!(files(), before);
}
