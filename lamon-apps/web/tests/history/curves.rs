//! `history`: what is drawn.

use lamon_store::ArchiveUrl;
use serde_json::{Value, json};

use crate::program::{DAY, HOUR, T0, Web, fill, sample};

fn numbers(list: &Value) -> Vec<Option<f64>> {
    list.as_array().unwrap().iter().map(Value::as_f64).collect()
}

#[test]
fn curves_of_some_nodes_have_gaps_where_nothing_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let mut samples = Vec::new();
    // Each ten seconds for an hour; ccd01 is away for ten minutes of it.
    for (place, number) in (0..360_u64).enumerate() {
        let time_ms = T0 + i64::try_from(place).unwrap() * 10_000;
        let value = number as f64;
        if !(120..180).contains(&place) {
            samples.push(sample("ccd01", time_ms, number, &[("cpu_percent", value), ("temp_a", 0.1)]));
        }
        samples.push(sample("dome", time_ms, number, &[("cpu_percent", 100.0 - value)]));
    }
    fill(&ArchiveUrl::sqlite(&file), &samples);
    let web = Web::over(&file);
    let end = T0 + HOUR;
    let path =
        format!("/api/v1/history?nodes=ccd01,dome&metrics=cpu_percent,temp_a&from={T0}&to={end}&points=360");
    let answer = web.json(&path);
    assert_eq!((&answer["from_ms"], &answer["to_ms"]), (&json!(T0), &json!(end)));
    let [ccd, dome] = [&answer["series"][0], &answer["series"][1]];
    assert_eq!(
        (&ccd["node"], &ccd["tier"], &ccd["step_ms"]),
        (&json!("ccd01"), &json!("samples"), &json!(10_000))
    );
    let means = numbers(&ccd["metrics"]["cpu_percent"]["mean"]);
    let times = numbers(&ccd["time_ms"]);
    assert_eq!((means.len(), times.len()), (301, 301), "300 points and one row of nulls");
    assert_eq!((means[119], means[120], means[121]), (Some(119.0), None, Some(180.0)));
    assert!(times.is_sorted());
    for part in ["min", "max"] {
        assert_eq!(numbers(&ccd["metrics"]["temp_a"][part]).iter().flatten().count(), 300);
    }
    assert_eq!(ccd["metrics"]["cpu_percent"]["unit"], "%");
    assert_eq!(ccd["metrics"]["temp_a"]["mean"][0], 0.1, "as it is written, not as a machine rounds it");
    assert_eq!(dome["time_ms"].as_array().unwrap().len(), 360);
    assert_eq!(numbers(&dome["metrics"]["temp_a"]["mean"]).iter().flatten().count(), 0);
    // Fewer points: mean and extremes of each.
    let coarse = web.json(&path.replace("points=360", "points=6"));
    let cpu = &coarse["series"][1]["metrics"]["cpu_percent"];
    assert_eq!(coarse["series"][1]["tier"], "ten_minutes");
    assert_eq!(
        (&cpu["mean"][0], &cpu["min"][0], &cpu["max"][0]),
        (&json!(70.5), &json!(41.0), &json!(100.0))
    );
    // Before anything was stored there is nothing.
    let before =
        web.json(&format!("/api/v1/history?nodes=dome&metrics=cpu_percent&from={}&to={}", T0 - DAY, T0 - 1));
    assert_eq!(before["series"][0]["time_ms"], json!([]));
    for path in [
        "/api/v1/history",
        "/api/v1/samples",
        "/api/v1/samples.csv",
        "/api/v1/events",
        "/api/v1/heat",
        "/api/v1/nights",
        "/api/v1/nights/{date}",
        "/api/v1/nodes/{node}/disks",
    ] {
        assert!(web.json("/api/v1/openapi.json")["paths"][path]["get"]["parameters"].is_array(), "{path}");
    }
}

#[test]
fn a_day_and_a_year_are_answered_from_the_tier_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let metrics = |number: u64| {
        let value = (number % 100) as f64;
        [
            ("cpu_percent", value),
            ("memory_percent", 40.0),
            ("disk_percent", 80.0 + value / 10.0),
            ("temp_cpu", 51.5),
        ]
    };
    let year = 365 * DAY;
    // A day of one each ten seconds, at the end of a year of one each half an hour.
    let seldom = (0..364 * 48).map(|number: u64| {
        sample("ccd01", T0 + i64::try_from(number).unwrap() * 1_800_000, number, &metrics(number))
    });
    let often = (0..8_640).map(|number: u64| {
        let time_ms = T0 + year - DAY + i64::try_from(number).unwrap() * 10_000;
        sample("ccd01", time_ms, 1_000_000 + number, &metrics(number))
    });
    let samples: Vec<_> = seldom.chain(often).collect();
    fill(&ArchiveUrl::sqlite(&file), &samples);
    let web = Web::over(&file);
    let end = T0 + year;
    let path = |from: i64, metrics: &str| {
        format!("/api/v1/history?nodes=ccd01&metrics={metrics}&from={from}&to={end}")
    };
    for (what, from, tier) in [("a day", end - DAY, "samples"), ("a year", T0, "hours")] {
        for metrics in ["disk_percent", "cpu_percent,memory_percent,disk_percent", "temp_cpu"] {
            let answer = web.timed(&format!("{what} of {metrics}"), &path(from, metrics));
            let series = &answer["series"][0];
            assert_eq!(series["tier"], tier);
            let points = series["time_ms"].as_array().unwrap().len();
            assert!((1_000..=1_510).contains(&points), "{points}");
        }
    }
    // However long: 20 years and many metrics are not more to send.
    let long = web.timed("20 years", &path(end - 19 * 366 * DAY, "disk_percent,nic_in,nic_out,temp_cpu"));
    assert_eq!(long["series"][0]["tier"], "hours");
    assert!(long["series"][0]["time_ms"].as_array().unwrap().len() <= 1_510);
    web.weighed();
}
