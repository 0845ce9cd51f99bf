//! The paths that change something at the hub, and the role that each takes.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use lamon_control::Answer;
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;

use super::bodies::{
    Ack, Approve, Asks, Forget, GateOverride, GateRelease, Limits, Mute, Nothing, Revoke, Unmute, WhichLimits,
};
use super::refused;
use crate::answers::Refusal;
use crate::api::body::Body;
use crate::api::{State as Api, refuse};
use crate::login::users::Role;
use crate::login::{Caller, Peer};

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// A sentence of the hub.
    text: String,
    /// The number of what was made, a mute.
    id: Option<u32>,
}

/// Who asks, and from where.
#[derive(Debug)]
pub(crate) struct Asker {
    caller: Option<Caller>,
    from: Option<IpAddr>,
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let extensions: &Extensions = &parts.extensions;
        let from = extensions.get::<Peer>().map(|Peer(peer)| peer.ip().to_canonical());
        Ok(Self { caller: extensions.get().cloned(), from })
    }
}

/// Has the hub do it, when whoever asks may; the log has who, from where, what, and what came of it.
async fn change(api: &Api, asker: Asker, role: Role, body: impl Asks) -> Response {
    let caller = match Caller::may(asker.caller.as_ref(), role) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let operation = match body.operation() {
        Ok(operation) => operation,
        Err(sentence) => return refuse(StatusCode::BAD_REQUEST, sentence),
    };
    let what = serde_json::to_string(&operation).unwrap_or_default();
    let from = asker.from.map(|from| from.to_string()).unwrap_or_default();
    match api.operator.ask(Some(&caller.name), operation).await {
        Ok(Answer::Did(did)) => {
            info!(user = caller.name, from, what, outcome = did.text, "the hub was operated");
            Json(Done { text: did.text, id: did.id }).into_response()
        }
        Ok(_) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "the hub answered something else: use the programs of one release",
        ),
        Err(why) => {
            warn!(user = caller.name, from, what, outcome = why.1, "the hub was not operated");
            refused(why)
        }
    }
}

/// Sets limits over those of the configuration; takes the role operate.
#[utoipa::path(post, path = "/api/v1/limits", request_body = Limits, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn limits(State(api): State<Api>, asker: Asker, Body(body): Body<Limits>) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Lets the limits of the configuration hold again; takes the role operate.
#[utoipa::path(post, path = "/api/v1/limits/reset", request_body = WhichLimits, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn reset(State(api): State<Api>, asker: Asker, Body(body): Body<WhichLimits>) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Lets nodes neither gate nor notify for a while; takes the role operate.
#[utoipa::path(post, path = "/api/v1/mutes", request_body = Mute, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn mute(State(api): State<Api>, asker: Asker, Body(body): Body<Mute>) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Ends mutes; takes the role operate.
#[utoipa::path(post, path = "/api/v1/mutes/end", request_body = Unmute, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn unmute(State(api): State<Api>, asker: Asker, Body(body): Body<Unmute>) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Says that somebody knows; takes the role operate.
#[utoipa::path(post, path = "/api/v1/acks", request_body = Ack, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn acknowledge(State(api): State<Api>, asker: Asker, Body(body): Body<Ack>) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Lets a gate block nothing for a while; takes the role operate.
#[utoipa::path(post, path = "/api/v1/gates/override", request_body = GateOverride, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn override_gate(
    State(api): State<Api>,
    asker: Asker,
    Body(body): Body<GateOverride>,
) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Ends the override of a gate; takes the role operate.
#[utoipa::path(post, path = "/api/v1/gates/release", request_body = GateRelease, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn release(State(api): State<Api>, asker: Asker, Body(body): Body<GateRelease>) -> Response {
    change(&api, asker, Role::Operate, body).await
}

/// Takes a node out of the picture that will not come back; takes the role admin.
#[utoipa::path(post, path = "/api/v1/forget", request_body = Forget, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn forget(State(api): State<Api>, asker: Asker, Body(body): Body<Forget>) -> Response {
    change(&api, asker, Role::Admin, body).await
}

/// Lets a key speak for a node; takes the role admin.
#[utoipa::path(post, path = "/api/v1/keys/approve", request_body = Approve, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn approve(State(api): State<Api>, asker: Asker, Body(body): Body<Approve>) -> Response {
    change(&api, asker, Role::Admin, body).await
}

/// Has a key believed no more; takes the role admin.
#[utoipa::path(post, path = "/api/v1/keys/revoke", request_body = Revoke, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn revoke(State(api): State<Api>, asker: Asker, Body(body): Body<Revoke>) -> Response {
    change(&api, asker, Role::Admin, body).await
}

/// Has the hub read its configuration again; takes the role admin.
#[utoipa::path(post, path = "/api/v1/reload", request_body = Nothing, responses((status = 200, body = Done),
    (status = "4XX", body = Refusal), (status = 503, description = "the hub is away", body = Refusal)))]
pub(crate) async fn reload(State(api): State<Api>, asker: Asker, Body(body): Body<Nothing>) -> Response {
    change(&api, asker, Role::Admin, body).await
}
