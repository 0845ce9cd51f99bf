//! What browsers send, and what the hub is asked then. What makes no sense to the hub it says itself.

use lamon_control::{Operation, When};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// The longest limit with its unit, bytes.
const MAX_LIMIT_BYTES: usize = 64;

/// A whole fingerprint, bytes: `SHA256:` and 43 characters.
const MIN_FINGERPRINT_BYTES: usize = 50;

/// A limit: a number in the metric's unit, or text with its unit, as `20 GB`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Limit {
    /// In the metric's unit.
    Number(f64),
    /// With its unit.
    Text(String),
}

/// Limits that are set over those of the configuration: of one value (`node` and `metric`), or of a rule wherever it holds (`name`).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Whose.
    node: Option<String>,
    /// Which metric of the node.
    metric: Option<String>,
    /// A rule by its name.
    name: Option<String>,
    /// Where warning begins; null for no warning; as it is when left out.
    #[serde(default, deserialize_with = "there")]
    #[schema(nullable)]
    warning: Option<Option<Limit>>,
    /// Where error begins; null for no error; as it is when left out.
    #[serde(default, deserialize_with = "there")]
    #[schema(nullable)]
    error: Option<Option<Limit>>,
    /// Why, for those who wonder later.
    reason: Option<String>,
}

/// Which limits the configuration shall have its way with again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichLimits {
    /// Whose.
    node: Option<String>,
    /// Which metric of the node.
    metric: Option<String>,
    /// A rule by its name.
    name: Option<String>,
}

/// Nodes that neither gate nor notify for a while: `seconds` from now, or from `from_ms` to `until_ms`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mute {
    /// Which: a name, a pattern, `@group`, or `*` for all.
    target: String,
    /// For how many seconds from now.
    seconds: Option<u64>,
    /// From when on, unix milliseconds UTC.
    from_ms: Option<i64>,
    /// Until when, unix milliseconds UTC.
    until_ms: Option<i64>,
    /// Why, for those who wonder later.
    reason: String,
}

/// The end of mutes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unmute {
    /// The number of one mute, or the target of all that name exactly it.
    mute: String,
}

/// Somebody knows: until the value is well again, gets worse, or the time is over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ack {
    /// Whose.
    node: String,
    /// Of this metric alone; else of the node as a whole.
    metric: Option<String>,
    /// For how many seconds at most.
    seconds: Option<u64>,
    /// What is being done about it.
    reason: String,
}

/// A gate that shall block nothing for a while.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateOverride {
    /// Its name.
    gate: String,
    /// For how many seconds, a week at most.
    seconds: u64,
    /// Why, for those who wonder later.
    reason: String,
}

/// A gate that shall block again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateRelease {
    /// Its name.
    gate: String,
}

/// A node that will not come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forget {
    /// Its name.
    node: String,
}

/// A key that shall speak for a node.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approve {
    /// Which node.
    node: String,
    /// The key's fingerprint, whole: that which was looked at, whoever else waits meanwhile.
    key: String,
}

/// A key that shall be believed no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    /// A node with a key, a node that somebody waits to speak for, or a key's fingerprint.
    target: String,
    /// Why, for those who wonder later.
    reason: String,
}

/// Nothing is to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A field that is there, null or not; one that is left out is `None` by its default.
fn there<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<Limit>>, D::Error> {
    Option::<Limit>::deserialize(field).map(Some)
}

/// What is asked of the hub.
pub(crate) trait Asks {
    /// The hub's words for it.
    ///
    /// # Errors
    ///
    /// A sentence, when they cannot be found.
    fn operation(self) -> Result<Operation, String>;
}

/// The hub's words for a value of a node, or a rule.
fn target(
    node: Option<String>,
    metric: Option<String>,
    name: Option<String>,
) -> Result<(String, Option<String>), String> {
    match (node, metric, name) {
        (Some(node), Some(metric), None) => Ok((node, Some(metric))),
        (None, None, Some(name)) => Ok((name, None)),
        _ => Err("limits are of a node and metric together, or of a rule by its name alone".into()),
    }
}

/// The hub's words for a limit.
fn limit(limit: Option<Option<Limit>>) -> Result<Option<String>, String> {
    match limit {
        None => Ok(None),
        Some(None) => Ok(Some("none".into())),
        Some(Some(Limit::Number(number))) => Ok(Some(number.to_string())),
        Some(Some(Limit::Text(text))) if text.len() > MAX_LIMIT_BYTES => {
            Err(format!("a limit has at most {MAX_LIMIT_BYTES} bytes"))
        }
        Some(Some(Limit::Text(text))) => Ok(Some(text)),
    }
}

impl Asks for Limits {
    fn operation(self) -> Result<Operation, String> {
        let (target, metric) = target(self.node, self.metric, self.name)?;
        let (warning, error) = (limit(self.warning)?, limit(self.error)?);
        if warning.is_none() && error.is_none() {
            return Err("say warning, error, or both".into());
        }
        Ok(Operation::Set { target, metric, warning, error, reason: self.reason })
    }
}

impl Asks for WhichLimits {
    fn operation(self) -> Result<Operation, String> {
        let (target, metric) = target(self.node, self.metric, self.name)?;
        Ok(Operation::Reset { target, metric })
    }
}

impl Asks for Mute {
    fn operation(self) -> Result<Operation, String> {
        let when = match (self.seconds, self.from_ms, self.until_ms) {
            (Some(seconds), None, None) => When::For { seconds },
            (None, Some(from_ms), Some(until_ms)) => When::Between { from_ms, until_ms },
            _ => return Err("a mute is for seconds from now, or between from_ms and until_ms".into()),
        };
        Ok(Operation::Mute { target: self.target, when, reason: self.reason })
    }
}

impl Asks for Unmute {
    fn operation(self) -> Result<Operation, String> {
        Ok(Operation::Unmute { mute: self.mute })
    }
}

impl Asks for Ack {
    fn operation(self) -> Result<Operation, String> {
        let Self { node, metric, seconds, reason } = self;
        Ok(Operation::Ack { node, metric, seconds, reason })
    }
}

impl Asks for GateOverride {
    fn operation(self) -> Result<Operation, String> {
        let Self { gate, seconds, reason } = self;
        Ok(Operation::Override { gate, seconds, reason })
    }
}

impl Asks for GateRelease {
    fn operation(self) -> Result<Operation, String> {
        Ok(Operation::Release { gate: self.gate })
    }
}

impl Asks for Forget {
    fn operation(self) -> Result<Operation, String> {
        Ok(Operation::Forget { node: self.node })
    }
}

impl Asks for Approve {
    fn operation(self) -> Result<Operation, String> {
        if self.key.len() < MIN_FINGERPRINT_BYTES {
            return Err("say the whole fingerprint of the key, as it waits".into());
        }
        Ok(Operation::Approve { node: self.node, key: Some(self.key) })
    }
}

impl Asks for Revoke {
    fn operation(self) -> Result<Operation, String> {
        Ok(Operation::Revoke { target: self.target, reason: self.reason })
    }
}

impl Asks for Nothing {
    fn operation(self) -> Result<Operation, String> {
        Ok(Operation::Reload {})
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn asked<T: DeserializeOwned + Asks>(body: &str) -> Result<Operation, String> {
        serde_json::from_str::<T>(body).map_err(|error| error.to_string())?.operation()
    }

    #[test]
    fn limits_are_numbers_texts_gone_or_left_alone() {
        let set = |target: &str, metric: Option<&str>, warning: Option<&str>, error: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Ok(Operation::Set {
                target: target.into(),
                metric: own(metric),
                warning: own(warning),
                error: own(error),
                reason: None,
            })
        };
        let asked = asked::<Limits>;
        assert_eq!(
            asked(r#"{"node":"a","metric":"m","warning":80,"error":90.5}"#),
            set("a", Some("m"), Some("80"), Some("90.5"))
        );
        assert_eq!(asked(r#"{"name":"disk","warning":null}"#), set("disk", None, Some("none"), None));
        assert_eq!(asked(r#"{"name":"disk","error":"20 GB"}"#), set("disk", None, None, Some("20 GB")));
        for (body, said) in [
            (r#"{"node":"a","warning":1}"#.to_owned(), "a node and metric together"),
            (r#"{"warning":1}"#.to_owned(), "a node and metric together"),
            (r#"{"node":"a","metric":"m","name":"r"}"#.to_owned(), "a node and metric together"),
            (r#"{"name":"disk"}"#.to_owned(), "say warning, error"),
            (r#"{"group":"ccd","metric":"m"}"#.to_owned(), "unknown field `group`"),
            (format!(r#"{{"name":"r","warning":"{}"}}"#, "9".repeat(65)), "at most 64 bytes"),
            (r#"{"name":"r","warning":true}"#.to_owned(), "did not match"),
        ] {
            let error = asked(&body).unwrap_err();
            assert!(error.contains(said), "{body}: {error}");
        }
    }

    #[test]
    fn a_mute_has_one_kind_of_time() {
        let asked = asked::<Mute>;
        let Ok(Operation::Mute { when: When::For { seconds: 60 }, .. }) =
            asked(r#"{"target":"a","seconds":60,"reason":"x"}"#)
        else {
            panic!("no mute")
        };
        let Ok(Operation::Mute { when: When::Between { from_ms: 1, until_ms: 2 }, .. }) =
            asked(r#"{"target":"a","from_ms":1,"until_ms":2,"reason":"x"}"#)
        else {
            panic!("no mute")
        };
        for body in [
            r#"{"target":"a","reason":"x"}"#,
            r#"{"target":"a","seconds":60,"from_ms":1,"reason":"x"}"#,
            r#"{"target":"a","seconds":-1,"reason":"x"}"#,
            r#"{"target":"a","seconds":1}"#,
        ] {
            assert!(asked(body).is_err(), "{body}");
        }
    }
}
