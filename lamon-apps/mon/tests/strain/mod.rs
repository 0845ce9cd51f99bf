//! A hub that starts anew, that floods, and a bus with nonsense on it: the live screen goes on.

use std::time::{Duration, Instant};

use crate::hub::{Hub, hub_word, level};
use crate::terminal::Terminal;

/// How long each strain lasts.
const LONG: Duration = Duration::from_secs(5);

/// The most drawings a second.
const MOST_DRAWINGS: u64 = 5;

/// What ends every drawing: nothing is typed, so its cursor is hidden.
const DRAWN: &[u8] = b"\x1b[?25l";

/// Prints the most memory that the program ever had, and its CPU time; a machine under load has no numbers to assert.
fn tell_usage(terminal: &Terminal, what: &str) {
    let pid = terminal.pid().as_raw_nonzero();
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let peak =
        read("status").lines().find_map(|line| Some(line.strip_prefix("VmHWM:")?.trim().to_owned())).unwrap();
    let stat = read("stat");
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|field| field.parse::<u64>().unwrap()).sum();
    println!("{what}: {peak} at most, {} ms of CPU since its start", ticks * 10);
}

#[test]
fn a_hub_that_starts_anew_is_shown_anew() {
    let hub = Hub::start(vec![level("ccd01", "ccd", "warning", 82.5), hub_word(5, 1001.0)], vec![]);
    let Some(terminal) = Terminal::start(&hub, 80, 24, "LC_ALL=C.UTF-8", "") else { return };
    terminal.until_has("!warning  ccd01");
    let addresses = [hub.publish.clone(), hub.snapshot.clone()];
    drop(hub);
    let anew =
        |(topic, json): (String, String)| (topic, json.replacen("\"started\":1.0", "\"started\":2.0", 1));
    let answer = vec![anew(level("dome", "dome", "error", 95.0)), anew(hub_word(1, 2001.0))];
    let word = anew(hub_word(2, 2002.0));
    let _hub = Hub::start_at(addresses.each_ref().map(String::as_str), Some(answer), 50, move |publisher| {
        publisher.send_multipart([&word.0, &word.1], 0).unwrap();
    });
    let shown = terminal.until_has("xerror    dome");
    assert!(!shown.iter().skip(1).any(|line| line.contains("ccd01")), "{shown:?}");
    terminal.keys(&["q"]);
    terminal.until_has("ended 0");
}

#[test]
fn ten_thousand_samples_a_second_are_five_drawings() {
    let (begun, mut count) = (Instant::now(), 0_u64);
    let answer = vec![level("n000", "g", "warning", 82.5), hub_word(5, 1001.0)];
    let hub = Hub::start_at(["tcp://127.0.0.1:*"; 2], Some(answer), 1, move |publisher| {
        while u128::from(count) < begun.elapsed().as_millis() * 10 {
            let node = format!("n{:03}", count % 200);
            let json = format!(
                r#"{{"seq":{},"started":1.0,"time":{:?},"node":"{node}","group":"g","taken":{1:?},"interval":10.0,"metrics":{{"cpu_percent":{},"nic_in":{count}}}}}"#,
                10 + count / 200,
                1001.0 + begun.elapsed().as_secs_f64(),
                count % 100,
            );
            publisher.send_multipart([&format!("sample/{node}"), &json], 0).unwrap();
            count += 1;
        }
    });
    let Some(terminal) = Terminal::start(&hub, 120, 40, "LC_ALL=C.UTF-8", "") else { return };
    terminal.until_has("200 nodes");
    let recorded = terminal.record();
    let begun = Instant::now();
    // Keys are heard meanwhile, and draw no more often.
    while begun.elapsed() < LONG {
        terminal.keys(&["Down"]);
    }
    let drawings =
        std::fs::read(&recorded).unwrap().windows(DRAWN.len()).filter(|bytes| *bytes == DRAWN).count();
    let most = MOST_DRAWINGS * (begun.elapsed().as_secs() + 1) + 1;
    println!("{drawings} drawings in {:?}", begun.elapsed());
    tell_usage(&terminal, "samples");
    assert!(drawings > 0 && drawings as u64 <= most, "{drawings} drawings, {most} at most");
    terminal.keys(&["q"]);
    terminal.until_has("ended 0");
}

#[test]
fn nonsense_on_the_bus_is_left_out() {
    let mut random = fastrand::Rng::with_seed(1);
    let answer = vec![level("ccd01", "ccd", "warning", 82.5), hub_word(5, 1001.0)];
    let mut seq = 5;
    let hub = Hub::start_at(["tcp://127.0.0.1:*"; 2], Some(answer), 5, move |publisher| {
        for _ in 0..100 {
            let topics = [
                "",
                "hub",
                "level/",
                "level/ccd01",
                "event/ccd01",
                "sample/ccd01",
                "node/\u{1b}[2J",
                "level/level",
            ];
            let mut frames = vec![topics[random.usize(..topics.len())].as_bytes().to_vec()];
            for _ in 0..random.u8(..4) {
                let length = random.usize(..1_000);
                frames.push(std::iter::repeat_with(|| random.u8(..)).take(length).collect());
            }
            if random.u8(..4) == 0 {
                let json = format!(
                    r#"{{"seq":{},"started":{},"time":1e308,"node":"\u001b[2J{}","level":"error","kind":"x","text":"\u001b]0;x\u0007"}}"#,
                    random.u64(..),
                    ["-1", "1e999", "0", "0.5", "null"][random.usize(..5)],
                    "[".repeat(random.usize(..300)),
                );
                frames = vec![frames[0].clone(), json.into_bytes()];
            }
            publisher.send_multipart(frames, 0).unwrap();
        }
        publisher.send_multipart([b"event/x".to_vec(), "[".repeat(100_000).into_bytes()], 0).unwrap();
        seq += 1;
        let (topic, json) = hub_word(seq, 1001.0 + f64::from(u32::try_from(seq).unwrap()));
        publisher.send_multipart([&topic, &json], 0).unwrap();
    });
    let Some(terminal) = Terminal::start(&hub, 80, 24, "LC_ALL=C.UTF-8", "") else { return };
    terminal.until_has("!warning  ccd01");
    let begun = Instant::now();
    while begun.elapsed() < LONG {
        // Not Escape: with a letter close behind it is another key.
        for keys in [&["e"][..], &["Left"], &["Enter"], &["Left"]] {
            terminal.keys(keys);
        }
    }
    let shown = terminal.until_has("!warning  ccd01");
    assert!(shown[0].starts_with("hub lamon1 0.1.0") && shown[1].starts_with("1 node "), "{shown:?}");
    tell_usage(&terminal, "nonsense");
    terminal.keys(&["q"]);
    terminal.until_has("ended 0");
}
