//! What is asked over HTTP.

pub(crate) mod body;
mod files;
pub(crate) mod guard;
mod live;
mod metrics;
mod nodes;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use utoipa::OpenApi;

use self::guard::Access;
use crate::answers::Refusal;
use crate::login::answers as login;
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
    /// Who is let in.
    pub(crate) access: Arc<Access>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "lamon",
        description = "How the observatory's computers are. POST takes a login, the header X-Lamon-Csrf as `me` tells it, and Origin."
    ),
    paths(
        nodes::healthz,
        nodes::site,
        nodes::nodes,
        nodes::node,
        nodes::events,
        live::live,
        metrics::metrics,
        login::me,
        login::login,
        login::logout
    )
)]
struct Description;

/// Every path that is answered.
pub(crate) fn router(shared: Arc<Shared>, access: Arc<Access>) -> Router {
    let state = State { shared, pages: Arc::new(Semaphore::new(MAX_PAGES)), access: access.clone() };
    Router::new()
        .route("/healthz", get(nodes::healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/site", get(nodes::site))
        .route("/api/v1/nodes", get(nodes::nodes))
        .route("/api/v1/nodes/{node}", get(nodes::node))
        .route("/api/v1/events", get(nodes::events))
        .route("/api/v1/live", get(live::live))
        .route("/api/v1/openapi.json", get(async || Json(Description::openapi())))
        .route("/api/v1/me", get(login::me))
        .route("/api/v1/login", post(login::login))
        .route("/api/v1/logout", post(login::logout))
        .fallback(files::file)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(access, guard::guard))
        .with_state(state)
}

async fn other_method() -> Response {
    refuse(StatusCode::METHOD_NOT_ALLOWED, "this path is read by GET or changed by POST, not both")
}

/// An answer that is none, with a sentence.
pub(crate) fn refuse(code: StatusCode, sentence: impl Into<String>) -> Response {
    (code, Json(Refusal { error: sentence.into() })).into_response()
}
