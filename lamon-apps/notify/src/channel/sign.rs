//! The robots' signatures: HMAC-SHA256 as Base64, of a time stamp and a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// DingTalk: the secret is the key, `timestamp LF secret` is signed; the time stamp is in milliseconds.
/// (open.dingtalk.com, "Custom robot access", security settings: signature)
pub(super) fn dingtalk(timestamp_ms: u128, secret: &str) -> String {
    base64(secret, format!("{timestamp_ms}\n{secret}").as_bytes())
}

/// Feishu: `timestamp LF secret` is the key, nothing is signed; the time stamp is in seconds.
/// (open.feishu.cn, "Custom bot usage guide", signature verification)
pub(super) fn feishu(timestamp: u64, secret: &str) -> String {
    base64(&format!("{timestamp}\n{secret}"), b"")
}

fn base64(key: &str, data: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, data))
}

/// Text as it may stand in the query of an address (RFC 3986, unreserved characters stay).
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are those of Python's hmac and base64 with the vendors' documented programs.
    #[test]
    fn signatures_are_those_of_the_vendors_programs() {
        assert_eq!(
            dingtalk(1_577_262_236_757, "this is secret"),
            "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
        );
        assert_eq!(feishu(1_599_360_473, "demo"), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
        assert_eq!(percent_encoded("a+b/c=~"), "a%2Bb%2Fc%3D~");
    }
}
