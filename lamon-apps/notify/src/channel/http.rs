//! What the channels that speak HTTP share: one POST, bounded in time and length.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::{Failure, cut, secret};

/// The longest that one delivery takes, name look-up and answer included: a robot answers in a tenth of it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read: robots answer with a hundred bytes, and an error page of a proxy is cut.
const MAX_ANSWER_BYTES: u64 = 64 * 1_024;

/// Answers that are about the body: bad request, too large, of a wrong type, unprocessable (RFC 9110).
const REFUSALS: [u16; 4] = [400, 413, 415, 422];

/// The body of a request that is JSON.
pub(super) const JSON: &str = "application/json; charset=utf-8";

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
                let url = secret(path)?;
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
pub(super) fn post(
    url: &str,
    content_type: &str,
    body: &str,
    ca_file: Option<&Path>,
) -> Result<String, Failure> {
    let sent = agent(ca_file)?.post(url).header("content-type", content_type).send(body);
    text_of(sent)
}

/// Asks for what is at an address.
///
/// # Errors
///
/// As [`post`].
pub(super) fn get(url: &str, ca_file: Option<&Path>) -> Result<String, Failure> {
    text_of(agent(ca_file)?.get(url).call())
}

fn agent(ca_file: Option<&Path>) -> Result<Agent, String> {
    let roots = ca_file.map_or(Ok(RootCerts::WebPki), authorities)?;
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    Ok(Agent::new_with_config(config))
}

/// The text of an answer that is 2xx.
fn text_of(answer: Result<Response<Body>, ureq::Error>) -> Result<String, Failure> {
    let mut answer = answer.map_err(|error| explain(&error))?;
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).lossy_utf8(true).read_to_string();
    if !status.is_success() {
        let body = body.unwrap_or_default();
        let why = format!("the server answers {status}: {}", cut(body.trim(), SHOWN_BYTES));
        return Err(if REFUSALS.contains(&status.as_u16()) {
            Failure::Refused(why)
        } else {
            Failure::Later(why)
        });
    }
    Ok(body.map_err(|error| explain(&error))?)
}

/// Posts JSON to a robot. Robots answer 200 also when they refuse; a number that is not 0 tells.
///
/// # Errors
///
/// A sentence.
pub(super) fn post_to_robot(url: &str, body: &Value, code: &str, reason: &str) -> Result<(), Failure> {
    let answer = post(url, JSON, &body.to_string(), None)?;
    // The same number may tell that the robot is gone, or has too much to say: it is tried again.
    accepted(&answer, code, reason).map(drop).map_err(|refusal| Failure::Later(refusal.why))
}

/// Why a service refuses, in an answer that is 200.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its number for that; `None` when the answer is none of its.
    pub(super) number: Option<i64>,
    /// In words.
    pub(super) why: String,
}

/// An answer in JSON whose number `code` is 0.
///
/// # Errors
///
/// What it says instead.
pub(super) fn accepted(answer: &str, code: &str, reason: &str) -> Result<Value, Refusal> {
    let parsed: Value = serde_json::from_str(answer).unwrap_or_default();
    match parsed.get(code).and_then(Value::as_i64) {
        Some(0) => Ok(parsed),
        Some(number) => {
            let why = parsed.get(reason).and_then(Value::as_str).unwrap_or("no reason given");
            let why = cut(why, SHOWN_BYTES);
            Err(Refusal { number: Some(number), why: format!("refused: {why} ({code} {number})") })
        }
        None => {
            let shown = cut(answer.trim(), SHOWN_BYTES);
            Err(Refusal { number: None, why: format!("the answer is none of such a service: {shown}") })
        }
    }
}

/// The certificates of a file, to be trusted in place of the public authorities.
///
/// # Errors
///
/// A sentence, when it cannot be read or has none.
pub(super) fn authorities(path: &Path) -> Result<RootCerts, String> {
    let failed = |what: String| format!("the file {} {what}", path.display());
    let pem = std::fs::read(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(failed("has no certificate: it begins with -----BEGIN CERTIFICATE".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
        ureq::Error::BodyExceedsLimit(_) => "the answer is longer than 64 KiB".to_owned(),
        ureq::Error::BadUri(_) => "the address is none: write https://…".to_owned(),
        error => error.to_string(),
    }
}
