//! The protocol as the releases before this one read it: written by the bytes of their documents, so that nothing of the present
//! `lamon-wire` stands between a frozen file and what it means. Versions 1 and 2.

/// The magic bytes of a connection.
pub(crate) const MAGIC: &[u8] = &[0x89, b'L', b'M', b'N'];

/// What a peer said in a frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// An agent's first frame. `more` is what a later release appended.
    Hello { version: u64, node: String, epoch: u64, interval_ms: u64, monotonic_ms: u64, more: usize },
    /// An agent names the values that follow, with their decimals.
    Table { id: u64, metrics: Vec<(String, u32)> },
    /// Samples in their turn; each with its clock, milliseconds.
    Samples { table: u64, first: u64, rows: Vec<(u64, Vec<Option<i64>>)> },
    /// The newest sample ahead of its turn.
    Live { table: u64, sequence: u64 },
    /// The answer to a ping.
    Pong { hub_us: u64 },
    /// Whose clock stamps what follows: of a boot that ended where there are two numbers.
    Boot { earlier: Option<(u64, i64)> },
    /// What became of the samples.
    Tally { taken: u64, acknowledged: u64, lost: u64 },
    /// The answer to a rewind.
    Rewound { from: u64 },
    /// A hub's first frame, to an agent that it takes.
    Welcome { version: u64, committed: Option<u64>, window: u64, more: usize },
    /// All up to this is on disk.
    Ack { upto: u64 },
    /// Send again from here.
    Rewind { from: u64 },
    /// How to watch.
    Settings { interval_ms: Option<u64>, watch: Vec<String> },
    /// To be answered at once.
    Ping { hub_us: u64 },
}

/// Bytes that are taken from the front; what is not there is an error that says so.
struct Bytes<'a>(&'a [u8]);

type Read<T> = Result<T, String>;

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the frame ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Read<u8> {
        self.take(1)?.first().copied().ok_or_else(|| "no byte".into())
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number of more than 64 bits".into())
    }

    fn count(&mut self) -> Read<usize> {
        usize::try_from(self.number()?).map_err(|error| error.to_string())
    }

    /// The sign is the lowest bit: 0, -1, 1, -2, …
    fn signed(&mut self) -> Read<i64> {
        let number = self.number()?;
        Ok(i64::try_from(number >> 1).map_err(|error| error.to_string())? ^ -i64::from(number & 1 == 1))
    }

    fn text(&mut self) -> Read<String> {
        let length = self.count()?;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|error| error.to_string())
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            other => Err(format!("neither there nor not: {other}")),
        }
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        (0..self.count()?).map(|_| read(self)).collect()
    }

    /// Nothing is 0, from zero upwards every odd number, below zero every even one.
    fn reading(&mut self) -> Read<Option<i64>> {
        let number = self.number()?;
        let half = i64::try_from(number / 2).map_err(|error| error.to_string())?;
        Ok(match number {
            0 => None,
            odd if odd % 2 == 1 => Some(half),
            _ => Some(-half),
        })
    }

    fn end(&self, said: Said) -> Read<Said> {
        if self.0.is_empty() { Ok(said) } else { Err(format!("{} bytes behind {said:?}", self.0.len())) }
    }
}

/// An agent's first frame: what is appended to it is not looked at.
pub(crate) fn hello(payload: &[u8]) -> Read<Said> {
    let mut bytes = Bytes(payload);
    let version = bytes.number()?;
    let node = bytes.text()?;
    let _system_and_release = [bytes.text()?, bytes.text()?];
    bytes.take(16)?;
    let epoch = bytes.number()?;
    bytes.byte()?;
    let (interval_ms, monotonic_ms) = (bytes.number()?, bytes.number()?);
    bytes.signed()?;
    Ok(Said::Hello { version, node, epoch, interval_ms, monotonic_ms, more: bytes.0.len() })
}

/// A hub's first frame.
pub(crate) fn answer(payload: &[u8]) -> Read<Said> {
    let mut bytes = Bytes(payload);
    if bytes.byte()? != 0 {
        return Err(format!("not taken: {}", bytes.text()?));
    }
    let version = bytes.number()?;
    bytes.signed()?;
    let (committed, window) = (bytes.optional(Bytes::number)?, bytes.number()?);
    Ok(Said::Welcome { version, committed, window, more: bytes.0.len() })
}

/// A later frame of an agent, to a hub that knows this version.
pub(crate) fn from_agent(payload: &[u8], version: u64) -> Read<Said> {
    let mut bytes = Bytes(payload);
    let said = match (bytes.number()?, version) {
        (0, _) => {
            let id = bytes.number()?;
            let metric = |bytes: &mut Bytes<'_>| {
                let name = bytes.text()?;
                bytes.text()?;
                Ok((name, bytes.byte()?.into()))
            };
            Said::Table { id, metrics: bytes.list(metric)? }
        }
        (1, _) => {
            let (table, first, mut clock) = (bytes.number()?, bytes.number()?, bytes.number()?);
            let rows = bytes.list(|bytes| {
                clock += bytes.number()?;
                Ok((clock, bytes.list(Bytes::reading)?))
            });
            Said::Samples { table, first, rows: rows? }
        }
        (2, _) => {
            let (table, sequence) = (bytes.number()?, bytes.number()?);
            bytes.number()?;
            bytes.list(Bytes::reading)?;
            Said::Live { table, sequence }
        }
        (3, _) => {
            let hub_us = bytes.number()?;
            let _received_and_sent = [bytes.number()?, bytes.number()?];
            bytes.signed()?;
            Said::Pong { hub_us }
        }
        (4, 2) => {
            let earlier = bytes.optional(|bytes| Ok((bytes.number()?, bytes.signed()?)))?;
            Said::Boot { earlier }
        }
        (5, 2) => {
            Said::Tally { taken: bytes.number()?, acknowledged: bytes.number()?, lost: bytes.number()? }
        }
        (6, 2) => Said::Rewound { from: bytes.number()? },
        (kind, version) => return Err(format!("version {version} has no frame {kind} of agents")),
    };
    bytes.end(said)
}

/// A later frame of a hub, to an agent that knows this version.
pub(crate) fn from_hub(payload: &[u8], version: u64) -> Read<Said> {
    let mut bytes = Bytes(payload);
    let said = match (bytes.number()?, version) {
        (0, _) => Said::Ack { upto: bytes.number()? },
        (1, 2) => Said::Rewind { from: bytes.number()? },
        (2, _) => {
            let interval_ms = bytes.optional(Bytes::number)?;
            Said::Settings { interval_ms, watch: bytes.list(Bytes::text)? }
        }
        (3, _) => Said::Ping { hub_us: bytes.number()? },
        (kind, version) => return Err(format!("version {version} has no frame {kind} of hubs")),
    };
    bytes.end(said)
}

/// The pong of a conversation, as the answer to another ping: its number is that of the ping.
pub(crate) fn pong_to(ping: &[u8], pong: &[u8]) -> Read<Vec<u8>> {
    let mut bytes = Bytes(pong);
    let _kind_and_old_number = [bytes.number()?, bytes.number()?];
    let number = ping.get(1..).ok_or("an empty ping")?;
    Ok([&[3], number, bytes.0].concat())
}
