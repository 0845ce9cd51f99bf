//! Other limits over an archive with known numbers, by the real program.

use std::process::Command;
use std::sync::Arc;

use lamon_store::{Archive, Sample};
use lamon_tests::hub::Hub;
use lamon_tests::process::find;

/// 2026-11-22 00:00 UTC.
const START_MS: i64 = 1_795_305_600_000;

/// Two nodes that send every minute for six hours: the disk of ccd01 rises by a percent a minute from 60 to 99, again and
/// again each hour; door is quiet from the hundredth minute to the hundred and sixtieth.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for minute in 0..360_i32 {
        for (node, percent) in [("ccd01", 60 + (minute % 60).min(39)), ("door", 10)] {
            if node == "door" && (100..160).contains(&minute) {
                continue;
            }
            samples.push(Sample {
                node: node.into(),
                epoch: 1,
                sequence: u64::from(minute.unsigned_abs()) + 1,
                time_ms: START_MS + i64::from(minute) * 60_000,
                metrics: vec![(Arc::from("disk_percent"), f64::from(percent))],
            });
        }
    }
    samples
}

/// As docs/alarms.md shows it.
const TABLE: &str = "\
2026-11-22T00:00:00Z to 2026-11-22T06:00:00Z: 660 samples of 2 nodes
                                            present   new.toml
messages                                         30         24
rule disk: warning                                6          0
rule disk: error                                  6          0
rule disk_percent_of_ccd: warning                 0          6
good again                                        5          5
silent                                            1          1
gate_closed                                       6          6
gate_opened                                       5          5
gate full: minutes blocked                      240        150
";

#[tokio::test]
async fn known_crossings_give_known_numbers_each_time() {
    let gate = "[[gate]]\nname = \"full\"\nnodes = [\"@ccd\"]\nmetrics = [\"disk_percent\"]\nlevel = \"warning\"\nblock = [\"exposure\"]";
    let hub = Hub::collector().with("[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]").with(gate);
    let configuration = hub.write().unwrap();
    std::fs::create_dir_all(hub.data_dir()).unwrap();
    let archive = lamon_store::ArchiveUrl::sqlite(hub.data_dir().join("archive.sqlite"));
    Archive::connect(&archive, "testhub").await.unwrap().append(&samples()).await.unwrap();
    let rules = hub.folder().join("new.toml");
    // Of the group that only the present configuration has.
    std::fs::write(
        &rules,
        "[[rule]]\nnodes = ['@ccd']\nmetrics = ['disk_percent']\nwarning = 95\nclear = 2\n",
    )
    .unwrap();
    let replay = |more: &[&str]| {
        let mut command = Command::new(find("lamon-sensord").unwrap());
        command.args(["replay", "--from", "2026-11-22T00:00:00Z", "--to", "2026-11-22T06:00:00Z", "-c"]);
        let output = command.arg(&configuration).arg("--rules").arg(&rules).args(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json = replay(&["--json"]);
    assert_eq!(json, replay(&["--json"]), "the same each time");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["samples"], &json["nodes"]), (&660.into(), &2.into()), "{json}");
    let (present, tried) = (&json["present"], &json["tried"]);
    assert_eq!(present["rises"], serde_json::json!({"disk": {"warning": 6, "error": 6}}), "{json}");
    assert_eq!(tried["rises"], serde_json::json!({"disk_percent_of_ccd": {"warning": 6}}), "{json}");
    assert_eq!((&present["recoveries"], &present["silences"]), (&5.into(), &1.into()), "{json}");
    // Over 80 % from minute 20 of each hour to its end, over 95 % from minute 35; from the last hour there is no recovery.
    assert_eq!(present["gates"]["full"]["minutes"], 240.0, "{json}");
    assert_eq!(tried["gates"]["full"]["minutes"], 150.0, "{json}");
    // Silent and back again, every rise and recovery, and the gate each time.
    assert_eq!((&present["messages"], &tried["messages"]), (&30.into(), &24.into()), "{json}");

    assert_eq!(replay(&[]), TABLE);
    let list = replay(&["--list", "--node", "door"]);
    let said = "2026-11-22T01:42:01Z  door is silent: nothing heard for 3 min 1 s\n\
        2026-11-22T02:40:00Z  door is heard again after 1 h 1 min of silence: good\n";
    assert!(list.starts_with(said), "{list}");

    // A mistake in the file is pointed at.
    std::fs::write(&rules, "[[rule]]\nnodes = ['@ccd']\nmetrics = ['disk_percent']\nwarnig = 95\n").unwrap();
    let mut command = Command::new(find("lamon-sensord").unwrap());
    command.args(["replay", "--from", "7d", "-c"]).arg(&configuration).arg("--rules").arg(&rules);
    let refused = command.output().unwrap();
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && why.contains("new.toml:4:1") && why.contains("warning"), "{why}");
}
