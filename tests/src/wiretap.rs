//! A proxy between an agent and its hub that counts the bytes of both ways and records what is sent, so that rows can be
//! compared with what really went over the wire.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};
use lamon_wire::MAGIC;
use lamon_wire::frames::{AgentFrame, HubFrame, TableEntry};
use lamon_wire::framing::FrameBuffer;
use lamon_wire::hello::{Answer, Hello};
use lamon_wire::reading::Reading;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How much of each connection is recorded, in bytes: some ten thousand samples of core metrics.
const MAX_RECORDED_BYTES: usize = 1 << 20;

/// A sample as an agent sent it: metrics by name, in the order of their table.
pub type Sent = Vec<(String, f64)>;

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Wiretap {
    address: SocketAddr,
    hub: watch::Sender<Option<SocketAddr>>,
    tape: Arc<Mutex<Tape>>,
    _end: DropGuard,
}

#[derive(Debug, Default)]
struct Tape {
    /// What came from the agent, and from the hub, of each connection.
    connections: Vec<(Vec<u8>, Vec<u8>)>,
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
        let tap = Self::leading_nowhere().await?;
        tap.aim(Some(hub));
        Ok(tap)
    }

    /// Starts one whose hub is away.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn leading_nowhere() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tape = Arc::new(Mutex::new(Tape::default()));
        let (end, hub) = (CancellationToken::new(), watch::Sender::new(None));
        tokio::spawn(serve(listener, hub.subscribe(), Arc::clone(&tape), end.clone()));
        Ok(Self { address, hub, tape, _end: end.drop_guard() })
    }

    /// The hub is there from now on, or away; connections end.
    pub fn aim(&self, hub: Option<SocketAddr>) {
        self.hub.send_replace(hub);
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
    /// When what went over the wire is not the protocol, or a number was used for two samples.
    pub fn sent(&self) -> anyhow::Result<BTreeMap<(u32, u64), Sent>> {
        let mut sent = BTreeMap::new();
        for (from_agent, _) in &lock(&self.tape).connections {
            decode(from_agent, &mut sent)?;
        }
        Ok(sent)
    }

    /// The bytes that came on the first connection, whatever they are.
    #[must_use]
    pub fn recorded(&self) -> Vec<u8> {
        lock(&self.tape).connections.first().map(|(from_agent, _)| from_agent.clone()).unwrap_or_default()
    }

    /// Up to which number of each epoch the hub said that it has them on disk.
    ///
    /// # Errors
    ///
    /// When what went over the wire is not the protocol.
    pub fn acknowledged(&self) -> anyhow::Result<BTreeMap<u32, u64>> {
        let mut acknowledged = BTreeMap::new();
        for (from_agent, from_hub) in &lock(&self.tape).connections {
            decode_answers(from_agent, from_hub, &mut acknowledged)?;
        }
        Ok(acknowledged)
    }
}

fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(
    listener: TcpListener,
    mut hub: watch::Receiver<Option<SocketAddr>>,
    tape: Arc<Mutex<Tape>>,
    end: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = end.cancelled() => return,
        };
        let Ok((agent, _)) = accepted else { return };
        // An agent whose hub is away sees its connection close, and tries again.
        let aim = *hub.borrow_and_update();
        let Some(address) = aim else { continue };
        let Ok(stream) = TcpStream::connect(address).await else { continue };
        let _ = (agent.set_nodelay(true), stream.set_nodelay(true));
        let place = {
            let mut tape = lock(&tape);
            tape.connections.push(Default::default());
            tape.connections.len() - 1
        };
        let ((from_agent, to_agent), (from_hub, to_hub)) = (agent.into_split(), stream.into_split());
        let (tape, end, mut hub) = (Arc::clone(&tape), end.clone(), hub.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = pump(from_agent, to_hub, |bytes| {
                    let mut tape = lock(&tape);
                    tape.to_hub += u64::try_from(bytes.len()).unwrap_or(0);
                    if let Some((recorded, _)) = tape.connections.get_mut(place)
                        && recorded.len() < MAX_RECORDED_BYTES
                    {
                        recorded.extend_from_slice(bytes);
                    }
                }) => {}
                () = pump(from_hub, to_agent, |bytes| {
                    let mut tape = lock(&tape);
                    tape.to_agent += u64::try_from(bytes.len()).unwrap_or(0);
                    if let Some((_, recorded)) = tape.connections.get_mut(place)
                        && recorded.len() < MAX_RECORDED_BYTES
                    {
                        recorded.extend_from_slice(bytes);
                    }
                }) => {}
                _ = hub.changed() => {}
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
                    let values = values(&table.1, &row.readings)?;
                    if let Some(before) = sent.insert((epoch, sequence), values.clone())
                        && before != values
                    {
                        bail!("number {sequence} of epoch {epoch} was {before:?}, then {values:?}");
                    }
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

/// What the hub said in a connection.
fn decode_answers(
    from_agent: &[u8],
    from_hub: &[u8],
    acknowledged: &mut BTreeMap<u32, u64>,
) -> anyhow::Result<()> {
    let Some(rest) = from_agent.strip_prefix(&MAGIC) else { return Ok(()) };
    let (mut hello, mut frames) = (FrameBuffer::new(), FrameBuffer::new());
    hello.extend(rest);
    frames.extend(from_hub);
    let (Some(hello), Some(answer)) = (hello.next_frame(), frames.next_frame()) else { return Ok(()) };
    let epoch = Hello::parse(hello)?.epoch;
    let mut note = |number: u64| {
        let upto = acknowledged.entry(epoch).or_default();
        *upto = number.max(*upto);
    };
    let Answer::Welcome(welcome) = Answer::parse(answer)? else { return Ok(()) };
    welcome.committed.into_iter().for_each(&mut note);
    while let Some(payload) = frames.next_frame() {
        if let HubFrame::Ack(number) = HubFrame::parse(payload)? {
            note(number);
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
