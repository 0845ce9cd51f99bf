//! `[[route]]`: what is told, to whom, and when.

use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use lamon_bus::Level;
use toml::Spanned;

use super::Wrong;
use super::channel::name;
use super::file::Route as Table;

/// The shortest repetition: a repetition is for a person who has not come, not for a machine.
const SHORTEST_REPEAT: Duration = Duration::from_secs(60);

/// After so long a notice that its channel does not take goes to the other one, unless the route says otherwise.
const FALLBACK_AFTER: Duration = Duration::from_secs(600);

/// What is told, to whom, and when.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) levels: Vec<Level>,
    /// `None` is everything.
    pub(crate) nodes: Option<GlobSet>,
    pub(crate) groups: Option<GlobSet>,
    pub(crate) kinds: Option<GlobSet>,
    /// Only what happens within these.
    pub(crate) hours: Option<Hours>,
    /// What happens within these is told at their end.
    pub(crate) quiet: Option<Hours>,
    pub(crate) channels: Vec<String>,
    pub(crate) fallback: Option<(String, Duration)>,
    /// What stays wrong, and nobody acknowledged, is told again.
    pub(crate) repeat: Option<Duration>,
    pub(crate) escalate: Option<Escalation>,
}

/// Who else is told when nobody acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Escalation {
    pub(crate) after: Duration,
    pub(crate) channels: Vec<String>,
}

/// Hours of the day, over midnight where the end is before the beginning; minutes after midnight, local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hours {
    from: u16,
    to: u16,
}

impl Hours {
    /// Reads `22:00-07:00`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        (from != to).then_some(Self { from, to })
    }

    /// Whether this minute of the day is in them.
    pub(crate) const fn contains(self, minute: u16) -> bool {
        if self.from <= self.to {
            self.from <= minute && minute < self.to
        } else {
            self.from <= minute || minute < self.to
        }
    }
}

/// Reads `22:00`: minutes after midnight.
pub(super) fn minutes(time: &str) -> Option<u16> {
    let (hour, minute) = time.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour <= 24 && minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

/// Makes a route of its table; `number` names it where it has no name.
pub(super) fn checked(table: Table, number: usize, known: &[&str]) -> Result<Route, Wrong> {
    if table.channels.get_ref().is_empty() {
        return Err((table.channels.span(), "a route without channels tells nobody".to_owned()));
    }
    let channel = |wanted: &Spanned<String>| {
        let wanted_name = wanted.get_ref();
        if known.contains(&wanted_name.as_str()) {
            return Ok(wanted_name.clone());
        }
        let there = if known.is_empty() {
            "there is none".to_owned()
        } else {
            format!("there is: {}", known.join(", "))
        };
        Err((wanted.span(), format!("there is no channel {wanted_name:?} ({there})")))
    };
    let channels = |wanted: &Spanned<Vec<Spanned<String>>>| {
        wanted.get_ref().iter().map(channel).collect::<Result<Vec<_>, _>>()
    };
    if let Some(repeat) = &table.repeat
        && repeat.get_ref().duration() < SHORTEST_REPEAT
    {
        return Err((repeat.span(), "repeat is a minute at least: write \"30m\"".to_owned()));
    }
    let escalate = table.escalate.map(|escalate| {
        Ok(Escalation { after: escalate.after.duration(), channels: channels(&escalate.channels)? })
    });
    let after = table.fallback_after.map_or(FALLBACK_AFTER, lamon_daemon::seconds::Seconds::duration);
    Ok(Route {
        name: table.name.as_ref().map_or_else(|| Ok(number.to_string()), name)?,
        levels: table.levels.unwrap_or_else(|| vec![Level::Warning, Level::Error, Level::Silent]),
        nodes: globs(&table.nodes)?,
        groups: globs(&table.groups)?,
        kinds: globs(&table.kinds)?,
        hours: hours(table.hours.as_ref())?,
        quiet: hours(table.quiet.as_ref())?,
        channels: channels(&table.channels)?,
        fallback: table.fallback.as_ref().map(channel).transpose()?.map(|channel| (channel, after)),
        repeat: table.repeat.map(|repeat| repeat.get_ref().duration()),
        escalate: escalate.transpose()?,
    })
}

fn hours(text: Option<&Spanned<String>>) -> Result<Option<Hours>, Wrong> {
    let Some(text) = text else { return Ok(None) };
    Hours::parse(text.get_ref()).map(Some).ok_or_else(|| {
        (text.span(), format!("{:?} is no time of day (write \"22:00-07:00\")", text.get_ref()))
    })
}

fn globs(patterns: &[Spanned<String>]) -> Result<Option<GlobSet>, Wrong> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern.get_ref()).map_err(|error| (pattern.span(), error.to_string()))?);
    }
    set.build().map(Some).map_err(|error| (0..0, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_go_over_midnight() {
        for (text, inside, outside) in [
            ("22:00-07:00", vec![1_320, 1_439, 0, 419], vec![420, 1_319, 720]),
            ("08:30-17:00", vec![510, 1_019], vec![509, 1_020, 0]),
            ("00:00-24:00", vec![0, 1_439], vec![]),
        ] {
            let hours = Hours::parse(text).unwrap();
            assert!(inside.into_iter().all(|minute| hours.contains(minute)), "{text}");
            assert!(!outside.into_iter().any(|minute| hours.contains(minute)), "{text}");
        }
        for bad in ["", "22", "22:00", "22:60-07:00", "25:00-07:00", "7:00-7:00", "-", "a:b-c:d"] {
            assert_eq!(Hours::parse(bad), None, "{bad}");
        }
    }
}
