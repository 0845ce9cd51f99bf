//! What operators can do from RTS2: commands that rts2-mon, scripts and `rts2c cmd` send, on every device of the hub.
//!
//! | command | what it does |
//! |---|---|
//! | `mute <nodes> <seconds> "<reason>" [who]` | lets nodes neither gate nor notify |
//! | `unmute <number or nodes> [who]` | ends mutes |
//! | `ack <node> <metric or all> "<reason>" [who]` | says that somebody knows |
//! | `override <gate> <seconds> "<reason>" [who]` | lets a gate block nothing for a while |
//! | `release <gate> [who]` | ends that before its time |
//! | `approve <node> <key> [who]` | lets the key that waits for the node, and begins so, speak for it |
//! | `revoke <node or key> "<reason>" [who]` | believes a key no more |
//! | `forget <node> [who]` | takes a silent node out of the picture |
//! | `set_limits <node> <metric> "<warning> <error>" [who]` | sets the limits of one value |
//! | `reset_limits <rule>`, `reset_limits <node> <metric>` | lets those of the file hold again |
//! | `reload [who]` | has the configuration read again |

use lamon_control::{Operation, When};
use rts2dev::{CommandError, DeviceHandle, FromParameters, Refusal, Reply};

use super::limits;
use super::operator::Operator;

/// What stands for a node as a whole where a metric is expected.
const WHOLE: &str = "all";

/// An operation, and what the one who asks for it calls himself.
type Wish = (Operation, Option<String>);

/// Adds the commands to the device.
pub(super) fn declare(device: &DeviceHandle, operator: &Operator) -> Result<(), CommandError> {
    add(
        device,
        operator,
        ("mute", r#"<nodes> <seconds> "<reason>" [who]"#),
        |(target, seconds, reason, who): (String, i64, String, _)| {
            let seconds =
                u64::try_from(seconds).map_err(|_| Refusal::value("a mute lasts 1 second or more"))?;
            Ok((Operation::Mute { target, when: When::For { seconds }, reason }, who))
        },
    )?;
    add(device, operator, ("unmute", "<number or nodes> [who]"), |(mute, who): (String, _)| {
        Ok((Operation::Unmute { mute }, who))
    })?;
    add(
        device,
        operator,
        ("ack", r#"<node> <metric or all> "<reason>" [who]"#),
        |(node, metric, reason, who): (String, String, String, _)| {
            let metric = (metric != WHOLE).then_some(metric);
            Ok((Operation::Ack { node, metric, seconds: None, reason }, who))
        },
    )?;
    add(
        device,
        operator,
        ("override", r#"<gate> <seconds> "<reason>" [who]"#),
        |(gate, seconds, reason, who): (String, i64, String, _)| {
            let seconds =
                u64::try_from(seconds).map_err(|_| Refusal::value("an override lasts 1 second or more"))?;
            Ok((Operation::Override { gate, seconds, reason }, who))
        },
    )?;
    add(device, operator, ("release", "<gate> [who]"), |(gate, who): (String, _)| {
        Ok((Operation::Release { gate }, who))
    })?;
    add(
        device,
        operator,
        ("approve", "<node> <key, or how it begins> [who]"),
        |(node, key, who): (String, String, _)| Ok((Operation::Approve { node, key: Some(key) }, who)),
    )?;
    add(
        device,
        operator,
        ("revoke", r#"<node or key> "<reason>" [who]"#),
        |(target, reason, who): (String, String, _)| Ok((Operation::Revoke { target, reason }, who)),
    )?;
    add(device, operator, ("forget", "<node> [who]"), |(node, who): (String, _)| {
        Ok((Operation::Forget { node }, who))
    })?;
    add(
        device,
        operator,
        ("set_limits", r#"<node> <metric> "<warning> <error>" [who]"#),
        |(node, metric, pair, who): (String, String, String, _)| {
            Ok((limits::wish(node, Some(metric), &pair)?, who))
        },
    )?;
    add(
        device,
        operator,
        ("reset_limits", "<rule>, or <node> <metric>"),
        |(target, metric): (String, _)| Ok((Operation::Reset { target, metric }, None)),
    )?;
    add(device, operator, ("reload", "[who]"), |(who,): (_,)| Ok((Operation::Reload {}, who)))
}

/// Adds a command; who gives it other parameters is told what it wants.
fn add<P: FromParameters>(
    device: &DeviceHandle,
    operator: &Operator,
    (name, usage): (&str, &str),
    wish: impl Fn(P) -> Result<Wish, Refusal> + Send + Sync + 'static,
) -> Result<(), CommandError> {
    let operator = operator.clone();
    device.command_by(name, move |caller, parameters: P| {
        let (operator, wish) = (operator.clone(), wish(parameters));
        async move {
            let (operation, who) = wish?;
            operator.ask(&caller, who.as_deref(), operation).await.map(|did| Reply::text(&did))
        }
    })?;
    device.set_command_usage(name, usage);
    Ok(())
}
