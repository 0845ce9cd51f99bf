//! Observing nights: from local noon to local noon, named by the evening's date.

use std::sync::Arc;

use time::{Date, Duration, OffsetDateTime};

use super::{ArchiveReader, walk::Row};
use crate::{
    archive::ArchiveError,
    rollup::{Gathering, Stat},
    tier::Tier,
};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Most nights of one answer: a year and a half.
pub const MAX_NIGHTS: u32 = 550;

/// Where the Sun is overhead at noon: tells when nights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Local time minus UTC.
    offset_ms: i64,
}

/// A night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// The date of its evening, at the site.
    pub date: Date,
    /// Its beginning, at noon; milliseconds since 1970-01-01 UTC.
    pub begin_ms: i64,
    /// Its end, at the next noon.
    pub end_ms: i64,
}

impl Site {
    /// By longitude in degrees, east positive: mean solar time.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a longitude is far from the limits of the type")]
    pub fn at_longitude(degrees_east: f64) -> Self {
        let degrees = if degrees_east.is_finite() { degrees_east.clamp(-360.0, 360.0) } else { 0.0 };
        // To the minute: what is rolled up is no finer.
        Self { offset_ms: (degrees / 360.0 * 1_440.0).round() as i64 * 60_000 }
    }

    /// By the offset of the site's clock from UTC in seconds, east positive; 86,400 at most either way.
    #[must_use]
    pub fn at_utc_offset(seconds: i32) -> Self {
        Self { offset_ms: i64::from(seconds.clamp(-86_400, 86_400)) * 1_000 }
    }

    /// The night that a time (milliseconds since 1970) belongs to.
    #[must_use]
    pub fn night_at(self, time_ms: i64) -> Night {
        let shift_ms = DAY_MS / 2 - self.offset_ms;
        let days = time_ms.saturating_sub(shift_ms).div_euclid(DAY_MS);
        let begin_ms = days.saturating_mul(DAY_MS).saturating_add(shift_ms);
        let date = OffsetDateTime::UNIX_EPOCH
            .date()
            .checked_add(Duration::seconds(days.saturating_mul(86_400)))
            .unwrap_or(Date::MAX);
        Night { date, begin_ms, end_ms: begin_ms.saturating_add(DAY_MS) }
    }

    /// The night whose evening has this date.
    #[must_use]
    pub fn night_of(self, date: Date) -> Night {
        let days =
            i64::from(date.to_julian_day()) - i64::from(OffsetDateTime::UNIX_EPOCH.date().to_julian_day());
        // Its midnight is in the middle of it.
        self.night_at(days.saturating_add(1).saturating_mul(DAY_MS).saturating_sub(self.offset_ms))
    }

    /// The last nights up to the one that `now_ms` belongs to, the oldest first.
    #[must_use]
    pub fn last_nights(self, now_ms: i64, count: u32) -> Vec<Night> {
        let back = (0..i64::from(count.min(MAX_NIGHTS))).rev();
        back.map(|nights| self.night_at(now_ms.saturating_sub(nights * DAY_MS))).collect()
    }
}

/// What a disk is heading for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiskOutlook {
    /// How full it is now, percent.
    pub percent: f64,
    /// How much a busy night adds, percent of the disk.
    pub per_night: f64,
    /// How many such nights fit; infinite when nights add nothing.
    pub nights_left: f64,
    /// How many nights this was learnt from.
    pub nights: usize,
}

impl ArchiveReader {
    /// What a metric of a node was in each of the last nights; none for a night without values. Made of rows of ten
    /// minutes, each counted to the night in which it begins.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn nights(
        &mut self,
        node: &str,
        metric: &str,
        site: Site,
        now_ms: i64,
        nights: u32,
    ) -> Result<Vec<(Night, Option<Stat>)>, ArchiveError> {
        let mut answer = Vec::new();
        for night in site.last_nights(now_ms, nights) {
            let mut gathering = Gathering::default();
            let mut add = |row: Row| row.metrics.iter().for_each(|(name, stat)| gathering.add(name, *stat));
            self.walk(Tier::TenMinutes, node, &[metric], night.begin_ms, night.end_ms, &mut add).await?;
            let stat = gathering.finish().into_metrics().unwrap_or_default().first().map(|(_, stat)| *stat);
            answer.push((night, stat));
        }
        Ok(answer)
    }

    /// How much a night added to metrics of a node: of each the largest rise from an earlier low. Those without values in that
    /// night are left out.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn rises(
        &mut self,
        node: &str,
        night: Night,
        wanted: impl Fn(&str) -> bool + Sync,
    ) -> Result<Vec<(Arc<str>, f64)>, ArchiveError> {
        let mut climbs: Vec<(Arc<str>, Climb)> = Vec::new();
        let mut add = |row: Row| {
            for (name, stat) in row.metrics.iter().filter(|(name, _)| wanted(name)) {
                if let Some((_, climb)) = climbs.iter_mut().find(|(known, _)| known == name) {
                    climb.add(*stat);
                } else {
                    let mut climb = Climb::default();
                    climb.add(*stat);
                    climbs.push((Arc::clone(name), climb));
                }
            }
        };
        self.walk(Tier::TenMinutes, node, &[], night.begin_ms, night.end_ms, &mut add).await?;
        Ok(climbs.into_iter().map(|(name, climb)| (name, climb.rise)).collect())
    }

    /// In how many nights a disk is full, when nights are as busy as the busiest of the last ones: `quantile` (0 to 1, 0.9 is
    /// a good one) of what the last `nights` each added. None without values.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn disk_outlook(
        &mut self,
        node: &str,
        metric: &str,
        site: Site,
        now_ms: i64,
        nights: u32,
        quantile: f64,
    ) -> Result<Option<DiskOutlook>, ArchiveError> {
        let mut rises = Vec::new();
        let mut last = None;
        for night in site.last_nights(now_ms, nights) {
            let mut climb = Climb::default();
            let mut add = |row: Row| {
                if let Some((_, stat)) = row.metrics.first() {
                    climb.add(*stat);
                    last = Some(stat.mean);
                }
            };
            self.walk(Tier::TenMinutes, node, &[metric], night.begin_ms, night.end_ms, &mut add).await?;
            rises.extend(climb.lowest.map(|_| climb.rise));
        }
        Ok(last.and_then(|percent| outlook(percent, &mut rises, quantile)))
    }
}

/// How much was added during a night: the largest rise from an earlier low, so that a cleaning in the middle of it hides
/// nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Climb {
    lowest: Option<f64>,
    rise: f64,
}

impl Climb {
    fn add(&mut self, stat: Stat) {
        let lowest = self.lowest.map_or(stat.min, |lowest| lowest.min(stat.min));
        self.lowest = Some(lowest);
        self.rise = self.rise.max(stat.max - lowest);
    }
}

/// What a busy one of these nights added: the `quantile` (0 to 1) of their rises, which are put in order. None of none.
pub fn busy(rises: &mut [f64], quantile: f64) -> Option<f64> {
    rises.sort_unstable_by(f64::total_cmp);
    let last = rises.len().checked_sub(1)?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among some hundred nights"
    )]
    let place = (quantile.clamp(0.0, 1.0) * last as f64).ceil() as usize;
    rises.get(place.min(last)).copied()
}

/// The outlook by what nights added.
fn outlook(percent: f64, rises: &mut [f64], quantile: f64) -> Option<DiskOutlook> {
    let per_night = busy(rises, quantile)?;
    let room = (100.0 - percent).max(0.0);
    let nights_left = if per_night > 0.0 { room / per_night } else { f64::INFINITY };
    Some(DiskOutlook { percent, per_night, nights_left, nights: rises.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 00:00:00 UTC.
    const T0: i64 = 1_795_305_600_000;
    const HOUR: i64 = 3_600_000;

    #[test]
    fn nights_go_from_noon_to_noon() {
        // Xinglong, eight hours ahead of UTC: noon is 04:00 UTC.
        let site = Site::at_utc_offset(8 * 3_600);
        assert_eq!(Site::at_longitude(120.0), site);
        let night = site.night_at(T0 + 4 * HOUR);
        assert_eq!((night.begin_ms, night.end_ms), (T0 + 4 * HOUR, T0 + 28 * HOUR));
        assert_eq!(night.date.to_string(), "2026-11-22");
        assert_eq!(site.night_at(T0 + 28 * HOUR - 1), night);
        assert_eq!(site.night_at(T0 + 4 * HOUR - 1).date.to_string(), "2026-11-21");
        let west = Site::at_longitude(-156.25).night_at(T0);
        assert_eq!(west.date.to_string(), "2026-11-21");
        assert_eq!((T0 - west.begin_ms) / 60_000, 95, "noon is 22:25 UTC");
        assert_eq!(
            site.last_nights(T0, 3).iter().map(|night| night.date.day()).collect::<Vec<_>>(),
            [19, 20, 21]
        );
        for site in [site, Site::at_longitude(-156.25), Site::at_utc_offset(0), Site::at_utc_offset(-86_400)]
        {
            for time_ms in [T0, T0 + 7 * HOUR, T0 - 400 * DAY_MS] {
                let night = site.night_at(time_ms);
                assert_eq!(site.night_of(night.date), night);
            }
        }
        let _never_panics = (site.night_of(Date::MIN), site.night_of(Date::MAX));
        for edge in [i64::MIN, i64::MAX] {
            let _never_panics = site.night_at(edge);
        }
    }

    #[test]
    fn the_busy_nights_tell_when_a_disk_is_full() {
        let mut rises = vec![1.0, 5.0, 2.0, 0.0, 4.0];
        let found = outlook(80.0, &mut rises, 1.0).unwrap();
        assert_eq!((found.per_night, found.nights_left, found.nights), (5.0, 4.0, 5));
        assert_eq!(outlook(80.0, &mut rises, 0.5).unwrap().nights_left, 10.0);
        assert_eq!(outlook(80.0, &mut [0.0], 0.9).unwrap().nights_left, f64::INFINITY);
        assert_eq!(outlook(100.5, &mut [1.0], 0.9).unwrap().nights_left, 0.0);
        assert_eq!(outlook(80.0, &mut [], 0.9), None);
        // Cleaned in the middle of the night: 60 to 70, then 40 to 48.
        let mut climb = Climb::default();
        for value in [60.0, 70.0, 40.0, 48.0] {
            climb.add(Stat::of(value));
        }
        assert_eq!(climb.rise, 10.0);
    }
}
