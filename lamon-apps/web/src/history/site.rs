//! Section `[site]`: when nights begin.

use lamon_store::reading::Site;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// Section `[site]` as it is written: one of its keys, or none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SiteTable {
    /// Degrees, east positive.
    longitude: Option<Spanned<f64>>,
    /// The offset of the site's clock from UTC, `+08:00`.
    utc_offset: Option<Spanned<String>>,
}

impl SiteTable {
    /// When nights begin; by this computer's clock where nothing is said. `wrong` makes an error of a place in the file and a clause.
    pub(crate) fn check<E>(self, wrong: impl Fn(Range<usize>, &str) -> E) -> Result<Site, E> {
        match (self.longitude, self.utc_offset) {
            (None, None) => Ok(Site::at_utc_offset(
                jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds(),
            )),
            (Some(longitude), None) if (-180.0..=360.0).contains(longitude.get_ref()) => {
                Ok(Site::at_longitude(longitude.into_inner()))
            }
            (Some(longitude), None) => {
                Err(wrong(longitude.span(), "a longitude is -180 to 360 degrees, east positive"))
            }
            (None, Some(offset)) => seconds(offset.get_ref()).map(Site::at_utc_offset).ok_or_else(|| {
                wrong(offset.span(), "an offset from UTC is written +08:00, 14 hours at most")
            }),
            (Some(_), Some(offset)) => {
                Err(wrong(offset.span(), "a site has a longitude or an offset from UTC, not both"))
            }
        }
    }
}

/// An offset in seconds, east positive.
fn seconds(text: &str) -> Option<i32> {
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| digits.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = hours * 3_600 + minutes * 60;
    (minutes < 60 && seconds <= 14 * 3_600).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Site, String> {
        let table: SiteTable = toml::from_str(text).unwrap();
        table.check(|span, clause| format!("{}: {clause}", text.get(span).unwrap()))
    }

    #[test]
    fn a_longitude_or_an_offset_tells_when_nights_begin() {
        assert_eq!(check("longitude = 120"), Ok(Site::at_longitude(120.0)));
        assert_eq!(check("utc_offset = '+08:00'"), Ok(Site::at_longitude(120.0)));
        assert_eq!(check("utc_offset = '-09:30'"), Ok(Site::at_utc_offset(-34_200)));
        assert!(check("").is_ok());
        for (text, wanted) in [
            ("longitude = 361", "361: a longitude is"),
            ("longitude = nan", "nan: a longitude is"),
            ("utc_offset = '8'", "'8': an offset from UTC is written"),
            ("utc_offset = '+08:60'", "an offset"),
            ("utc_offset = '+15:00'", "an offset"),
            ("utc_offset = '+-8:00'", "an offset"),
            ("utc_offset = 'é08:00'", "an offset"),
            ("longitude = 1\nutc_offset = '+08:00'", "'+08:00': a site has"),
        ] {
            let said = check(text).unwrap_err();
            assert!(said.contains(wanted), "{said}");
        }
    }
}
