//! `lamon-mon --once` and `--json` as a script runs them, against a hub that the test speaks for.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what the tests share fails them where it goes wrong"
)]

mod hub;

use std::process::{Command, Output};

use hub::{Hub, hub_word, level};

fn look(hub: &Hub, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lamon-mon"))
        .args(["--publish", &hub.publish, "--snapshot", &hub.snapshot])
        .args(words)
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn site() -> Hub {
    let nodes = [
        level("ccd01", "ccd", "warning", 82.5),
        level("ccd02", "ccd", "good", 12.0),
        level("dome", "dome", "good", 95.0),
    ];
    Hub::start(nodes.into_iter().chain([hub_word(5, 1001.0)]).collect(), vec![])
}

#[test]
fn a_table_begins_with_the_summary_and_ends_with_the_worst_level() {
    let hub = site();
    let output = look(&hub, &["--once"]);
    let shown = text(&output);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "LAMON WARNING - 1 of 3 nodes: ccd01 disk_percent 82.5 %");
    let row = lines[2].split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(row, "warning ccd01 ccd 4% 41% 82%! 1.2k - disk_percent 82.5 %");
    assert_eq!((output.status.code(), lines.len()), (Some(1), 5), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe: {shown:?}");
}

#[test]
fn every_level_has_its_code_and_filters_choose() {
    let nodes = vec![
        level("a", "g", "good", 1.0),
        level("b", "g", "error", 97.0),
        level("c", "h", "silent", 1.0),
        hub_word(5, 1061.0),
    ];
    let hub = Hub::start(nodes, vec![]);
    for (words, code, begins) in [
        (vec!["--node", "a"], 0, "LAMON OK - 1 node good"),
        (vec!["--node", "b"], 2, "LAMON CRITICAL - 1 of 1 node: b disk_percent 97.0 %"),
        (vec!["--group", "h"], 2, "LAMON CRITICAL - 1 of 1 node: c silent for 1 min"),
        (vec!["--group", "g", "--node", "a", "--node", "b"], 2, "LAMON CRITICAL - 1 of 2 nodes: b"),
        (vec!["--node", "[ac]"], 2, "LAMON CRITICAL - 1 of 2 nodes: c silent"),
        (vec!["--group", "g*", "--node", "*"], 2, "LAMON CRITICAL - 1 of 2 nodes: b"),
        (vec!["--node", "x*"], 3, "LAMON UNKNOWN - the hub knows no node named x*"),
        (vec![], 2, "LAMON CRITICAL - 2 of 3 nodes: c silent for 1 min, b disk_percent"),
        (vec!["--node", "nobody"], 3, "LAMON UNKNOWN - the hub knows no node named nobody"),
    ] {
        let output = look(&hub, &[&["--once"], &words[..]].concat());
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {shown}");
        assert!(shown.starts_with(begins), "{words:?}: {shown}");
    }
}

#[test]
fn muted_nodes_are_shown_but_alarm_nobody() {
    let mute =
        |(topic, json): (String, String)| (topic, json.replacen("\"heard\"", "\"muted\":true,\"heard\"", 1));
    let muted = mute(level("b", "g", "error", 97.0));
    let nodes = vec![level("a", "g", "good", 1.0), muted.clone(), hub_word(5, 1001.0)];
    let hub = Hub::start(nodes.clone(), vec![]);
    for (words, code, begins) in [
        (vec![], 0, "LAMON OK - 2 nodes good (1 muted)"),
        (vec!["--node", "b"], 0, "LAMON OK - 1 node good (1 muted)"),
    ] {
        let output = look(&hub, &[&["--once"], &words[..]].concat());
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(code), "{shown}");
        assert!(shown.starts_with(begins) && shown.contains("error  b"), "{shown}");
    }
    let output = look(&hub, &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), json["level"].as_str()), (Some(0), Some("good")));
    let node = &json["nodes"][0];
    assert_eq!((node["node"].as_str(), node["muted"].as_bool()), (Some("b"), Some(true)));
    assert_eq!(node["level"].as_str(), Some("error"), "as it is");
    drop(hub);

    // Others alarm as ever.
    let hub = Hub::start(vec![level("c", "g", "warning", 85.0), muted, hub_word(5, 1001.0)], vec![]);
    let output = look(&hub, &["--once"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).starts_with("LAMON WARNING - 1 of 2 nodes: c disk_percent 85.0 % (1 muted)"));
}

#[test]
fn json_has_everything() {
    let hub = site();
    let output = look(&hub, &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((json["level"].as_str(), json["code"].as_u64()), (Some("warning"), Some(1)));
    assert_eq!(
        (json["hub"]["name"].as_str(), json["hub"]["database"].as_str()),
        (Some("lamon1"), Some("ok"))
    );
    let node = &json["nodes"][0];
    assert_eq!((node["node"].as_str(), node["age"].as_f64().map(f64::floor)), (Some("ccd01"), Some(1.0)));
    let disk = &node["metrics"]["disk_percent"];
    assert_eq!(
        (disk["value"].as_f64(), disk["unit"].as_str(), disk["level"].as_str()),
        (Some(82.5), Some("%"), Some("warning"))
    );
    assert!(disk["rule"].as_str().unwrap().contains("error > 90"));
}

#[test]
fn garbage_is_left_out_and_control_characters_are_taken_out() {
    let mut answer = vec![level("ccd01\\u001b[2J", "ccd", "warning", 82.5), hub_word(5, 1001.0)];
    // The topic has the name as it is, not as JSON writes it.
    answer[0].0 = "level/ccd01\u{1b}[2J".into();
    let mut published = vec![];
    for garbage in ["", "{", "null", "[1,2]", r#"{"seq":1}"#, "\u{0}\u{1}"] {
        answer.push(("level/x".into(), garbage.into()));
        published.push((garbage.to_owned(), garbage.to_owned()));
    }
    published.push(("level/y".into(), "[".repeat(100_000)));
    let hub = Hub::start(answer, published);
    let output = look(&hub, &["--once"]);
    let shown = text(&output);
    assert!(shown.starts_with("LAMON WARNING - 1 of 1 node: ccd01[2J disk_percent 82.5 %\n"), "{shown:?}");
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&look(&hub, &["--json"]).stdout).unwrap();
    assert_eq!(json["nodes"].as_array().unwrap().len(), 1);
}

#[test]
fn without_a_hub_it_is_unknown_with_a_sentence() {
    let nowhere = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("tcp://{}", socket.local_addr().unwrap())
    };
    for words in [&["--once"], &["--json"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_lamon-mon"))
            .args(["--publish", &nowhere, "--snapshot", &nowhere, "--timeout", "1"])
            .args(words)
            .output()
            .unwrap();
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(3), "{shown}");
        assert!(shown.contains("nothing was heard of the hub at tcp://127.0.0.1:"), "{shown}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_lamon-mon")).arg("--nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "to Nagios clap's own 2 is a node in danger");
}

#[test]
fn a_hub_that_does_not_answer_is_unknown_too() {
    let hub = Hub::start_with(None, vec![hub_word(5, 1001.0), level("a", "g", "good", 1.0)]);
    let output = look(&hub, &["--json", "--timeout", "1"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), json["level"].as_str()), (Some(3), Some("unknown")));
    assert!(
        json["summary"].as_str().unwrap().contains("did not answer with the whole picture in 1 s"),
        "{json}"
    );
}

#[test]
fn texts_are_in_the_language_of_the_environment() {
    let hub = site();
    let shown = text(&look(&hub, &["--once", "--lang", "zh-CN"]));
    assert!(shown.starts_with("LAMON WARNING - ") && shown.contains("警告  ccd01"), "{shown}");
}
