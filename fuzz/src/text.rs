//! Lines of text: a line is read or refused in a short sentence, and what was read is written so that it reads back the same.

use lamon_wire::text::TextSample;

/// The bytes are lines.
pub fn run(data: &[u8]) {
    for line in data.split(|&b| b == b'\n') {
        match TextSample::parse(line) {
            Ok(sample) => {
                let written = sample.write();
                assert!(!written.contains('\n'), "{written:?}");
                assert_eq!(TextSample::parse(written.as_bytes()).as_ref(), Ok(&sample), "{written:?}");
                assert!(sample.metrics.iter().all(|(_, value)| value.is_finite()), "{sample:?}");
            }
            Err(error) => {
                let sentence = error.to_string();
                assert!(sentence.len() < 500 && !sentence.chars().any(char::is_control), "{sentence:?}");
            }
        }
    }
}
