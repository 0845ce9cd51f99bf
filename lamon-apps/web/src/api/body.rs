//! The JSON of a request that changes something: short, whole within seconds, no field that is not known.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::refuse;

/// The longest body, bytes: the longest names and reasons fill a quarter of it.
const MAX_BYTES: usize = 8 << 10;

/// How long a body may take to come.
const WITHIN: Duration = Duration::from_secs(10);

/// What a body says.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        // A form of another page can send text, but not this.
        if kind != Some("application/json") {
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json"));
        }
        let bytes = match tokio::time::timeout(WITHIN, to_bytes(request.into_body(), MAX_BYTES)).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(_)) => {
                let sentence = format!("a body has at most {MAX_BYTES} bytes");
                return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, sentence));
            }
            Err(_) => return Err(refuse(StatusCode::REQUEST_TIMEOUT, "the body took too long to come")),
        };
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            refuse(StatusCode::BAD_REQUEST, format!("the body is not what is asked for: {error}"))
        })
    }
}
