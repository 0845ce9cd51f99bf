//! What the hub tells through its control socket alone: settings, gates, why a level is what it is.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use lamon_control::key::Keys;
use lamon_control::{Answer, Operation};
use serde::Deserialize;

use super::refused;
use crate::answers::Refusal;
use crate::api::{State as Api, refuse};
use crate::login::Caller;
use crate::login::users::Role;

/// Which value is to be explained.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichValue {
    /// Whose.
    node: String,
    /// Which metric.
    metric: String,
}

async fn read(api: &Api, operation: Operation) -> Response {
    match api.operator.ask(None, operation).await {
        Ok(Answer::Settings(settings)) => Json(settings).into_response(),
        Ok(Answer::Gates(gates)) => Json(gates).into_response(),
        Ok(Answer::Explanation(explanation)) => Json(explanation).into_response(),
        // What lets nodes in by itself is for the hub's own terminal.
        Ok(Answer::Keys(keys)) => Json(Keys { secrets: Vec::new(), ..*keys }).into_response(),
        Ok(_) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "the hub answered something else: use the programs of one release",
        ),
        Err(why) => refused(why),
    }
}

/// What operators changed: `mutes`, `acks`, `overrides`, `limits`, each with who and when.
#[utoipa::path(get, path = "/api/v1/settings", responses((status = 200, body = serde_json::Value),
    (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn settings(State(api): State<Api>) -> Response {
    read(&api, Operation::Settings {}).await
}

/// How every gate stands.
#[utoipa::path(get, path = "/api/v1/gates", responses((status = 200, body = serde_json::Value),
    (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn gates(State(api): State<Api>) -> Response {
    read(&api, Operation::Gates {}).await
}

/// Who waits to speak for a node, whose keys are approved, and which are believed no more; takes the role admin.
#[utoipa::path(get, path = "/api/v1/keys", responses((status = 200, body = serde_json::Value),
    (status = 401, body = Refusal), (status = 403, body = Refusal),
    (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn keys(State(api): State<Api>, caller: Option<Extension<Caller>>) -> Response {
    match Caller::may(caller.as_deref(), Role::Admin) {
        Ok(_) => read(&api, Operation::Keys {}).await,
        Err(response) => *response,
    }
}

/// Which rule holds for a metric, and why its level is what it is: `lines` of text.
#[utoipa::path(get, path = "/api/v1/explain", params(WhichValue), responses((status = 200, body = serde_json::Value),
    (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn explain(
    State(api): State<Api>,
    which: Result<Query<WhichValue>, QueryRejection>,
) -> Response {
    match which {
        Ok(Query(WhichValue { node, metric })) => read(&api, Operation::Explain { node, metric }).await,
        Err(error) => refuse(StatusCode::BAD_REQUEST, error.body_text()),
    }
}
