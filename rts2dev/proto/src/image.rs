//! Lines about the data of images: `C D H I J K` and `fits_data` (RTS2 include/block.h, `PROTO_BINARY` …
//! `PROTO_SHARED_KILLED`; lib/rts2/connection.cpp, `startBinaryData` and `sendBinaryData`). A camera sends them, a
//! sensor never does; none is answered.
//!
//! An image comes as `C` once, then for each piece a `D` with that many raw bytes behind its line end, until every
//! channel has its size; other lines may stand between the pieces. `H` says that no more will come. Only a `D` is
//! followed by bytes that are no lines: [`crate::LineSplitter`] takes them out by their length.

use crate::error::{Expected, ParseError};
use crate::text::{Text, is_space};
use crate::token::Tokens;

/// Channels of one image. The largest detectors are read through some hundred amplifiers.
pub const MAX_CHANNELS: usize = 1024;

/// One line about the data of an image. A data connection is a number that the sender counts up, image by image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageLine<'a> {
    /// `C conn type channels size…`: an image begins.
    Binary {
        /// Data connection.
        data_conn: i32,
        /// Type of the data as the camera gives it; camd sends 0, and the type of a pixel in the header of each channel.
        data_type: i32,
        /// Bytes of each channel, with its 44 bytes of header; [`MAX_CHANNELS`] at most.
        sizes: Vec<u64>,
    },
    /// `D conn channel bytes`: that many raw bytes follow the line's end.
    Data {
        /// Data connection.
        data_conn: i32,
        /// Channel, from 0.
        channel: i32,
        /// How many bytes.
        bytes: u64,
    },
    /// `H conn`: the image ends before it is complete.
    BinaryKilled {
        /// Data connection.
        data_conn: i32,
    },
    /// `I conn memory channels segment…`: an image begins in shared memory of the camera's machine.
    Shared {
        /// Data connection.
        data_conn: i32,
        /// System V number of the shared memory.
        shm_id: i32,
        /// Segment of each channel; [`MAX_CHANNELS`] at most.
        segments: Vec<i32>,
    },
    /// `J conn`: an image in shared memory is complete.
    SharedFull {
        /// Data connection.
        data_conn: i32,
    },
    /// `K conn`: an image in shared memory ends before it is complete.
    SharedKilled {
        /// Data connection.
        data_conn: i32,
    },
    /// `fits_data file filter`: the image is a FITS file on the camera's machine.
    FitsData {
        /// Its path there.
        file: Text<'a>,
        /// Number of the filter.
        filter: i32,
    },
}

impl<'a> ImageLine<'a> {
    /// Reads what follows the first word; `None` when the word is not one of these.
    pub(crate) fn parse(tokens: &mut Tokens<'a>) -> Result<Option<Self>, ParseError> {
        Ok(Some(match tokens.word() {
            b"C" => Self::Binary {
                data_conn: tokens.integer()?,
                data_type: tokens.integer()?,
                sizes: channels(tokens)?,
            },
            b"D" => Self::Data {
                data_conn: tokens.integer()?,
                channel: tokens.integer()?,
                bytes: tokens.integer()?,
            },
            b"H" => Self::BinaryKilled { data_conn: tokens.integer()? },
            b"I" => Self::Shared {
                data_conn: tokens.integer()?,
                shm_id: tokens.integer()?,
                segments: channels(tokens)?,
            },
            b"J" => Self::SharedFull { data_conn: tokens.integer()? },
            b"K" => Self::SharedKilled { data_conn: tokens.integer()? },
            b"fits_data" => Self::FitsData { file: tokens.text()?, filter: tokens.integer()? },
            _ => return Ok(None),
        }))
    }

    /// Writes the line without its end.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut line = match self {
            Self::Binary { data_conn, data_type, sizes } => {
                let line = format!("C {data_conn} {data_type} {}", sizes.len());
                sizes.iter().fold(line, |line, size| format!("{line} {size}"))
            }
            Self::Data { data_conn, channel, bytes } => format!("D {data_conn} {channel} {bytes}"),
            Self::BinaryKilled { data_conn } => format!("H {data_conn}"),
            Self::Shared { data_conn, shm_id, segments } => {
                let line = format!("I {data_conn} {shm_id} {}", segments.len());
                segments.iter().fold(line, |line, segment| format!("{line} {segment}"))
            }
            Self::SharedFull { data_conn } => format!("J {data_conn}"),
            Self::SharedKilled { data_conn } => format!("K {data_conn}"),
            Self::FitsData { file, filter } => {
                out.extend_from_slice(b"fits_data ");
                file.write_word(out);
                format!(" {filter}")
            }
        }
        .into_bytes();
        out.append(&mut line);
    }

    /// Whether this is the first word of such a line; nobody waits for an end of it, not even of a bad one.
    pub(crate) fn is_word(word: &[u8]) -> bool {
        matches!(word, b"C" | b"D" | b"H" | b"I" | b"J" | b"K" | b"fits_data")
    }
}

/// A number, and that many more.
fn channels<T: TryFrom<i64>>(tokens: &mut Tokens<'_>) -> Result<Vec<T>, ParseError> {
    let count: usize = tokens.integer()?;
    if count > MAX_CHANNELS {
        return Err(tokens.error(Expected::Integer));
    }
    (0..count).map(|_| tokens.integer()).collect()
}

/// How many raw bytes follow a line; `None` when the line announces bytes but does not say readably how many.
pub(crate) fn bytes_behind(line: &[u8]) -> Option<u64> {
    match line {
        [b'D', rest @ ..] if rest.first().is_none_or(|b| is_space(*b)) => {}
        _ => return Some(0),
    }
    // The same reading as that of the whole line, so that both agree on where the next line begins.
    let mut tokens = Tokens::of_line(line).ok()?;
    match ImageLine::parse(&mut tokens) {
        Ok(Some(ImageLine::Data { bytes, .. })) if tokens.end().is_ok() => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Line;

    fn text(bytes: &str) -> Text<'_> {
        Text::new(bytes.as_bytes()).unwrap()
    }

    #[test]
    fn wire_format() {
        let table = [
            ("C 1 0 1 16044", ImageLine::Binary { data_conn: 1, data_type: 0, sizes: vec![16044] }),
            ("C 2 20 0", ImageLine::Binary { data_conn: 2, data_type: 20, sizes: vec![] }),
            (
                "C 2 20 2 5000000000 44",
                ImageLine::Binary { data_conn: 2, data_type: 20, sizes: vec![5_000_000_000, 44] },
            ),
            ("D 1 0 16000", ImageLine::Data { data_conn: 1, channel: 0, bytes: 16000 }),
            ("H 1", ImageLine::BinaryKilled { data_conn: 1 }),
            ("I 3 32768 2 0 1", ImageLine::Shared { data_conn: 3, shm_id: 32768, segments: vec![0, 1] }),
            ("J 3", ImageLine::SharedFull { data_conn: 3 }),
            ("K 3", ImageLine::SharedKilled { data_conn: 3 }),
            (
                "fits_data /tmp/fits_data.fits 0",
                ImageLine::FitsData { file: text("/tmp/fits_data.fits"), filter: 0 },
            ),
        ];
        for (bytes, line) in table {
            let line = Line::Image(line);
            assert_eq!(Line::parse(bytes.as_bytes()).as_ref(), Ok(&line), "{bytes}");
            assert_eq!(String::from_utf8(line.to_bytes()).unwrap(), format!("{bytes}\n"));
        }
    }

    #[test]
    fn bad_lines() {
        for line in
            ["C", "C 1 0 2 5", "C 1 0 1 5 6", "C 1 0 -1", "C 1 0 1025", "C 1 0 1 -5", "D 1 0", "H", "I 1 2 1"]
        {
            let error = Line::parse(line.as_bytes()).unwrap_err();
            assert!(ImageLine::is_word(error.word.as_bytes()), "{line}");
        }
    }

    #[test]
    fn only_data_has_bytes_behind_it() {
        let table: [(&[u8], Option<u64>); 9] = [
            (b"C 1 0 1 16044", Some(0)),
            (b"D 1 0 16000", Some(16000)),
            (b"D 1 0 0", Some(0)),
            (b"Dx 1 0 5", Some(0)),
            (b"D", None),
            (b"D 1 0 -1", None),
            (b"D 1 0 5 6", None),
            (b"D 1 0 99999999999999999999", None),
            (b"D 1 0\0 5", None),
        ];
        for (line, bytes) in table {
            assert_eq!(bytes_behind(line), bytes, "{}", String::from_utf8_lossy(line));
        }
    }
}
