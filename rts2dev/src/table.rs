//! The values of a device, in the order of their last change.
//!
//! Every change gets the next number of one counter, and the table can list what changed after a given number. A
//! connection therefore remembers one number instead of a queue of lines: however slow it is, it costs no memory
//! here, and when it comes back it gets the newest of each value that changed, once. The lines are made when a value
//! is set, so that a hundred connections copy bytes and format nothing.

mod entry;
mod state;

use std::collections::{BTreeMap, HashMap};

use rts2_proto::{
    CommandReturn, DeviceState, IndexedName, Level, QuotedString, Rest, SetError, SetOp, Text, ValueData,
    ValueFlags, apply_indexed_set, apply_set,
};

pub(crate) use self::entry::{Entry, NewEntry, PendingReset, PendingSet};
use crate::declaration::{DeclareError, MAX_VALUES};
use crate::samples::Samples;

/// Something that changes and is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// The value at this place.
    Value(usize),
    /// The device's state word.
    State,
    /// Start and expected end of what is in progress.
    Progress,
    /// The mask of blocked operations; only clients get it.
    Bop,
}

/// All that a device shows.
pub(crate) struct Table {
    entries: Vec<Entry>,
    /// Places by lower-case name.
    places: HashMap<String, usize>,
    /// What changed when; every item stands in it once.
    order: BTreeMap<u64, Item>,
    version: u64,
    /// Number of the last change of a value that is saved.
    autosave_changed: u64,
    state: DeviceState,
    state_changed: u64,
    state_line: Vec<u8>,
    /// Start and expected end of what is in progress, unix seconds.
    progress: Option<(f64, f64)>,
    progress_changed: u64,
    /// Why the device votes for bad weather, while it does.
    weather_reason: Option<QuotedString>,
    bop: DeviceState,
    bop_changed: u64,
}

impl Table {
    pub(crate) fn new() -> Self {
        let mut table = Self {
            entries: Vec::new(),
            places: HashMap::new(),
            order: BTreeMap::new(),
            version: 0,
            autosave_changed: 0,
            state: DeviceState::empty(),
            state_changed: 0,
            state_line: Vec::new(),
            progress: None,
            progress_changed: 0,
            weather_reason: None,
            bop: DeviceState::empty(),
            bop_changed: 0,
        };
        table.state_line = table.state_line("");
        table
    }

    /// Number of the last change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Number of the last change of a value that is saved over restarts.
    pub(crate) fn autosave_changed(&self) -> u64 {
        self.autosave_changed
    }

    /// Every value.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The next change after the one of that number.
    pub(crate) fn after(&self, seen: u64) -> Option<(u64, Item)> {
        self.order.range(seen.saturating_add(1)..).next().map(|(version, item)| (*version, *item))
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// Adds a value behind the others.
    pub(crate) fn declare(&mut self, new: NewEntry) -> Result<usize, DeclareError> {
        let index = self.entries.len();
        if index >= MAX_VALUES {
            return Err(DeclareError::TooManyValues);
        }
        let key = new.name.as_str().to_ascii_lowercase();
        if self.places.contains_key(&key) {
            return Err(DeclareError::Exists { name: new.name.as_str().to_owned() });
        }
        self.places.insert(key, index);
        self.version += 1;
        let entry = Entry::new(new, self.version);
        self.entries.push(entry);
        self.order.insert(self.version, Item::Value(index));
        Ok(index)
    }

    /// Lets a value have statistics of its newest `count` measurements.
    pub(crate) fn keep_samples(&mut self, index: usize, count: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.samples = Some(Box::new(Samples::new(count)));
        }
    }

    /// Counts a measurement of a value with statistics, `at` in unix seconds. `false` when nothing changed.
    pub(crate) fn add_sample(&mut self, index: usize, measured: f64, at: f64) -> bool {
        let Some(entry) = self.entries.get_mut(index) else { return false };
        let Some(samples) = entry.samples.as_mut() else { return false };
        samples.add(measured, at);
        let data = match entry.data {
            ValueData::TimeSerie(_) => ValueData::TimeSerie(Box::new(samples.time_serie())),
            _ => ValueData::Stat(Box::new(samples.statistics())),
        };
        self.set(index, Some(data), None)
    }

    /// Sets data, level or both. `false` when nothing changed.
    pub(crate) fn set(&mut self, index: usize, data: Option<ValueData>, level: Option<Level>) -> bool {
        let Some(entry) = self.entries.get_mut(index) else { return false };
        let data = data.filter(|data| *data != entry.data);
        let level = level.filter(|level| *level != entry.flags.level());
        if data.is_none() && level.is_none() {
            return false;
        }
        self.version += 1;
        self.order.remove(&entry.changed);
        entry.changed = self.version;
        self.order.insert(self.version, Item::Value(index));
        if let Some(level) = level {
            entry.set_level(level, self.version);
        }
        if let Some(data) = data {
            if entry.flags.contains(ValueFlags::AUTOSAVE) {
                self.autosave_changed = self.version;
            }
            entry.set_data(data);
        }
        true
    }

    /// Checks an `X` from a client: what would be set, or nothing when the value has that data already
    /// (RTS2 lib/rts2/daemon.cpp, `setValue`).
    pub(crate) fn prepare_set(
        &self,
        name: Text<'_>,
        op: SetOp,
        operand: Rest<'_>,
    ) -> Result<Option<PendingSet>, CommandReturn> {
        let found = IndexedName::resolve(name, |name| self.place(name).is_some())
            .map_err(SetError::command_return)?;
        let index = self.place(found.name).ok_or_else(|| SetError::NoSuchValue.command_return())?;
        let entry = self.entries.get(index).ok_or_else(|| SetError::NoSuchValue.command_return())?;
        if !entry.flags.contains(ValueFlags::WRITABLE) {
            return Err(SetError::ReadOnly.command_return());
        }
        let data = match found.index {
            Some(index) => apply_indexed_set(&entry.data, index, op, operand),
            None => apply_set(&entry.data, &entry.items, op, operand),
        };
        let data = data.map_err(SetError::command_return)?.normalized(entry.flags.display_type());
        if op == SetOp::Set && data == entry.data {
            return Ok(None);
        }
        Ok(Some(PendingSet { index, data, on_set: entry.on_set.clone() }))
    }

    /// Resets the values without a handler whose scripts ended. `true` when one changed.
    pub(crate) fn reset_at_script_end(&mut self) -> bool {
        let mut changed = false;
        for index in 0..self.entries.len() {
            if let Some(Entry { reset: Some(data), on_set: None, .. }) = self.entries.get(index) {
                let data = data.clone();
                changed |= self.set(index, Some(data), None);
            }
        }
        changed
    }

    /// The values with a handler that the end of a script resets and that are not what they began with.
    pub(crate) fn resets_to_ask(&self) -> Vec<PendingReset> {
        let ask = |(index, entry): (usize, &Entry)| {
            let data = entry.reset.clone().filter(|data| *data != entry.data)?;
            Some(PendingReset { index, name: entry.name.clone(), data, on_set: entry.on_set.clone()? })
        };
        self.entries.iter().enumerate().filter_map(ask).collect()
    }

    /// Whether the value that an `X` means has a set handler.
    pub(crate) fn has_handler(&self, name: Text<'_>) -> bool {
        IndexedName::resolve(name, |name| self.place(name).is_some())
            .ok()
            .and_then(|found| self.entries.get(self.place(found.name)?))
            .is_some_and(|entry| entry.on_set.is_some())
    }

    /// Appends what changed of an item since that number: metainfo where that changed, then the value.
    pub(crate) fn write_item(&self, item: Item, seen: u64, out: &mut Vec<u8>) {
        match item {
            Item::Value(index) => {
                if let Some(entry) = self.entries.get(index) {
                    if entry.is_newer(seen) {
                        out.extend_from_slice(&entry.metainfo);
                    }
                    out.extend_from_slice(&entry.line);
                }
            }
            Item::State => out.extend_from_slice(&self.state_line),
            Item::Progress => self.write_progress(out),
            Item::Bop => self.write_bop(out),
        }
    }

    fn place(&self, name: &[u8]) -> Option<usize> {
        let name = std::str::from_utf8(name).ok()?;
        self.places.get(&name.to_ascii_lowercase()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rts2_proto::{BaseType, ValueName, ValueType};

    fn table(names: &[&str]) -> Table {
        let mut table = Table::new();
        for name in names {
            let value_type = ValueType::scalar(BaseType::Integer);
            let new = NewEntry {
                name: ValueName::new(name).unwrap(),
                flags: ValueFlags::of_type(value_type),
                description: QuotedString::new("d").unwrap(),
                items: Vec::new(),
                data: ValueData::unset(value_type),
                on_set: None,
            };
            table.declare(new).unwrap();
        }
        table
    }

    fn since(table: &Table, mut seen: u64) -> String {
        let mut out = Vec::new();
        while let Some((version, item)) = table.after(seen) {
            table.write_item(item, seen, &mut out);
            seen = version;
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_the_newest_of_each_in_order_of_change() {
        let mut table = table(&["a", "b", "c"]);
        let seen = table.version();
        for number in 0..1000 {
            assert!(table.set(0, Some(ValueData::Integer(number + 1)), None));
        }
        assert!(table.set(2, Some(ValueData::Integer(7)), None));
        let blocked = |table: &mut Table, text| {
            table.change_state(DeviceState::all(), DeviceState::BOP_EXPOSURE, None, text)
        };
        assert!(blocked(&mut table, "why \"so\""));
        assert!(table.set(0, Some(ValueData::Integer(5)), None));
        assert!(!table.set(0, Some(ValueData::Integer(5)), Some(Level::Good)));
        assert!(!blocked(&mut table, "again"));
        assert_eq!(since(&table, seen), "V c 7\nS 16777216 \"why 'so'\"\nV a 5\n");
        assert_eq!(since(&table, table.version()), "");
        assert_eq!(table.order.len(), 4);
    }

    #[test]
    fn a_level_sends_the_metainfo_and_then_the_value() {
        let mut table = table(&["a"]);
        let seen = table.version();
        assert!(table.set(0, Some(ValueData::Integer(91)), Some(Level::Error)));
        assert_eq!(since(&table, seen), "E 536870914 \"a\" \"d\" \nV a 91\n");
        // A connection that has the flags gets the value alone, one that has not gets both, late as it is.
        let later = table.version();
        assert!(table.set(0, Some(ValueData::Integer(92)), None));
        assert_eq!(since(&table, later), "V a 92\n");
        assert_eq!(since(&table, seen), "E 536870914 \"a\" \"d\" \nV a 92\n");
    }

    #[test]
    fn names_are_compared_without_case() {
        let mut table = table(&["Abc"]);
        let new = NewEntry {
            name: ValueName::new("aBC").unwrap(),
            flags: ValueFlags::empty(),
            description: QuotedString::default(),
            items: Vec::new(),
            data: ValueData::Integer(0),
            on_set: None,
        };
        assert!(matches!(table.declare(new), Err(DeclareError::Exists { .. })));
        assert_eq!(table.place(b"ABC"), Some(0));
    }
}
