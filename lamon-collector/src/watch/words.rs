//! Numbers in messages, as people say them.

use std::time::Duration;

use lamon_wire::metric::Unit;

/// `1 node`, `3 nodes`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// How long something was, in the two units that matter: `31 s`, `5 min 20 s`, `3 h 12 min`, `2 d 5 h`.
pub fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    let two = |large: u64, small: u64, units: [&str; 2]| {
        let [of_large, of_small] = units;
        if small == 0 {
            format!("{large} {of_large}")
        } else {
            format!("{large} {of_large} {small} {of_small}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, seconds % 60, ["min", "s"]),
        3_600..86_400 => two(seconds / 3_600, seconds % 3_600 / 60, ["h", "min"]),
        _ => two(seconds / 86_400, seconds % 86_400 / 3_600, ["d", "h"]),
    }
}

/// A value with its unit: `91.2 %`, `41 GB`, `12`. Bytes in thousands, as disks are sold.
pub(super) fn quantity(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => bytes(value),
        Unit::BytesPerSecond => bytes(value) + "/s",
        _ if unit.symbol().is_empty() => value.to_string(),
        _ => format!("{value} {}", unit.symbol()),
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut scaled, mut units) = (value, UNITS.iter());
    let mut unit = units.next();
    while scaled.abs() >= 999.5
        && let Some(larger) = units.next()
    {
        (scaled, unit) = (scaled / 1e3, Some(larger));
    }
    // Three digits say enough.
    let tenths = (scaled * 10.0).round() / 10.0;
    let decimals = usize::from(tenths.abs() < 100.0 && tenths.fract().abs() > f64::EPSILON);
    format!("{tenths:.decimals$} {}", unit.copied().unwrap_or_default())
}

/// When a disk is full: `full in 3 nights`, `full tonight`; none when that is far.
pub(super) fn nights(left: f64) -> Option<String> {
    /// Beyond it a guess from the last weeks says nothing.
    const FAR: f64 = 60.0;
    if !(0.0..FAR).contains(&left) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 60")]
    let whole = left as usize;
    Some(if whole == 0 { "full within a night".into() } else { format!("full in {}", count(whole, "night")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_do() {
        for (seconds, words) in [
            (0, "0 s"),
            (31, "31 s"),
            (60, "1 min"),
            (320, "5 min 20 s"),
            (3_600, "1 h"),
            (11_520, "3 h 12 min"),
            (190_800, "2 d 5 h"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), words);
        }
        for (unit, value, words) in [
            (Unit::Percent, 91.2, "91.2 %"),
            (Unit::Bytes, 41e9, "41 GB"),
            (Unit::Bytes, 41.26e9, "41.3 GB"),
            (Unit::Bytes, 999_700.0, "1 MB"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Bytes, 7e18, "7000 PB"),
            (Unit::BytesPerSecond, 1_500.0, "1.5 kB/s"),
            (Unit::Seconds, -15.0, "-15 s"),
            (Unit::None, 8.25, "8.25"),
        ] {
            assert_eq!(quantity(unit, value), words);
        }
        for (left, words) in [
            (0.4, Some("full within a night")),
            (1.9, Some("full in 1 night")),
            (3.0, Some("full in 3 nights")),
            (f64::INFINITY, None),
            (f64::NAN, None),
            (-1.0, None),
        ] {
            assert_eq!(nights(left).as_deref(), words);
        }
        assert_eq!([count(1, "node"), count(0, "node"), count(2, "node")], ["1 node", "0 nodes", "2 nodes"]);
    }
}
