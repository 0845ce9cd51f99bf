//! Whatever the headers of somebody say whom nobody knows: no name is this page's that is not, no cookie gives more than stands in it,
//! and nothing ends the program.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;

use super::caller::secret;
use super::config::Hosts;
use super::lobby::credentials;

/// Texts that are nearly hosts, cookies or passwords, and such as are nothing.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("localhost"),
        Just("LocalHost"),
        Just("lamon.example.org"),
        Just("evil.example.org"),
        Just("127.0.0.1"),
        Just("10.1.2.3"),
        Just("[::1]"),
        Just("[2001:db8::1]"),
        Just("::1"),
        Just("__Host-lamon_session"),
        Just("lamon_session"),
        Just("Basic"),
        Just("dXNlcjpwYXNz"),
        Just("8617"),
        Just("65536"),
        Just(":"),
        Just("@"),
        Just("="),
        Just(";"),
        Just(" "),
        Just("."),
        Just("/"),
        Just("%00"),
        Just("\u{e9}"),
    ];
    prop_oneof![
        proptest::collection::vec(word, 0..8).prop_map(|words| words.concat()),
        "[ -~]{0,60}",
        any::<String>(),
    ]
}

/// Whether a host is one of these names or an address of this computer, said in another way than the code that is tested does.
fn is_own(host: &str, named: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_matches(['[', ']']);
    bare.eq_ignore_ascii_case("localhost")
        || bare.eq_ignore_ascii_case(named)
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_host_is_this_page_that_is_not_named(host in nearly()) {
        let hosts = Hosts::new(&["lamon.example.org".into()], false).unwrap();
        if hosts.answers_to(&host) {
            prop_assert!(is_own(&host, "lamon.example.org"), "{host:?}");
        }
    }

    #[test]
    fn a_cookie_gives_what_stands_in_it(cookies in proptest::collection::vec(nearly(), 0..4), tls in any::<bool>()) {
        let mut headers = HeaderMap::new();
        for cookie in &cookies {
            if let Ok(value) = HeaderValue::from_str(cookie) {
                headers.append(header::COOKIE, value);
            }
        }
        if let Some(found) = secret(&headers, tls) {
            let name = if tls { "__Host-lamon_session=" } else { "lamon_session=" };
            prop_assert!(cookies.iter().any(|cookie| cookie.contains(&format!("{name}{found}"))), "{cookies:?}");
            prop_assert!(!found.contains(';'));
        }
    }

    #[test]
    fn names_and_passwords_are_read_or_not(basic in nearly()) {
        if let Some((name, _)) = credentials(&basic) {
            prop_assert!(!name.contains(':') && basic.len() > name.len(), "{basic:?}");
        }
    }
}
