//! Days on which disks, databases, configurations and the hub itself fail: the picture goes on, nothing that was
//! acknowledged is lost, and each failure is said in one clear sentence.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use lamon_store::ArchiveUrl;
use lamon_store::testing::Mariadb;
use lamon_tests::agent::Agent;
use lamon_tests::archive;
use lamon_tests::bus::{Message, Subscriber, snapshot};
use lamon_tests::hub::{Hub, HubBuilder};
use lamon_tests::simulated::{Identity, SimulatedAgent, readings};
use lamon_tests::text::say;
use lamon_tests::wait::{eventually, patiently};
use lamon_tests::wiretap::Wiretap;

/// The hub's own message in the picture.
fn hub_message(hub: &Hub) -> anyhow::Result<Message> {
    let (_, messages) = snapshot(hub.snapshot(), &["hub"])?;
    messages.into_iter().next().context("the hub says nothing of itself")
}

/// Names of the files in a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_journal_is_moved_aside() {
    let builder = Hub::collector();
    fs::create_dir_all(builder.data_dir()).unwrap();
    let damage = b"this was a journal once ".repeat(1_000);
    fs::write(builder.data_dir().join("journal.sqlite"), &damage).unwrap();
    let hub = builder.start();
    hub.says("moved to");
    let event = eventually("the event", || async {
        let (_, events) = snapshot(hub.snapshot(), &["event/_hub"]).ok()?;
        events.into_iter().next()
    })
    .await;
    assert_eq!((event.text("kind"), event.text("level")), ("journal_failed", "error"), "{event:?}");
    assert_eq!(say(hub.address(), "node=a cpu_percent=1").await.unwrap(), "ok", "a new one is in use");
    archive::rows(&hub.archive(), "a", 1).await;
    let kept = files(hub.data_dir()).unwrap();
    let aside = kept.iter().find(|name| fs::read(hub.data_dir().join(name)).unwrap() == damage);
    assert!(
        aside.is_some_and(|name| name.starts_with("journal.sqlite") && name != "journal.sqlite"),
        "{kept:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_damaged_while_the_hub_is_down_loses_its_rows_but_not_the_archives() {
    let hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=a cpu_percent=1").await.unwrap(), "ok");
    archive::rows(&hub.archive(), "a", 1).await;
    let builder = hub.crash();
    let path = builder.data_dir().join("journal.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    // Every page behind the first: the header still looks well.
    for byte in bytes.iter_mut().skip(100) {
        *byte = byte.wrapping_mul(31).wrapping_add(77);
    }
    fs::write(&path, bytes).unwrap();
    for log in ["journal.sqlite-wal", "journal.sqlite-shm"] {
        let _ = fs::remove_file(builder.data_dir().join(log));
    }
    let hub = builder.start();
    assert_eq!(say(hub.address(), "node=a cpu_percent=2").await.unwrap(), "ok");
    let rows = archive::rows(&hub.archive(), "a", 2).await;
    let kept: Vec<_> = rows.iter().filter_map(|row| row.metric("cpu_percent")).collect();
    assert_eq!(kept, [1.0, 2.0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_writable_folder_the_picture_goes_on_and_rows_come_later() {
    let builder = Hub::collector();
    // A folder below a file can be made by nobody, root neither.
    let obstacle = builder.folder().join("obstacle");
    fs::write(&obstacle, "a file").unwrap();
    let hub = builder.keeping_data_in(obstacle.join("data")).start();
    let mut bus = Subscriber::join(&hub, &["sample/", "event/"]).await.unwrap();
    let identity = Identity::new("ccd01", 5);
    let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    agent.send_table(1, &[("disk_percent", 2)]).await.unwrap();
    agent.send_samples(1, 1, vec![readings(&[97.0], 2)]).await.unwrap();
    bus.until("a sample", |message| message.topic == "sample/ccd01");
    bus.until("its level", |message| message.topic == "event/ccd01" && message.text("level") == "error");
    let answer = say(hub.address(), "node=door cpu_percent=1").await.unwrap();
    assert!(answer.starts_with("error: shown, but not on disk yet"), "{answer}");
    bus.until("the line, shown", |message| message.topic == "sample/door");
    let sentence = hub.says("samples wait with their agents");
    assert!(sentence.contains("obstacle"), "{sentence}");
    let said = hub.log().iter().filter(|line| line.contains("samples wait with their agents")).count();
    assert_eq!(said, 1, "each reason is told once");

    fs::remove_file(&obstacle).unwrap();
    agent.acknowledged(1).await.unwrap();
    bus.until("the recovery", |message| message.text("kind") == "journal_recovered");
    assert_eq!(say(hub.address(), "node=door cpu_percent=2").await.unwrap(), "ok");
    let rows = archive::rows(&hub.archive(), "ccd01", 1).await;
    assert_eq!((rows[0].epoch, rows[0].sequence, rows.len()), (5, 1, 1));
    // What was shown and refused is there as well: it was taken, only late.
    archive::rows(&hub.archive(), "door", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_password_is_one_sentence_and_rows_come_when_it_is_right() {
    let server = Mariadb::start().unwrap();
    server.execute("CREATE DATABASE site").unwrap();
    let url = format!("mysql://hub:secret-7@127.0.0.1:{}/site", server.port());
    let hub = Hub::collector().archiving_to(&url).start();
    let sentence = hub.says("samples wait in the journal");
    assert!(sentence.contains("hub"), "it names the user: {sentence}");
    assert!(hub.log().iter().all(|line| !line.contains("secret-7")), "a password in the log");
    for number in 1..=3 {
        assert_eq!(say(hub.address(), &format!("node=a cpu_percent={number}")).await.unwrap(), "ok");
    }
    let said = hub.log().iter().filter(|line| line.contains("samples wait in the journal")).count();
    assert_eq!(said, 1, "one sentence, however often it is tried");
    eventually("the hub's own message", || async {
        hub_message(&hub).ok().filter(|message| !matches!(message.text("database"), "" | "ok"))
    })
    .await;

    server.execute("CREATE USER 'hub'@'127.0.0.1' IDENTIFIED BY 'secret-7'").unwrap();
    server.execute("GRANT ALL ON site.* TO 'hub'@'127.0.0.1'").unwrap();
    let archive = ArchiveUrl::parse(&url).unwrap();
    let rows = archive::rows(&archive, "a", 3).await;
    let kept: Vec<_> = rows.iter().filter_map(|row| row.metric("cpu_percent")).collect();
    assert_eq!(kept, [1.0, 2.0, 3.0]);
    hub.says("the archive takes samples again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_misses_nothing() {
    let mut server = Mariadb::start().unwrap();
    let hub = Hub::collector().archiving_to(&server.url_text("lamon")).start();
    let send = async |number: u32| say(hub.address(), &format!("node=a cpu_percent={number}")).await;
    assert_eq!(send(1).await.unwrap(), "ok");
    archive::rows(&server.url(), "a", 1).await;
    server.kill().unwrap();
    for number in 2..=4 {
        assert_eq!(send(number).await.unwrap(), "ok", "acknowledged by the journal");
    }
    hub.says("samples wait in the journal");
    server.restart().unwrap();
    let rows = archive::rows(&server.url(), "a", 4).await;
    let kept: Vec<_> = rows.iter().filter_map(|row| row.metric("cpu_percent")).collect();
    assert_eq!(kept, [1.0, 2.0, 3.0, 4.0]);
}

/// Sends samples one after the other from where the hub is, and notes what is acknowledged, until the connection ends.
async fn send_for_ever(agent: &mut SimulatedAgent, acknowledged: &mut u64) -> anyhow::Result<()> {
    agent.send_table(1, &[("uptime", 0), ("disk_percent", 2)]).await?;
    let window = u64::from(agent.welcome().window);
    let mut next = agent.welcome().committed.map_or(1, |committed| committed + 1);
    loop {
        while next <= *acknowledged + window {
            let value = f64::from(u32::try_from(next)?);
            agent.send_samples(1, next, vec![readings(&[value, value % 70.0], 2)]).await?;
            next += 1;
        }
        match agent.next().await? {
            Some(lamon_wire::frames::HubFrame::Ack(upto)) => *acknowledged = upto,
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_killed_again_and_again_has_every_acknowledged_sample_once() {
    let identity = Identity::new("ccd01", 3);
    let mut builder: HubBuilder = Hub::collector();
    let mut acknowledged = 0;
    for round in 0..4 {
        let hub = builder.start();
        let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
        let committed = agent.welcome().committed.unwrap_or(0);
        assert!(committed >= acknowledged, "{acknowledged} was acknowledged, {committed} is on disk");
        acknowledged = committed;
        // It is killed while samples are on their way, each time at another instant of a commit.
        let sending = async {
            tokio::select! {
                ended = send_for_ever(&mut agent, &mut acknowledged) => ended,
                () = tokio::time::sleep(Duration::from_millis(1_700 + round * 211)) => Ok(()),
            }
        };
        patiently("samples to be sent", sending).await.unwrap();
        assert!(acknowledged > committed, "round {round} got nothing acknowledged");
        builder = hub.crash();
    }
    let hub = builder.start();
    let agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    let committed = agent.welcome().committed.unwrap();
    assert!(committed >= acknowledged, "{acknowledged} was acknowledged, {committed} is on disk");
    let rows = archive::rows(&hub.archive(), "ccd01", usize::try_from(committed).unwrap()).await;
    let mut by_sequence = BTreeMap::new();
    for row in &rows {
        assert!(by_sequence.insert(row.sequence, row).is_none(), "{row:?} is there twice");
        let expected = f64::from(u32::try_from(row.sequence).unwrap());
        assert_eq!(row.metric("disk_percent"), Some(expected % 70.0), "{row:?}");
    }
    assert_eq!(by_sequence.into_keys().collect::<Vec<_>>(), (1..=committed).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_keeps_what_it_took_while_its_hub_was_down() {
    let hub = Hub::collector().start();
    let wiretap = Wiretap::start(hub.address()).await.unwrap();
    let agent = Agent::named("ccd01").sending_to(wiretap.address()).start();
    archive::rows(&hub.archive(), "ccd01", 1).await;
    let builder = hub.crash();
    // The time without a hub is the story; samples go on being taken.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let hub = builder.start();
    let rows = archive::rows(&hub.archive(), "ccd01", 6).await;
    let sequences: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    let first = sequences[0];
    let expected: Vec<_> = (first..).take(sequences.len()).collect();
    assert_eq!(sequences, expected, "no gap and nothing twice");
    assert!(rows.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms), "each at its own time: {rows:?}");
    assert_eq!(agent.terminate().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_one_sentence_and_exit_code_69() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let endpoint = format!("tcp://{address}");
    let free = "tcp://127.0.0.1:*";
    for (builder, place) in [
        (Hub::collector().listening_on(&address), "[intake] listen"),
        (Hub::sensord().listening_on(&address), "[intake] listen"),
        (Hub::collector().publishing_on(&endpoint, free), "[bus] publish"),
        (Hub::sensord().publishing_on(free, &endpoint), "[bus] snapshot"),
    ] {
        let mut hub = builder.launch().unwrap();
        assert_eq!(hub.wait().unwrap().code(), Some(69), "{:?}", hub.log());
        let log = hub.log();
        let sentences: Vec<_> = log.iter().filter(|line| line.contains(place)).collect();
        assert_eq!(sentences.len(), 1, "{log:?}");
        assert!(sentences[0].contains(&address) && sentences[0].contains("in use"), "{sentences:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_configuration_is_pointed_at_and_exit_code_78() {
    for builder in [Hub::collector(), Hub::sensord()] {
        let builder = builder.with("[[rule]]\nmetrics = [\"load1\"]\n  treshold = 80\nwarning = 1");
        let text = builder.configuration();
        let line = text.lines().position(|line| line.contains("treshold")).unwrap() + 1;
        let path = builder.folder().join("hub.toml");
        let mut hub = builder.launch().unwrap();
        assert_eq!(hub.wait().unwrap().code(), Some(78));
        let said = hub.log().join("\n");
        let place = format!("{}:{line}:3: unknown key \"treshold\"", path.display());
        assert!(said.contains(&place), "{said}");
    }
    let mut missing =
        lamon_tests::process::Process::start("lamon-collector", &["-c", "/nonexistent/hub.toml"], None)
            .unwrap();
    assert_eq!(missing.wait().unwrap().code(), Some(78));
    missing.says("/nonexistent/hub.toml: cannot read the configuration");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_the_rules_and_a_mistake_changes_nothing() {
    let mut hub = Hub::collector().start();
    let mut bus = Subscriber::join(&hub, &["level/", "event/"]).await.unwrap();
    let identity = Identity::new("ccd01", 1);
    let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    agent.send_table(1, &[("load1", 2)]).await.unwrap();
    agent.send_samples(1, 1, vec![readings(&[5.0], 2)]).await.unwrap();
    bus.until("no rule", |message| message.topic == "level/ccd01" && message.text("level") == "good");

    hub.reload("[[rule]]\nmetrics = [\"load1\"]\nerror = 4\n").unwrap();
    bus.until("the rule", |message| message.topic == "level/ccd01" && message.text("level") == "error");
    let mark = bus.mark().unwrap();
    hub.reload("[[rule]]\nmetrics = [\"load1\"]\nerrror = 40\n").unwrap();
    let event = bus.after(mark, "the mistake", |message| message.text("kind") == "reload_failed");
    assert!(
        event.text("text").contains("hub.toml:") && event.text("text").contains("did you mean \"error\"")
    );
    let mark = bus.mark().unwrap();
    hub.reload("[[rule]]\nmetrics = [\"load1\"]\nerror = 40\n").unwrap();
    bus.after(mark, "the new rule", |message| {
        message.topic == "level/ccd01" && message.text("level") == "good"
    });
    // All the while the connection stayed.
    agent.send_samples(1, 2, vec![readings(&[41.0], 2)]).await.unwrap();
    agent.acknowledged(2).await.unwrap();
    bus.after(mark, "a value judged by it", |message| {
        message.topic == "level/ccd01" && message.text("level") == "error"
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_asked_to_end_commits_what_it_was_sent() {
    for builder in [Hub::collector(), Hub::sensord()] {
        let hub = builder.start();
        let mut bus = Subscriber::join(&hub, &["sample/"]).await.unwrap();
        let identity = Identity::new("ccd01", 1);
        let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
        agent.send_table(1, &[("load1", 2)]).await.unwrap();
        agent.send_samples(1, 1, vec![readings(&[1.0], 2)]).await.unwrap();
        bus.until("the sample", |message| message.topic == "sample/ccd01");
        // A single sample waits for company up to a second; the end does not lose it.
        let hub = hub.terminate().unwrap().start();
        let agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
        assert_eq!(agent.welcome().committed, Some(1));
        archive::rows(&hub.archive(), "ccd01", 1).await;
    }
}
