//! Reading the past: the tier that fits, gaps, nights, and when a disk is full, in both databases.

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Tier,
    reading::{Cells, MAX_SAMPLES, SamplePlace, Site},
    testing::Mariadb,
    upkeep::Retention,
};

use crate::common::{DAY, FOR_EVER, HOUR, PAST, at, upkeep};

/// Ten minutes.
const TEN: i64 = 600_000;

async fn the_tier_that_fits(archive: &mut Archive, reader: &mut ArchiveReader) {
    // A sample a minute over two days, with three hours missing; the load is the hour of its time.
    let minutes = (0..2 * 1_440).filter(|minute| !(600..780).contains(minute));
    let samples: Vec<_> = minutes
        .map(|minute| {
            let metrics = [("load1", (minute / 60) as f64), ("temp_a", 1.0)];
            at("a", PAST + minute * 60_000, u64::try_from(minute).unwrap(), &metrics)
        })
        .collect();
    archive.append(&samples).await.unwrap();
    // Of the last hours some are not rolled up yet.
    let end = PAST + 2 * DAY;
    upkeep(archive, &FOR_EVER, end).await;

    for (points, tier, step_ms, at_least) in [
        (48, Tier::Hour, HOUR, 45),
        (10, Tier::Hour, 5 * HOUR, 10),
        (288, Tier::TenMinutes, TEN, 270),
        (100_000, Tier::Samples, 1_728, 2_700),
    ] {
        let history = reader.history("a", Some("load1"), PAST, end, points).await.unwrap();
        assert_eq!((history.tier, history.step_ms), (tier, step_ms), "{points}");
        assert!(
            (at_least..=points.max(at_least) + 1).contains(&history.points.len()),
            "{points}: {}",
            history.points.len()
        );
        // The end is there, though the coarse tiers do not have it yet.
        let newest = history.points.last().unwrap();
        assert!(newest.time_ms + step_ms + 60_000 >= end, "{points}");
        assert_eq!(newest.metrics[0].1.max, 47.0);
        assert_eq!(newest.metrics.len(), 1, "one metric was asked for");
        if points > 10 {
            let gaps: Vec<i64> = history
                .points
                .iter()
                .filter(|point| point.after_gap)
                .map(|point| (point.time_ms + step_ms - 1 - PAST) / HOUR)
                .collect();
            assert_eq!(gaps, [13], "{points}");
            assert!(
                history
                    .points
                    .iter()
                    .all(|point| !(10..13).contains(&((point.time_ms + step_ms - 1 - PAST) / HOUR)))
            );
        }
        let values: u64 = history.points.iter().map(|point| point.metrics[0].1.count).sum();
        assert_eq!(values, 2_700, "each sample once");
    }
    // The same by cells of six hours, whichever tier they are made of.
    for (finest, metric) in
        [(Tier::Hour, "load1"), (Tier::TenMinutes, "load1"), (Tier::Samples, "load1"), (Tier::Hour, "temp_a")]
    {
        let cells = Cells { from_ms: PAST, to_ms: end, step_ms: 6 * HOUR };
        let means = reader.means("a", metric, cells, finest).await.unwrap();
        let cell = |place: i64| {
            let parts: Vec<_> =
                means.iter().filter(|mean| mean.begin_ms == PAST + place * 6 * HOUR).collect();
            let count: u64 = parts.iter().map(|mean| mean.count).sum();
            let sum: f64 = parts.iter().map(|mean| mean.mean * mean.count as f64).sum();
            (count, sum / count as f64)
        };
        let value = |mean: f64| if metric == "temp_a" { 1.0 } else { mean };
        assert_eq!(cell(0), (360, value(2.5)), "{finest:?}");
        assert_eq!(cell(1), (240, value(7.5)), "{finest:?}");
        assert_eq!(cell(7), (360, value(44.5)), "{finest:?}");
        assert_eq!(means.iter().map(|mean| mean.count).sum::<u64>(), 2_700, "each sample once");
    }
    let none = Cells { from_ms: PAST, to_ms: end, step_ms: HOUR };
    assert!(reader.means("a", "none'", none, Tier::Hour).await.unwrap().is_empty());
    assert!(reader.means("a", "temp_b", none, Tier::Hour).await.unwrap().is_empty());
    let names = reader.metric_names("a", PAST + 70_000, PAST + 80_000, 10).await.unwrap();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["load1", "temp_a"]);
    assert_eq!(reader.metric_names("a", PAST, end, 1).await.unwrap().len(), 1);
    assert!(reader.metric_names("a", PAST - DAY, PAST, 10).await.unwrap().is_empty());
    // All metrics; a few samples, each a point.
    let history = reader.history("a", None, PAST, PAST + 5 * 60_000, 1_000).await.unwrap();
    assert_eq!((history.step_ms, history.points.len()), (0, 5));
    assert_eq!(history.points[0].metrics.len(), 2);
    assert!(reader.history("nobody", None, PAST, end, 10).await.unwrap().points.is_empty());
    assert!(reader.history("a", None, end, PAST, 10).await.unwrap().points.is_empty());
    let latest = reader.latest_of_all().await.unwrap();
    assert_eq!(
        latest.iter().map(|sample| (&*sample.node, sample.time_ms)).collect::<Vec<_>>(),
        [("a", end - 60_000)]
    );
}

async fn what_was_deleted_is_read_from_coarser_tiers(url: &ArchiveUrl) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let mut reader = ArchiveReader::open(url).await.unwrap();
    let keep = Retention { samples: Some(lamon_store::upkeep::MIN_KEEP), ..FOR_EVER };
    upkeep(&mut archive, &keep, PAST + 90 * DAY).await;
    let history = reader.history("a", Some("load1"), PAST, PAST + HOUR, 1_000).await.unwrap();
    assert_eq!(history.tier, Tier::TenMinutes);
    assert_eq!(history.points.iter().map(|point| point.metrics[0].1.count).sum::<u64>(), 60);
}

async fn nights(archive: &mut Archive, reader: &mut ArchiveReader) {
    // Each night the disk gains its number in percent and is cleaned before noon.
    let site = Site::at_utc_offset(0);
    let begin = PAST + DAY / 2;
    let mut samples = Vec::new();
    for night in 0..5 {
        for hour in 0..24 {
            let percent = 50.0 + (night * hour.min(20)) as f64 / 20.0
                - if hour > 20 { (night * (hour - 20)) as f64 / 3.0 } else { 0.0 };
            let time_ms = begin + night * DAY + hour * HOUR;
            samples.push(at("disk", time_ms, samples.len() as u64, &[("disk_data_percent", percent)]));
        }
    }
    archive.append(&samples).await.unwrap();
    let now = begin + 5 * DAY - 1;
    upkeep(archive, &FOR_EVER, now).await;
    let found = reader.nights("disk", "disk_data_percent", site, now, 6).await.unwrap();
    let maxima: Vec<_> =
        found.iter().map(|(night, stat)| (night.date.day(), stat.map(|stat| stat.max))).collect();
    assert_eq!(
        maxima,
        [(31, None), (1, Some(50.0)), (2, Some(51.0)), (3, Some(52.0)), (4, Some(53.0)), (5, Some(54.0))]
    );
    let outlook = reader.disk_outlook("disk", "disk_data_percent", site, now, 5, 1.0).await.unwrap().unwrap();
    assert_eq!((outlook.per_night, outlook.nights), (4.0, 5));
    assert!((outlook.nights_left - 12.5).abs() < 0.01, "{outlook:?}");
    assert_eq!(reader.disk_outlook("disk", "disk_other_percent", site, now, 5, 1.0).await.unwrap(), None);
}

async fn several_metrics_at_once(archive: &mut Archive, reader: &mut ArchiveReader) {
    // `temp_a` comes every third time only; every metric by itself is what it is with the others.
    let samples: Vec<_> = (0..300_u32)
        .map(|number| {
            let (load, temp) = (("load1", f64::from(number)), ("temp_a", 20.0));
            let metrics = if number % 3 == 0 { vec![load, temp] } else { vec![load] };
            at("several", PAST + i64::from(number) * 10_000, number.into(), &metrics)
        })
        .collect();
    archive.append(&samples).await.unwrap();
    let end = PAST + HOUR;
    for points in [20, 100_000] {
        let metrics = ["temp_a", "load1", "temp_none"];
        let found = reader.histories("several", &metrics, PAST, end, points).await.unwrap();
        for (metric, history) in metrics.iter().zip(&found) {
            let alone = reader.history("several", Some(metric), PAST, end, points).await.unwrap();
            assert_eq!(history, &alone, "{metric}");
        }
        assert_eq!(found[2].points, []);
        assert!(found[0].points.iter().all(|point| !point.after_gap), "it comes as often as usual");
    }
    assert_eq!(reader.histories("several", &[], PAST, end, 10).await.unwrap(), []);
}

async fn pages_of_samples(archive: &mut Archive, reader: &mut ArchiveReader) {
    // Three in each second, several of one millisecond.
    let samples: Vec<_> = (0..100_u32)
        .map(|number| {
            let metrics = [("load1", f64::from(number)), ("temp_a", 1.0)];
            let mut sample = at(
                "pages",
                PAST + i64::from(number / 3) * 1_000,
                u64::MAX - 99 + u64::from(number),
                &metrics,
            );
            sample.epoch = number / 2;
            sample
        })
        .collect();
    archive.append(&samples).await.unwrap();
    let mut place = SamplePlace::at(i64::MAX);
    let mut found = Vec::new();
    loop {
        let page = reader.samples_before("pages", place, PAST + 1_000, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        place = last.into();
        found.extend(page);
    }
    let mut wanted: Vec<_> = samples.into_iter().filter(|sample| sample.time_ms >= PAST + 1_000).collect();
    wanted.sort_by_key(|sample| {
        std::cmp::Reverse((sample.time_ms, sample.epoch, sample.sequence.cast_signed()))
    });
    assert_eq!(found, wanted);
    let end = SamplePlace::at(PAST + 10_000);
    let newest = reader.samples_before("pages", end, i64::MIN, 1).await.unwrap();
    assert_eq!(newest[0].time_ms, PAST + 9_000, "the place itself is not on the page");
    assert!(reader.samples_before("a", end, i64::MIN, usize::MAX).await.unwrap().len() <= MAX_SAMPLES);
}

async fn how_much_is_there(archive: &mut Archive, reader: &mut ArchiveReader) {
    // A sample each 10 s over six hours, two of which are missing, and a metric that is only in some.
    let missing = 2 * HOUR..4 * HOUR;
    let samples: Vec<_> = (0..6 * 360_i64)
        .filter(|number| !missing.contains(&(number * 10_000)))
        .map(|number| {
            let (load, temp) = (("load1", 1.0), ("temp_a", 20.0));
            let metrics = if number % 2 == 0 { vec![load, temp] } else { vec![load] };
            at("much", PAST + number * 10_000, number.unsigned_abs(), &metrics)
        })
        .collect();
    archive.append(&samples[..1_000]).await.unwrap();
    upkeep(archive, &FOR_EVER, PAST + 4 * HOUR).await;
    // These are not rolled up yet.
    archive.append(&samples[1_000..]).await.unwrap();
    let found = reader.coverage("much", PAST, PAST + 6 * HOUR).await.unwrap().unwrap();
    assert_eq!((found.samples, found.whiles, found.empty), (4 * 360, 36, 12));
    assert!((found.part - 4.0 / 6.0).abs() < 1e-9, "{found:?}");
    let none = reader.coverage("nobody", PAST, PAST + HOUR).await.unwrap().unwrap();
    assert_eq!((none.samples, none.empty, none.part), (0, 6, 0.0));
    assert_eq!(reader.coverage("much", PAST, PAST).await.unwrap(), None);
}

async fn every_case(url: &ArchiveUrl) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let mut reader = ArchiveReader::open(url).await.unwrap();
    assert_eq!(reader.size().await.unwrap().tiers[0].oldest_ms, None);
    the_tier_that_fits(&mut archive, &mut reader).await;
    nights(&mut archive, &mut reader).await;
    several_metrics_at_once(&mut archive, &mut reader).await;
    pages_of_samples(&mut archive, &mut reader).await;
    how_much_is_there(&mut archive, &mut reader).await;
    let size = reader.size().await.unwrap();
    assert_eq!(size.tiers[0].newest_ms, Some(PAST + DAY / 2 + 5 * DAY - HOUR));
    assert!(size.bytes > 0);
}

#[tokio::test]
async fn the_past_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let url = ArchiveUrl::sqlite(folder.path().join("a.db"));
    every_case(&url).await;
    what_was_deleted_is_read_from_coarser_tiers(&url).await;
    let server = Mariadb::start().unwrap();
    every_case(&server.url()).await;
}
