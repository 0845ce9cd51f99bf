//! The splitter: however a stream is cut into packets, the same lines and blocks come out, and no more is kept than the limit.

use rts2_proto::{Fragment, LineSplitter};

/// The first byte is the limit of a line, the second the size of the packets.
pub fn run(data: &[u8]) {
    let [limit, size, stream @ ..] = data else { return };
    let limit = 1 + usize::from(*limit);
    // An end to the last line, so that one cut at its limit is reported either way.
    let stream = [stream, b"\n"].concat();
    let whole = cut(&[&stream], limit);
    let packets: Vec<_> = stream.chunks(1 + usize::from(*size)).collect();
    assert_eq!(cut(&packets, limit), whole);
}

/// The lines; `None` stands for one that was too long, and what begins with a line's end is no line.
fn cut(packets: &[&[u8]], limit: usize) -> Vec<Option<Vec<u8>>> {
    let mut splitter = LineSplitter::new(limit);
    let mut found = Vec::new();
    for packet in packets {
        let mut packet = *packet;
        while let Some(fragment) = splitter.next(&mut packet) {
            match fragment {
                Fragment::Line(line) => {
                    assert!(!line.is_empty() && line.len() <= limit && !line.contains(&b'\n'));
                    found.push(Some(line.to_vec()));
                }
                Fragment::Overlong { limit: told } => {
                    assert_eq!(told, limit);
                    found.push(None);
                }
                // A block comes in the pieces of its packets: byte by byte it is the same.
                Fragment::Binary { bytes, .. } => {
                    assert!(!bytes.is_empty());
                    found.extend(bytes.iter().map(|byte| Some(vec![b'\n', *byte])));
                }
                Fragment::Lost => found.push(Some(b"\nlost".to_vec())),
            }
            assert!(splitter.pending() <= limit);
        }
        assert!(packet.is_empty() && splitter.pending() <= limit);
    }
    found
}
