//! The past, from the archive: curves, tables, events, nights. Everything is read in short statements through a few readers, and
//! nothing of it holds up what is live.
//!
//! | file | what it does |
//! |---|---|
//! | `pool` | the readers, and who waits for one |
//! | `asked` | what of a question makes sense |
//! | `curves`, `merge` | `history`: metrics of some nodes in about as many points as somebody draws |
//! | `samples`, `csv` | `samples`: a node's samples as they are stored, page by page; the same as a file |
//! | `events` | `events`: what happened, also long ago |
//! | `heat`, `apart` | `heat`: a metric of many nodes as a map, and which node is unlike the others |
//! | `nights`, `problems` | `nights`: what went wrong in an observing night, and from when to when |
//! | `disks` | `nodes/{node}/disks`: in how many nights a disk is full |
//! | `site` | when nights begin |
//! | `times` | times and dates as text |

mod apart;
mod asked;
mod csv;
mod curves;
mod disks;
mod events;
mod heat;
mod merge;
mod nights;
mod pool;
mod problems;
mod samples;
mod site;
mod times;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lamon_store::ArchiveError;
use utoipa::OpenApi;

pub(crate) use self::asked::Span;
pub(crate) use self::curves::word;
pub(crate) use self::pool::Past;
pub(crate) use self::site::SiteTable;
use crate::api::{State, refuse};

#[derive(OpenApi)]
#[openapi(paths(
    curves::history,
    samples::samples,
    csv::samples,
    events::events,
    heat::heat,
    nights::nights,
    nights::night,
    disks::disks
))]
struct Description;

/// The paths of the past, described.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The paths of the past.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/api/v1/history", get(curves::history))
        .route("/api/v1/samples", get(samples::samples))
        .route("/api/v1/samples.csv", get(csv::samples))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/heat", get(heat::heat))
        .route("/api/v1/nights", get(nights::nights))
        .route("/api/v1/nights/{date}", get(nights::night))
        .route("/api/v1/nodes/{node}/disks", get(disks::disks))
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused {
    code: StatusCode,
    sentence: String,
}

impl Refused {
    /// The question makes no sense.
    pub(crate) fn senseless(sentence: impl Into<String>) -> Self {
        Self { code: StatusCode::BAD_REQUEST, sentence: sentence.into() }
    }

    /// What is asked for is not known.
    pub(crate) fn unknown(sentence: impl Into<String>) -> Self {
        Self { code: StatusCode::NOT_FOUND, sentence: sentence.into() }
    }

    /// Not now.
    fn unavailable(sentence: impl Into<String>) -> Self {
        Self { code: StatusCode::SERVICE_UNAVAILABLE, sentence: sentence.into() }
    }
}

impl From<ArchiveError> for Refused {
    fn from(error: ArchiveError) -> Self {
        Self::unavailable(format!("the archive cannot be read: {error}"))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        refuse(self.code, self.sentence)
    }
}
