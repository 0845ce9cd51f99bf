//! The values of the picture, as a peer declares and sets them.

use rts2_proto::{Rest, Text, ValueData, ValueFlags, ValueType};

use super::Picture;
use crate::client::log::Subject;
use crate::client::news::RemoteValue;

/// Values taken from one peer; beyond, they are ignored. No device has as many.
pub(super) const MAX_VALUES: usize = 50_000;
/// Bytes of text that the values of one peer may hold together; beyond, values keep what they have.
const MAX_TEXT: usize = 64 * 1024 * 1024;
/// Names in one selection.
const MAX_ITEMS: usize = 4096;
/// Numbers of the changes that declared a value and that changed its level.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) declared: u64,
    pub(super) level: u64,
}

impl Picture {
    /// An `E` line: a value is declared, or declared anew.
    pub(super) fn declare(&mut self, flags: ValueFlags, name: Text<'_>, description: Text<'_>) {
        let flags = flags.meaning();
        let value_type = flags.value_type();
        let room = MAX_TEXT.saturating_sub(self.text_bytes);
        if let Some(place) = self.place(name)
            && let Some(known) = self.values.get_mut(place)
        {
            let before = known.bytes();
            let other_type = known.flags.type_bits() != flags.type_bits();
            if other_type {
                known.data = unset(value_type.ok());
            }
            known.flags = flags;
            if description.as_bytes().len() <= room {
                known.description = description.to_str().into_owned();
            }
            let after = known.bytes();
            self.text_bytes = self.text_bytes + after - before;
            self.note_metainfo(place, other_type);
            return;
        }
        let value = RemoteValue {
            name: name.to_str().into_owned(),
            flags,
            description: description.to_str().into_owned(),
            items: Vec::new(),
            data: unset(value_type.ok()),
        };
        if self.values.len() < MAX_VALUES && self.text_bytes + value.bytes() <= MAX_TEXT {
            self.text_bytes += value.bytes();
            let place = self.values.len();
            self.places.insert(value.name.to_ascii_lowercase(), place);
            self.values.push(value);
            self.marks.push(Marks::default());
            self.note_metainfo(place, true);
        }
    }

    fn note_metainfo(&mut self, place: usize, declared: bool) {
        let number = self.log.note(Subject::Value(place));
        if let Some(marks) = self.marks.get_mut(place) {
            marks.level = number;
            if declared {
                marks.declared = number;
            }
        }
    }

    /// An `F` line: an item of a selection, or the beginning of its list.
    pub(super) fn select(&mut self, name: Text<'_>, item: Option<Text<'_>>) {
        let room = MAX_TEXT.saturating_sub(self.text_bytes);
        let Some(place) = self.place(name) else { return };
        let Some(value) = self.values.get_mut(place) else { return };
        let before = value.bytes();
        match item {
            None => value.items.clear(),
            Some(item) if value.items.len() < MAX_ITEMS && item.as_bytes().len() <= room => {
                value.items.push(item.to_str().into_owned());
            }
            Some(_) => {}
        }
        let after = value.bytes();
        self.text_bytes = self.text_bytes + after - before;
        self.note_metainfo(place, false);
    }

    /// A `V` line: a value has this data.
    pub(super) fn set(&mut self, name: Text<'_>, text: Rest<'_>) {
        let room = MAX_TEXT.saturating_sub(self.text_bytes);
        let Some(place) = self.place(name) else { return };
        let Some(value) = self.values.get_mut(place) else { return };
        let data = match value.flags.value_type() {
            Ok(value_type) => match ValueData::parse(value_type, text) {
                Ok(data) => data,
                // A value that cannot be read keeps what it has.
                Err(_) => return,
            },
            Err(_) => ValueData::Raw(text.to_str().into()),
        };
        if data.heap_bytes() > room {
            return;
        }
        let before = value.bytes();
        value.data = data;
        let after = value.bytes();
        self.text_bytes = self.text_bytes + after - before;
        self.log.note(Subject::Value(place));
    }

    fn place(&self, name: Text<'_>) -> Option<usize> {
        self.places.get(&name.to_str().to_ascii_lowercase()).copied()
    }
}

fn unset(value_type: Option<ValueType>) -> ValueData {
    value_type.map_or(ValueData::Raw("".into()), ValueData::unset)
}
