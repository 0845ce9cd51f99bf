//! Who asks: his cookie, the token beside each change, and what a handler asks of him.

use std::net::SocketAddr;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::sessions::{Key, LONGEST};
use super::users::Role;
use crate::api::refuse;

/// The header that stands beside each change, with the token of the session: a page from elsewhere cannot know it.
pub(crate) const TOKEN_HEADER: &str = "x-lamon-csrf";

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// His session.
    pub(crate) key: Key,
    /// His name.
    pub(crate) name: String,
    /// What he may do.
    pub(crate) role: Role,
    /// What stands beside each change.
    pub(crate) token: String,
}

impl Caller {
    /// Whether the request has the token of the session. Hashes are compared: how long it takes tells nothing.
    pub(crate) fn sent_token(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
        sent.is_some_and(|sent| Key::of(sent) == Key::of(&self.token))
    }

    /// Lets him who may do as much.
    ///
    /// # Errors
    ///
    /// The answer, 401 for nobody and 403 for who may not.
    pub(crate) fn may(caller: Option<&Self>, role: Role) -> Result<&Self, Box<Response>> {
        match caller {
            Some(caller) if caller.role >= role => Ok(caller),
            Some(Self { name, role: his, .. }) => Err(Box::new(refuse(
                StatusCode::FORBIDDEN,
                format!(
                    "{name} may {}, and this takes the role {}: an administrator gives it with lamon-web user password {name} \
                     --role {}",
                    his.as_str(),
                    role.as_str(),
                    role.as_str()
                ),
            ))),
            None => Err(Box::new(refuse(StatusCode::UNAUTHORIZED, "log in first"))),
        }
    }
}

/// The cookie's name: under TLS one that only this host can set, and only over TLS.
const fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-lamon_session" } else { "lamon_session" }
}

/// The secret in the request's cookies.
pub(crate) fn secret(headers: &HeaderMap, tls: bool) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == cookie_name(tls))
        .map(|(_, secret)| secret)
}

/// The cookie with a session's secret; without one, what makes browsers forget it.
pub(crate) fn cookie(secret: Option<&str>, tls: bool) -> String {
    let name = cookie_name(tls);
    let secure = if tls { "; Secure" } else { "" };
    let (value, age) = (secret.unwrap_or_default(), secret.map_or(0, |_| LONGEST.as_secs()));
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn cookies_are_found_and_are_for_this_page_alone() {
        let mut headers = HeaderMap::new();
        for cookies in ["a=b; lamon_session=plain ; c", "__Host-lamon_session=tls"] {
            headers.append(header::COOKIE, HeaderValue::from_static(cookies));
        }
        assert_eq!(secret(&headers, false), Some("plain"));
        assert_eq!(secret(&headers, true), Some("tls"));
        assert_eq!(secret(&HeaderMap::new(), true), None);
        assert_eq!(
            cookie(Some("x"), true),
            "__Host-lamon_session=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure"
        );
        assert_eq!(cookie(None, false), "lamon_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
