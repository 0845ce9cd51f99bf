//! The frozen conversations in `tests/skew/`, one a file: each frame in hexadecimal as it went over the wire, who sent it, and what it
//! means; below them the samples as the hub stored them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use lamon_tests::make::top;

use super::wire::{self, Said};

/// Who sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Agent,
    Hub,
}

/// A conversation.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// What the file says of itself.
    pub(crate) about: String,
    /// The frames without their lengths, in the order in which they came.
    pub(crate) frames: Vec<(Who, Vec<u8>)>,
    /// What was stored: by sequence number, when, in milliseconds since the hello came, and the values.
    pub(crate) stored: BTreeMap<u64, (i64, BTreeMap<String, f64>)>,
    /// What the file says of each frame.
    meanings: Vec<String>,
}

pub(crate) fn path(name: &str) -> PathBuf {
    top().join("tests/skew").join(name)
}

/// All frozen files, by their names.
pub(crate) fn all() -> Vec<String> {
    let files = fs::read_dir(path("")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

pub(crate) fn read(name: &str) -> Conversation {
    let text = fs::read_to_string(path(name)).unwrap();
    let mut conversation = Conversation::default();
    for line in text.lines() {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let frame = |who| {
            let (hex, meaning) = rest.split_once(" # ").unwrap_or((rest, ""));
            ((who, bytes(hex)), meaning.to_owned())
        };
        match first {
            "#" => writeln!(conversation.about, "{rest}").unwrap(),
            "" => {}
            "stored" => {
                let mut words = rest.split(' ');
                let mut number = || words.next().unwrap().parse::<i64>().unwrap();
                let (sequence, after_ms) = (number().try_into().unwrap(), number());
                let values = words.map(|word| word.split_once('=').unwrap());
                let values = values.map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
                conversation.stored.insert(sequence, (after_ms, values.collect()));
            }
            "agent" | "hub" => {
                let (frame, meaning) = frame(if first == "hub" { Who::Hub } else { Who::Agent });
                conversation.frames.push(frame);
                conversation.meanings.push(meaning);
            }
            other => unreachable!("{name}: {other}"),
        }
    }
    conversation
}

impl Conversation {
    /// One in which nothing was said yet.
    pub(crate) fn new(about: String) -> Self {
        Self { about, ..Self::default() }
    }

    /// The protocol version that both agreed on.
    pub(crate) fn version(&self) -> u64 {
        let welcome = self.frames.iter().find(|(who, _)| *who == Who::Hub).unwrap();
        let Ok(Said::Welcome { version, .. }) = wire::answer(&welcome.1) else { unreachable!("{welcome:?}") };
        version
    }

    /// What each frame means, as the releases of then read it.
    pub(crate) fn said(&self) -> Vec<Said> {
        let version = self.version();
        let mut first = [true, true];
        let frames = self.frames.iter().map(|(who, payload)| {
            let is_first = std::mem::replace(&mut first[usize::from(*who == Who::Hub)], false);
            match (who, is_first) {
                (Who::Agent, true) => wire::hello(payload),
                (Who::Agent, false) => wire::from_agent(payload, version),
                (Who::Hub, true) => wire::answer(payload),
                (Who::Hub, false) => wire::from_hub(payload, version),
            }
        });
        frames.collect::<Result<_, _>>().unwrap()
    }

    /// The same as a file.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        for line in self.about.lines() {
            writeln!(text, "# {line}").unwrap();
        }
        for ((who, payload), said) in self.frames.iter().zip(self.said()) {
            let who = if *who == Who::Agent { "agent" } else { "hub" };
            let hex = payload.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
            writeln!(text, "{who} {hex} # {said:?}").unwrap();
        }
        for (sequence, (after_ms, values)) in &self.stored {
            let values =
                values.iter().fold(String::new(), |text, (name, value)| text + &format!(" {name}={value:?}"));
            writeln!(text, "stored {sequence} {after_ms}{values}").unwrap();
        }
        text
    }

    /// The values of the samples that were sent in their turn, by the tables that were sent before.
    pub(crate) fn sent(&self) -> BTreeMap<u64, BTreeMap<String, f64>> {
        let (mut sent, mut table) = (BTreeMap::new(), Vec::new());
        for said in self.said() {
            match said {
                Said::Table { metrics, .. } => table = metrics,
                Said::Samples { first, rows, .. } => {
                    for (sequence, (_, readings)) in (first..).zip(rows) {
                        assert_eq!(readings.len(), table.len(), "sample {sequence}");
                        let named = table.iter().zip(readings);
                        let values = named.filter_map(|((name, decimals), reading)| {
                            #[expect(clippy::cast_precision_loss, reason = "no reading has so many digits")]
                            let value = reading? as f64 / 10_f64.powi(i32::try_from(*decimals).ok()?);
                            Some((name.clone(), value))
                        });
                        sent.insert(sequence, values.collect());
                    }
                }
                _ => {}
            }
        }
        sent
    }

    /// What the file says that its frames mean.
    pub(crate) fn meanings(&self) -> &[String] {
        &self.meanings
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
