//! The captures of the real programs, said again to ours.

use std::collections::VecDeque;

use rts2dev::proto::ValueFlags;
use rts2dev::testing::CentraldOptions;

use crate::centrald;
use crate::common::Raw;

/// A line of a capture, or of ours, without what is another number every time: times, keys, positions of the Sun and
/// the Moon, bits that leak into flags, and the form of a number. `None` for lines that say nothing else.
fn essence(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let measured = ["sun_", "moon_", "lunar_", "night_b", "night_e", "dark_", "next_state_change"];
    Some(match words[..] {
        // A list with a stranger's empty name in it, which the real one writes as nothing.
        ["V", "bad_weather_devices", "" | "\"\""] => return None,
        ["T", "OK"] => return None,
        ["V", name, ..] if measured.iter().any(|start| name.starts_with(start)) => return None,
        ["V", "infotime" | "uptime", ..] => format!("V {} (a time)", words[1]),
        ["V", name, value] => match value.parse::<f64>() {
            Ok(number) => format!("V {name} {number}"),
            Err(_) => line.to_owned(),
        },
        ["E", flags, ..] => {
            let flags = ValueFlags::from_wire(flags.parse().unwrap()).meaning();
            format!("E {} {}", flags.to_wire(), words[2..].join(" "))
        }
        // Blanks at a message's end are not passed on.
        ["M", _, _, ..] => format!("M {}", words[3..].join(" ").trim_end()),
        ["authorization_key", name, _] => format!("authorization_key {name} (a key)"),
        _ => line.to_owned(),
    })
}

/// The first half minute of a real centrald with a real dummy sensor and a scripted client: ours answers every line of
/// theirs with the same lines.
#[tokio::test]
async fn the_captures_again() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/tests/transcripts");
    let mut events = Vec::new();
    for (who, file) in ["device-to-centrald.txt", "client-to-centrald.txt"].into_iter().enumerate() {
        for line in std::fs::read_to_string(folder.join(file)).unwrap().lines() {
            let (seconds, sent) = line.trim_start().split_once(' ').unwrap();
            let seconds: f64 = seconds.parse().unwrap();
            // Later on another client comes in.
            if seconds < 49.0 {
                let (side, text) = sent.split_once("> ").unwrap_or((&sent[..1], ""));
                events.push((seconds, who, side.to_owned(), text.to_owned()));
            }
        }
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (centrald, _) = centrald(CentraldOptions::default()).await;
    let mut peers: [Option<Raw>; 2] = [Some(Raw::connect(centrald.address().port()).await), None];
    let mut unread = [VecDeque::new(), VecDeque::new()];
    let (mut key, mut compared) = (String::new(), 0);
    for (seconds, who, side, text) in events {
        if who == 1 && peers[1].is_none() {
            peers[1] = Some(Raw::connect(centrald.address().port()).await);
        }
        if seconds > 34.0 {
            // The client went.
            peers[1] = None;
        }
        let peer = peers[who].as_mut().unwrap();
        if side == "C" {
            let text = text.replace("655276298", &key);
            peer.send(&text).await;
            // What one says is heard before the other speaks.
            peer.send("T ready").await;
            unread[who].extend(peer.until(|line| line == "T OK").await);
            continue;
        }
        let Some(expected) = essence(&text) else { continue };
        let line = loop {
            let line = match unread[who].pop_front() {
                Some(line) => line,
                None => peer.line().await.unwrap_or_else(|| panic!("closed at {seconds}, not {text}")),
            };
            if let Some(found) = line.strip_prefix("authorization_key DUMMY ") {
                found.clone_into(&mut key);
            }
            if let Some(line) = essence(&line) {
                break line;
            }
        };
        assert_eq!(line, expected, "at {seconds} to {who}");
        compared += 1;
    }
    assert!(compared > 180, "{compared} lines only");
}
