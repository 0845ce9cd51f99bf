//! What comes over the bus makes no sense, or is far too much: the daemon goes on, and its memory stays bounded.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::daemon::{Daemon, Site};
use crate::support::http::Http;
use crate::support::hub::{Hub, beat_until};
use crate::support::until;

/// How long each kind of nonsense comes.
const LONG: Duration = Duration::from_secs(3);

/// Half of what its unit allows it; it has 20 MiB after its start.
const MOST_MEMORY_KIB: u64 = 128 * 1_024;

fn follow(hub: &Hub, server: &Http) -> (Site, Daemon) {
    let url = server.url("/");
    let site = Site::new(&format!(
        "{}[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = {url:?}\n[[route]]\nchannels = [\"hook\"]\n\
         nodes = [\"ccd*\"]\n",
        hub.lines()
    ));
    let daemon = site.start();
    hub.wait_for_subscriber();
    (site, daemon)
}

/// The most memory that the daemon ever had, and its CPU time in ticks of ten milliseconds.
fn usage(daemon: &Daemon) -> (u64, u64) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", daemon.id())).unwrap();
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let stat = read("stat");
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    (
        peak.trim().trim_end_matches(" kB").parse().unwrap(),
        fields.map(|field| field.parse::<u64>().unwrap()).sum(),
    )
}

fn bounded(daemon: &Daemon, what: &str) {
    let (peak, ticks) = usage(daemon);
    println!("{what}: {peak} KiB at most, {} ms of CPU since its start", ticks * 10);
    assert!(peak < MOST_MEMORY_KIB, "{peak} KiB");
}

#[test]
fn frames_that_make_no_sense_are_left_out() {
    let (mut hub, server) = (Hub::start(), Http::start(Http::good()));
    let (_site, daemon) = follow(&hub, &server);
    // The same frames in every run.
    let (mut random, begun, mut count) = (fastrand::Rng::with_seed(1), Instant::now(), 0_u64);
    while begun.elapsed() < LONG {
        let topics = [
            "",
            "hub",
            "event/",
            "event/ccd01",
            "level/ccd01",
            "sample/x",
            "node/x",
            "\0\u{1b}[2J",
            "level/level",
        ];
        let mut frames = vec![topics[random.usize(..9)].as_bytes().to_vec()];
        for _ in 0..random.u8(..4) {
            let length = random.usize(..2_000);
            frames.push(std::iter::repeat_with(|| random.u8(..)).take(length).collect());
        }
        if count.is_multiple_of(1_000) {
            // Deep, long, and with numbers that are none.
            frames = vec![b"event/ccd01".to_vec(), "[".repeat(100_000).into_bytes()];
        } else if count.is_multiple_of(3) {
            let number = random.u64(..);
            let json = format!(
                r#"{{"seq":{number},"started":{},"time":1e308,"node":"{number}","kind":"level","level":"error","text":"{}"}}"#,
                ["-1", "1e999", "0", "1.5", "null"][random.usize(..5)],
                "x".repeat(random.usize(..500))
            );
            frames.truncate(1);
            frames.push(json.into_bytes());
        }
        hub.raw(frames);
        count += 1;
    }
    println!("{count} messages of nonsense");
    hub.event("ccd01", "reboot", "warning", "what makes sense is told");
    beat_until(&mut hub, "it is told", || {
        server.texts().iter().any(|text| text == "what makes sense is told")
    });
    bounded(&daemon, "nonsense");
    daemon.stop();
}

#[test]
fn ten_thousand_samples_a_second_delay_no_warning() {
    let (mut hub, server) = (Hub::start(), Http::start(Http::good()));
    let (_site, daemon) = follow(&hub, &server);
    let (begun, mut count, mut beat) = (Instant::now(), 0_u32, 0);
    while begun.elapsed() < LONG {
        while u128::from(count) < begun.elapsed().as_millis() * 10 {
            hub.sample(&format!("n{:03}", count % 500), f64::from(count % 100));
            count += 1;
        }
        if begun.elapsed().as_secs() >= beat {
            beat += 1;
            hub.heartbeat();
        }
        if beat == 2 {
            beat += 1;
            hub.event("ccd01", "reboot", "warning", "told in the flood");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    until("it is told", || server.texts() == ["told in the flood"]);
    println!("{count} samples in {:?}", begun.elapsed());
    bounded(&daemon, "samples");
    daemon.stop();
}

#[test]
fn a_flood_of_events_is_few_messages_and_bounded_memory() {
    let (mut hub, server) = (Hub::start(), Http::start(Http::good()));
    let (site, daemon) = follow(&hub, &server);
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < LONG {
        let node = format!("ccd{:05}", count % 30_000);
        hub.event(&node, "silent", "silent", &format!("{node} is silent"));
        count += 1;
    }
    until("some are told", || !server.texts().is_empty());
    until("nothing waits", || site.waiting() == 0);
    println!("{count} events became {} messages", server.texts().len());
    assert!(server.texts().len() <= 20, "the limit holds");
    bounded(&daemon, "events");
    daemon.stop();
}
