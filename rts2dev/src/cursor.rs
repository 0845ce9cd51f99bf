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
        Self { receiver, seen: table.version(), pass: Some(Pass { next: 0, metainfo: true, then }) }
    }

    /// Sends every value again, and the state with its mask behind them: what a client gets on its authorization.
    pub(crate) fn send_all_values(&mut self) {
        let metainfo = self.pass.is_some_and(|pass| pass.metainfo);
        self.pass = Some(Pass { next: 0, metainfo, then: Then::Bop });
    }

    /// Appends what is due until the buffer has `limit` bytes. `true` when nothing is left.
    pub(crate) fn fill(&mut self, table: &Table, out: &mut Vec<u8>, limit: usize) -> bool {
        while out.len() < limit {
            if let Some(pass) = &mut self.pass {
                if let Some(entry) = table.entry(pass.next) {
                    pass.next += 1;
                    if pass.metainfo {
                        out.extend_from_slice(&entry.metainfo);
                    }
                    out.extend_from_slice(&entry.line);
                } else {
                    match pass.then {
                        Then::Nothing => {}
                        Then::State => table.write_state(out),
                        Then::Bop => table.write_bop(out),
                    }
                    self.pass = None;
                }
                continue;
            }
            let Some((version, item)) = table.after(self.seen) else { return true };
            if item != Item::Bop || self.receiver == Receiver::Client {
                table.write_item(item, self.seen, out);
            }
            self.seen = version;
        }
        false
    }
}
