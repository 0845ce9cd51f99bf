//! Lines: what can be read is written so that it reads back the same, and a line is written in one line.

use rts2_proto::Line;

/// The bytes are lines.
pub fn run(data: &[u8]) {
    data.split(|&b| b == b'\n').for_each(line);
}

fn line(bytes: &[u8]) {
    let line = match Line::parse(bytes) {
        Ok(line) => line,
        Err(error) => {
            assert!(error.at <= bytes.len() && error.word.len() <= 4 * bytes.len(), "{error:?}");
            return;
        }
    };
    let written = line.to_bytes();
    let Some((b'\n', text)) = written.split_last() else { panic!("{line:?} has no end: {written:?}") };
    assert!(!text.iter().any(|b| matches!(b, b'\n' | b'\r' | 0)), "{line:?}: {written:?}");
    let again = Line::parse(text).map(|line| line.to_bytes());
    assert_eq!(again.as_ref(), Ok(&written), "{line:?}");
}
