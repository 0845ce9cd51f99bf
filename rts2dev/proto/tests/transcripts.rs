//! Every line that real RTS2 programs sent (`tests/transcripts/`, `C>` the side that connected) is read, written and
//! read again with the same meaning, and every value fits the type that its metainfo gave.
#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;
use std::path::Path;

use rts2_proto::{Command, Fragment, Line, LineSplitter, ValueData, ValueFlags};

/// The lines of a transcript: who sent them, and what.
fn lines(text: &str) -> impl Iterator<Item = (char, &str)> {
    text.lines().filter_map(|line| {
        let (_seconds, sent) = line.trim_start().split_once(' ')?;
        let side = sent.chars().next().filter(|side| matches!(side, 'C' | 'S'))?;
        Some((side, sent.get(3..).unwrap_or_default()))
    })
}

fn again(line: &Line<'_>, text: &str) {
    let bytes = line.to_bytes();
    let mut splitter = LineSplitter::default();
    let mut input = &bytes[..];
    let Some(Fragment::Line(cut)) = splitter.next(&mut input) else { panic!("nothing written for {text}") };
    // As bytes: a time that is not known is a nan, and equals nothing.
    assert_eq!(Line::parse(cut).map(|line| line.to_bytes()).as_ref(), Ok(&bytes), "{text}");
}

#[test]
fn every_line_of_every_capture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut seen = 0;
    let mut files = 0;
    let mut typed = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        files += 1;
        let mut declared: HashMap<(char, String), ValueFlags> = HashMap::new();
        for (side, text) in lines(&text) {
            if text.trim().is_empty() {
                continue;
            }
            seen += 1;
            let line =
                Line::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{path:?}: {text}: {error}"));
            again(&line, text);
            match &line {
                Line::MetaInfo { flags, name, .. } => {
                    flags.value_type().unwrap();
                    declared.insert((side, name.to_string()), *flags);
                }
                Line::Value { name, value } => {
                    let Some(flags) = declared.get(&(side, name.to_string())) else { continue };
                    let value_type = flags.value_type().unwrap();
                    let data = ValueData::parse(value_type, *value).unwrap_or_else(|e| panic!("{text}: {e}"));
                    assert!(!matches!(data, ValueData::Raw(_)), "{text}");
                    let mut written = Vec::new();
                    data.write_to(&mut written);
                    let written = rts2_proto::Rest::new(&written).unwrap();
                    assert_eq!(ValueData::parse(value_type, written), Ok(data), "{text}");
                    typed += 1;
                }
                // Nothing that these programs say to each other is unknown, but for two words of the dummies
                // and one that is wrong on purpose.
                Line::Command(Command::Other { word, .. }) => {
                    assert!(["add", "bogus", "expose"].contains(&word.to_str().as_ref()), "{text}");
                }
                _ => {}
            }
        }
    }
    assert_eq!(files, 8);
    assert!(seen > 1200, "{seen} lines only");
    assert!(typed > 500, "{typed} typed values only");
}
