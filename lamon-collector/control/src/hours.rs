//! Hours of the week: `mon,thu 09:00-11:00`, `daily 12:00-13:00`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The days by their names, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Hours on some days of the week. Those that end before they begin end on the next day: `fri 22:00-02:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    /// On which days they begin, Monday first.
    days: [bool; 7],
    /// Minutes since midnight, 0 to 1439.
    from: u16,
    /// Minutes since midnight, 0 to 1440; where it is not above `from`, of the next day.
    to: u16,
}

/// Why a text is no [`Hours`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HoursError {
    /// It has another form.
    #[error("\"{0}\" is not like \"mon,thu 09:00-11:00\" or \"daily 12:00-13:00\"")]
    Form(String),
    /// There is no such day.
    #[error("\"{0}\" is no day: mon, tue, wed, thu, fri, sat, sun or daily")]
    Day(String),
    /// There is no such time.
    #[error("\"{0}\" is no time of day: 00:00 to 24:00")]
    Time(String),
    /// They would last no time, or for ever.
    #[error("hours begin and end at different times")]
    Empty,
}

impl Hours {
    /// Whether they hold at this minute (0 to 1439) of this day (0 is Monday), local time.
    #[must_use]
    pub fn hold_at(&self, day: usize, minute: u16) -> bool {
        let begin_on = |day: usize| self.days.get(day % 7).copied().unwrap_or_default();
        if self.from < self.to {
            begin_on(day) && (self.from..self.to).contains(&minute)
        } else {
            (begin_on(day) && minute >= self.from) || (begin_on(day + 6) && minute < self.to)
        }
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let form = || HoursError::Form(text.into());
        let mut words = text.split_ascii_whitespace();
        let (first, second, end) = (words.next().ok_or_else(form)?, words.next(), words.next());
        let (names, times) = match (second, end) {
            (Some(times), None) => (first, times),
            (None, _) => ("daily", first),
            (Some(_), Some(_)) => return Err(form()),
        };
        let mut days = [false; 7];
        for name in names.split(',') {
            if name.eq_ignore_ascii_case("daily") {
                days = [true; 7];
                continue;
            }
            let place = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
            let day =
                place.and_then(|place| days.get_mut(place)).ok_or_else(|| HoursError::Day(name.into()))?;
            *day = true;
        }
        let (from, to) = times.split_once('-').ok_or_else(form)?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        if from == to || from >= 1_440 {
            return Err(HoursError::Empty);
        }
        Ok(Self { days, from, to })
    }
}

fn minutes(text: &str) -> Result<u16, HoursError> {
    let number =
        |text: &str| (text.len() == 2 && !text.starts_with('+')).then(|| text.parse::<u16>().ok()).flatten();
    text.split_once(':')
        .and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)))
        .filter(|(hours, minutes)| *minutes < 60 && hours * 60 + minutes <= 1_440)
        .map(|(hours, minutes)| hours * 60 + minutes)
        .ok_or_else(|| HoursError::Time(text.into()))
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days == [true; 7] {
            f.write_str("daily")?;
        } else {
            let days: Vec<_> =
                DAYS.iter().zip(self.days).filter_map(|(name, on)| on.then_some(*name)).collect();
            f.write_str(&days.join(","))?;
        }
        let Self { from, to, .. } = self;
        write!(f, " {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl TryFrom<String> for Hours {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hours_hold_on_their_days_and_past_midnight() {
        for (text, day, minute, hold) in [
            ("mon,thu 09:00-11:00", 0, 540, true),
            ("mon,thu 09:00-11:00", 0, 539, false),
            ("mon,thu 09:00-11:00", 0, 660, false),
            ("mon,thu 09:00-11:00", 1, 600, false),
            ("Fri 22:00-02:00", 4, 1_439, true),
            ("Fri 22:00-02:00", 5, 0, true),
            ("Fri 22:00-02:00", 5, 120, false),
            ("Fri 22:00-02:00", 4, 60, false),
            ("sun 23:00-01:00", 0, 30, true),
            ("12:00-13:00", 6, 720, true),
            ("sat 00:00-24:00", 5, 1_439, true),
            ("sat 00:00-24:00", 6, 0, false),
        ] {
            assert_eq!(text.parse::<Hours>().unwrap().hold_at(day, minute), hold, "{text} {day} {minute}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, error) in [
            ("", "is not like"),
            ("mon", "is not like"),
            ("mon 9-11", "\"9\" is no time"),
            ("mon 09:60-11:00", "\"09:60\" is no time"),
            ("mon 09:00-24:01", "is no time"),
            ("+1:00-02:00", "is no time"),
            ("mo 09:00-11:00", "\"mo\" is no day"),
            ("mon 09:00-09:00", "different times"),
            ("mon 24:00-09:00", "different times"),
            ("mon 09:00-10:00 x", "is not like"),
        ] {
            let said = text.parse::<Hours>().unwrap_err().to_string();
            assert!(said.contains(error), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(days in proptest::array::uniform7(any::<bool>()), from in 0..1440_u16, to in 0..=1440_u16) {
            prop_assume!(from != to && days.contains(&true));
            let hours = Hours { days, from, to };
            prop_assert_eq!(hours.to_string().parse::<Hours>(), Ok(hours));
        }

        #[test]
        fn any_text_is_hours_or_an_error(text in "[a-z0-9:, -]{0,24}") {
            let _ = text.parse::<Hours>();
        }
    }
}
