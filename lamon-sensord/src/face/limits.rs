//! The limits of rules as values of the summary device: `disk_limits`, which holds warning and error together, `80 90`.
//!
//! They are texts, because warning and error are set as a pair: a client edits and sends a text whole, exactly, with units where
//! there are any, and with `none` for a limit that there is not. rts2-mon has a box for arrays of numbers too, but sends six
//! digits of each.

use std::collections::BTreeMap;

use lamon_collector::watch::{Limits, Origin, Ruled, Rules};
use lamon_control::Operation;
use lamon_wire::metric::Unit;
use rts2dev::{DeclareError, DeviceHandle, Refusal, Value};

use super::operator::Operator;

/// The most rules with a value of their own: a client shows them one below the other.
const MAX_RULES: usize = 200;

/// The values, by the names of rules.
pub(super) struct LimitValues {
    values: BTreeMap<String, Shown>,
}

/// `None` where RTS2 cannot have the value; complained of once.
type Shown = Option<Value<String>>;

impl LimitValues {
    pub(super) const fn new() -> Self {
        Self { values: BTreeMap::new() }
    }

    /// Shows the rules, with values for those that had none. Rules of one value, which operators make, have none: they come
    /// and go. What cannot be shown is added to `complaints`, once.
    pub(super) fn show(
        &mut self,
        device: &DeviceHandle,
        operator: &Operator,
        rules: &Rules,
        complaints: &mut Vec<(String, DeclareError)>,
    ) {
        for ruled in rules.iter().filter(|ruled| has_value(ruled)) {
            let name = ruled.rule.name();
            if !self.values.contains_key(name) {
                if self.values.len() >= MAX_RULES {
                    continue;
                }
                let declared = declare(device, operator, ruled);
                let shown = declared.map_err(|error| complaints.push((value_name(name), error))).ok();
                self.values.insert(name.into(), shown);
            }
            if let Some(Some(value)) = self.values.get(name) {
                let (_, unit) = ruled.rule.of_metrics();
                value.set(pair(ruled.rule.limits(), unit));
            }
        }
    }

    /// Whether there is a value whose rule is gone: it can only go when the device registers anew.
    pub(super) fn is_stale(&self, rules: &Rules) -> bool {
        self.values.keys().any(|name| rules.named(name).is_none_or(|ruled| !has_value(ruled)))
    }
}

fn has_value(ruled: &Ruled) -> bool {
    ruled.origin != Origin::Operator && !ruled.rule.is_off()
}

fn value_name(rule: &str) -> String {
    format!("{rule}_limits")
}

fn declare(device: &DeviceHandle, operator: &Operator, ruled: &Ruled) -> Result<Value<String>, DeclareError> {
    let name = ruled.rule.name();
    let (metrics, unit) = ruled.rule.of_metrics();
    let unit = unit.map(Unit::symbol).filter(|symbol| !symbol.is_empty());
    let unit = unit.map_or_else(String::new, |unit| format!("[{unit}] "));
    let rate = if ruled.rule.rate().is_some() { " per hour" } else { "" };
    let what = format!("{unit}warning and error of {metrics}{rate}; none for no limit");
    let (operator, rule) = (operator.clone(), name.to_owned());
    let value = device.string(&value_name(name), &what).on_set_by(move |caller, text: String| {
        let (operator, wish) = (operator.clone(), wish(rule.clone(), None, &text));
        async move { operator.ask(&caller, None, wish?).await.map(drop) }
    });
    value.declare()
}

/// What somebody wants who writes a pair of limits: `80 90`, `20GB 10GB`, `none 90`.
pub(super) fn wish(target: String, metric: Option<String>, pair: &str) -> Result<Operation, Refusal> {
    let words: Vec<_> = pair.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [warning, error] = words[..] else {
        let why =
            format!("{pair:?} is no pair of limits: write warning and error, 80 90, 20GB 10GB, none 90");
        return Err(Refusal::value(&why));
    };
    let (warning, error) = (Some(warning.into()), Some(error.into()));
    Ok(Operation::Set { target, metric, warning, error, reason: None })
}

/// The pair as it is shown and written: without blanks in a limit, and without a percent sign, which rts2-mon takes for a format.
fn pair(limits: &Limits, unit: Option<Unit>) -> String {
    let limit = |limit: Option<f64>| limit.map_or_else(|| "none".into(), |limit| written(limit, unit));
    format!("{} {}", limit(limits.warning), limit(limits.error))
}

fn written(limit: f64, unit: Option<Unit>) -> String {
    let suffix = match unit {
        Some(Unit::Bytes) => "B",
        Some(Unit::BytesPerSecond) => "B/s",
        _ => return limit.to_string(),
    };
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    // With a unit where three decimals say it exactly.
    let unit = units.into_iter().find(|(factor, _)| limit.abs() >= *factor);
    match unit.map(|(factor, letter)| (limit / factor, factor, letter)) {
        Some((shown, factor, letter)) if (shown * 1e3).fract() == 0.0 && shown * factor == limit => {
            format!("{shown}{letter}{suffix}")
        }
        _ => limit.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use lamon_collector::config::{HubConfig, NoFace};

    use super::*;

    #[test]
    fn a_pair_is_written_so_that_it_is_read_again() {
        for (number, unit, text) in [
            (80.0, Some(Unit::Percent), "80"),
            (0.5, Some(Unit::Seconds), "0.5"),
            (20e9, Some(Unit::Bytes), "20GB"),
            (1.5e12, Some(Unit::Bytes), "1.5TB"),
            (10e6, Some(Unit::BytesPerSecond), "10MB/s"),
            (1_073_741_824.0, Some(Unit::Bytes), "1073741824"),
            (12.0, Some(Unit::Bytes), "12"),
            (3.0, None, "3"),
        ] {
            assert_eq!(written(number, unit), text);
        }
        let file = "[[rule]]\nname = 'free'\nmetrics = ['disk_*_free']\ndirection = 'below'\nerror = '10 GB'";
        let (config, _) = HubConfig::parse::<NoFace>("hub.toml", file).unwrap();
        let rule = &config.rules.named("free").unwrap().rule;
        let (metrics, unit) = rule.of_metrics();
        assert_eq!((metrics.as_str(), unit), ("disk_*_free", Some(Unit::Bytes)));
        assert_eq!(pair(rule.limits(), unit), "none 10GB");
    }

    #[test]
    fn a_pair_is_two_limits() {
        let read = |pair: &str| match wish("disk".into(), None, pair) {
            Ok(Operation::Set { warning: Some(warning), error: Some(error), .. }) => Some((warning, error)),
            _ => None,
        };
        for pair in ["80 90", " 80  90 ", "80,90", "80, 90"] {
            assert_eq!(read(pair), Some(("80".into(), "90".into())), "{pair:?}");
        }
        for pair in ["", "80", "80 90 95", "80;90"] {
            assert_eq!(read(pair), None, "{pair:?}");
        }
    }
}
