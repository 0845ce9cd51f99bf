//! Frames: the same are cut however the bytes come, none is longer than it may be, and what can be read is written so that it
//! reads back the same. What an agent hears of whoever says that he is its hub is read here too.

use lamon_wire::frames::{AgentFrame, HubFrame};
use lamon_wire::framing::{FrameBuffer, LENGTH_BYTES, MAX_FRAME_BYTES};
use lamon_wire::hello::{Answer, Hello};

/// The first byte is the length of the pieces that the rest comes in.
pub fn run(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else { return };
    let whole = cut(bytes, bytes.len().max(1));
    assert_eq!(cut(bytes, usize::from(*piece).max(1)), whole, "it matters how they come");
    for payload in &whole {
        agent_frame(payload);
        hub_frame(payload);
        hello(payload);
        answer(payload);
    }
}

fn cut(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut frames = FrameBuffer::new();
    let mut all = Vec::new();
    for piece in bytes.chunks(piece) {
        frames.extend(piece);
        while let Some(payload) = frames.next_frame() {
            assert!(payload.len() <= MAX_FRAME_BYTES);
            all.push(payload.to_vec());
        }
        assert!(frames.len() <= MAX_FRAME_BYTES + LENGTH_BYTES, "more than a frame is held");
        frames.shrink();
    }
    all
}

fn agent_frame(payload: &[u8]) {
    let Ok(frame) = AgentFrame::parse(payload) else { return };
    let mut out = Vec::new();
    // What was read may be longer when it is written: numbers can be padded.
    if frame.write(&mut out).is_ok() {
        assert_eq!(AgentFrame::parse(&out[LENGTH_BYTES..]), Ok(frame));
    }
}

fn hub_frame(payload: &[u8]) {
    let Ok(frame) = HubFrame::parse(payload) else { return };
    let mut out = Vec::new();
    if frame.write(&mut out).is_ok() {
        assert_eq!(HubFrame::parse(&out[LENGTH_BYTES..]), Ok(frame));
    }
}

fn hello(payload: &[u8]) {
    let Ok(hello) = Hello::parse(payload) else { return };
    let shown = hello.os.chars().chain(hello.agent_version.chars());
    assert!(!shown.into_iter().any(char::is_control), "{hello:?}");
    let extra = Hello::parse_extra(payload);
    let mut out = Vec::new();
    if hello.write_with(&extra, &mut out).is_ok() {
        let payload = &out[LENGTH_BYTES..];
        assert_eq!(Hello::parse(payload).as_ref(), Ok(&hello));
        assert_eq!(Hello::parse_extra(payload), extra);
    }
}

fn answer(payload: &[u8]) {
    let Ok(answer) = Answer::parse(payload) else { return };
    let mut out = Vec::new();
    if answer.write(&mut out).is_ok() {
        assert_eq!(Answer::parse(&out[LENGTH_BYTES..]).ok(), Some(answer));
    }
}
