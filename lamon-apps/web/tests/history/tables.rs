//! `samples`: the table below the curves.

use lamon_store::ArchiveUrl;
use serde_json::{Value, json};

use crate::program::{T0, Web, fill, sample};

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
