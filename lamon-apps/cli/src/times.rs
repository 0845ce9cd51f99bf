//! Times as people write and read them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use lamon_daemon::seconds::Seconds;

/// An instant, unix milliseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) i64);

/// Reads `2026-11-23T09:00`, local, or with `Z` or an offset behind it.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    let absolute = || text.parse::<Timestamp>().ok();
    let local = || text.parse::<DateTime>().ok().and_then(|time| time.to_zoned(TimeZone::system()).ok());
    absolute()
        .or_else(|| local().map(|zoned: Zoned| zoned.timestamp()))
        .map(|time| Moment(time.as_millisecond()))
        .ok_or_else(|| "a time is written 2026-11-23T09:00 (local) or 2026-11-23T01:00Z".into())
}

/// The same, or how long ago: `30m`, `12h`, `7d`.
pub(crate) fn since(text: &str) -> Result<Moment, String> {
    let ago = || text.parse::<Seconds>().ok().filter(|_| !text.contains(['-', ':']));
    if let Some(ago) = ago() {
        let ago_ms = i64::try_from(ago.duration().as_millis()).unwrap_or(i64::MAX);
        return Ok(Moment(Timestamp::now().as_millisecond().saturating_sub(ago_ms)));
    }
    moment(text).map_err(|why| format!("{why}, or 12h for how long ago"))
}

/// An instant in local time, to the second.
pub(crate) fn local(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| "?".into(),
        |time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// How long ago something was, in its two largest units.
pub(crate) fn ago(now_ms: i64, unix_ms: i64) -> String {
    let seconds = (now_ms - unix_ms).max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A length of time, in its two largest units.
pub(crate) fn length(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates; nothing lasted so long")]
    let seconds = seconds.max(0.0) as i64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_ages_shown() {
        assert_eq!(moment("2026-11-23T01:00Z"), Ok(Moment(1_795_395_600_000)));
        assert_eq!(moment("2026-11-23T09:00+08:00"), moment("2026-11-23T01:00Z"));
        assert!(moment("2026-11-23T09:00").is_ok());
        assert!(moment("soon").is_err());
        assert_eq!(since("2026-11-23T01:00Z"), moment("2026-11-23T01:00Z"));
        let hour = Timestamp::now().as_millisecond() - since("1h").unwrap().0;
        assert!((3_600_000..3_700_000).contains(&hour), "{hour}");
        assert!(since("soon").unwrap_err().contains("12h"));
        for (seconds, shown) in
            [(5, "5 s"), (61, "1 min"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h"), (-5, "0 s")]
        {
            assert_eq!(ago(seconds * 1_000, 0), shown);
        }
    }
}
