//! Who may ask, and what browsers are told to refuse.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refuse;

/// What is written beside every answer.
const HEADERS: [(header::HeaderName, &str); 5] = [
    // The page brings everything along: nothing from elsewhere, nothing inline, in nobody's frame.
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Lets only those in who asked for this computer by a name of its own: a page from elsewhere whose name was turned to
/// 127.0.0.1 must not read what is here.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let other = request.uri().authority();
    let mut response =
        if !host.is_some_and(is_loopback) || !other.is_none_or(|name| is_loopback(name.as_str())) {
            refuse(StatusCode::FORBIDDEN, "this page is for its own computer alone: ask for localhost")
        } else if request.method() != Method::GET && request.method() != Method::HEAD {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "everything is read here, nothing is changed: use GET")
        } else {
            next.run(request).await
        };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let cache = response.headers_mut().entry(header::CACHE_CONTROL);
    cache.or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a host, with or without a port, is this computer as it calls itself. The port may be that of a tunnel.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost")
            || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_computer_are_let_in() {
        for (host, wanted) in [
            ("localhost", true),
            ("LOCALHOST:8617", true),
            ("127.0.0.1:9000", true),
            ("[::1]:8617", true),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org", false),
            ("192.0.2.1:8617", false),
            ("user@localhost", false),
            ("", false),
            ("[::1", false),
        ] {
            assert_eq!(is_loopback(host), wanted, "{host}");
        }
    }
}
