//! A value as it travels: an integer, scaled by the decimals that its table states.
//!
//! A sample is sent every few seconds for years, so its size matters: `cpu_percent` 3.52 is the integer 352 with two
//! decimals and takes two bytes. What an agent sends is what the hub stores: the agent rounds once, when it makes the
//! reading, and 352 / 10² is the same `f64` on every machine.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most decimals a table may state: 10⁹ still leaves an `i64` nine digits before the point.
pub const MAX_DECIMALS: u8 = 9;

/// One value of a sample, or its absence (a disk that did not answer, a rate at the first look).
///
/// On the wire one varint: 0 for none, else 1 + the zigzag of the scaled integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading(Option<i64>);

impl Reading {
    /// No value.
    pub const NONE: Self = Self(None);

    /// The largest magnitude that fits, one bit less than an `i64`.
    const LIMIT: f64 = 4_611_686_018_427_387_904.0;

    /// Rounds `value` to `decimals` (at most [`MAX_DECIMALS`]); not-finite numbers and those too large are no value.
    #[must_use]
    pub fn new(value: f64, decimals: u8) -> Self {
        let scaled = (value * scale(decimals)).round();
        if scaled.abs() < Self::LIMIT {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounded, and compared with the limit just before"
            )]
            return Self(Some(scaled as i64));
        }
        Self::NONE
    }

    /// The value again, in the unit of its metric.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "byte counts over 2^53 lose their last bits, as f64 does")]
    pub fn value(self, decimals: u8) -> Option<f64> {
        self.0.map(|scaled| scaled as f64 / scale(decimals))
    }
}

fn scale(decimals: u8) -> f64 {
    10_f64.powi(i32::from(decimals.min(MAX_DECIMALS)))
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = self.0.map_or(0, |scaled| ((scaled << 1) ^ (scaled >> 63)).cast_unsigned() + 1);
        serializer.serialize_u64(word)
    }
}

impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = u64::deserialize(deserializer)?;
        Ok(Self(
            word.checked_sub(1).map(|zigzag| (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed())),
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn readings_are_small() {
        for (value, decimals, bytes) in [
            (Some(0.0), 2, &[0x01][..]),
            (Some(3.52), 2, &[0xc1, 0x05]),
            (Some(-0.01), 2, &[0x02]),
            (Some(100.0), 2, &[0xa1, 0x9c, 0x01]),
            (Some(1_234_567.0), 0, &[0x8f, 0xda, 0x96, 0x01]),
            (None, 2, &[0x00]),
        ] {
            let reading = value.map_or(Reading::NONE, |v| Reading::new(v, decimals));
            assert_eq!(postcard::to_stdvec(&reading).unwrap(), bytes, "{value:?}");
            assert_eq!(postcard::from_bytes::<Reading>(bytes).unwrap().value(decimals), value);
        }
    }

    #[test]
    fn what_is_no_number_is_no_value() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(Reading::new(value, 2), Reading::NONE, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_word_is_a_reading_and_comes_back(word in any::<u64>()) {
            let bytes = postcard::to_stdvec(&word).unwrap();
            let reading: Reading = postcard::from_bytes(&bytes).unwrap();
            prop_assert!(reading.value(2).is_none_or(f64::is_finite));
            prop_assert_eq!(postcard::to_stdvec(&reading).unwrap(), bytes);
        }

        #[test]
        fn a_rounded_value_stays_what_it_is(value in -1e12..1e12_f64, decimals in 0..=3_u8) {
            let once = Reading::new(value, decimals).value(decimals).unwrap();
            prop_assert_eq!(Reading::new(once, decimals).value(decimals), Some(once));
            prop_assert!((once - value).abs() <= 0.5 / scale(decimals) + value.abs() * 1e-15);
        }
    }
}
