//! `samples.csv`: a node's samples as a file for a spreadsheet, sent as it is read.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use csv::{Terminator, WriterBuilder};
use futures_util::stream;
use lamon_store::reading::{Row, Walk};
use lamon_store::{ArchiveReader, Tier};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::asked::{Span, known, names};
use super::samples::{MAX_COLUMNS, columns};
use super::{Refused, times};
use crate::answers::Refusal;
use crate::api::State as Api;

/// Which samples are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichFile {
    /// Of this node.
    node: String,
    /// From this time, unix milliseconds UTC.
    from: i64,
    /// To before this time, unix milliseconds UTC.
    to: i64,
    /// These columns, with commas between, 512 at most; all when nothing is said.
    metrics: Option<String>,
}

/// A node's samples, the oldest first, as CSV (RFC 4180) with the names in its first line and times in ISO 8601 UTC. It is sent as it is
/// read: one that ends early was cut off.
#[utoipa::path(get, path = "/api/v1/samples.csv", params(WhichFile), responses(
    (status = 200, content_type = "text/csv", body = String), (status = 400, body = Refusal),
    (status = 404, body = Refusal),
    (status = 503, description = "no archive, it cannot be read, or others are downloading", body = Refusal)))]
pub(crate) async fn samples(
    State(api): State<Api>,
    which: Result<Query<WhichFile>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which.map_err(|error| Refused::senseless(error.body_text()))?;
    let span = Span::new(which.from, which.to)?;
    let asked = which.metrics.as_deref().map(|list| names("metrics", list, MAX_COLUMNS)).transpose()?;
    known(&api, &which.node).await?;
    let room = api.past.download()?;
    let metrics: Vec<String> = match asked {
        Some(asked) => asked.into_iter().map(str::to_owned).collect(),
        None => {
            let read = async |reader: &mut ArchiveReader| {
                reader.metric_names(&which.node, span.from_ms, span.to_ms, MAX_COLUMNS).await
            };
            let found = api.past.read(read).await?;
            columns(found.iter().map(|name| &**name)).into_iter().map(str::to_owned).collect()
        }
    };
    let names: Vec<&str> = metrics.iter().map(String::as_str).collect();
    let walk = Walk::of(Tier::Samples, &which.node, &names, span.from_ms, span.to_ms);
    let file = File { api, walk, metrics, begun: false, _room: room };
    let stream = stream::try_unfold(file, File::next);
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, attachment(&which.node, span)),
    ];
    Ok((head, Body::from_stream(stream)).into_response())
}

/// The file's name.
fn attachment(node: &str, span: Span) -> HeaderValue {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let node: String = node.chars().take(64).map(|letter| if safe(letter) { letter } else { '_' }).collect();
    let day = times::iso(span.from_ms);
    let day = day.split('T').next().unwrap_or_default();
    HeaderValue::from_str(&format!("attachment; filename=\"lamon-{node}-{day}.csv\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// A file that is being sent.
struct File {
    api: Api,
    walk: Walk,
    metrics: Vec<String>,
    begun: bool,
    _room: OwnedSemaphorePermit,
}

impl File {
    /// The next lines. Between two of them no reader is kept: who takes them slowly keeps nobody waiting.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if !self.begun {
            self.begun = true;
            let heads = std::iter::once("time").chain(self.metrics.iter().map(String::as_str));
            let text = lines([heads.map(cell).collect()].into_iter())?;
            return Ok(Some((text, self)));
        }
        let walk = &mut self.walk;
        let read = async |reader: &mut ArchiveReader| reader.next_rows(walk).await;
        let rows = self.api.past.read(read).await.map_err(|refused| io::Error::other(refused.sentence))?;
        let Some(rows) = rows else { return Ok(None) };
        let text = lines(rows.iter().map(|row| self.line(row)))?;
        Ok(Some((text, self)))
    }

    fn line(&self, row: &Row) -> Vec<String> {
        let value = |metric: &String| {
            let found = row.metrics.iter().find(|(name, _)| **name == **metric);
            found.map(|(_, stat)| stat.mean.to_string()).unwrap_or_default()
        };
        std::iter::once(times::iso(row.time_ms)).chain(self.metrics.iter().map(value)).collect()
    }
}

/// A text that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula { format!("'{text}") } else { text.to_owned() }
}

/// Cells as lines.
fn lines(rows: impl Iterator<Item = Vec<String>>) -> io::Result<Bytes> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map(Bytes::from).map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_all_are_escaped() {
        for (text, wanted) in [
            ("=cmd()", "'=cmd()"),
            ("+1+1", "'+1+1"),
            ("-x", "'-x"),
            ("@a", "'@a"),
            ("-1.5", "-1.5"),
            ("cpu_percent", "cpu_percent"),
        ] {
            assert_eq!(cell(text), wanted);
        }
        let text = lines([vec!["a,b".into(), "c\"d\r\n".into(), String::new()]].into_iter()).unwrap();
        assert_eq!(text, "\"a,b\",\"c\"\"d\r\n\",\r\n");
    }

    #[test]
    fn a_name_of_a_file_is_harmless() {
        let span = Span { from_ms: 1_795_305_600_000, to_ms: 1_795_305_600_001 };
        let name = attachment("../a\"b\n", span);
        assert_eq!(name, "attachment; filename=\"lamon-___a_b_-2026-11-22.csv\"");
    }
}
