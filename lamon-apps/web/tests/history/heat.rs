//! `heat`: many nodes beside each other.

use lamon_store::ArchiveUrl;
use serde_json::{Value, json};

use crate::hub::Hub;
use crate::program::{DAY, HOUR, T0, Web, fill, sample};

#[test]
fn a_map_has_a_row_for_each_node_and_tells_who_is_unlike_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let names: Vec<String> = (0..12).map(|number| format!("ccd{number:02}")).collect();
    let mut nodes: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "ccd")).collect();
    nodes.push(("dome", "dome"));
    let mut samples = Vec::new();
    for (place, (node, _)) in nodes.iter().enumerate() {
        for hour in 0..10 * 24_i64 {
            // Each a little other than the next; ccd07 is hot, and ccd08 was away on the second day.
            let value = if place == 7 { 90.0 } else { 20.0 + (place % 5) as f64 };
            if place != 8 || hour / 24 != 1 {
                let metrics = [("cpu_percent", value), ("temp_cpu", value)];
                samples.push(sample(node, T0 + hour * HOUR, samples.len() as u64, &metrics));
            }
        }
    }
    fill(&ArchiveUrl::sqlite(&file), &samples);
    let hub = Hub::of(&nodes);
    let web = Web::beside(&hub.addresses, &format!("[database]\nurl = \"sqlite:{}\"", file.display()));
    web.wait_for_nodes(nodes.len());
    let month = format!("from={T0}&to={}", T0 + 10 * DAY);
    for metric in ["cpu_percent", "temp_cpu"] {
        let path = format!("/api/v1/heat?metric={metric}&group=ccd&{month}&columns=10");
        let map = web.timed(&format!("ten days of {metric} of 12 nodes"), &path);
        assert_eq!((&map["step_ms"], &map["time_ms"][1]), (&json!(DAY), &json!(T0 + DAY)));
        let rows = map["nodes"].as_array().unwrap();
        assert_eq!((rows.len(), map["time_ms"].as_array().unwrap().len()), (12, 10));
        assert_eq!(rows[8]["mean"][1], Value::Null, "a gap is a gap");
        assert_eq!((&rows[8]["mean"][0], &rows[7]["mean"][9]), (&json!(23.0), &json!(90.0)));
        assert_eq!(map["median"][0], 21.5);
        for row in rows {
            let unlike = row["apart"].as_f64().unwrap() > 3.0;
            assert_eq!(unlike, row["node"] == "ccd07", "{row}");
        }
    }
    let all = web.json(&format!("/api/v1/heat?metric=cpu_percent&{month}"));
    assert_eq!(all["nodes"].as_array().unwrap().len(), 13, "without a group all");
    let odd = web.json(&format!("/api/v1/heat?metric=%3Cb%3E'&group=dome&{month}"));
    assert_eq!((&odd["metric"], &odd["nodes"][0]["apart"]), (&json!("<b>'"), &Value::Null));
    for (path, code, words) in [
        (format!("/api/v1/heat?metric=&{month}"), 400, "metric is a name"),
        (format!("/api/v1/heat?metric={}&{month}", "x".repeat(65)), 400, "metric is a name"),
        (format!("/api/v1/heat?metric=a&{month}&columns=1"), 400, "columns is 2 to 500"),
        (format!("/api/v1/heat?metric=a&{month}&columns=501"), 400, "columns is 2 to 500"),
        (format!("/api/v1/heat?metric=a&from={T0}&to={T0}"), 400, "is not before"),
        (format!("/api/v1/heat?{month}"), 400, "metric"),
        (format!("/api/v1/heat?metric=a&group=none&{month}"), 404, "group \"none\""),
    ] {
        let (status, sentence) = web.refusal(&path);
        assert_eq!(status, code, "{path}: {sentence}");
        assert!(sentence.contains(words), "{path}: {sentence}");
    }
}
