//! A proxy between an agent and its hub that counts the bytes of both ways and records what the agent sends, so that
//! rows can be compared with what really went over the wire.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};
use lamon_wire::MAGIC;
use lamon_wire::frames::{AgentFrame, TableEntry};
use lamon_wire::framing::FrameBuffer;
use lamon_wire::hello::Hello;
use lamon_wire::reading::Reading;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How much of each connection is recorded, in bytes: some ten thousand samples of core metrics.
const MAX_RECORDED_BYTES: usize = 1 << 20;

/// A sample as an agent sent it: metrics by name, in the order of their table.
pub type Sent = Vec<(String, f64)>;

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Wiretap {
    address: SocketAddr,
    tape: Arc<Mutex<Tape>>,
    _end: DropGuard,
}

#[derive(Debug, Default)]
struct Tape {
    /// What came from the agent, a vector for each connection.
    connections: Vec<Vec<u8>>,
    to_hub: u64,
    to_agent: u64,
}

impl Wiretap {
    /// Starts one in front of a hub.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn start(hub: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tape = Arc::new(Mutex::new(Tape::default()));
        let end = CancellationToken::new();
        tokio::spawn(serve(listener, hub, Arc::clone(&tape), end.clone()));
        Ok(Self { address, tape, _end: end.drop_guard() })
    }

    /// Where agents connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that went to the hub and to the agents so far, hellos and tables among them.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let tape = lock(&self.tape);
        (tape.to_hub, tape.to_agent)
    }

    /// Every sample that agents sent, by epoch and sequence number.
    ///
    /// # Errors
    ///
    /// When what went over the wire is not the protocol.
    pub fn sent(&self) -> anyhow::Result<BTreeMap<(u32, u64), Sent>> {
        let mut sent = BTreeMap::new();
        for connection in &lock(&self.tape).connections {
            decode(connection, &mut sent)?;
        }
        Ok(sent)
    }
}

fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, hub: SocketAddr, tape: Arc<Mutex<Tape>>, end: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = end.cancelled() => return,
        };
        let Ok((agent, _)) = accepted else { return };
        // An agent whose hub is away sees its connection close, and tries again.
        let Ok(hub) = TcpStream::connect(hub).await else { continue };
        let _ = (agent.set_nodelay(true), hub.set_nodelay(true));
        let place = {
            let mut tape = lock(&tape);
            tape.connections.push(Vec::new());
            tape.connections.len() - 1
        };
        let ((from_agent, to_agent), (from_hub, to_hub)) = (agent.into_split(), hub.into_split());
        let (tape, end) = (Arc::clone(&tape), end.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = pump(from_agent, to_hub, |bytes| {
                    let mut tape = lock(&tape);
                    tape.to_hub += u64::try_from(bytes.len()).unwrap_or(0);
                    if let Some(recorded) = tape.connections.get_mut(place)
                        && recorded.len() < MAX_RECORDED_BYTES
                    {
                        recorded.extend_from_slice(bytes);
                    }
                }) => {}
                () = pump(from_hub, to_agent, |bytes| {
                    lock(&tape).to_agent += u64::try_from(bytes.len()).unwrap_or(0);
                }) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn(&[u8])) {
    let mut bytes = vec![0; 4_096];
    while let Ok(count) = from.read(&mut bytes).await
        && count > 0
    {
        let read = bytes.get(..count).unwrap_or_default();
        note(read);
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}

fn decode(bytes: &[u8], sent: &mut BTreeMap<(u32, u64), Sent>) -> anyhow::Result<()> {
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        // A connection that was just made.
        if MAGIC.starts_with(bytes) {
            return Ok(());
        }
        bail!("not the binary protocol");
    };
    let mut frames = FrameBuffer::new();
    frames.extend(rest);
    let Some(hello) = frames.next_frame() else { return Ok(()) };
    let epoch = Hello::parse(hello)?.epoch;
    let mut table: (u16, Vec<TableEntry>) = (0, Vec::new());
    while let Some(payload) = frames.next_frame() {
        match AgentFrame::parse(payload)? {
            AgentFrame::Table(new) => table = (new.id, new.metrics),
            AgentFrame::Samples(samples) => {
                if samples.table != table.0 {
                    bail!("samples of table {}, but the last was {}", samples.table, table.0);
                }
                for (sequence, row) in (samples.first..).zip(&samples.rows) {
                    sent.insert((epoch, sequence), values(&table.1, &row.readings)?);
                }
            }
            AgentFrame::Live(_)
            | AgentFrame::Pong(_)
            | AgentFrame::Boot(_)
            | AgentFrame::Tally(_)
            | AgentFrame::Rewound(_) => {}
        }
    }
    Ok(())
}

fn values(table: &[TableEntry], readings: &[Reading]) -> anyhow::Result<Sent> {
    if table.len() != readings.len() {
        bail!("{} readings for {} metrics", readings.len(), table.len());
    }
    let values = table.iter().zip(readings);
    let values = values.filter_map(|(entry, reading)| {
        Some((entry.name.as_str().to_owned(), reading.value(entry.decimals)?))
    });
    Ok(values.collect())
}

impl Wiretap {
    /// How many samples went over the wire so far.
    ///
    /// # Errors
    ///
    /// As [`Wiretap::sent`].
    pub fn count(&self) -> anyhow::Result<u64> {
        u64::try_from(self.sent()?.len()).context("more samples than can be counted")
    }
}
