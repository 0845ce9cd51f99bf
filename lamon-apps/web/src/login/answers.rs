//! The paths `login`, `logout` and `me`.

use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

use super::caller::{Caller, Peer, cookie};
use super::lobby::NotIn;
use super::users::Role;
use crate::answers::Refusal;
use crate::api::body::Body;
use crate::api::{State as Api, refuse};

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// His name.
    user: String,
    /// His password.
    password: String,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// His name; null when nobody is logged in.
    user: Option<String>,
    /// What he may do: each role may do what those before it may.
    role: Option<Role>,
    /// What the header X-Lamon-Csrf has to say beside each change.
    csrf: Option<String>,
    /// Whether nothing is shown to whoever is not logged in.
    required: bool,
}

impl Me {
    fn new(caller: Option<&Caller>, required: bool) -> Self {
        Self {
            user: caller.map(|caller| caller.name.clone()),
            role: caller.map(|caller| caller.role),
            csrf: caller.map(|caller| caller.token.clone()),
            required,
        }
    }
}

/// Who is logged in here.
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, body = Me)))]
pub(crate) async fn me(State(api): State<Api>, caller: Option<Extension<Caller>>) -> Json<Me> {
    Json(Me::new(caller.as_deref(), api.access.required))
}

/// Logs in; the answer brings the cookie of the session.
#[utoipa::path(post, path = "/api/v1/login", request_body = Credentials, responses(
    (status = 200, body = Me),
    (status = 400, body = Refusal),
    (status = 401, description = "the name or the password is wrong", body = Refusal),
    (status = 403, description = "asked for by a page from elsewhere", body = Refusal),
    (status = 429, description = "too many guesses: Retry-After tells how many seconds to wait", body = Refusal),
    (status = 503, description = "too many others log in just now", body = Refusal)))]
pub(crate) async fn login(
    State(api): State<Api>,
    Extension(Peer(peer)): Extension<Peer>,
    before: Option<Extension<Caller>>,
    Body(Credentials { user, password }): Body<Credentials>,
) -> Response {
    let access = &api.access;
    let secret = match access.lobby.log_in(peer.ip(), &user, password).await {
        Ok(secret) => secret,
        Err(why) => return not_in(&why, &user, peer.ip()),
    };
    // A session that was there is not taken over.
    if let Some(Extension(before)) = before {
        access.lobby.log_out(before.key);
    }
    let caller = access.lobby.caller(&secret);
    info!("{user} logged in from {}", peer.ip());
    let answer = Json(Me::new(caller.as_ref(), access.required));
    ([(header::SET_COOKIE, cookie(Some(&secret), access.tls))], answer).into_response()
}

fn not_in(why: &NotIn, user: &str, from: std::net::IpAddr) -> Response {
    match why {
        NotIn::Wrong => {
            // Somebody may have typed his password here: what is no name is not shown.
            let user = if super::users::check_name(user).is_ok() { user } else { "somebody" };
            warn!("{user} is not let in from {from}: wrong name or password");
            refuse(StatusCode::UNAUTHORIZED, "wrong name or password")
        }
        NotIn::Wait(wait) => {
            let seconds = wait.as_secs() + 1;
            let sentence = format!("too many wrong passwords: try again in {seconds} s");
            let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, sentence);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            response
        }
        NotIn::Busy => refuse(StatusCode::SERVICE_UNAVAILABLE, "too many others log in just now: try again"),
        NotIn::NoRandom => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "the system gives no random numbers: try again")
        }
    }
}

/// Logs out.
#[utoipa::path(post, path = "/api/v1/logout", params(("X-Lamon-Csrf" = String, Header, description = "as `me` tells it")),
    responses((status = 204), (status = 401, body = Refusal), (status = 403, body = Refusal)))]
pub(crate) async fn logout(State(api): State<Api>, caller: Option<Extension<Caller>>) -> Response {
    match Caller::may(caller.as_deref(), Role::View) {
        Ok(caller) => {
            api.access.lobby.log_out(caller.key);
            info!("{} logged out", caller.name);
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(None, api.access.tls))]).into_response()
        }
        Err(response) => *response,
    }
}
