//! The bus's two doors: ZAP's questions about who comes in, and requests for the picture. The answer goes to who asked, and is a
//! part of the picture or a sentence.

use std::collections::BTreeMap;

use lamon_collector::bus::{answer_to, asked_about};

/// Frames, with `0x1f` between them.
pub fn run(data: &[u8]) {
    let frames: Vec<Vec<u8>> = data.split(|&b| b == 0x1f).map(<[u8]>::to_vec).collect();
    if let Ok((key, address)) = asked_about(&frames) {
        assert_eq!((frames[6].len(), key.to_string().len()), (32, 40));
        assert!(address.len() <= 3 * frames[3].len());
    }
    let topics = ["event/_hub", "hub", "level/ccd01", "sample/ccd01", "sample/ccd02"];
    let last: BTreeMap<String, Vec<u8>> = topics.map(|topic| (topic.to_owned(), b"{}".to_vec())).into();
    let Some(answer) = answer_to(&frames, &last, 1_000) else { return };
    assert_eq!(&*answer[0], frames[0].as_slice());
    let words = if answer[1].is_empty() { &answer[2..] } else { &answer[1..] };
    match &*words[0] {
        b"snapshot" => {
            let header: serde_json::Value = serde_json::from_slice(&words[1]).expect("a header in JSON");
            assert_eq!(header["topics"], (words.len() - 2) / 2);
            assert!(words.len() <= 2 + 2 * topics.len());
        }
        b"error" => assert_eq!(words.len(), 2),
        other => panic!("{other:?}"),
    }
}
