//! Times and dates as text: ISO 8601, UTC.

use time::{Date, OffsetDateTime};

/// A time in unix milliseconds as `2026-11-22T00:00:00.000Z`.
pub(super) fn iso(time_ms: i64) -> String {
    let nanoseconds = i128::from(time_ms) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second, millisecond) = time.to_hms_milli();
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z", date(time.date()))
}

/// A date as `2026-11-22`.
fn date(date: Date) -> String {
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written() {
        assert_eq!(iso(1_795_305_600_007), "2026-11-22T00:00:00.007Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        let _never_panics = (iso(i64::MAX), iso(i64::MIN));
    }
}
