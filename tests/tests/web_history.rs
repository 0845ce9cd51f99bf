//! The past on the web page: what a real hub stored, as the real lamon-web tells it.

use std::net::{SocketAddr, TcpListener};
use std::time::{SystemTime, UNIX_EPOCH};

use lamon_tests::hub::Hub;
use lamon_tests::process::Process;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TABLES: &str = "[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]\n\
    [[gate]]\nname = \"ccd_disk\"\nnodes = [\"@ccd\"]\nmetrics = [\"disk_percent\"]\nblock = [\"exposure\"]\n";

/// The answer as JSON; `None` when it is none, or no 200.
async fn get(at: SocketAddr, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| serde_json::from_str(body).ok())?
}

/// The offset of a place where it is about midnight, so that the night does not end during the test.
fn where_it_is_midnight(now_s: u64) -> String {
    let hour = now_s / 3_600 % 24;
    if hour <= 12 { format!("-{hour:02}:00") } else { format!("+{:02}:00", 24 - hour) }
}

#[tokio::test]
async fn what_the_hub_stored_is_a_curve_a_table_and_a_page_of_the_night() {
    let hub = Hub::collector().with(TABLES).start();
    for line in [
        "node=door disk_percent=97",
        "node=ccd01 disk_percent=85",
        "node=ccd01 disk_percent=97",
        "node=ccd01 disk_percent=50",
    ] {
        assert_eq!(say(hub.address(), &format!("{line} interval=600")).await.unwrap(), "ok");
    }
    // Free a moment ago, so free now.
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let file = hub.data_dir().join("web.toml");
    let config = format!(
        "listen = \"{at}\"\n[bus]\npublish = \"{}\"\nsnapshot = \"{}\"\n[site]\nutc_offset = \"{}\"\n[database]\nurl = {:?}\n",
        hub.publish(),
        hub.snapshot(),
        where_it_is_midnight(now.as_secs()),
        format!("sqlite:{}", hub.data_dir().join("archive.sqlite").display()),
    );
    std::fs::write(&file, config).unwrap();
    let arguments = ["-c".as_ref(), file.as_os_str(), "--log-to".as_ref(), "stderr".as_ref()];
    let web = Process::start("lamon-web", &arguments, None).unwrap();
    web.says("the page is at");
    let page = eventually("the page of the night", || async {
        let nights = get(at, "/api/v1/nights?count=1").await?;
        let page = get(at, &format!("/api/v1/nights/{}", nights[0]["date"].as_str()?)).await?;
        (page["blocked"][0]["to_ms"].is_u64() && page["nodes"].as_array()?.len() == 2).then_some(page)
    })
    .await;
    assert_eq!(
        (page["blocked"].as_array().unwrap().len(), &page["blocked"][0]["what"]),
        (1, &"ccd_disk".into())
    );
    let problems = |place: usize| page["nodes"][place]["problems"].as_array().unwrap();
    let [warning, error] = &problems(0)[..] else { panic!("{page}") };
    assert_eq!((&warning["level"], &error["level"]), (&"warning".into(), &"error".into()));
    assert_eq!((&warning["to_ms"], &warning["metric"]), (&error["from_ms"], &"disk_percent".into()));
    assert!(error["to_ms"].is_u64(), "it was good again: {page}");
    assert_eq!((page["nodes"][1]["node"].as_str(), problems(1).len()), (Some("door"), 1));
    assert_eq!(problems(1)[0]["to_ms"], Value::Null, "it lasts");
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let span = format!("from={}&to={}", now_ms - 600_000, now_ms + 600_000);
    let table = eventually("the table", || async {
        let table = get(at, &format!("/api/v1/samples?node=ccd01&{span}")).await?;
        (table["rows"].as_array()?.len() == 3).then_some(table)
    })
    .await;
    assert_eq!(
        (&table["columns"][0], &table["rows"][0][1]),
        (&"disk_percent".into(), &50.0.into()),
        "the newest first"
    );
    let curve = get(at, &format!("/api/v1/history?nodes=ccd01&metrics=disk_percent&{span}&points=5000"))
        .await
        .unwrap();
    assert!(
        curve["series"][0]["metrics"]["disk_percent"]["mean"].as_array().is_some_and(|mean| !mean.is_empty()),
        "{curve}"
    );
    let detail = eventually("the node", || get(at, "/api/v1/nodes/ccd01")).await;
    let limits = &detail["metrics"]["disk_percent"]["limits"][0];
    assert_eq!((&limits["warning"], &limits["error"]), (&80.0.into(), &90.0.into()), "{detail}");
    let events = get(at, &format!("/api/v1/events?{span}&group=ccd&level=warning&kind=level")).await.unwrap();
    assert_eq!(events["events"].as_array().unwrap().len(), 2, "{events}");
}
