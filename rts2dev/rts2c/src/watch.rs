//! `watch`: every change, across restarts.

use std::io::Write;

use rts2dev::client::{Change, Followed, Follower, Login, RemoteDevice, RemoteValue, format_utc};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::exit::Failure;
use crate::output::{Output, as_json, bits, printable, with_unit_and_level};
use crate::path::Path;

/// Lines that may wait to be written, of all devices together; with more, the devices wait, and then tell the latest.
const MAX_LINES: usize = 64;

/// What is shown of one device.
struct Wanted {
    device: String,
    /// Its values, and `state` or `bop`; none means everything.
    values: Vec<String>,
}

/// What a path may name that is no value, as in conditions.
const WORDS: [&str; 2] = ["state", "bop"];

impl Wanted {
    fn wants(&self, name: &str) -> bool {
        self.values.is_empty() || self.values.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    }

    /// Says what the device has not got, once for each of its appearances: it may declare it later.
    fn complain(&self, device: &RemoteDevice) {
        let missing = |name: &&String| {
            !WORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) && device.value(name).is_none()
        };
        for name in self.values.iter().filter(missing) {
            let _ = writeln!(std::io::stderr(), "rts2c: waiting: {} has no value {name}", device.name());
        }
    }
}

pub(crate) async fn run(
    login: &Login,
    paths: &[String],
    json: bool,
    count: Option<u64>,
) -> Result<(), Failure> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for path in paths {
        let path = Path::parse(path)?;
        let known = wanted.iter_mut().find(|wanted| wanted.device.eq_ignore_ascii_case(&path.device));
        match (known, path.value) {
            (Some(known), Some(value)) if !known.values.is_empty() => known.values.push(value),
            (Some(known), _) => known.values.clear(),
            (None, value) => {
                wanted.push(Wanted { device: path.device, values: value.into_iter().collect() });
            }
        }
    }
    let output = Output::new();
    let (sender, mut lines) = mpsc::channel(MAX_LINES);
    // They end with this.
    let mut followers = JoinSet::new();
    for wanted in wanted {
        followers.spawn(follow(login.clone(), wanted, json, sender.clone()));
    }
    drop(sender);
    let mut left = count;
    while left != Some(0)
        && let Some(line) = lines.recv().await
    {
        output.line(&line)?;
        left = left.map(|left| left - 1);
    }
    Ok(())
}

async fn follow(login: Login, wanted: Wanted, json: bool, lines: mpsc::Sender<String>) {
    let output = Output::new();
    let mut follower = Follower::new(login, &wanted.device);
    loop {
        let line = match follower.next().await {
            Followed::Present => {
                if let Some(device) = follower.device() {
                    wanted.complain(device);
                }
                continue;
            }
            Followed::Away(why) => away(&wanted.device, &why.to_string(), json),
            Followed::Change(change) => {
                let Some(line) = changed(&output, &wanted, &change, json) else { continue };
                line
            }
        };
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

fn away(device: &str, why: &str, json: bool) -> String {
    if json {
        json!({ "device": device, "away": why }).to_string()
    } else {
        format!("{device} away: {}", printable(why))
    }
}

fn changed(output: &Output, wanted: &Wanted, change: &Change, json: bool) -> Option<String> {
    let device = &wanted.device;
    let line = match change {
        Change::Declared(value) | Change::Level(value) | Change::Value(value) => {
            if !wanted.wants(&value.name) {
                return None;
            }
            return Some(of_value(output, device, value, json));
        }
        Change::State { state, text } if wanted.wants("state") => {
            let why = if text.is_empty() { String::new() } else { format!(" ({text})") };
            let object = json!({ "device": device, "state": state.bits(), "text": text });
            (object, format!("state {}{why}", bits(*state)))
        }
        Change::Blocked(bop) if wanted.wants("bop") => {
            (json!({ "device": device, "bop": bop.bits() }), format!("bop {}", bits(*bop)))
        }
        Change::Progress(it) if wanted.values.is_empty() => (
            json!({ "device": device, "start": it.start, "end": it.end }),
            format!("progress {} {}", format_utc(it.start), format_utc(it.end)),
        ),
        _ => return None,
    };
    let (object, text) = line;
    Some(if json { object.to_string() } else { format!("{device}.{}", printable(text.trim_end())) })
}

fn of_value(output: &Output, device: &str, value: &RemoteValue, json: bool) -> String {
    if json {
        return json!({ "device": device, "name": value.name, "of": as_json(value) }).to_string();
    }
    let text = output.coloured(&printable(&with_unit_and_level(value)), value.level());
    format!("{device}.{} {text}", value.name)
}
