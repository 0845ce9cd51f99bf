//! One value of a device, with the lines that tell it, which are made when it changes.

use rts2_proto::{Level, Line, QuotedString, Text, ValueData, ValueFlags, ValueName};

use crate::handlers::SetHandler;
use crate::samples::Samples;

/// A value.
pub(crate) struct Entry {
    pub(crate) name: ValueName,
    pub(crate) flags: ValueFlags,
    pub(crate) description: QuotedString,
    pub(crate) items: Vec<QuotedString>,
    pub(crate) data: ValueData,
    pub(crate) on_set: Option<SetHandler>,
    /// The measurements behind its statistics.
    pub(super) samples: Option<Box<Samples>>,
    /// What it goes back to at the end of a script, if it does.
    pub(super) reset: Option<ValueData>,
    /// Number of its last change.
    pub(super) changed: u64,
    /// Number of the last change of its metainfo.
    declared: u64,
    /// `E` and `F` lines.
    pub(crate) metainfo: Vec<u8>,
    /// The `V` line.
    pub(crate) line: Vec<u8>,
}

/// What a new value starts with.
pub(crate) struct NewEntry {
    pub(crate) name: ValueName,
    pub(crate) flags: ValueFlags,
    pub(crate) description: QuotedString,
    pub(crate) items: Vec<QuotedString>,
    pub(crate) data: ValueData,
    pub(crate) on_set: Option<SetHandler>,
}

/// A set that the table finds right. The value's handler, where it has one, is asked before it is done.
pub(crate) struct PendingSet {
    pub(crate) index: usize,
    pub(crate) data: ValueData,
    pub(crate) on_set: Option<SetHandler>,
}

/// A value that goes back to what it began with, once its handler agrees.
pub(crate) struct PendingReset {
    pub(crate) index: usize,
    pub(crate) name: ValueName,
    pub(crate) data: ValueData,
    pub(crate) on_set: SetHandler,
}

impl Entry {
    /// A value that was declared at that number.
    pub(super) fn new(new: NewEntry, version: u64) -> Self {
        let resets = new.flags.contains(ValueFlags::SCRIPTENDRESET);
        let mut entry = Self {
            reset: resets.then(|| new.data.clone()),
            name: new.name,
            flags: new.flags,
            description: new.description,
            items: new.items,
            data: new.data,
            on_set: new.on_set,
            samples: None,
            changed: version,
            declared: version,
            metainfo: Vec::new(),
            line: Vec::new(),
        };
        entry.format_metainfo();
        entry.format_line();
        entry
    }

    pub(super) fn set_level(&mut self, level: Level, version: u64) {
        self.flags = self.flags.with_level(level);
        self.declared = version;
        self.format_metainfo();
    }

    pub(super) fn set_data(&mut self, data: ValueData) {
        self.data = data;
        self.format_line();
    }

    /// Whether its metainfo changed after the change of this number.
    pub(crate) const fn is_newer(&self, seen: u64) -> bool {
        self.declared > seen
    }

    fn format_metainfo(&mut self) {
        self.metainfo.clear();
        let Ok(name) = Text::new(self.name.as_str().as_bytes()) else { return };
        let description = Text::from(&self.description);
        Line::MetaInfo { flags: self.flags, name, description }.write_to(&mut self.metainfo);
        if self.items.is_empty() {
            return;
        }
        Line::SelMetaInfo { name, item: None }.write_to(&mut self.metainfo);
        for item in &self.items {
            Line::SelMetaInfo { name, item: Some(Text::from(item)) }.write_to(&mut self.metainfo);
        }
        // RTS2 sends an empty line behind the list.
        self.metainfo.push(b'\n');
    }

    fn format_line(&mut self) {
        self.line.clear();
        let Ok(name) = Text::new(self.name.as_str().as_bytes()) else { return };
        Line::write_value(name, &self.data, &mut self.line);
    }
}
