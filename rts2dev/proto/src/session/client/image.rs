//! Follows the data of images that a camera sends: which channel the bytes that come belong to, and when an image is
//! complete (RTS2 lib/rts2/data.cpp, `DataChannels`). Keeps no bytes.

use std::collections::VecDeque;

use crate::image::ImageLine;

/// Images that one camera may have begun and not ended; of more, the oldest is forgotten and its bytes are skipped.
/// A camera sends one after the other.
pub const MAX_OPEN_IMAGES: usize = 8;

/// What is known of images that have begun.
#[derive(Clone, Debug, Default)]
pub(super) struct Images {
    open: VecDeque<Open>,
    /// The block that is coming in.
    coming: Option<Coming>,
}

#[derive(Clone, Debug)]
struct Open {
    data_conn: i32,
    /// Bytes that each channel still misses.
    missing: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Coming {
    data_conn: i32,
    channel: i32,
    /// Not announced, or longer than announced: skipped.
    skip: bool,
}

/// Bytes of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) data_conn: i32,
    pub(super) channel: i32,
    /// The image has all its bytes with these.
    pub(super) complete: bool,
}

impl Images {
    pub(super) fn handle_line(&mut self, line: &ImageLine<'_>) {
        match line {
            ImageLine::Binary { data_conn, sizes, .. } => {
                self.close(*data_conn);
                if self.open.len() >= MAX_OPEN_IMAGES {
                    self.open.pop_front();
                }
                self.open.push_back(Open { data_conn: *data_conn, missing: sizes.clone() });
            }
            ImageLine::Data { data_conn, channel, bytes } => {
                let missing = self.missing(*data_conn, *channel);
                let skip = missing.is_none_or(|missing| *missing < *bytes);
                self.coming = Some(Coming { data_conn: *data_conn, channel: *channel, skip });
            }
            ImageLine::BinaryKilled { data_conn } => self.close(*data_conn),
            _ => {}
        }
    }

    /// Bytes came. `None` when they belong to no image that was announced.
    pub(super) fn handle_bytes(&mut self, count: usize) -> Option<Taken> {
        let Coming { data_conn, channel, skip } = self.coming?;
        if skip {
            return None;
        }
        let missing = self.missing(data_conn, channel)?;
        *missing = missing.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        let image = self.open.iter().find(|image| image.data_conn == data_conn)?;
        let complete = image.missing.iter().all(|missing| *missing == 0);
        if complete {
            self.close(data_conn);
        }
        Some(Taken { data_conn, channel, complete })
    }

    fn missing(&mut self, data_conn: i32, channel: i32) -> Option<&mut u64> {
        let image = self.open.iter_mut().find(|image| image.data_conn == data_conn)?;
        image.missing.get_mut(usize::try_from(channel).ok()?)
    }

    fn close(&mut self, data_conn: i32) {
        self.open.retain(|image| image.data_conn != data_conn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(data_conn: i32, sizes: &[u64]) -> ImageLine<'static> {
        ImageLine::Binary { data_conn, data_type: 0, sizes: sizes.to_vec() }
    }

    fn data(data_conn: i32, channel: i32, bytes: u64) -> ImageLine<'static> {
        ImageLine::Data { data_conn, channel, bytes }
    }

    fn taken(data_conn: i32, channel: i32, complete: bool) -> Option<Taken> {
        Some(Taken { data_conn, channel, complete })
    }

    #[test]
    fn an_image_of_two_channels() {
        let mut images = Images::default();
        images.handle_line(&begin(1, &[5, 3]));
        images.handle_line(&data(1, 0, 4));
        assert_eq!(images.handle_bytes(3), taken(1, 0, false));
        assert_eq!(images.handle_bytes(1), taken(1, 0, false));
        images.handle_line(&data(1, 1, 3));
        assert_eq!(images.handle_bytes(3), taken(1, 1, false));
        images.handle_line(&data(1, 0, 1));
        assert_eq!(images.handle_bytes(1), taken(1, 0, true));
        assert!(images.open.is_empty());
    }

    #[test]
    fn bytes_that_nobody_announced_are_skipped() {
        let mut images = Images::default();
        assert_eq!(images.handle_bytes(1), None);
        images.handle_line(&begin(1, &[5]));
        for line in [data(2, 0, 5), data(1, 1, 5), data(1, -1, 5), data(1, 0, 6)] {
            images.handle_line(&line);
            assert_eq!(images.handle_bytes(5), None, "{line:?}");
        }
        images.handle_line(&ImageLine::BinaryKilled { data_conn: 1 });
        images.handle_line(&data(1, 0, 5));
        assert_eq!(images.handle_bytes(5), None);
    }

    #[test]
    fn open_images_are_bounded() {
        let mut images = Images::default();
        for data_conn in 0..100 {
            images.handle_line(&begin(data_conn, &[5]));
        }
        assert_eq!(images.open.len(), MAX_OPEN_IMAGES);
    }
}
