//! `set` and `cmd`: what a device is told to do.

use std::time::{Duration, Instant};

use rts2dev::client::{CENTRALD, ClientError, Login, RemoteValue, parse_utc};
use rts2dev::proto::{BaseType, CommandReturn, SetOp};

use crate::exit::Failure;
use crate::get::value;
use crate::output::{Output, printable};
use crate::path::Path;

pub(crate) async fn set(login: &Login, path: &str, words: &[String], timeout: f64) -> Result<(), Failure> {
    let (path, glued) = split_operator(path);
    let (device, name) = Path::of_value(path)?;
    if glued.is_none() && words.is_empty() {
        return Err(Failure::Usage(format!("what {path} is to be is missing; \"\" empties a text")));
    }
    let words = glued.iter().copied().chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let (op, text) = match words.trim_start() {
        words if words.starts_with("+=") => (SetOp::Add, words.get(2..)),
        words if words.starts_with("-=") => (SetOp::Subtract, words.get(2..)),
        words if words.starts_with('=') => (SetOp::Set, words.get(1..)),
        words => (SetOp::Set, Some(words)),
    };
    let text = text.unwrap_or_default().trim();
    let limit = Limit::new(timeout);
    let client = limit.keep(CENTRALD, login.client()).await?;
    let device = limit.keep(&device, client.device(&device)).await?;
    // An element of an array, `name[2]`, is the device's to find.
    let known = if name.contains('[') { None } else { Some(value(&device, &name)?) };
    let operand = operand(known.as_ref(), text);
    let line = format!("X {name} {} {operand}", char::from(op.byte()));
    let answer = device.command_within(&line, limit.left()).await?;
    ended(device.name(), &answer)
}

pub(crate) async fn command(
    login: &Login,
    device: &str,
    words: &[String],
    timeout: f64,
) -> Result<(), Failure> {
    let limit = Limit::new(timeout);
    let client = limit.keep(CENTRALD, login.client()).await?;
    let device = limit.keep(device, client.device(device)).await?;
    let answer = device.command_within(&words.join(" "), limit.left()).await?;
    Output::new().line(&printable(&answer.to_string()))?;
    ended(device.name(), &answer)
}

/// The time that the whole may take: logging in to one that hangs is a part of it.
struct Limit(Instant);

impl Limit {
    /// From now on, seconds.
    fn new(seconds: f64) -> Self {
        Self(Instant::now() + Duration::from_secs_f64(seconds))
    }

    fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    async fn keep<T>(
        &self,
        peer: &str,
        done: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let late = |_| ClientError::Timeout { peer: peer.to_owned() };
        tokio::time::timeout(self.left(), done).await.map_err(late)?
    }
}

fn ended(device: &str, answer: &CommandReturn) -> Result<(), Failure> {
    if answer.is_error() {
        let answer = printable(&answer.to_string());
        return Err(Failure::Refused { peer: device.to_owned(), answer });
    }
    Ok(())
}

/// `A.x+=3` is a path and an operator.
fn split_operator(path: &str) -> (&str, Option<&str>) {
    let at = path.find("+=").or_else(|| path.find("-=")).or_else(|| path.find('='));
    match at.and_then(|at| path.split_at_checked(at)) {
        Some((path, rest)) => (path, Some(rest)),
        None => (path, None),
    }
}

/// As the wire has it: a text with blanks needs the quotes that the shell took off, a time is unix seconds.
fn operand(value: Option<&RemoteValue>, text: &str) -> String {
    let base = value.and_then(|value| value.flags.value_type().ok());
    let is_text = base == Some(rts2dev::proto::ValueType::scalar(BaseType::String))
        || base == Some(rts2dev::proto::ValueType::scalar(BaseType::Selection));
    let is_time = base == Some(rts2dev::proto::ValueType::scalar(BaseType::Time));
    if is_time && let Some(seconds) = parse_utc(text) {
        return format!("{seconds}");
    }
    let needs_quotes = text.is_empty() || text.contains(char::is_whitespace);
    if is_text && needs_quotes && !text.starts_with('"') { format!("\"{text}\"") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_may_touch_the_path() {
        assert_eq!(split_operator("A.x+=3"), ("A.x", Some("+=3")));
        assert_eq!(split_operator("A.x=-3"), ("A.x", Some("=-3")));
        assert_eq!(split_operator("A.x"), ("A.x", None));
    }
}
