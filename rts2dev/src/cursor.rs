//! What one connection has been sent, and what it still has to get.

use crate::table::{Item, Table};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    Client,
    Centrald,
}

/// What follows when every value was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Nothing,
    State,
    Bop,
}

/// A pass over all values in the order of their declaration.
#[derive(Clone, Copy, Debug)]
struct Pass {
    next: usize,
    metainfo: bool,
    then: Then,
}

/// A connection's place in the changes of a table.
#[derive(Debug)]
pub(crate) struct Cursor {
    receiver: Receiver,
    /// Number of the last change that was sent.
    seen: u64,
    /// Number of the last change when everything had been sent. Metainfo that is newer goes along with its value: `seen`
    /// may have passed it while its value, which changed again, still waited further behind.
    caught_up: u64,
    pass: Option<Pass>,
}

impl Cursor {
    /// A connection that gets every value's metainfo first: a client at once, centrald after the registration, with
    /// the state behind it.
    pub(crate) fn new(receiver: Receiver, table: &Table) -> Self {
        let then = match receiver {
            Receiver::Client => Then::Nothing,
            Receiver::Centrald => Then::State,
        };
        // The pass shows everything as it is when it gets there; what changes behind it has a higher number.
        let version = table.version();
        Self {
            receiver,
            seen: version,
            caught_up: version,
            pass: Some(Pass { next: 0, metainfo: true, then }),
        }
    }

    /// Sends every value again, and the state with its mask behind them: what a client gets on its authorization.
    pub(crate) fn send_all_values(&mut self) {
        let metainfo = self.pass.is_some_and(|pass| pass.metainfo);
        self.pass = Some(Pass { next: 0, metainfo, then: Then::Bop });
    }

    /// What changed up to this number was sent, or has changed again since and follows. To wait until nothing at all is
    /// left could be to wait for ever: a connection may be slower than the changes.
    pub(crate) fn has_sent(&self, version: u64) -> bool {
        self.pass.is_none() && self.seen >= version
    }

    /// Appends what is due until the buffer has `limit` bytes. `true` when nothing is left.
    pub(crate) fn fill(&mut self, table: &Table, out: &mut Vec<u8>, limit: usize) -> bool {
        while out.len() < limit {
            if let Some(pass) = &mut self.pass {
                if let Some(entry) = table.entry(pass.next) {
                    pass.next += 1;
                    // A value that was declared since would come before its metainfo.
                    if pass.metainfo || entry.is_newer(self.caught_up) {
                        out.extend_from_slice(&entry.metainfo);
                    }
                    out.extend_from_slice(&entry.line);
                } else {
                    match pass.then {
                        Then::Nothing => {}
                        Then::State => table.write_state(out),
                        Then::Bop => table.write_full_state(out),
                    }
                    self.pass = None;
                }
                continue;
            }
            let Some((version, item)) = table.after(self.seen) else {
                self.caught_up = self.seen;
                return true;
            };
            if item != Item::Bop || self.receiver == Receiver::Client {
                table.write_item(item, self.caught_up, out);
            }
            self.seen = version;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rts2_proto::{BaseType, Level, QuotedString, ValueData, ValueFlags, ValueName, ValueType};

    use super::*;
    use crate::table::NewEntry;

    fn declare(table: &mut Table, number: usize) {
        let new = NewEntry {
            name: ValueName::new(&format!("v{number}")).unwrap(),
            flags: ValueFlags::of_type(ValueType::scalar(BaseType::Integer)),
            description: QuotedString::new("a value").unwrap(),
            items: Vec::new(),
            data: ValueData::Integer(0),
            on_set: None,
        };
        table.declare(new).unwrap();
    }

    /// A client that knows of each value the last metainfo and the last value that it was sent.
    #[derive(Default)]
    struct Client {
        metainfo: BTreeMap<String, String>,
        values: BTreeMap<String, String>,
    }

    impl Client {
        /// Takes lines as RTS2's clients do: a value that was not declared is an error there.
        fn take(&mut self, bytes: &[u8]) {
            for line in std::str::from_utf8(bytes).unwrap().lines() {
                if line.starts_with("E ") {
                    let name = line.split('"').nth(1).unwrap();
                    self.metainfo.insert(name.into(), line.trim_end().into());
                } else if let Some(rest) = line.strip_prefix("V ") {
                    let name = rest.split(' ').next().unwrap();
                    assert!(self.metainfo.contains_key(name), "{line} before its metainfo");
                    self.values.insert(name.into(), line.trim_end().into());
                }
            }
        }

        /// Whether it sees all that the table has.
        fn sees(&self, table: &Table) -> bool {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
            (0..).map_while(|index| table.entry(index)).all(|entry| {
                let name = entry.name.as_str();
                self.metainfo.get(name) == Some(&text(&entry.metainfo))
                    && self.values.get(name) == Some(&text(&entry.line))
            })
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Declare,
        Set(usize, i32),
        Level(usize, Level),
        /// The connection takes so many bytes.
        Fill(usize),
        Authorized,
    }

    fn step() -> impl Strategy<Value = Step> {
        let level = prop_oneof![Just(Level::Good), Just(Level::Warning), Just(Level::Error)];
        prop_oneof![
            1 => Just(Step::Declare),
            4 => (0..8_usize, 0..5).prop_map(|(index, number)| Step::Set(index, number)),
            2 => (0..8_usize, level).prop_map(|(index, level)| Step::Level(index, level)),
            3 => (1..120_usize).prop_map(Step::Fill),
            1 => Just(Step::Authorized),
        ]
    }

    #[test]
    fn what_changed_before_is_sent_though_more_changes_than_goes() {
        let mut table = Table::new();
        for number in 0..3 {
            declare(&mut table, number);
        }
        let mut cursor = Cursor::new(Receiver::Client, &table);
        assert!(cursor.fill(&table, &mut Vec::new(), usize::MAX));
        let mut change = {
            let mut round = 0;
            move |table: &mut Table| {
                round += 1;
                for index in 0..3 {
                    table.set(index, Some(ValueData::Integer(round)), None);
                }
            }
        };
        change(&mut table);
        let due = table.version();
        for _ in 0..2 {
            assert!(!cursor.has_sent(due));
            assert!(!cursor.fill(&table, &mut Vec::new(), 1));
        }
        change(&mut table);
        assert!(!cursor.fill(&table, &mut Vec::new(), 1));
        assert!(cursor.has_sent(due));
        cursor.send_all_values();
        assert!(!cursor.has_sent(due));
    }

    proptest! {
        /// Whatever changes in whatever order, and however little the client takes at a time: in the end it sees every
        /// value with its newest metainfo, and never a value before its metainfo.
        #[test]
        fn a_client_that_caught_up_sees_the_table(steps in proptest::collection::vec(step(), 0..120)) {
            let mut table = Table::new();
            declare(&mut table, 0);
            let mut cursor = Cursor::new(Receiver::Client, &table);
            let mut client = Client::default();
            let mut declared = 1;
            for step in steps {
                match step {
                    Step::Declare if declared < 8 => {
                        declare(&mut table, declared);
                        declared += 1;
                    }
                    Step::Declare => {}
                    Step::Set(index, number) => {
                        table.set(index, Some(ValueData::Integer(number)), None);
                    }
                    Step::Level(index, level) => {
                        table.set(index, None, Some(level));
                    }
                    Step::Authorized => cursor.send_all_values(),
                    Step::Fill(limit) => {
                        let mut out = Vec::new();
                        let caught_up = cursor.fill(&table, &mut out, limit);
                        client.take(&out);
                        prop_assert!(!caught_up || client.sees(&table));
                    }
                }
            }
            let mut out = Vec::new();
            prop_assert!(cursor.fill(&table, &mut out, usize::MAX));
            client.take(&out);
            prop_assert!(client.sees(&table));
        }
    }
}
