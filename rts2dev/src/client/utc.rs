//! Times as a person reads and writes them: ISO 8601, UTC.

const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// The first second of the year 0 and of the year 10000, which four digits cannot tell.
const YEARS: std::ops::Range<f64> = -62_167_219_200.0..253_402_300_800.0;

/// Unix seconds as `2026-11-22T17:44:09.758Z`: milliseconds, cut off. `nan`, which is RTS2's time that is not set, and
/// times outside the years 0 to 9999 are written as the number that they are.
#[must_use]
pub fn format_utc(seconds: f64) -> String {
    if !YEARS.contains(&seconds) {
        let mut text = Vec::new();
        rts2_proto::write_f64(seconds, &mut text);
        return String::from_utf8_lossy(&text).into_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the years allow far less than 2^63 ms")]
    let millis = (seconds * 1000.0).floor() as i64;
    let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (minutes, seconds) = (of_day / 60_000, of_day % 60_000);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        minutes / 60,
        minutes % 60,
        seconds / 1000,
        seconds % 1000
    )
}

/// Unix seconds of `2026-11-22T17:44:09.758Z`. The fraction, the seconds and the `Z` may be left out, and the `T` may be
/// a blank; it is UTC always.
#[must_use]
pub fn parse_utc(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let mut date = date.split('-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.split(':');
    let (hour, minute) = (digits(clock.next()?)?, digits(clock.next()?)?);
    let second = match clock.next() {
        None => 0.0,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => text.parse().ok()?,
        Some(_) => return None,
    };
    let days = days(year, month, day);
    let real = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60.0;
    if !real || date.next().is_some() || clock.next().is_some() {
        return None;
    }
    let [days, hour, minute] = [days, hour, minute].map(|number| i32::try_from(number).ok().map(f64::from));
    Some(days? * SECONDS_OF_A_DAY + hour? * 3600.0 + minute? * 60.0 + second)
}

/// Up to four digits and nothing else.
fn digits(text: &str) -> Option<i64> {
    let all = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

/// Year, month and day of a day after 1970-01-01, by the Gregorian calendar. Years begin with March here, so that the
/// leap day is their last, and 400 of them have 146097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// The other way round.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As GNU date writes them.
    const TIMES: [(f64, &str); 7] = [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (-0.5, "1969-12-31T23:59:59.500Z"),
        (951_782_400.0, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399.25, "2100-02-28T23:59:59.250Z"),
        (1_795_369_449.75, "2026-11-22T17:44:09.750Z"),
        (-62_167_219_200.0, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799.5, "9999-12-31T23:59:59.500Z"),
    ];

    #[test]
    fn both_ways() {
        for (seconds, text) in TIMES {
            assert_eq!(format_utc(seconds), text);
            assert_eq!(parse_utc(text), Some(seconds), "{text}");
        }
        for (seconds, text) in [(f64::NAN, "nan"), (f64::INFINITY, "nan"), (3e11, "300000000000.0")] {
            assert_eq!(format_utc(seconds), text);
        }
    }

    #[test]
    fn as_people_write_them() {
        for text in ["2026-11-22T17:44:09.75", "2026-11-22 17:44:09.750Z", "2026-11-22t17:44:9.75z"] {
            assert_eq!(parse_utc(text), Some(1_795_369_449.75), "{text}");
        }
        assert_eq!(parse_utc("2026-11-22T17:44"), Some(1_795_369_440.0));
        for bad in [
            "",
            "now",
            "1795369449.75",
            "2026-11-22",
            "2026-11-22T17",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T17:60:00Z",
            "2026-11-22T17:44:60Z",
            "2026-11-22T17:44:-1Z",
            "2026-11-22T17:44:09+01:00",
            "2026-11-22-1T17:44:09Z",
            "2026-11-22T17:44:09:01Z",
            "-2026-11-22T17:44:09Z",
        ] {
            assert_eq!(parse_utc(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_day_of_four_centuries() {
        for day in -150_000..150_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }
}
