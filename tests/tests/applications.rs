//! Applications on bad days: the hub is restarted, its bus is flooded, and garbage is on it. What they show stays right, what they keep
//! is bounded, and they answer. What it costs is printed and never asserted.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what the tests share fails them where it goes wrong, and tells what it costs"
)]

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use lamon_bus::{Addresses, Follower};
use lamon_tests::hub::Hub;
use lamon_tests::pages::{Page, Web};
use lamon_tests::speaker::Speaker;
use lamon_tests::text::say;
use lamon_tests::usage;
use lamon_tests::wait::PATIENCE;
use serde_json::Value;

/// A site of the size that lamon is made for.
const NODES: u64 = 100;

/// So many browsers look at it.
const PAGES: usize = 50;

/// So many samples a second are a flood: a thousand times what the nodes send.
const FLOOD: u32 = 10_000;

/// For so long. ZeroMQ's queues are full after two seconds of an application that stands still.
const FLOOD_TIME: Duration = Duration::from_secs(8);

/// No application may take more, bytes: what is queued at most, many times over, and far less than a flood that is kept.
const MUCH: u64 = 256 << 20;

fn node(number: u64) -> String {
    format!("node{number:03}")
}

fn sample(speaker: &mut Speaker, number: u64, value: f64) {
    let name = node(number);
    speaker.say(
        &format!("sample/{name}"),
        &format!(
            r#""node":"{name}","group":"group{}","epoch":"2774710803","sequence":"8640","taken":{value},"late":false,"interval":10.0,
            "metrics":{{"cpu_percent":{value},"memory_percent":41.07,"swap_percent":0.5,"disk_percent":{:.1},"nic_in":123456.5,
            "nic_out":99.5,"load1":0.52,"processes":321,"uptime":86400.5,"clock_offset":-0.002,"disk_root_percent":82.5,
            "disk_root_free":87000000000.0,"disk_root_inodes_percent":12.5,"temp_package_id_0":51.5,"proc_camd":1}}"#,
            number % 10,
            value % 100.0
        ),
    );
}

fn level(speaker: &mut Speaker, number: u64, level: &str) {
    let name = node(number);
    let rule = "disk: warning > 80, error > 90, clear 2";
    speaker.say(
        &format!("level/{name}"),
        &format!(
            r#""node":"{name}","group":"group{}","level":"{level}","heard":1.0,"metrics":{{
            "disk_percent":{{"level":"{level}","value":82.5,"taken":0.5,"since":1.0,"rule":"{rule}","limits":null}}}}"#,
            number % 10
        ),
    );
}

fn event(speaker: &mut Speaker, text: &str) {
    speaker
        .say("event/node001", &format!(r#""node":"node001","kind":"level","level":"good","text":"{text}""#));
}

fn site(speaker: &mut Speaker) {
    speaker.say("hub", r#""hub":"h","level":"good""#);
    for number in 0..NODES {
        sample(speaker, number, 1.0);
        level(speaker, number, "good");
    }
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// The value of a metric in the row of each node.
fn values(rows: &BTreeMap<String, Value>, metric: &str) -> BTreeMap<String, f64> {
    let value =
        |(name, row): (&String, &Value)| Some((name.clone(), row["metrics"][metric]["value"].as_f64()?));
    rows.iter().filter_map(value).collect()
}

/// All nodes with this value.
fn all_with(value: f64) -> BTreeMap<String, f64> {
    (0..NODES).map(|number| (node(number), value)).collect()
}

/// Speaks for so long: so many samples a second, of the nodes in turn, and an event each hundred milliseconds. When each event was said.
fn speak(speaker: &mut Speaker, rate: u32, long: Duration, word: &str) -> Vec<(String, Instant)> {
    let (begin, mut sent, mut said) = (Instant::now(), 0_u32, Vec::new());
    while begin.elapsed() < long {
        while f64::from(sent) < begin.elapsed().as_secs_f64() * f64::from(rate) {
            sent += 1;
            sample(speaker, u64::from(sent) % NODES, f64::from(sent));
        }
        if begin.elapsed() >= Duration::from_millis(100) * u32::try_from(said.len()).unwrap() {
            let text = format!("{word} {}", said.len());
            said.push((text.clone(), Instant::now()));
            event(speaker, &text);
        }
        sleep(Duration::from_micros(200));
    }
    println!("{word}: {:.0} samples a second", f64::from(sent) / begin.elapsed().as_secs_f64());
    said
}

/// How long events took to the page.
fn print_latencies(page: &Page, said: &[(String, Instant)], word: &str) {
    let mut times: Vec<_> = page.look(|seen| {
        let time =
            |(text, said): &(String, Instant)| Some(seen.events.get(text)?.saturating_duration_since(*said));
        said.iter().filter_map(time).collect()
    });
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).or(times.last()).copied().unwrap_or_default();
    println!(
        "{word}: from the bus to the page {:.0?} (median), {:.0?} (of ten the slowest), {:.0?} (slowest); {} of {} came",
        at(50),
        at(90),
        at(100),
        times.len(),
        said.len()
    );
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[test]
fn a_flood_of_the_bus_costs_no_page_its_picture_and_no_memory_without_end() {
    let mut speaker = Speaker::start();
    site(&mut speaker);
    let [publish, snapshot] = speaker.addresses().clone();
    let web = Web::follow(&publish, &snapshot);
    let mut follower = Follower::connect(&Addresses { publish, snapshot, keys: None }).unwrap();
    let pages: Vec<Page> = (0..PAGES).map(|_| web.open()).collect();
    let page = &pages[0];
    until("the site on the page", || page.look(|seen| seen.nodes.len() as u64) == NODES);
    until("the site in the follower", || {
        follower.wait(Duration::from_millis(20));
        follower.picture().nodes().len() as u64 == NODES
    });

    // As it is every day: each node once in ten seconds.
    let said = speak(&mut speaker, 10, Duration::from_secs(4), "every day");
    let (last, _) = said.last().unwrap();
    until("the last event", || page.look(|seen| seen.events.contains_key(last)));
    print_latencies(page, &said, "every day");
    println!(
        "lamon-web: {:.1} MB resident with {NODES} nodes and {PAGES} open pages (asked: 40 MB)",
        megabytes(usage::memory(web.id()).unwrap().resident)
    );

    // One browser hangs.
    let _hangs = web.open_and_hang().unwrap();
    let mut slowest = Duration::ZERO;
    let said = std::thread::scope(|scope| {
        let speaking = scope.spawn(|| speak(&mut speaker, FLOOD, FLOOD_TIME, "in the flood"));
        while !speaking.is_finished() {
            follower.wait(Duration::from_millis(20));
            let asked = Instant::now();
            assert_eq!(web.nodes().unwrap().len() as u64, NODES, "it answers in the flood");
            slowest = slowest.max(asked.elapsed());
        }
        speaking.join().unwrap()
    });
    println!("in the flood: the slowest answer of /api/v1/nodes took {slowest:.0?}");

    // It is over: everything shows the last of it, also where the last messages were lost.
    let last = 12_345.0;
    for number in 0..NODES {
        sample(&mut speaker, number, last);
    }
    until("the last values in the follower", || {
        follower.wait(Duration::from_millis(20));
        follower.picture().nodes().all(|node| node.value("cpu_percent") == Some(last))
    });
    until("the last values in lamon-web", || values(&web.nodes().unwrap(), "cpu_percent") == all_with(last));
    for (number, page) in pages.iter().enumerate() {
        until(&format!("the last values on page {number}"), || {
            page.look(|seen| values(&seen.nodes, "cpu_percent")) == all_with(last)
        });
        assert!(!page.look(|seen| seen.ended), "page {number} was cut off");
    }
    print_latencies(page, &said, "in the flood");
    let peak = usage::peak(web.id()).unwrap();
    println!(
        "lamon-web: {:.1} MB resident after the flood, {:.1} MB at most",
        megabytes(usage::memory(web.id()).unwrap().resident),
        megabytes(peak)
    );
    assert!(peak < MUCH, "{peak} bytes: the flood is kept");
}

/// Something that is no message of a hub.
fn garbage(speaker: &Speaker, rng: &mut Rng) {
    let mut bytes = |most: usize| -> Vec<u8> {
        let length = rng.usize(0..=most);
        std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
    };
    let (some, few) = (bytes(3_000), bytes(40));
    match rng.u8(0..8) {
        0 => speaker.publish_raw([some]),
        1 => speaker.publish_raw([few, some]),
        2 => speaker.publish_raw(vec![few; rng.usize(3..50)]),
        3 => speaker.publish_raw([b"level/node001".to_vec(), some]),
        4 => speaker.publish_raw(["hub", "{}"]),
        5 => speaker.publish_raw(["sample/node001", &"[".repeat(rng.usize(1..100_000))]),
        // Numbers and types that no release has.
        6 => speaker.publish_raw([
            "sample/node001",
            *rng.choice(&[
                r#"{"seq":-1,"started":1.0,"time":1.0,"node":"node001","taken":1,"metrics":{}}"#,
                r#"{"seq":"1","started":1.0,"time":1.0,"node":"node001","taken":1,"metrics":{}}"#,
                r#"{"seq":1,"started":1e999,"time":1.0,"node":"node001","taken":1,"metrics":{}}"#,
                r#"{"seq":99,"started":1.0,"time":1.0,"node":"node001","taken":1,"metrics":{"cpu_percent":1}}"#,
                r#"{"v":2,"seq":99,"samples":[{"node":"node001","metrics":{"cpu_percent":1}}]}"#,
                r#"{"seq":99,"started":4e9,"time":1.0,"node":7,"taken":"now","metrics":[["cpu_percent",1]]}"#,
            ])
            .unwrap(),
        ]),
        // A topic of a release to come.
        _ => speaker.publish_raw(["weather/dome", r#"{"seq":1,"started":1.0,"time":1.0,"wind":7}"#]),
    }
}

#[test]
fn garbage_on_the_bus_changes_nothing() {
    let mut speaker = Speaker::start();
    site(&mut speaker);
    let [publish, snapshot] = speaker.addresses().clone();
    let web = Web::follow(&publish, &snapshot);
    let mut follower = Follower::connect(&Addresses { publish, snapshot, keys: None }).unwrap();
    let page = web.open();
    let mut rng = Rng::with_seed(7);
    let mut value = 10.0;
    for round in 0..3 {
        // The answers, too; and frames that are longer than any that a hub sends, for which a connection is ended.
        let answers = [("level/node002", "{\"seq\":".to_owned()), ("\u{7}", "\u{0}".into())];
        let long = [("event/_hub", "x".repeat(5 << 20))];
        let wrong = [&[][..], &answers, &long][round];
        for (topic, json) in wrong {
            speaker.answer_with(topic, json);
            speaker.publish_raw([*topic, json]);
        }
        // Long enough for a question: what an earlier hub seems to say has it asked.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(2_500) {
            (0..20).for_each(|_| garbage(&speaker, &mut rng));
            follower.wait(Duration::from_millis(1));
        }
        for (topic, _) in wrong {
            speaker.answer_with(topic, "");
        }
        value += 1.0;
        for number in 0..NODES {
            sample(&mut speaker, number, value);
            level(&mut speaker, number, if number % 7 == 0 { "error" } else { "good" });
        }
        until("the values in the follower", || {
            follower.wait(Duration::from_millis(20));
            let right = |node: &lamon_bus::Node| node.value("cpu_percent") == Some(value);
            follower.picture().nodes().len() as u64 == NODES && follower.picture().nodes().all(right)
        });
        until("the values in lamon-web", || values(&web.nodes().unwrap(), "cpu_percent") == all_with(value));
        until("the values on the page", || {
            page.look(|seen| values(&seen.nodes, "cpu_percent")) == all_with(value)
        });
        assert_eq!(web.get("/healthz").unwrap().0, 200);
    }
    let wrong = page.look(|seen| seen.nodes.values().filter(|row| row["level"] == "error").count());
    assert_eq!(wrong as u64, NODES.div_ceil(7));
    assert!(follower.picture().senseless() > 0 && follower.picture().events().len() == 0);
    let peak = usage::peak(web.id()).unwrap();
    println!("lamon-web: {:.1} MB resident at most among garbage", megabytes(peak));
    assert!(peak < MUCH, "{peak} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_killed_and_started_again_is_on_the_same_page() {
    let mut hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=before disk_percent=95").await.unwrap(), "ok");
    let web = Web::follow(hub.publish(), hub.snapshot());
    let page = web.open();
    let shows = |node: &str, level: &str| {
        page.look(|seen| seen.nodes.get(node).is_some_and(|row| row["level"] == level))
    };
    until("the node on the page", || shows("before", "error"));
    // A hub that is killed knows what it had time to write down.
    let file = hub.data_dir().join("levels.json");
    until("the node in the hub's file", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("before"))
    });
    for node in ["first", "second", "third"] {
        hub = hub.crash().start();
        assert_eq!(say(hub.address(), &format!("node={node} disk_percent=85")).await.unwrap(), "ok");
        until("the new node on the page", || shows(node, "warning"));
        // What it was before is kept by the hub, and by the page meanwhile.
        assert!(shows("before", "error"));
        assert_eq!(web.get("/healthz").unwrap().0, 200);
    }
    until("all nodes in lamon-web", || page.look(|seen| web.nodes().unwrap() == seen.nodes));
    assert!(shows("before", "error") && shows("third", "warning") && !page.look(|seen| seen.ended));
}
