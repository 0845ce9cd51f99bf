//! Numbers with units, as limits are written: `80`, `"20 GB"`, `"90 %"`, `"2m"`.

use lamon_daemon::seconds::Seconds;
use lamon_wire::metric::Unit;
use lamon_wire::names::MetricName;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::watch::pattern::NameGlob;

/// A limit as it is written: a number, and what it says of its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantity {
    /// In the unit of the metric: bytes, seconds, percent.
    pub(super) value: f64,
    /// The unit that was written; `None` for a bare number, which is in the unit of its metric.
    unit: Option<Unit>,
}

/// Units of bytes and how many each is: disks are sold in thousands, and shown so.
const BYTES: [(&str, f64); 9] = [
    ("b", 1.0),
    ("kb", 1e3),
    ("mb", 1e6),
    ("gb", 1e9),
    ("tb", 1e12),
    ("kib", 1_024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("tib", 1_099_511_627_776.0),
];

impl Quantity {
    /// Reads one as people write it; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let split = text.find(|c: char| c == '%' || c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: f64 = number.trim().parse().ok()?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Some(Self { value: number, unit: None });
        }
        if unit == "%" {
            return Some(Self { value: number, unit: Some(Unit::Percent) });
        }
        let lower = unit.to_ascii_lowercase();
        let per_second = lower.strip_suffix("/s");
        if let Some((_, factor)) = BYTES.iter().find(|(name, _)| *name == per_second.unwrap_or(&lower)) {
            let unit = if per_second.is_some() { Unit::BytesPerSecond } else { Unit::Bytes };
            return Some(Self { value: number * factor, unit: Some(unit) });
        }
        let sign = if number < 0.0 { -1.0 } else { 1.0 };
        let seconds: Seconds = format!("{}{unit}", number.abs()).parse().ok()?;
        Some(Self { value: sign * seconds.duration().as_secs_f64(), unit: Some(Unit::Seconds) })
    }

    /// Whether a metric that such a glob means can have this unit. A glob with an open end may mean any.
    pub(super) fn fits(self, metrics: &NameGlob) -> bool {
        let text = metrics.to_string();
        if self.unit.is_none() || text.ends_with(['*', '?', ']', '}']) {
            return true;
        }
        let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        MetricName::new(&plain).map_or(true, |name| self.unit == Some(Unit::of(&name)))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;

        impl Visitor<'_> for NumberOrText {
            type Value = Quantity;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, or one with its unit such as \"20 GB\"")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Quantity, E> {
                Ok(Quantity { value, unit: None })
            }

            #[expect(clippy::cast_precision_loss, reason = "a limit above 2^53 is none")]
            fn visit_i64<E: Error>(self, value: i64) -> Result<Quantity, E> {
                self.visit_f64(value as f64)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
                Quantity::parse(text).ok_or_else(|| {
                    E::custom(format!(
                        "{text:?} is no limit (write 80, \"90 %\", \"20 GB\", \"500 MiB\" or \"2m\")"
                    ))
                })
            }
        }

        deserializer.deserialize_any(NumberOrText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_the_units_of_their_metrics() {
        for (text, value, unit) in [
            ("80", 80.0, None),
            ("90 %", 90.0, Some(Unit::Percent)),
            ("20 GB", 20e9, Some(Unit::Bytes)),
            ("1.5GiB", 1.5 * 1_073_741_824.0, Some(Unit::Bytes)),
            ("10 MB/s", 10e6, Some(Unit::BytesPerSecond)),
            ("2m", 120.0, Some(Unit::Seconds)),
            ("-0.5s", -0.5, Some(Unit::Seconds)),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity { value, unit }), "{text}");
        }
        for text in ["", "GB", "20 XB", "1,5 GB", "%"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        let bytes = Quantity::parse("20 GB").unwrap();
        for (glob, fits) in
            [("disk_*_free", true), ("disk_*", true), ("disk_percent", false), ("load1", false)]
        {
            assert_eq!(bytes.fits(&NameGlob::new(glob).unwrap()), fits, "{glob}");
        }
    }
}
