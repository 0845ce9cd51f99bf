//! What names keys, and what holds them: fingerprints, join tokens, certificates, key files of both kinds. What can be read is
//! written the same; what cannot is told shortly.

use std::path::Path;

use lamon_curve::{KeyPair, PublicKey};
use lamon_keys::{Believed, Fingerprint, JoinToken, Key, client, server};

/// The first byte says what the rest is.
pub fn run(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    match what % 6 {
        0 => same(&text, text.parse::<Fingerprint>()),
        1 => same(&text, text.parse::<PublicKey>()),
        2 => match text.parse::<JoinToken>() {
            Ok(token) => {
                assert_eq!(token.to_string(), text.trim());
                assert_eq!(format!("{token:?}"), format!("…@{}", token.hub()), "a secret is in no log");
            }
            Err(error) => assert!(error.to_string().len() < 300),
        },
        3 => {
            // A peer's certificate comes before anything is known of him.
            let _ = Fingerprint::of(&bytes.into());
        }
        4 => {
            if let Ok(key) = Key::of_pem(bytes, Path::new("key")) {
                let _ = (client(&key, Believed::Anybody).is_ok(), server(&key).is_ok());
            }
        }
        _ => {
            if let Ok(pair) = KeyPair::of_text(&text, Path::new("key")) {
                assert!(text.contains(&pair.public().to_string()));
            }
        }
    }
}

/// A name is written as it was read, or refused in few words.
fn same<T: ToString, E: ToString>(text: &str, read: Result<T, E>) {
    match read {
        Ok(name) => assert_eq!(name.to_string(), text),
        // Sixty-four characters of it are shown, ten for each that cannot be.
        Err(error) => assert!(error.to_string().len() < 900, "{}", error.to_string()),
    }
}
