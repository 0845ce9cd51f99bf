//! `samples`, as a table below the curves and as a file; a node's disks.

use lamon_store::ArchiveUrl;
use serde_json::{Value, json};

use crate::program::{DAY, HOUR, T0, Web, fill, sample};

#[test]
fn a_table_is_read_page_by_page_without_a_row_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    // Three in each second: pages end within one time.
    let samples: Vec<_> = (0..100_u64)
        .map(|number| {
            let time_ms = T0 + i64::try_from(number / 3).unwrap() * 1_000;
            sample("ccd01", time_ms, number, &[("temp_<b>", 1.5), ("cpu_percent", number as f64)])
        })
        .collect();
    fill(&ArchiveUrl::sqlite(&file), &samples);
    let web = Web::over(&file);
    let path = format!("/api/v1/samples?node=ccd01&from={T0}&to={}&count=7", T0 + 30_000);
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = web.json(&format!("{path}{next}"));
        assert_eq!(page["columns"], json!(["cpu_percent", "temp_<b>"]), "a name is data");
        assert_eq!(page["units"], json!(["%", "°C"]));
        let rows = page["rows"].as_array().unwrap();
        assert!(rows.len() <= 7);
        seen.extend(rows.iter().map(|row| row[1].as_f64().unwrap()));
        match &page["next"] {
            Value::String(token) => next = format!("&next={token}"),
            other => {
                assert!(other.is_null());
                break;
            }
        }
    }
    assert_eq!(seen, (0..90).rev().map(f64::from).collect::<Vec<_>>());
    let none = web.json(&format!("/api/v1/samples?node=ccd01&from={}&to={T0}", T0 - 1));
    assert_eq!(none, json!({"columns": [], "units": [], "rows": [], "next": null}));
}

#[test]
fn a_file_has_every_sample_and_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let samples: Vec<_> = (0..5_000_u64)
        .map(|number| {
            let time_ms = T0 + i64::try_from(number).unwrap() * 1_000;
            let other = if number < 4_999 { "=a,\"b\"" } else { "late" };
            sample("ccd01", time_ms, number, &[(other, -0.5), ("cpu_percent", number as f64 / 4.0)])
        })
        .collect();
    fill(&ArchiveUrl::sqlite(&file), &samples);
    let web = Web::over(&file);
    let path = format!("/api/v1/samples.csv?node=ccd01&from={T0}&to={}", T0 + 5_000_000);
    let (head, lines) = web.file(&path);
    let head = head.to_lowercase();
    assert!(head.contains("content-type: text/csv"), "{head}");
    assert!(head.contains("attachment; filename=\"lamon-ccd01-2026-11-22.csv\""), "{head}");
    assert_eq!(lines.len(), 5_001);
    assert_eq!(lines[0], "time,cpu_percent,\"'=a,\"\"b\"\"\",late");
    assert_eq!(lines[1], "2026-11-22T00:00:00.000Z,0,-0.5,");
    assert_eq!(lines[5_000], "2026-11-22T01:23:19.000Z,1249.75,,-0.5");
    let (_, lines) = web.file(&format!("{path}&metrics=none,cpu_percent"));
    assert_eq!(
        (lines[0].as_str(), lines[2].as_str()),
        ("time,none,cpu_percent", "2026-11-22T00:00:01.000Z,,0.25")
    );
    let (_, lines) = web.file(&format!("/api/v1/samples.csv?node=ccd01&from={}&to={T0}", T0 - 1));
    assert_eq!(lines, ["time"]);
}

#[test]
fn disks_tell_the_nights_that_are_left_by_what_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let now_ms = i64::try_from(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis(),
    )
    .unwrap();
    // 5 % in each of the last nights; the site's nights begin at noon UTC.
    let nights = lamon_store::reading::Site::at_utc_offset(0).last_nights(now_ms - DAY, 4);
    let mut samples = Vec::new();
    for night in nights {
        for (hours, percent) in [(1, 40.0), (2, 45.0)] {
            let metrics =
                [("disk_home_percent", percent), ("disk_percent", percent), ("disk_home_free", 1e9)];
            samples.push(sample("ccd01", night.begin_ms + hours * HOUR, samples.len() as u64, &metrics));
        }
    }
    fill(&ArchiveUrl::sqlite(&file), &samples);
    let web = Web::start(&format!(
        "[database]\nurl = \"sqlite:{}\"\n[site]\nutc_offset = \"+00:00\"",
        file.display()
    ));
    // The node is not heard of, so how full it is now is not known.
    let wanted = json!([{"metric": "disk_home_percent", "mount": "home", "percent": null, "free_bytes": null,
        "rate_percent_per_night": 5.0, "nights_left": null, "nights": 4}]);
    assert_eq!(web.json("/api/v1/nodes/ccd01/disks"), wanted);
}
