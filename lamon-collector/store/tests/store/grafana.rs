//! The dashboard for Grafana: every statement of it is run, as the user that the documents make, against a real server that
//! was filled by this crate. What changes in the tables and is forgotten there fails here.

use lamon_store::{
    Archive, Sample,
    registers::{Event, NodeRecord},
    testing::Mariadb,
};
use serde_json::Value;

use crate::common::{FOR_EVER, HOUR, PAST, at, upkeep};

const DASHBOARD: &str = include_str!("../../../../etc/grafana/lamon.json");
const PAGE: &str = include_str!("../../../../docs/grafana.md");
const SOURCE: &str = include_str!("../../../../etc/grafana/provisioning/datasources/lamon.yaml");

/// How many statements the dashboard has: four of panels, one of annotations, two of variables.
const STATEMENTS: usize = 7;

/// What Grafana puts into a statement.
struct View {
    from_ms: i64,
    to_ms: i64,
    interval_ms: i64,
    nodes: &'static str,
    metric: &'static str,
    part: &'static str,
    levels: &'static str,
}

impl Default for View {
    fn default() -> Self {
        Self {
            from_ms: PAST,
            to_ms: PAST + 3 * HOUR,
            interval_ms: 60_000,
            nodes: "'ccd01','door','tcs'",
            metric: "cpu_percent",
            part: "mean",
            levels: "'good','warning','error','silent'",
        }
    }
}

impl View {
    /// The statement as Grafana sends it; its macros and formats are in the MySQL data source's documents.
    fn statement(&self, sql: &str) -> String {
        let replaced = [
            ("$__unixEpochFrom()", (self.from_ms / 1_000).to_string()),
            ("$__unixEpochTo()", (self.to_ms / 1_000).to_string()),
            ("$__interval_ms", self.interval_ms.to_string()),
            ("${node:sqlstring}", self.nodes.to_owned()),
            ("${levels:sqlstring}", self.levels.to_owned()),
            ("${metric:raw}", self.metric.to_owned()),
            ("${part:raw}", self.part.to_owned()),
        ]
        .into_iter()
        .fold(sql.to_owned(), |sql, (from, to)| sql.replace(from, &to));
        assert!(
            !replaced.contains("$__") && !replaced.contains("${"),
            "a macro that is not known: {replaced}"
        );
        replaced
    }
}

/// The server and its reader.
struct Reader<'a>(&'a Mariadb);

impl Reader<'_> {
    fn run(&self, view: &View, sql: &str) -> Vec<Vec<String>> {
        let sql = view.statement(sql);
        let result = self.0.execute_as("lamon_grafana", "change-me", &sql);
        result.map_err(|error| format!("{error}\nof the statement\n{sql}")).unwrap()
    }
}

/// The blocks of SQL in the page.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Every statement, wherever it stands.
fn statements<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("rawSql").and_then(Value::as_str));
            if map.get("type").and_then(Value::as_str) == Some("query") {
                found.extend(map.get("query").and_then(Value::as_str));
            }
            map.values().for_each(|value| statements(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| statements(value, found)),
        _ => {}
    }
}

fn of_panel<'a>(dashboard: &'a Value, title: &str) -> &'a str {
    let panels = dashboard["panels"].as_array().unwrap();
    let panel = panels.iter().find(|panel| panel["title"].as_str().unwrap().starts_with(title)).unwrap();
    panel["targets"][0]["rawSql"].as_str().unwrap()
}

fn of_variable<'a>(dashboard: &'a Value, name: &str) -> &'a str {
    let list = dashboard["templating"]["list"].as_array().unwrap();
    list.iter().find(|variable| variable["name"] == name).unwrap()["query"].as_str().unwrap()
}

fn event(number: i64, node: Option<&str>, metric: Option<&str>, kind: &str, level: &str) -> Event {
    Event {
        time_ms: PAST + number * 60_000,
        number,
        node: node.map(Into::into),
        metric: metric.map(Into::into),
        kind: kind.into(),
        level: level.into(),
        text: format!("{kind} {number}"),
    }
}

/// Three hours of three nodes, a sample a minute, with rollups, and what happened to them.
async fn fill(server: &Mariadb) {
    let mut archive = Archive::connect(&server.url(), "hub1").await.unwrap();
    let mut samples: Vec<Sample> = Vec::new();
    for minute in 0..180_i32 {
        for (node, disk) in [("ccd01", 91.5), ("door", 40.0), ("tcs", 85.0)] {
            let metrics = [
                ("cpu_percent", f64::from(minute)),
                ("disk_percent", disk),
                ("temp_cpu", f64::from(minute) / 2.0),
                ("disk_root_percent", disk),
                ("disk_root_free", 1e9),
                ("disk_root_inodes_percent", 3.0),
            ];
            let time_ms = PAST + i64::from(minute) * 60_000;
            samples.push(at(node, time_ms, u64::try_from(minute).unwrap(), &metrics));
        }
    }
    archive.append(&samples).await.unwrap();
    // Heard for an instant only, and with no metric of its own.
    archive.append(&[at("lamp", PAST, 1, &[("load1", 1.0)])]).await.unwrap();
    let record = |node: &str| NodeRecord {
        node: node.into(),
        first_heard_ms: PAST,
        last_heard_ms: PAST + 3 * HOUR,
        os: Some("Debian 12".into()),
        agent_version: None,
    };
    archive.upsert_nodes(&["ccd01", "door", "tcs", "lamp"].map(record)).await.unwrap();
    let disk = Some("disk_percent");
    let events = [
        event(0, Some("ccd01"), None, "joined", "good"),
        event(0, Some("lamp"), None, "joined", "good"),
        event(1, Some("ccd01"), disk, "level", "warning"),
        event(2, Some("ccd01"), disk, "level", "error"),
        event(3, Some("ccd01"), Some("load1"), "level", "warning"),
        event(4, Some("tcs"), disk, "level", "error"),
        event(5, Some("tcs"), disk, "level", "warning"),
        // Two changes in one millisecond: the later number holds.
        event(6, Some("tcs"), Some("load1"), "level", "error"),
        Event { number: 60, ..event(6, Some("tcs"), Some("load1"), "level", "good") },
        event(7, Some("door"), None, "silent", "silent"),
        event(8, None, None, "reload", "good"),
        event(9, Some("lamp"), None, "forgotten", "good"),
        event(9, Some("ccd01"), None, "silent", "silent"),
        event(10, Some("ccd01"), None, "back", "good"),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, event)| Event { number: event.number * 100 + i64::try_from(place).unwrap(), ..event });
    archive.append_events(&events.collect::<Vec<_>>()).await.unwrap();
    upkeep(&mut archive, &FOR_EVER, PAST + 10 * HOUR).await;
}

#[tokio::test]
async fn every_statement_of_the_dashboard_reads_what_the_store_wrote() {
    let server = Mariadb::start().unwrap();
    fill(&server).await;
    for statement in blocks()[0].split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        server.execute(statement).unwrap();
    }
    let reader = Reader(&server);
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut all = Vec::new();
    statements(&dashboard, &mut all);
    assert_eq!(all.len(), STATEMENTS, "a statement was added: test what it shows, too");
    all.extend(&blocks()[1..]);
    for sql in &all {
        for metric in lamon_store::CORE_METRICS.into_iter().chain(["temp_cpu"]) {
            for (interval_ms, part) in [(60_000, "min"), (600_000, "max"), (HOUR, "mean")] {
                let rows = reader.run(&View { interval_ms, metric, part, ..View::default() }, sql);
                assert!(!rows.is_empty() || sql.contains("${metric:raw}"), "nothing is shown by {sql}");
            }
        }
    }

    // Nothing else may be read, and nothing written.
    for sql in [
        "SELECT * FROM settings",
        "SELECT * FROM dead_letter",
        "DELETE FROM events",
        "INSERT INTO nodes VALUES ('x', 1, 1, NULL, NULL, 'h')",
    ] {
        assert!(server.execute_as("lamon_grafana", "change-me", sql).is_err(), "{sql}");
    }
    assert!(SOURCE.contains("user: lamon_grafana\n") && SOURCE.contains("database: lamon\n"));

    shows_nodes_by_their_level(&reader, &dashboard);
    draws_curves_from_the_tier_of_the_interval(&server, &reader, &dashboard);
    shows_disks_and_events(&reader, &dashboard);
}

fn shows_nodes_by_their_level(reader: &Reader<'_>, dashboard: &Value) {
    let nodes = reader.run(&View::default(), of_variable(dashboard, "node"));
    assert_eq!(nodes.concat(), ["ccd01", "door", "lamp", "tcs"]);
    let view = View { nodes: "'ccd01','door','lamp','tcs'", ..View::default() };
    let rows = reader.run(&view, of_panel(dashboard, "Nodes"));
    let shown: Vec<_> = rows.iter().map(|row| [&*row[0], &*row[1], &*row[2], &*row[4]]).collect();
    assert_eq!(
        shown,
        [
            ["door", "silent", "door is silent", "179"],
            ["ccd01", "error", "level 2", "179"],
            ["tcs", "warning", "level 5", "179"],
        ],
        "the worst first, and none that was forgotten"
    );
    let metrics = reader.run(&View::default(), of_variable(dashboard, "metric")).concat();
    assert_eq!(metrics.len(), lamon_store::CORE_METRICS.len() + 4, "{metrics:?}");
    assert!(metrics.contains(&"temp_cpu".to_owned()) && metrics.contains(&"load1".to_owned()));
}

fn draws_curves_from_the_tier_of_the_interval(server: &Mariadb, reader: &Reader<'_>, dashboard: &Value) {
    let sql = of_panel(dashboard, "${metric}");
    let curve = |interval_ms, metric, part| -> Vec<(i64, f64)> {
        let view = View { interval_ms, metric, part, nodes: "'ccd01'", ..View::default() };
        let rows = reader.run(&view, sql);
        assert!(rows.iter().all(|row| row[1] == "ccd01"));
        rows.iter()
            .map(|row| ((row[0].parse::<i64>().unwrap() - PAST) / 60_000, row[2].parse().unwrap()))
            .collect()
    };
    let minute = curve(60_000, "cpu_percent", "mean");
    assert_eq!((minute.len(), minute[7]), (180, (7, 7.0)));
    for (metric, half) in [("cpu_percent", 1.0), ("temp_cpu", 2.0)] {
        assert_eq!(curve(600_000, metric, "max")[..2], [(0, 9.0 / half), (10, 19.0 / half)], "{metric}");
        assert_eq!(curve(1_800_000, metric, "min")[..2], [(0, 0.0), (30, 30.0 / half)], "{metric}");
        let hours = [(0, 29.5 / half), (60, 89.5 / half), (120, 149.5 / half)];
        assert_eq!(curve(HOUR, metric, "mean"), hours, "{metric}");
    }
    assert_eq!(curve(60_000, "nothing_like_it", "mean"), []);
    // What is too old for a tier comes from the next.
    let minutes = |number: i64| PAST + number * 60_000;
    server.execute(&format!("DELETE FROM samples WHERE time_ms < {}", minutes(60))).unwrap();
    server.execute(&format!("DELETE FROM samples_10m WHERE time_ms < {}", minutes(20))).unwrap();
    let mixed = curve(60_000, "cpu_percent", "max");
    let (old, new) = mixed.split_at(5);
    assert_eq!(old.iter().map(|(minute, _)| *minute).collect::<Vec<_>>(), [0, 20, 30, 40, 50]);
    assert_eq!((new.len(), old[1].1, new[0]), (120, 29.0, (60, 60.0)));
}

fn shows_disks_and_events(reader: &Reader<'_>, dashboard: &Value) {
    let rows = reader.run(&View::default(), of_panel(dashboard, "Disks"));
    let shown: Vec<_> = rows.iter().map(|row| row[..5].join(" ")).collect();
    assert_eq!(
        shown,
        ["ccd01 root 91.5 1000000000 3", "tcs root 85 1000000000 3", "door root 40 1000000000 3"]
    );

    let grave = || View { levels: "'warning','error','silent'", ..View::default() };
    let rows = reader.run(&grave(), of_panel(dashboard, "Events"));
    assert_eq!((rows.len(), rows[0][2..].join(" ")), (8, "ccd01 NULL silent silent 9".into()));
    let of_door = View { nodes: "'door'", ..View::default() };
    let texts: Vec<_> = reader.run(&of_door, of_panel(dashboard, "Events"));
    assert_eq!(
        texts.iter().map(|row| &*row[5]).collect::<Vec<_>>(),
        ["reload 8", "silent 7"],
        "those of the hub, too"
    );

    let annotation = dashboard["annotations"]["list"][0]["target"]["rawSql"].as_str().unwrap();
    let regions: Vec<_> = reader
        .run(&grave(), annotation)
        .into_iter()
        .map(|row| {
            let minute = |text: &String| text.parse::<i64>().ok().map(|ms| (ms - PAST) / 60_000);
            (minute(&row[0]).unwrap(), minute(&row[1]), row[3].clone())
        })
        .collect();
    let region = |from, to, tags: &str| (from, to, tags.to_owned());
    assert_eq!(
        regions,
        [
            region(9, Some(10), "silent,silent,ccd01"),
            region(7, None, "silent,silent,door"),
            region(6, None, "error,level,tcs,load1"),
            region(5, None, "warning,level,tcs,disk_percent"),
            region(4, Some(5), "error,level,tcs,disk_percent"),
            region(3, None, "warning,level,ccd01,load1"),
            region(2, None, "error,level,ccd01,disk_percent"),
            region(1, Some(2), "warning,level,ccd01,disk_percent"),
        ]
    );
}
