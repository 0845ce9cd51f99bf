//! The real agent against a hub that is scripted by the test, on real sockets.

#[cfg(test)]
mod spool;
#[cfg(test)]
mod support;

use std::io::Write;
use std::os::unix::net::UnixDatagram;

use lamon_wire::frames::{AgentFrame, HubFrame, Settings};
use lamon_wire::hello::{Answer, Welcome};
use lamon_wire::metric::CORE;

use crate::support::{Agent, Hub};

#[test]
fn it_says_who_it_is_and_sends_samples_in_order() {
    let hub = Hub::listen();
    let _agent = Agent::start(&hub.config());
    let (mut peer, hello) = hub.welcome(None);
    assert_eq!((hello.node.as_str(), hello.interval_ms, hello.hub_position), ("ccd01", 1_000, 0));
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot_id = boot_id.trim().replace('-', "");
    assert_eq!(hello.boot_id.map(|byte| format!("{byte:02x}")).concat(), boot_id);
    assert_eq!(hello.agent_version, lamon_daemon::VERSION);
    let unix_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    assert!(unix_ms.abs_diff(hello.wall_ms.try_into().unwrap()) < 3_600_000);

    let (first, table) = peer.samples();
    assert_eq!(first.first, 1);
    assert!(first.monotonic_ms >= hello.monotonic_ms.saturating_sub(3_600_000));
    let names: Vec<&str> = table.metrics.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names[..9], CORE[..9], "the core metrics come first");
    peer.send(&HubFrame::Ack(1));
    peer.samples_through(2, 3);
    assert_eq!(peer.tables.len(), 1, "a table is sent once");
}

#[test]
fn a_sample_of_the_core_metrics_is_small() {
    let hub = Hub::listen();
    let _agent = Agent::start(&hub.config());
    let (mut peer, _) = hub.welcome(None);
    peer.samples_through(1, 1);
    let (mut samples, _) = peer.samples();
    samples.rows[0].readings.truncate(9);
    let mut bytes = Vec::new();
    AgentFrame::Samples(samples).write(&mut bytes).unwrap();
    assert!(bytes.len() <= 64, "{} bytes", bytes.len());
}

#[test]
fn a_hub_that_goes_and_comes_back_misses_nothing_and_gets_nothing_twice() {
    let hub = Hub::listen();
    let address = hub.address();
    let mut agent = Agent::start(&hub.config());
    let (mut peer, first) = hub.welcome(None);
    peer.samples_through(1, 3);
    peer.send(&HubFrame::Ack(2));
    drop(hub);
    drop(peer);
    agent.wait_for_log("127.0.0.1");

    let hub = Hub::listen_at(address);
    let (mut peer, again) = hub.welcome(Some(2));
    assert_eq!((again.epoch, again.boot_id), (first.epoch, first.boot_id));
    peer.samples_through(3, 5);
    peer.send(&HubFrame::Ack(5));
    peer.samples_through(6, 6);
}

#[test]
fn a_hub_that_lost_samples_gets_them_again() {
    let hub = Hub::listen();
    let _agent = Agent::start(&hub.config());
    let (mut peer, _) = hub.welcome(None);
    peer.samples_through(1, 3);
    peer.send(&HubFrame::Ack(1));
    peer.send(&HubFrame::Rewind(2));
    // Samples that crossed the rewind go on from before.
    let (mut samples, _) = peer.samples();
    while samples.first > 2 {
        samples = peer.samples().0;
    }
    assert_eq!(samples.first, 2);
    assert!(samples.rows.len() >= 2, "all that were sent come again");
    let next = 2 + u64::try_from(samples.rows.len()).unwrap();
    peer.samples_through(next, next);
}

#[test]
fn a_hub_that_does_not_serve_is_passed_over() {
    let (standby, refuses, serves) = (Hub::listen(), Hub::listen(), Hub::listen());
    let hubs = [&standby, &refuses, &serves].map(|hub| format!("\"{}\"", hub.address())).join(", ");
    let _agent = Agent::start(&format!("hubs = [{hubs}]\ninterval = \"1s\"\n"));
    let (mut peer, hello) = standby.accept();
    assert_eq!(hello.hub_position, 0);
    peer.answer(&Answer::Standby { why: "hub2 serves".into() });
    let (mut peer, hello) = refuses.accept();
    assert_eq!(hello.hub_position, 1);
    peer.answer(&Answer::Refused { why: "unknown node".into() });
    let (mut peer, hello) = serves.welcome(None);
    assert_eq!(hello.hub_position, 2);
    peer.samples_through(1, 1);
    drop(serves);
    drop(peer);
    let (_, hello) = standby.accept();
    assert_eq!(hello.hub_position, 0, "from the first again");
}

#[test]
fn the_hub_sets_interval_and_processes() {
    let hub = Hub::listen();
    let config = format!("hubs = [\"{}\"]\ninterval = \"1d\"\nwatch = [\"lamon-nothing\"]\n", hub.address());
    let _agent = Agent::start(&config);
    let (mut peer, hello) = hub.welcome(None);
    assert_eq!(hello.interval_ms, 86_400_000);
    peer.samples_through(1, 1);
    let settings = Settings { interval_ms: Some(1_000), watch: vec!["lamon-agent".into()] };
    peer.send(&HubFrame::Settings(settings));
    // At its own interval the second would come tomorrow.
    let (samples, table) = peer.samples();
    assert_eq!(samples.first, 2);
    let value = |name: &str| {
        let at = table.metrics.iter().position(|entry| entry.name.as_str() == name)?;
        samples.rows[0].readings[at].value(0)
    };
    assert_eq!(value("proc_lamon_nothing"), Some(0.0));
    assert!(value("proc_lamon_agent").is_some_and(|running| running >= 1.0));
}

#[test]
fn a_backlog_beyond_the_window_goes_live_beside_it() {
    let hub = Hub::listen();
    let _agent = Agent::start(&hub.config());
    let (mut peer, _) = hub.accept();
    peer.answer(&Answer::Welcome(Welcome { version: 1, hub_unix_ms: 0, committed: None, window: 1 }));
    peer.samples_through(1, 1);
    for sequence in [2, 3] {
        let Some(AgentFrame::Live(live)) = peer.frame() else { panic!("a live frame") };
        assert_eq!(live.sequence, sequence);
    }
    peer.send(&HubFrame::Ack(1));
    peer.samples_through(2, 2);
}

#[test]
fn pings_are_answered() {
    let hub = Hub::listen();
    let _agent = Agent::start(&hub.config());
    let (mut peer, _) = hub.welcome(None);
    peer.send(&HubFrame::Ping { hub_us: 4_711 });
    let pong = loop {
        if let AgentFrame::Pong(pong) = peer.frame().expect("the connection stands") {
            break pong;
        }
    };
    assert_eq!(pong.hub_us, 4_711);
    assert!(pong.sent_us >= pong.received_us && pong.received_us > 0 && pong.wall_us > 0);
}

#[test]
fn a_mute_hub_is_left_for_the_next() {
    let (mute, serves) = (Hub::listen(), Hub::listen());
    let hubs = [&mute, &serves].map(|hub| format!("\"{}\"", hub.address())).join(", ");
    let config = format!("hubs = [{hubs}]\ninterval = \"1s\"\nhub_timeout = \"1s\"\n");
    let mut agent = Agent::start(&config);
    let (mut silent, _) = mute.welcome(None);
    silent.samples_through(1, 1);
    // The connection stays open on this side: a host that vanished looks like this.
    let (mut peer, hello) = serves.welcome(None);
    assert_eq!(hello.hub_position, 1);
    silent.wait_for_end();
    peer.samples_through(1, 2);
    agent.wait_for_log("no word from the hub for 3 s");
}

#[test]
fn systemd_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let told = |what: &str| {
        let mut bytes = [0; 512];
        loop {
            let length = socket.recv(&mut bytes).unwrap();
            if bytes[..length].starts_with(what.as_bytes()) {
                return;
            }
        }
    };
    let hub = Hub::listen();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let mut agent = Agent::start_with(&hub.config(), &environment);
    told("READY=1");
    told("WATCHDOG=1");
    let (mut peer, _) = hub.welcome(None);
    peer.samples_through(1, 1);
    peer.send(&HubFrame::Ack(1));
    told(&format!("STATUS={} takes the samples of ccd01", hub.address()));
    agent.terminate();
    told("STOPPING=1");
    assert_eq!(agent.wait().code(), Some(0));
}

#[test]
fn bad_bytes_cost_the_connection_only() {
    let after_the_hello = |bad: &[u8], complaint: &str| {
        let hub = Hub::listen();
        let mut agent = Agent::start(&format!("{}hub_timeout = \"1h\"\n", hub.config()));
        let (mut peer, first) = hub.welcome(None);
        peer.samples_through(1, 1);
        peer.stream.write_all(bad).unwrap();
        peer.wait_for_end();
        agent.wait_for_log(complaint);
        let (mut peer, again) = hub.welcome(None);
        assert_eq!(again.epoch, first.epoch);
        peer.samples_through(1, 2);
    };
    let instead_of_an_answer = |bad: &[u8]| {
        let hub = Hub::listen();
        let mut agent = Agent::start(&hub.config());
        let (mut peer, _) = hub.accept();
        // The agent may close before all has come.
        let _ = peer.stream.write_all(bad);
        peer.wait_for_end();
        agent.wait_for_log("the hub's answer to the hello does not decode");
        let (mut peer, _) = hub.welcome(None);
        peer.samples_through(1, 1);
    };
    std::thread::scope(|cases| {
        for (bad, complaint) in [
            (&b"\x00\x03\x00\x01\x01"[..], "1 bytes too many behind the frame"),
            (b"\x00\x01\x09", "frame does not decode"),
            (b"\x00\x00", "frame does not decode"),
            // An acknowledgement of what was never sent, and a rewind to it.
            (b"\x00\x02\x00\x63", "the hub speaks of sample 99"),
            (b"\x00\x02\x01\x63", "the hub speaks of sample 99"),
        ] {
            cases.spawn(move || after_the_hello(bad, complaint));
        }
        for bad in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0xff; 70_000]] {
            let bad = if bad[0] == b'H' { [bad, &[b' '; 70_000]].concat() } else { bad.to_vec() };
            cases.spawn(move || instead_of_an_answer(&bad));
        }
    });
}

#[test]
fn a_hub_that_knows_more_than_was_sent_gets_a_new_epoch() {
    let hub = Hub::listen();
    let _agent = Agent::start(&hub.config());
    let (peer, first) = hub.welcome(Some(1_000));
    peer.wait_for_end();
    let (mut peer, second) = hub.welcome(None);
    assert_ne!(first.epoch, second.epoch);
    peer.samples_through(1, 1);
}

#[test]
fn asked_to_end_it_waits_for_the_last_acknowledgement() {
    let hub = Hub::listen();
    let mut agent = Agent::start(&hub.config());
    let (mut peer, _) = hub.welcome(None);
    let (samples, _) = peer.samples();
    agent.terminate();
    agent.wait_for_log("ending");
    let last = samples.first + u64::try_from(samples.rows.len()).unwrap() - 1;
    peer.send(&HubFrame::Ack(last));
    peer.wait_for_end();
    assert_eq!(agent.wait().code(), Some(0));
}

#[test]
fn asked_to_end_without_a_hub_it_ends() {
    let hub = Hub::listen();
    let config = hub.config();
    drop(hub);
    let mut agent = Agent::start(&config);
    agent.wait_for_log("127.0.0.1");
    agent.terminate();
    assert_eq!(agent.wait().code(), Some(0));
}
