//! Site, nodes and events as they are now.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;

use super::{State as Api, refuse};
use crate::answers::{Level, NodeDetail, NodeRow, Refusal, Site};

/// Which nodes are asked for; all when nothing is said.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichNodes {
    /// Those of this group.
    group: Option<String>,
    /// Those of this level or worse.
    level: Option<Level>,
}

/// Whether the hub is heard, for whatever watches this program.
#[utoipa::path(get, path = "/healthz", responses(
    (status = 200, description = "the hub is heard", body = String),
    (status = 503, description = "it is not", body = Refusal)))]
pub(crate) async fn healthz(State(api): State<Api>) -> Response {
    if api.shared.snapshot().heard {
        return "the hub is heard\n".into_response();
    }
    refuse(StatusCode::SERVICE_UNAVAILABLE, "nothing is heard of the hub: what is shown is as it was last")
}

/// The site as a whole.
#[utoipa::path(get, path = "/api/v1/site", responses((status = 200, body = Site)))]
pub(crate) async fn site(State(api): State<Api>) -> Json<Site> {
    Json(api.shared.snapshot().site())
}

/// Every node in a line, by name.
#[utoipa::path(get, path = "/api/v1/nodes", params(WhichNodes), responses(
    (status = 200, body = Vec<NodeRow>), (status = 400, body = Refusal)))]
pub(crate) async fn nodes(
    State(api): State<Api>,
    which: Result<Query<WhichNodes>, QueryRejection>,
) -> Response {
    let Query(which) = match which {
        Ok(which) => which,
        Err(error) => return senseless(&error.body_text()),
    };
    let snapshot = api.shared.snapshot();
    let wanted = snapshot.nodes.values().filter(|kept| {
        which.group.as_ref().is_none_or(|group| *group == kept.row.group)
            && which.level.is_none_or(|level| kept.row.level >= level)
    });
    Json(wanted.map(|kept| &kept.json).collect::<Vec<_>>()).into_response()
}

/// All of one node.
#[utoipa::path(get, path = "/api/v1/nodes/{node}", params(("node" = String, Path, description = "its name")), responses(
    (status = 200, body = NodeDetail), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn node(State(api): State<Api>, name: Result<Path<String>, PathRejection>) -> Response {
    let Path(name) = match name {
        Ok(name) => name,
        Err(error) => return senseless(&error.body_text()),
    };
    match api.shared.snapshot().nodes.get(&name) {
        Some(kept) => Json(NodeDetail::from(&kept.node)).into_response(),
        None => refuse(StatusCode::NOT_FOUND, format!("no node {name:?} is known")),
    }
}

fn senseless(sentence: &str) -> Response {
    refuse(StatusCode::BAD_REQUEST, sentence)
}
