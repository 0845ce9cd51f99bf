//! Images that a camera sends, handed on piece by piece.

use rts2_proto::ImageLine;
use tokio::sync::mpsc;

/// Pieces that may wait for whoever takes the images. A piece is at most what is read from the socket at once, 4 KiB,
/// so that this is 1 MiB; with more waiting, the camera is not read.
const MAX_PIECES: usize = 256;

pub(super) type Sink = mpsc::Sender<ImageNews>;

/// News of an image. A data connection is the number that the camera gave the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageNews {
    /// An image begins.
    Begun {
        /// Its data connection.
        data_conn: i32,
        /// Bytes of each channel, with the 44 bytes of its header (RTS2 include/imghdr.h, in the byte order of the
        /// camera's machine).
        sizes: Vec<u64>,
    },
    /// Bytes of a channel, in order.
    Bytes {
        /// Data connection.
        data_conn: i32,
        /// Channel, from 0.
        channel: i32,
        /// The bytes.
        bytes: Vec<u8>,
        /// The image has all its bytes with these.
        complete: bool,
    },
    /// The image ends before it is complete.
    Killed {
        /// Data connection.
        data_conn: i32,
    },
    /// The image is in shared memory of the camera's machine (System V), which this crate does not read.
    Shared {
        /// Data connection.
        data_conn: i32,
        /// Number of the shared memory.
        shm_id: i32,
    },
    /// The image is a FITS file on the camera's machine.
    File {
        /// Its path there.
        path: String,
        /// Number of the filter.
        filter: i32,
    },
}

impl ImageNews {
    pub(super) fn of_line(line: &ImageLine<'_>) -> Option<Self> {
        Some(match line {
            ImageLine::Binary { data_conn, sizes, .. } => {
                Self::Begun { data_conn: *data_conn, sizes: sizes.clone() }
            }
            ImageLine::BinaryKilled { data_conn } | ImageLine::SharedKilled { data_conn } => {
                Self::Killed { data_conn: *data_conn }
            }
            ImageLine::Shared { data_conn, shm_id, .. } => {
                Self::Shared { data_conn: *data_conn, shm_id: *shm_id }
            }
            ImageLine::FitsData { file, filter } => {
                Self::File { path: file.to_str().into_owned(), filter: *filter }
            }
            ImageLine::Data { .. } | ImageLine::SharedFull { .. } => return None,
        })
    }
}

/// The images of a camera from now on. While they are not taken and the room for them is full, nothing more is read
/// from that camera, its values neither; commands still time out. Dropping it has images skipped again.
#[derive(Debug)]
pub struct Images {
    receiver: mpsc::Receiver<ImageNews>,
}

impl Images {
    pub(super) fn new() -> (Sink, Self) {
        let (sender, receiver) = mpsc::channel(MAX_PIECES);
        (sender, Self { receiver })
    }

    /// The next piece; `None` when the connection ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ImageNews> {
        self.receiver.recv().await
    }
}
