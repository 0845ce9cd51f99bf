//! Hubs that share a database, on one server and on a Galera cluster of three nodes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamon_store::{
    Archive, ArchiveError, ArchiveReader, ArchiveUrl, Sample,
    testing::{Galera, Mariadb, MariadbError},
    upkeep::Retention,
};

use crate::common::{DAY, FOR_EVER, PAST, at, upkeep};

/// When the month is over, and older than is kept, with which tables of today begin.
fn some_months_on() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() + 70 * DAY
}

/// Samples of three nodes in one day, of which each of two hubs has every other one, so that every rollup is made of both's.
fn halves() -> (Vec<Sample>, Vec<Sample>) {
    let all = (0..720_u64).flat_map(|number| {
        ["ccd01", "ccd02", "door"].map(|node| {
            let time_ms = PAST + i64::try_from(number).unwrap() * 120_000;
            at(node, time_ms, number, &[("cpu_percent", number as f64), ("temp_a", 1.0)])
        })
    });
    all.partition(|sample| sample.sequence % 2 == 0)
}

/// What a hub does all day: some samples, some upkeep. A hub that shares its database tries again, and never gives up.
async fn live(mut archive: Archive, samples: Vec<Sample>) -> Archive {
    for some in samples.chunks(40) {
        while archive.append(some).await.is_err() {}
        for _ in 0..3 {
            let _ = archive.upkeep(&FOR_EVER, PAST + 2 * DAY).await;
        }
    }
    while archive.upkeep(&FOR_EVER, PAST + 2 * DAY).await.is_ok_and(|step| step.more) {}
    archive
}

/// Two hubs begin at once in an empty database, and each stores its half.
async fn two_hubs(one: &ArchiveUrl, other: &ArchiveUrl) {
    let (a, b) = tokio::join!(Archive::connect(one, "hub1"), Archive::connect(other, "hub2"));
    let (first, second) = halves();
    let (mut last, _) = tokio::join!(live(a.unwrap(), first), live(b.unwrap(), second));
    // What one left because the other got in its way.
    upkeep(&mut last, &FOR_EVER, PAST + 2 * DAY).await;
}

/// Every row of both is there, and counts once in each tier.
fn all_is_there(run: impl Fn(&str) -> Result<Vec<Vec<String>>, MariadbError>) {
    let rows = run("SELECT hub, COUNT(*) FROM samples GROUP BY hub ORDER BY hub").unwrap();
    assert_eq!(rows, [["hub1", "1080"], ["hub2", "1080"]]);
    let sum = 3 * (0..720).sum::<u64>();
    for tier in ["samples_10m", "samples_1h"] {
        let sql = format!(
            "SELECT COUNT(*), CAST(SUM(cpu_percent_count) AS SIGNED), \
             CAST(SUM(cpu_percent_mean * cpu_percent_count) AS SIGNED), \
             CAST(SUM(JSON_EXTRACT(metrics, '$.temp_a[3]')) AS SIGNED) FROM {tier}"
        );
        let rollups = if tier == "samples_10m" { 3 * 144 } else { 3 * 24 };
        assert_eq!(
            run(&sql).unwrap(),
            [[rollups.to_string(), "2160".into(), sum.to_string(), "2160".into()]]
        );
    }
    assert_eq!(run("SELECT COUNT(*) FROM rollups_due").unwrap(), [["0"]]);
    assert_eq!(run("SELECT COUNT(*) FROM dead_letter").unwrap(), [["0"]]);
}

#[tokio::test]
async fn two_hubs_share_a_server() {
    let server = Mariadb::start().unwrap();
    two_hubs(&server.url(), &server.url()).await;
    all_is_there(|sql| server.execute(sql));
}

#[tokio::test]
async fn hubs_share_a_cluster_and_nodes_come_and_go() {
    if let Some(why) = Galera::missing() {
        eprintln!("not run: {why}");
        return;
    }
    let mut cluster = Galera::start().unwrap();
    let urls = |order: [usize; 3]| {
        ArchiveUrl::several(order.iter().map(|node| cluster.node(*node).url()).collect()).unwrap()
    };
    let (url, other) = (urls([0, 1, 2]), urls([1, 2, 0]));
    two_hubs(&url, &other).await;
    for node in 0..3 {
        all_is_there(|sql| cluster.execute(node, sql));
    }

    // What is old is dropped on every node.
    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    assert!(archive.server().contains(&format!(":{}/", cluster.node(0).port())));
    let month = Retention { samples: Some(Duration::from_secs(30 * 86_400)), ..FOR_EVER };
    upkeep(&mut archive, &month, some_months_on()).await;
    for node in 0..3 {
        assert_eq!(cluster.execute(node, "SELECT COUNT(*) FROM samples").unwrap(), [["0"]]);
        assert_eq!(cluster.execute(node, "SELECT COUNT(*) FROM samples_1h").unwrap(), [["72"]]);
    }

    // The node in use is killed: the batch is handed over again, to the next.
    let time_ms = some_months_on();
    let later = |number: u64| at("ccd01", time_ms, number, &[("cpu_percent", 1.0)]);
    archive.append(&[later(1)]).await.unwrap();
    cluster.kill(0).unwrap();
    assert!(matches!(archive.append(&[later(1), later(2)]).await, Err(ArchiveError::Unreachable(_))));
    while archive.append(&[later(1), later(2)]).await.is_err() {}
    assert!(archive.server().contains(&format!(":{}/", cluster.node(1).port())), "{}", archive.server());
    cluster.rejoin(0).unwrap();
    assert_eq!(cluster.execute(0, "SELECT COUNT(*) FROM samples").unwrap(), [["2"]]);

    // A node that lost the others neither takes rows nor tells what may be old, and says why.
    cluster.kill(1).unwrap();
    cluster.kill(2).unwrap();
    let begin = Instant::now();
    loop {
        let alone =
            Archive::connect(&cluster.node(0).url(), "hub1").await.err().map(|error| error.to_string());
        let read = ArchiveReader::open(&cluster.node(0).url()).await.err().map(|error| error.to_string());
        let cut_off =
            |error: &Option<String>| error.as_ref().is_some_and(|text| text.contains("cut off from"));
        if cut_off(&alone) && cut_off(&read) {
            break;
        }
        // The others are not given up at once.
        assert!(begin.elapsed() < Duration::from_secs(60), "{alone:?} {read:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
