//! Every node's values for Prometheus, in its text format.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::State as Api;
use crate::picture::Snapshot;

/// Every value of every node, `lamon_<metric>`; `lamon_level` is 0 good, 1 warning, 2 error, 3 silent.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    let text = write(&api.shared.snapshot());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The text. Lines of a metric stand together, as the format wants it.
fn write(snapshot: &Snapshot) -> String {
    let mut families: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for kept in snapshot.nodes.values() {
        let node = &kept.node;
        let labels = format!("{{node=\"{}\",group=\"{}\"}}", label(&node.name), label(&node.group));
        let level = lamon_bus::Level::ALL.iter().take_while(|level| **level < node.level).count();
        let own = [
            ("lamon_level", level.to_string()),
            ("lamon_muted", u8::from(node.muted).to_string()),
            ("lamon_acknowledged", u8::from(node.acknowledged).to_string()),
            ("lamon_heard_timestamp_seconds", node.heard.to_string()),
        ];
        let own = own.map(|(metric, value)| (metric.to_owned(), value));
        let values =
            node.metrics.iter().filter_map(|(metric, kept)| Some((name(metric), number(kept.value?))));
        for (metric, value) in own.into_iter().chain(values) {
            let lines = families.entry(metric).or_default();
            // Two metrics of a name that differ in what is no letter would be one: the first stands.
            if lines.lines().next_back().is_none_or(|line| !line.contains(&labels)) {
                // A String takes everything.
                let _ = writeln!(lines, "{labels} {value}");
            }
        }
    }
    let heard = u8::from(snapshot.heard);
    let mut text = format!("# TYPE lamon_hub_heard gauge\nlamon_hub_heard {heard}\n");
    for (metric, lines) in families {
        let _ = writeln!(text, "# TYPE {metric} gauge");
        for line in lines.lines() {
            let _ = writeln!(text, "{metric}{line}");
        }
    }
    text
}

/// A metric's name as Prometheus takes it.
fn name(metric: &str) -> String {
    let known = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    match metric {
        // These are lamon's own words for the node.
        "level" | "muted" | "acknowledged" | "heard_timestamp_seconds" | "hub_heard" => {
            format!("lamon_metric_{metric}")
        }
        _ => format!("lamon_{}", metric.chars().map(known).collect::<String>()),
    }
}

/// A label's value, escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A number as Prometheus writes it.
fn number(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf" } else { "-Inf" }.into() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_escaped() {
        assert_eq!(name("disk_root-1.x_percent"), "lamon_disk_root_1_x_percent");
        assert_eq!(name("level"), "lamon_metric_level");
        assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
        assert_eq!(number(f64::NEG_INFINITY), "-Inf");
        assert_eq!(number(3.5), "3.5");
    }
}
