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
use crate::history::{self, Past};
use crate::login::answers as login;
use crate::operate::{Operator, changes, reads, whatif};
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
    /// Who is let in.
    pub(crate) access: Arc<Access>,
    /// The way to the hub.
    pub(crate) operator: Arc<Operator>,
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
        live::live,
        metrics::metrics,
        login::me,
        login::login,
        login::logout,
        changes::limits,
        changes::reset,
        changes::mute,
        changes::unmute,
        changes::acknowledge,
        changes::override_gate,
        changes::release,
        changes::forget,
        changes::reload,
        reads::settings,
        reads::gates,
        reads::explain,
        reads::keys,
        changes::approve,
        changes::revoke,
        whatif::whatif
    )
)]
struct Description;

/// Every path that is answered.
pub(crate) fn router(shared: Arc<Shared>, past: Past, access: Arc<Access>, operator: Operator) -> Router {
    let state = State {
        shared,
        pages: Arc::new(Semaphore::new(MAX_PAGES)),
        past,
        access: access.clone(),
        operator: operator.into(),
    };
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
        .route("/api/v1/me", get(login::me))
        .route("/api/v1/login", post(login::login))
        .route("/api/v1/logout", post(login::logout))
        .merge(operating())
        .fallback(files::file)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(access, guard::guard))
        .with_state(state)
}

/// The paths that operate the hub.
fn operating() -> Router<State> {
    Router::new()
        .route("/api/v1/limits", post(changes::limits))
        .route("/api/v1/limits/reset", post(changes::reset))
        .route("/api/v1/mutes", post(changes::mute))
        .route("/api/v1/mutes/end", post(changes::unmute))
        .route("/api/v1/acks", post(changes::acknowledge))
        .route("/api/v1/gates", get(reads::gates))
        .route("/api/v1/gates/override", post(changes::override_gate))
        .route("/api/v1/gates/release", post(changes::release))
        .route("/api/v1/forget", post(changes::forget))
        .route("/api/v1/reload", post(changes::reload))
        .route("/api/v1/settings", get(reads::settings))
        .route("/api/v1/keys", get(reads::keys))
        .route("/api/v1/keys/approve", post(changes::approve))
        .route("/api/v1/keys/revoke", post(changes::revoke))
        .route("/api/v1/explain", get(reads::explain))
        .route("/api/v1/whatif", get(whatif::whatif))
}

async fn other_method() -> Response {
    refuse(StatusCode::METHOD_NOT_ALLOWED, "this path is read by GET or changed by POST, not both")
}

/// An answer that is none, with a sentence.
pub(crate) fn refuse(code: StatusCode, sentence: impl Into<String>) -> Response {
    (code, Json(Refusal { error: sentence.into() })).into_response()
}
