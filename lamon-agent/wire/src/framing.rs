//! Lengths in front of frames, and the buffer that cuts a stream into frames.
//!
//! ```text
//! frame = length (2 bytes, big endian, of what follows) payload (postcard)
//! ```
//!
//! Cutting comes before decoding: a payload that makes no sense has known bounds, and a length can never ask for more
//! than [`MAX_FRAME_BYTES`].

use serde::Serialize;
use thiserror::Error;

/// The longest payload, in bytes: what two bytes of length can say, and the most that a peer can make the hub hold.
pub const MAX_FRAME_BYTES: usize = u16::MAX as usize;

/// The length in front of each frame, in bytes.
pub const LENGTH_BYTES: usize = 2;

/// A frame would be longer than [`MAX_FRAME_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("frame of {bytes} bytes, at most {MAX_FRAME_BYTES} fit")]
pub struct FrameTooLong {
    /// How long it would be, in bytes.
    pub bytes: usize,
}

/// Appends a frame to `out`, which keeps its capacity from frame to frame.
///
/// # Errors
///
/// [`FrameTooLong`], with `out` as it was.
pub fn write_frame<T: Serialize>(out: &mut Vec<u8>, payload: &T) -> Result<(), FrameTooLong> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    // Serializing into a vector fails only for types without a known length, which no frame has.
    let written = postcard::to_io(payload, &mut *out).is_ok();
    let bytes = out.len() - start - LENGTH_BYTES;
    let Some(length) = u16::try_from(bytes).ok().filter(|_| written) else {
        out.truncate(start);
        return Err(FrameTooLong { bytes });
    };
    if let Some(place) = out.get_mut(start..start + LENGTH_BYTES) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Bytes from a peer, cut into frames.
///
/// It holds at most one frame that is not whole yet, beside what the last read brought.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl FrameBuffer {
    /// An empty buffer, which takes memory only when bytes come.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), start: 0 }
    }

    /// Takes up what was read from the peer.
    pub fn extend(&mut self, read: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(read);
    }

    /// The payload of the next whole frame; `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Option<&[u8]> {
        let rest = self.bytes.get(self.start..)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let payload = rest.get(..length)?;
        self.start += LENGTH_BYTES + length;
        Some(payload)
    }

    /// How many bytes wait in the buffer for the rest of their frame, or to be cut.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether no byte waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back memory that a long frame took; call it when the buffer is empty and the peer is idle.
    pub fn shrink(&mut self) {
        /// A buffer of this many bytes holds every frame but tables and backlogs.
        const KEEP_BYTES: usize = 1_024;
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
            self.bytes.shrink_to(KEEP_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_carry_their_length() {
        let mut out = vec![0xee];
        write_frame(&mut out, &(1_u8, 300_u16)).unwrap();
        assert_eq!(out, [0xee, 0x00, 0x03, 0x01, 0xac, 0x02]);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_and_leaves_no_trace() {
        let mut out = vec![0xee];
        let error = write_frame(&mut out, &vec![7_u8; 70_000]).unwrap_err();
        assert_eq!((error.bytes, out.as_slice()), (70_003, &[0xee][..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn frames_come_out_as_they_went_in_whatever_the_chunks(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
            chunk in 1..64_usize,
        ) {
            let mut stream = Vec::new();
            for payload in &payloads {
                write_frame(&mut stream, payload).unwrap();
            }
            let mut buffer = FrameBuffer::new();
            let mut seen: Vec<Vec<u8>> = Vec::new();
            for read in stream.chunks(chunk) {
                buffer.extend(read);
                while let Some(frame) = buffer.next_frame() {
                    seen.push(postcard::from_bytes(frame).unwrap());
                }
                prop_assert!(buffer.len() < LENGTH_BYTES + MAX_FRAME_BYTES);
            }
            prop_assert!(buffer.is_empty());
            prop_assert_eq!(seen, payloads);
        }

        #[test]
        fn any_stream_is_cut_within_bounds(stream in proptest::collection::vec(any::<u8>(), 0..140_000), chunk in 1..20_000_usize) {
            let mut buffer = FrameBuffer::new();
            for read in stream.chunks(chunk) {
                buffer.extend(read);
                while let Some(frame) = buffer.next_frame() {
                    prop_assert!(frame.len() <= MAX_FRAME_BYTES);
                }
                prop_assert!(buffer.len() < LENGTH_BYTES + MAX_FRAME_BYTES);
            }
        }
    }
}
