//! Who may ask, and what browsers are told to refuse.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refuse;
use crate::login::{Caller, Hosts, Lobby, Peer, caller};

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

/// Where one logs in: what changes something, and is asked for by nobody.
const LOGIN: &str = "/api/v1/login";

/// The live stream.
const LIVE: &str = "/api/v1/live";

/// Who is let in.
#[derive(Debug)]
pub(crate) struct Access {
    /// The names that this page answers to.
    pub(crate) hosts: Hosts,
    /// Who may log in, and who has.
    pub(crate) lobby: Arc<Lobby>,
    /// Browsers come by TLS.
    pub(crate) tls: bool,
    /// Nothing is shown to whoever is not logged in.
    pub(crate) required: bool,
}

/// Lets a request in, with its [`Caller`] when he is logged in, or answers why not.
pub(crate) async fn guard(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let caller = caller::secret(request.headers(), access.tls).and_then(|secret| access.lobby.caller(secret));
    let brought = if caller.is_none() { access.brought(&request) } else { None };
    let program = match brought {
        Some((from, basic)) => access.lobby.let_in(from, &basic).await.is_ok(),
        None => false,
    };
    let mut response = match access.admit(&request, caller.as_ref(), program) {
        Ok(()) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err((code, sentence)) => refuse(code, sentence),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if access.tls {
        // A browser that was here once does not ask without TLS any more.
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let cache = response.headers_mut().entry(header::CACHE_CONTROL);
    cache.or_insert(HeaderValue::from_static("no-store"));
    response
}

impl Access {
    /// Name and password that a program which reads brought, and from where, when that is needed. The live stream takes a
    /// session, which ends.
    fn brought(&self, request: &Request) -> Option<(IpAddr, String)> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD) && request.uri().path() != LIVE;
        let basic = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
        let Peer(from) = request.extensions().get()?;
        (self.required && reads).then(|| (from.ip(), basic.to_owned()))
    }

    fn admit(
        &self,
        request: &Request,
        caller: Option<&Caller>,
        program: bool,
    ) -> Result<(), (StatusCode, &'static str)> {
        let headers = request.headers();
        let host = only(headers, &header::HOST);
        let other = request.uri().authority();
        if !host.is_some_and(|host| self.hosts.answers_to(host))
            || !other.is_none_or(|name| self.hosts.answers_to(name.as_str()))
        {
            return Err((
                StatusCode::FORBIDDEN,
                "this page does not answer to that name: ask for localhost, or have the name added to hosts of web.toml",
            ));
        }
        let path = request.uri().path();
        if *request.method() == Method::GET || *request.method() == Method::HEAD {
            let shown = !self.required || program || caller.is_some() || is_for_all(path);
            return if shown { Ok(()) } else { Err((StatusCode::UNAUTHORIZED, "log in first")) };
        }
        if *request.method() != Method::POST {
            return Err((
                StatusCode::METHOD_NOT_ALLOWED,
                "GET reads and POST changes: nothing else is taken here",
            ));
        }
        if !self.is_own_page(headers, host.unwrap_or_default()) {
            return Err((
                StatusCode::FORBIDDEN,
                "changes are taken from this page alone: a program sends Origin with the address it asks",
            ));
        }
        match caller {
            // The attempt alone is allowed.
            _ if path == LOGIN => Ok(()),
            None => Err((StatusCode::UNAUTHORIZED, "log in first")),
            Some(caller) if caller.sent_token(headers) => Ok(()),
            Some(_) => Err((
                StatusCode::FORBIDDEN,
                "the header X-Lamon-Csrf is missing or not that of the session: load the page again",
            )),
        }
    }

    /// Whether a browser says that the page which asks is the one it asks. What it does not say is not taken for granted.
    fn is_own_page(&self, headers: &HeaderMap, host: &str) -> bool {
        let origin = only(headers, &header::ORIGIN);
        let Some((scheme, authority)) = origin.and_then(|origin| origin.split_once("://")) else {
            return false;
        };
        // Without TLS of its own the page may be behind something that has it.
        let known = scheme == "https" || (scheme == "http" && !self.tls);
        known
            && authority.eq_ignore_ascii_case(host)
            && authority.parse::<Authority>().is_ok()
            && headers.get_all("sec-fetch-site").iter().all(|site| site == "same-origin")
    }
}

/// What a header says, when it is there once: of two, something before this program may have looked at the other.
fn only<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    if all.next().is_none() { first.to_str().ok() } else { None }
}

/// What is shown to everybody: whether this program is well, who asks, and the page itself, which has nothing in it.
fn is_for_all(path: &str) -> bool {
    path == "/api/v1/me" || !(path.starts_with("/api/") || path == "/metrics")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn access(tls: bool, required: bool) -> Access {
        let lobby = Lobby::open("/nowhere/users".into()).unwrap();
        Access { hosts: Hosts::default(), lobby: lobby.into(), tls, required }
    }

    fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8617");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn reading_is_open_unless_a_login_is_required() {
        for (path, shown) in [
            ("/", true),
            ("/assets/index-1.js", true),
            ("/healthz", true),
            ("/api/v1/me", true),
            ("/api/v1/nodes", false),
            ("/api/v1/live", false),
            ("/api/v1/openapi.json", false),
            ("/metrics", false),
        ] {
            let request = asked("GET", path, &[]);
            assert_eq!(access(false, false).admit(&request, None, false), Ok(()), "{path}");
            assert_eq!(access(true, true).admit(&request, None, false).is_ok(), shown, "{path}");
        }
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let refused = access(false, false).admit(&asked(method, "/api/v1/nodes", &[]), None, false);
            assert_eq!(refused.unwrap_err().0, StatusCode::METHOD_NOT_ALLOWED);
        }
    }

    #[test]
    fn a_change_comes_from_the_page_itself() {
        let own = ("origin", "http://localhost:8617");
        for (headers, plain, tls) in [
            (&[own][..], true, false),
            (&[("origin", "https://LOCALHOST:8617")], true, true),
            (&[own, ("sec-fetch-site", "same-origin")], true, false),
            (&[own, ("sec-fetch-site", "same-site")], false, false),
            (&[own, own], false, false),
            (&[own, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false, false),
            (&[own, ("host", "localhost:8617")], false, false),
            (&[("origin", "http://localhost:8618")], false, false),
            (&[("origin", "http://evil.example")], false, false),
            (&[("origin", "null")], false, false),
            (&[("origin", "ftp://localhost:8617")], false, false),
            (&[("origin", "http://localhost:8617.evil.example")], false, false),
            (&[], false, false),
        ] {
            let login = asked("POST", LOGIN, headers);
            assert_eq!(access(false, false).admit(&login, None, false).is_ok(), plain, "{headers:?}");
            assert_eq!(access(true, true).admit(&login, None, false).is_ok(), tls, "{headers:?}");
            let code = access(false, false)
                .admit(&asked("POST", "/api/v1/mutes", headers), None, false)
                .unwrap_err()
                .0;
            assert_eq!(code, if plain { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN });
        }
    }
}
