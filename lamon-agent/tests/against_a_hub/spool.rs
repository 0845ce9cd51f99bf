//! The real agent with a spool: killed, ended and booted while its hub is away, then counted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lamon_agent::clock::Now;
use lamon_agent::ring::Ring;
use lamon_agent::sampler::Sample;
use lamon_agent::spool::Spool;
use lamon_wire::frames::{AgentFrame, Anchor, Boot, HubFrame, Table, TableEntry, Tally};
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::reading::Reading;
use tempfile::TempDir;

use crate::support::{Agent, Hub};

fn config(hub: &Hub, spool: &Path, delay: &str) -> String {
    format!("{}spool = {spool:?}\nspool_delay = {delay:?}\n", hub.config())
}

/// Waits until so many samples are on disk, and perhaps more.
fn wait_for_disk(agent: &mut Agent, at_least: usize) {
    agent.wait_for_line(|line| {
        let (before, _) = line.split_once(" unacknowledged samples are on disk")?;
        let count: usize = before.rsplit(' ').next()?.parse().ok()?;
        (count >= at_least).then_some(())
    });
}

fn segments(spool: &Path) -> usize {
    let names = std::fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".spool")).count()
}

#[test]
fn killed_again_and_again_while_the_hub_is_away_it_loses_nothing_that_was_on_disk() {
    let folder = TempDir::new().unwrap();
    let hub = Hub::listen();
    let (address, config) = (hub.address(), config(&hub, folder.path(), "1s"));
    let mut agent = Agent::start(&config);
    let (mut peer, first) = hub.welcome_of_version_2(None);
    peer.samples_through(1, 2);
    peer.send(&HubFrame::Ack(2));
    drop((hub, peer));
    // SIGKILL, at whatever instant after so many samples are on disk.
    let mut on_disk = 0;
    for _ in 0..3 {
        on_disk += 2;
        wait_for_disk(&mut agent, on_disk);
        drop(agent);
        agent = Agent::start(&config);
    }
    wait_for_disk(&mut agent, on_disk + 1);

    let hub = Hub::listen_at(address);
    let (mut peer, again) = hub.welcome_of_version_2(Some(2));
    assert_eq!((again.epoch, again.boot_id), (first.epoch, first.boot_id));
    let Some(AgentFrame::Tally(tally)) = peer.frame() else { panic!("a tally comes first") };
    assert_eq!((tally.acknowledged, tally.lost), (2, 0));
    let mut numbers: Vec<u64> = Vec::new();
    while u64::try_from(numbers.len()).unwrap() < tally.taken - tally.acknowledged {
        let samples = peer.samples().0;
        numbers.extend((samples.first..).take(samples.rows.len()));
    }
    assert_eq!(numbers[..2], [3, 4]);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "each once, in order: {numbers:?}");
    let lives = 1 + numbers.windows(2).filter(|pair| pair[1] - pair[0] > 1 << 32).count();
    let gaps = numbers.windows(2).filter(|pair| pair[1] - pair[0] > 1).count();
    assert_eq!((lives, gaps), (4, 3), "no gap but between lives: {numbers:?}");
    assert!(numbers.len() > on_disk, "{numbers:?}");

    peer.send(&HubFrame::Ack(*numbers.last().unwrap()));
    agent.wait_for_log("the spool is empty");
    assert_eq!(segments(folder.path()), 0);
    drop(agent);
    let _agent = Agent::start(&config);
    let (mut peer, new) = hub.welcome_of_version_2(None);
    assert_ne!(new.epoch, first.epoch, "with nothing kept a new epoch is drawn");
    peer.samples_through(1, 1);
}

#[test]
fn asked_to_end_it_leaves_everything_on_disk_and_sends_it_after_the_start() {
    let folder = TempDir::new().unwrap();
    let hub = Hub::listen();
    let config = config(&hub, folder.path(), "1d");
    let mut agent = Agent::start(&config);
    let (mut peer, first) = hub.welcome_of_version_2(None);
    peer.samples_through(1, 3);
    peer.send(&HubFrame::Ack(1));
    agent.terminate();
    assert_eq!(agent.wait().code(), Some(0));
    drop(peer);
    assert_eq!(segments(folder.path()), 1);
    let _agent = Agent::start(&config);
    let (mut peer, again) = hub.welcome_of_version_2(Some(1));
    assert_eq!(again.epoch, first.epoch);
    let numbers = peer.numbers_through_the_jump();
    assert_eq!(numbers[..2], [(2, Boot::This), (3, Boot::This)]);
    assert!(
        numbers.iter().all(|(_, boot)| *boot == Boot::This),
        "the same boot's clock goes on: {numbers:?}"
    );
}

#[test]
fn samples_of_an_earlier_boot_come_with_what_is_known_of_its_time() {
    let folder = TempDir::new().unwrap();
    let node = NodeName::new("ccd01").unwrap();
    let hub_said = Anchor { monotonic_ms: 40_000, unix_ms: 1_795_000_000_000 };
    // Another boot left this: two samples of an epoch of which five were acknowledged before.
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
        let mut ring = Ring::new(1 << 20);
        let delay = Duration::from_secs(60);
        let (mut spool, kept) =
            Spool::open(folder.path(), &node, 1 << 20, delay, [9; 16], &mut ring).unwrap();
        assert_eq!(kept, None);
        ring.restored(5, 5, 6);
        let entry = TableEntry { name: MetricName::new("load1").unwrap(), label: String::new(), decimals: 2 };
        let table = Arc::new(Table { id: 1, metrics: vec![entry] });
        for monotonic_ms in [41_000, 51_000] {
            let readings = vec![Reading::new(1.5, 2)];
            ring.push(Sample { table: Arc::clone(&table), monotonic_ms, readings });
        }
        spool.finish(Some(hub_said), 0x1234_5678, &mut ring).await;
    });
    let hub = Hub::listen();
    let _agent = Agent::start(&config(&hub, folder.path(), "1m"));
    let (mut peer, hello) = hub.welcome_of_version_2(Some(5));
    assert_eq!(hello.epoch, 0x1234_5678);
    assert_ne!(hello.boot_id, [9; 16]);
    assert!(hello.monotonic_ms <= Now::read().monotonic_ms());
    let Some(AgentFrame::Tally(tally)) = peer.frame() else { panic!("a tally comes first") };
    assert_eq!(Tally { taken: 7, ..tally }, Tally { taken: 7, acknowledged: 5, lost: 0 });
    let numbers = peer.numbers_through_the_jump();
    let earlier = Boot::Earlier(hub_said);
    assert_eq!(numbers[..2], [(6, earlier), (7, earlier)]);
    assert_eq!(numbers[2].1, Boot::This);
}

#[test]
fn a_hub_that_has_more_than_came_out_of_the_spool_gets_nothing_twice() {
    let folder = TempDir::new().unwrap();
    let hub = Hub::listen();
    let config = config(&hub, folder.path(), "1d");
    let mut agent = Agent::start(&config);
    let (mut peer, first) = hub.welcome_of_version_2(None);
    peer.samples_through(1, 3);
    agent.terminate();
    assert_eq!(agent.wait().code(), Some(0));
    drop(peer);
    // The node was put back to an old state: its hub has samples of the same epoch from a later life.
    let _agent = Agent::start(&config);
    let (peer, again) = hub.welcome_of_version_2(Some(1 << 40));
    assert_eq!(again.epoch, first.epoch);
    peer.wait_for_end();
    let (mut peer, new) = hub.welcome_of_version_2(None);
    assert_ne!(new.epoch, first.epoch);
    let (samples, _) = peer.samples();
    assert!(samples.first > 1 << 32, "what this life took, and none of what the hub has: {}", samples.first);
}

#[test]
fn a_spool_has_one_agent() {
    let folder = TempDir::new().unwrap();
    let hub = Hub::listen();
    let config = config(&hub, folder.path(), "1m");
    let _first = Agent::start(&config);
    let _peer = hub.welcome(None);
    let mut second = Agent::start(&config);
    second.wait_for_log("is in use by another lamon-agent");
    assert_eq!(second.wait().code(), Some(69));
}

/// A folder for a spool, whose place a file has.
fn place_that_is_taken(folder: &TempDir) -> (PathBuf, PathBuf) {
    let file = folder.path().join("disk");
    std::fs::write(&file, "").unwrap();
    (file.join("spool"), file)
}

#[test]
fn a_spool_that_cannot_be_used_is_done_without_until_it_can() {
    let folder = TempDir::new().unwrap();
    let (spool, file) = place_that_is_taken(&folder);
    let hub = Hub::listen();
    let config = config(&hub, &spool, "1s");
    let mut agent = Agent::start(&config);
    let (mut peer, first) = hub.welcome_of_version_2(None);
    peer.samples_through(1, 2);
    agent.wait_for_log("samples are kept in memory only");
    std::fs::remove_file(file).unwrap();
    agent.wait_for_log("the spool can be used now");
    // The hub acknowledges nothing: what came before goes to the spool as well, and comes out of it.
    agent.wait_for_log("unacknowledged samples are on disk");
    drop(agent);
    drop(peer);
    let _agent = Agent::start(&config);
    let (mut peer, again) = hub.welcome_of_version_2(None);
    assert_eq!(again.epoch, first.epoch);
    assert_eq!(peer.numbers_through_the_jump()[0].0, 1);
}

#[test]
fn what_an_earlier_life_left_in_a_spool_that_comes_late_waits_until_the_hub_has_all_since() {
    let folder = TempDir::new().unwrap();
    let (spool, file) = place_that_is_taken(&folder);
    let hub = Hub::listen();
    // A life with another folder leaves samples, which then appear where they belong.
    let elsewhere = folder.path().join("elsewhere");
    let mut agent = Agent::start(&config(&hub, &elsewhere.join("spool"), "1d"));
    let (mut peer, first) = hub.welcome_of_version_2(None);
    peer.samples_through(1, 3);
    agent.terminate();
    assert_eq!(agent.wait().code(), Some(0));
    drop(peer);
    let mut agent = Agent::start(&config(&hub, &spool, "1d"));
    agent.wait_for_log("samples are kept in memory only");
    let (peer, between) = hub.welcome_of_version_2(None);
    assert_ne!(between.epoch, first.epoch);
    std::fs::remove_file(&file).unwrap();
    std::fs::rename(&elsewhere, &file).unwrap();
    // While samples of this life wait it does not take the place of theirs; the hub that has them all sees the old epoch.
    peer.acknowledge_until_the_end();
    agent.wait_for_log("the spool can be used now, 3 samples come out of it");
    let (mut peer, again) = hub.welcome_of_version_2(None);
    assert_eq!(again.epoch, first.epoch);
    assert_eq!(peer.numbers_through_the_jump()[0].0, 1);
}
