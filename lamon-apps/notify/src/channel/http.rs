//! What the channels that speak HTTP share: one POST, bounded in time and length.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use super::{cut, secret};

/// The longest that one delivery takes, name look-up and answer included: a robot answers in a tenth of it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read: robots answer with a hundred bytes, and an error page of a proxy is cut.
const MAX_ANSWER_BYTES: u64 = 64 * 1_024;

/// How much of an answer an error shows.
const SHOWN_BYTES: usize = 200;

/// Where to. No `Debug` of what it holds: a robot's address is its password.
#[derive(Clone)]
pub(crate) enum Url {
    /// As the configuration says.
    Plain(String),
    /// The first line of a file that nobody else may read.
    File(PathBuf),
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Url")
    }
}

impl Url {
    /// The address as it is now.
    ///
    /// # Errors
    ///
    /// A sentence, when its file cannot be used or does not hold an address.
    pub(crate) fn read(&self) -> Result<String, String> {
        match self {
            Self::Plain(url) => Ok(url.clone()),
            Self::File(path) => {
                let url = secret::read(path)?;
                if is_url(&url) {
                    return Ok(url);
                }
                Err(format!("the file {} does not hold an address: write https://…", path.display()))
            }
        }
    }
}

/// Whether it is an address that can be sent to.
pub(crate) fn is_url(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
        && !text.contains(char::is_whitespace)
}

/// Posts a body.
///
/// # Errors
///
/// A sentence, when there is no answer or one that is not 2xx. The address is not in it.
pub(super) fn post(url: &str, content_type: &str, body: &str) -> Result<String, String> {
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    let sent = Agent::new_with_config(config).post(url).header("content-type", content_type).send(body);
    let mut answer = sent.map_err(|error| explain(&error))?;
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).lossy_utf8(true).read_to_string();
    if !status.is_success() {
        let body = body.unwrap_or_default();
        return Err(format!("the server answers {status}: {}", cut(body.trim(), SHOWN_BYTES)));
    }
    body.map_err(|error| explain(&error))
}

/// Posts JSON to a robot. Robots answer 200 also when they refuse; a number that is not 0 tells.
///
/// # Errors
///
/// A sentence.
pub(super) fn post_to_robot(url: &str, body: &Value, code: &str, reason: &str) -> Result<(), String> {
    let answer = post(url, "application/json; charset=utf-8", &body.to_string())?;
    let parsed: Value = serde_json::from_str(&answer).unwrap_or_default();
    match parsed.get(code).and_then(Value::as_i64) {
        Some(0) => Ok(()),
        Some(number) => {
            let why = parsed.get(reason).and_then(Value::as_str).unwrap_or("no reason given");
            Err(format!("the robot refuses it: {why} ({code} {number})"))
        }
        None => Err(format!("the answer is none of a robot: {}", cut(answer.trim(), SHOWN_BYTES))),
    }
}

fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
        ureq::Error::BodyExceedsLimit(_) => "the answer is longer than 64 KiB".to_owned(),
        ureq::Error::BadUri(_) => "the address is none: write https://…".to_owned(),
        error => error.to_string(),
    }
}
