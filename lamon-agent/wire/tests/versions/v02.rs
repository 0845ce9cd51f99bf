//! What version 2 added. If this fails, do not change the test.

use lamon_wire::frames::{AgentFrame, Anchor, Boot, FrameError, Tally};

#[test]
fn agent_frame_bytes() {
    let anchor = Anchor { monotonic_ms: 1_000, unix_ms: 1_795_327_904_000 };
    for (frame, bytes) in [
        (AgentFrame::Boot(Boot::This), &b"\x04\x00"[..]),
        (AgentFrame::Boot(Boot::Earlier(anchor)), b"\x04\x01\xe8\x07\x80\xa4\x8e\x9e\xc0\x68"),
        (AgentFrame::Tally(Tally { taken: 300, acknowledged: 290, lost: 9 }), b"\x05\xac\x02\xa2\x02\x09"),
        (AgentFrame::Rewound(300), b"\x06\xac\x02"),
    ] {
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        assert_eq!(&out[2..], bytes, "{frame:?}");
        assert_eq!(AgentFrame::parse(bytes).unwrap(), frame);
    }
}

#[test]
fn a_tally_adds_up() {
    for (taken, acknowledged, lost, good) in
        [(3, 2, 1, true), (3, 3, 1, false), (0, 0, 0, true), (u64::MAX, u64::MAX, 1, false)]
    {
        let tally = Tally { taken, acknowledged, lost };
        let mut out = Vec::new();
        AgentFrame::Tally(tally).write(&mut out).unwrap();
        let expected = if good { Ok(AgentFrame::Tally(tally)) } else { Err(FrameError::Tally(tally)) };
        assert_eq!(AgentFrame::parse(&out[2..]), expected);
    }
}
