//! An agent that sends what it is told: for the load generator, and for tests that must know exactly what was sent or
//! that send what no real agent would.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use lamon_wire::MAGIC;
use lamon_wire::frames::{AgentFrame, HubFrame, Pong, Row, Samples, Table, TableEntry};
use lamon_wire::framing::FrameBuffer;
use lamon_wire::hello::{Answer, Extra, Hello, VERSION, Welcome};
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::reading::Reading;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, ToSocketAddrs};
use tokio_rustls::TlsConnector;

use crate::wait::patiently;

/// The node's monotonic clock when a simulated agent starts, milliseconds: it was booted longer ago than an agent keeps
/// samples.
pub const BOOTED_MS: u64 = 40 * 86_400_000;

/// Bytes taken from the socket at once; what a hub says is small.
const READ_BYTES: usize = 1_024;

/// Who a simulated agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its node.
    pub node: String,
    /// Its epoch.
    pub epoch: u32,
    /// Time between its samples, as it tells the hub.
    pub interval: Duration,
}

impl Identity {
    /// An agent of this node that takes a sample every ten seconds.
    #[must_use]
    pub fn new(node: &str, epoch: u32) -> Self {
        Self { node: node.into(), epoch, interval: Duration::from_secs(10) }
    }
}

/// The clocks of a simulated node; a copy is the same clock.
#[derive(Debug, Clone)]
pub struct NodeClock {
    began: Instant,
    /// How far the wall clock was set off, milliseconds.
    step_ms: Arc<AtomicI64>,
}

impl NodeClock {
    /// The clocks of a node that was booted long ago, and whose wall clock is right.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now(), step_ms: Arc::default() }
    }

    /// The monotonic clock, milliseconds.
    #[must_use]
    pub fn monotonic_ms(&self) -> u64 {
        self.monotonic_us() / 1_000
    }

    fn monotonic_us(&self) -> u64 {
        BOOTED_MS * 1_000 + u64::try_from(self.began.elapsed().as_micros()).unwrap_or(0)
    }

    /// Sets the wall clock off by so much from now on.
    pub fn step(&self, step_ms: i64) {
        self.step_ms.store(step_ms, Ordering::Relaxed);
    }

    /// The wall clock, microseconds.
    fn wall_us(&self) -> i64 {
        let right = i64::try_from(wall().as_micros()).unwrap_or(i64::MAX);
        right.saturating_add(self.step_ms.load(Ordering::Relaxed).saturating_mul(1_000))
    }
}

impl Default for NodeClock {
    fn default() -> Self {
        Self::new()
    }
}

/// How a simulated agent is known to the hub, and knows it.
#[derive(Debug, Clone)]
pub struct InTls {
    /// Its key, and whom it believes.
    pub config: Arc<ClientConfig>,
    /// The secret that lets it in.
    pub join: Option<String>,
    /// The address of this computer that it comes from; the system's choice when not given.
    pub from: Option<IpAddr>,
}

/// The bytes to and from a hub, plain or in TLS.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Wire for S {}

/// A simulated agent that a hub accepted.
#[derive(Debug)]
pub struct SimulatedAgent {
    stream: Box<dyn Wire>,
    frames: FrameBuffer,
    /// What is still to be sent: a wait that is given up in the middle leaves it here, and no frame is torn.
    out: Vec<u8>,
    clock: NodeClock,
    welcome: Welcome,
}

impl SimulatedAgent {
    /// Connects and says hello.
    ///
    /// # Errors
    ///
    /// When the hub cannot be reached, or does not accept it; with its reason.
    pub async fn connect(hub: impl ToSocketAddrs, identity: &Identity) -> anyhow::Result<Self> {
        Self::connect_over(hub, identity, NodeClock::new(), None).await
    }

    /// The same in TLS.
    ///
    /// # Errors
    ///
    /// As [`SimulatedAgent::connect`].
    pub async fn connect_tls(
        hub: impl ToSocketAddrs,
        identity: &Identity,
        tls: &InTls,
    ) -> anyhow::Result<Self> {
        Self::connect_over(hub, identity, NodeClock::new(), Some(tls)).await
    }

    /// The same by these clocks, which go on from connection to connection.
    ///
    /// # Errors
    ///
    /// As [`SimulatedAgent::connect`].
    pub async fn connect_at(
        hub: impl ToSocketAddrs,
        identity: &Identity,
        clock: NodeClock,
    ) -> anyhow::Result<Self> {
        Self::connect_over(hub, identity, clock, None).await
    }

    /// The same by these clocks, in TLS where something is given for it.
    ///
    /// # Errors
    ///
    /// As [`SimulatedAgent::connect`].
    pub async fn connect_over(
        hub: impl ToSocketAddrs,
        identity: &Identity,
        clock: NodeClock,
        tls: Option<&InTls>,
    ) -> anyhow::Result<Self> {
        let from = tls.and_then(|tls| tls.from);
        let stream = connect_from(hub, from).await.context("no connection to the hub")?;
        stream.set_nodelay(true)?;
        let mut stream: Box<dyn Wire> = match tls {
            Some(tls) => {
                let connector = TlsConnector::from(Arc::clone(&tls.config));
                let name = ServerName::try_from("hub").context("no name")?;
                Box::new(connector.connect(name, stream).await.context("no TLS with the hub")?)
            }
            None => Box::new(stream),
        };
        let mut out = MAGIC.to_vec();
        let (monotonic_ms, wall_ms) = (clock.monotonic_ms(), clock.wall_us() / 1_000);
        let extra = Extra { join: tls.and_then(|tls| tls.join.clone()) };
        Hello { monotonic_ms, wall_ms, ..hello(identity)? }.write_with(&extra, &mut out)?;
        stream.write_all(&out).await?;
        stream.flush().await?;
        let mut frames = FrameBuffer::new();
        let Some(payload) = next_payload(&mut stream, &mut frames).await? else {
            bail!("the hub closed without an answer to the hello");
        };
        match Answer::parse(&payload)? {
            Answer::Welcome(welcome) => Ok(Self { stream, frames, out: Vec::new(), clock, welcome }),
            Answer::Standby { why } => bail!("the hub stands by: {why}"),
            Answer::Refused { why } => bail!("the hub refuses: {why}"),
        }
    }

    /// What the hub answered to the hello.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Names the values of the samples that follow, each with its decimals.
    ///
    /// # Errors
    ///
    /// When a name is none, or the connection ended.
    pub async fn send_table(&mut self, id: u16, metrics: &[(&str, u8)]) -> anyhow::Result<()> {
        let entry = |(name, decimals): &(&str, u8)| {
            Ok(TableEntry { name: MetricName::new(name)?, label: String::new(), decimals: *decimals })
        };
        let metrics = metrics.iter().map(entry).collect::<anyhow::Result<_>>()?;
        self.send(&AgentFrame::Table(Table { id, metrics })).await
    }

    /// Sends samples from this sequence number on, taken now, one millisecond apart. They are not acknowledged yet.
    ///
    /// # Errors
    ///
    /// When there are too many for a frame, or the connection ended.
    pub async fn send_samples(
        &mut self,
        table: u16,
        first: u64,
        rows: Vec<Vec<Reading>>,
    ) -> anyhow::Result<()> {
        let rows: Vec<_> = rows
            .into_iter()
            .enumerate()
            .map(|(place, readings)| Row { after_ms: u32::from(place > 0), readings })
            .collect();
        let age_ms = u64::try_from(rows.len()).unwrap_or(0);
        let monotonic_ms = self.monotonic_ms() - age_ms;
        self.send(&AgentFrame::Samples(Samples { table, first, monotonic_ms, rows })).await
    }

    /// Sends a frame.
    ///
    /// # Errors
    ///
    /// When it is too long, or the connection ended.
    pub async fn send(&mut self, frame: &AgentFrame) -> anyhow::Result<()> {
        frame.write(&mut self.out)?;
        Ok(self.flush().await?)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// When the connection ended.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.out.extend_from_slice(bytes);
        self.flush().await
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        while !self.out.is_empty() {
            let count = self.stream.write(&self.out).await?;
            self.out.drain(..count);
        }
        // What TLS holds goes out too.
        self.stream.flush().await
    }

    /// The hub's next frame; `None` when it closed. Pings are answered by the way. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When a frame is none, or the connection broke.
    pub async fn next(&mut self) -> anyhow::Result<Option<HubFrame>> {
        loop {
            self.flush().await?;
            let Some(payload) = next_payload(&mut self.stream, &mut self.frames).await? else {
                return Ok(None);
            };
            match HubFrame::parse(&payload)? {
                HubFrame::Ping { hub_us } => {
                    let (now_us, wall_us) = (self.clock.monotonic_us(), self.clock.wall_us());
                    let pong = Pong { hub_us, received_us: now_us, sent_us: now_us, wall_us };
                    AgentFrame::Pong(pong).write(&mut self.out)?;
                }
                frame => return Ok(Some(frame)),
            }
        }
    }

    /// Waits until the hub has everything up to this sequence number on its disk.
    ///
    /// # Errors
    ///
    /// When the connection ended before.
    pub async fn acknowledged(&mut self, sequence: u64) -> anyhow::Result<()> {
        let acknowledged = async {
            loop {
                match self.next().await? {
                    Some(HubFrame::Ack(upto)) if upto >= sequence => return Ok(()),
                    Some(_) => {}
                    None => bail!("the hub closed before it acknowledged {sequence}"),
                }
            }
        };
        patiently("an acknowledgement", acknowledged).await
    }

    /// Waits until the hub closes the connection.
    pub async fn closed(&mut self) {
        let closed = async { while let Ok(Some(_)) = self.next().await {} };
        patiently("the hub's close of a connection", closed).await;
    }

    /// Its node's monotonic clock, milliseconds: [`BOOTED_MS`] when that clock began.
    #[must_use]
    pub fn monotonic_ms(&self) -> u64 {
        self.clock.monotonic_ms()
    }
}

/// The hello of a simulated agent.
///
/// # Errors
///
/// When its node's name is none.
pub fn hello(identity: &Identity) -> anyhow::Result<Hello> {
    Ok(Hello {
        version: VERSION,
        node: NodeName::new(&identity.node)?,
        os: "simulated".into(),
        agent_version: "0".into(),
        boot_id: [7; 16],
        epoch: identity.epoch,
        hub_position: 0,
        interval_ms: u32::try_from(identity.interval.as_millis())?,
        monotonic_ms: BOOTED_MS,
        wall_ms: i64::try_from(wall().as_millis())?,
    })
}

/// Rounds values as an agent does.
#[must_use]
pub fn readings(values: &[f64], decimals: u8) -> Vec<Reading> {
    values.iter().map(|value| Reading::new(*value, decimals)).collect()
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

async fn connect_from(hub: impl ToSocketAddrs, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let Some(from) = from else { return TcpStream::connect(hub).await };
    let mut hubs = tokio::net::lookup_host(hub).await?;
    let hub = hubs.next().ok_or(std::io::ErrorKind::NotFound)?;
    let socket = if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind((from, 0).into())?;
    socket.connect(hub).await
}

async fn next_payload(
    stream: &mut (impl AsyncRead + Unpin),
    frames: &mut FrameBuffer,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut read = [0; READ_BYTES];
    loop {
        if let Some(payload) = frames.next_frame() {
            return Ok(Some(payload.to_vec()));
        }
        match stream.read(&mut read).await? {
            0 => return Ok(None),
            count => frames.extend(read.get(..count).unwrap_or_default()),
        }
    }
}
