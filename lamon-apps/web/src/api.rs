//! What is asked over HTTP: everything is read, nothing is changed.

mod files;
mod guard;
mod live;
mod metrics;
mod nodes;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use utoipa::OpenApi;

use crate::answers::Refusal;
use crate::history::{self, Past};
use crate::watcher::Shared;

/// The most pages that are live at once: every screen of an observatory many times over.
pub(crate) const MAX_PAGES: usize = 200;

/// What every answer is made from.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The picture.
    pub(crate) shared: Arc<Shared>,
    /// Room for live pages.
    pub(crate) pages: Arc<Semaphore>,
    /// The archive.
    pub(crate) past: Past,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "lamon",
        description = "How the observatory's computers are. Everything is read, nothing is changed."
    ),
    paths(nodes::healthz, nodes::site, nodes::nodes, nodes::node, live::live, metrics::metrics)
)]
struct Description;

/// Every path that is answered.
pub(crate) fn router(shared: Arc<Shared>, past: Past) -> Router {
    let state = State { shared, pages: Arc::new(Semaphore::new(MAX_PAGES)), past };
    Router::new()
        .route("/healthz", get(nodes::healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/site", get(nodes::site))
        .route("/api/v1/nodes", get(nodes::nodes))
        .route("/api/v1/nodes/{node}", get(nodes::node))
        .route("/api/v1/live", get(live::live))
        .route(
            "/api/v1/openapi.json",
            get(async || Json(Description::openapi().merge_from(history::described()))),
        )
        .merge(history::routes())
        .fallback(files::file)
        .layer(middleware::from_fn(guard::guard))
        .with_state(state)
}

/// An answer that is none, with a sentence.
pub(crate) fn refuse(code: StatusCode, sentence: impl Into<String>) -> Response {
    (code, Json(Refusal { error: sentence.into() })).into_response()
}
