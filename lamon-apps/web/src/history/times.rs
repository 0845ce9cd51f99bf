//! Times and dates as text: ISO 8601, UTC.

use time::{Date, Month, OffsetDateTime};

/// A time in unix milliseconds as `2026-11-22T00:00:00.000Z`.
pub(super) fn iso(time_ms: i64) -> String {
    let nanoseconds = i128::from(time_ms) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second, millisecond) = time.to_hms_milli();
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z", date(time.date()))
}

/// A date as `2026-11-22`.
pub(super) fn date(date: Date) -> String {
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// A date that is written so, of the years 1970 to 9998.
pub(super) fn parse(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let dashes = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-') && bytes.len() == 10;
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    (dashes && (1970..9_999).contains(&year)).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dates_are_written_and_read() {
        assert_eq!(iso(1_795_305_600_007), "2026-11-22T00:00:00.007Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        let _never_panics = (iso(i64::MAX), iso(i64::MIN));
        assert_eq!(parse("2026-11-22").map(date).as_deref(), Some("2026-11-22"));
        assert_eq!(parse("2028-02-29").map(date).as_deref(), Some("2028-02-29"));
        for text in [
            "",
            "2026-11-2",
            "2026-13-01",
            "2026-00-10",
            "2027-02-29",
            "2026/11/22",
            "+026-11-22",
            "1969-12-31",
            "9999-01-01",
            "2026-11-22 ",
            "２026-11-22",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
