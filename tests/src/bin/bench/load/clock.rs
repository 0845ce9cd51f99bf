//! When samples were sent, and when they were seen: by a subscriber of the bus, by a client of RTS2.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use rts2dev::client::{Change, Client};

use super::GROUP;
use crate::raw::relay::MESSAGE_BYTES;

/// The newest samples of a node whose times are kept; older ones were seen long ago.
const KEPT: usize = 16;

/// Where a sample was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// By a subscriber.
    Bus,
    /// By a client.
    Rts2,
    /// At the other end of a bare relay.
    Relay,
}

/// Times of all nodes, shared by those who send and those who see.
#[derive(Debug)]
pub(crate) struct Board {
    zero: Instant,
    /// For each node: sequence numbers and nanoseconds since `zero`, by the number's last digits.
    nodes: Vec<[(AtomicU64, AtomicU64); KEPT]>,
    measuring: AtomicBool,
    sent: AtomicU64,
    seen: Mutex<[Vec<Duration>; 3]>,
    /// Nodes of which no fresh sample was seen since they came back, by number, and when the last of them was.
    missing: Mutex<(Vec<bool>, Instant)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    pub(crate) fn new(nodes: u32) -> Self {
        let zero = Instant::now();
        Self {
            zero,
            nodes: (0..nodes).map(|_| Default::default()).collect(),
            measuring: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            seen: Mutex::default(),
            missing: Mutex::new((Vec::new(), zero)),
        }
    }

    /// A sample is sent now.
    pub(crate) fn sent(&self, node: u32, sequence: u64) {
        let Some((number, time)) = self.slot(node, sequence) else { return };
        if self.measuring.load(Ordering::Relaxed) {
            self.sent.fetch_add(1, Ordering::Relaxed);
            number.store(sequence, Ordering::Relaxed);
        }
        time.store(u64::try_from(self.zero.elapsed().as_nanos()).unwrap_or(0), Ordering::Release);
    }

    /// A sample was seen now.
    pub(crate) fn saw(&self, by: Seen, node: u32, sequence: u64) {
        if by == Seen::Bus {
            self.saw_live(node);
        }
        let Some((number, time)) = self.slot(node, sequence) else { return };
        let time = Duration::from_nanos(time.load(Ordering::Acquire));
        // What was sent outside of the span is not counted.
        if number.load(Ordering::Relaxed) == sequence {
            self.note(by, self.zero.elapsed().saturating_sub(time));
        }
    }

    fn note(&self, by: Seen, latency: Duration) {
        let [bus, rts2, relay] = &mut *lock(&self.seen);
        match by {
            Seen::Bus => bus.push(latency),
            Seen::Rts2 => rts2.push(latency),
            Seen::Relay => relay.push(latency),
        }
    }

    fn slot(&self, node: u32, sequence: u64) -> Option<&(AtomicU64, AtomicU64)> {
        let kept = u64::try_from(KEPT).ok()?;
        self.nodes.get(usize::try_from(node).ok()?)?.get(usize::try_from(sequence % kept).ok()?)
    }

    /// Samples count from now on.
    pub(crate) fn begin(&self) {
        *lock(&self.seen) = Default::default();
        for (number, _) in self.nodes.iter().flatten() {
            number.store(u64::MAX, Ordering::Relaxed);
        }
        self.sent.store(0, Ordering::Relaxed);
        self.measuring.store(true, Ordering::Relaxed);
    }

    /// Samples that are sent from now on do not count; how many did.
    pub(crate) fn end(&self) -> u64 {
        self.measuring.store(false, Ordering::Relaxed);
        self.sent.load(Ordering::Relaxed)
    }

    /// The latencies since [`begin`](Self::begin).
    pub(crate) fn take(&self, by: Seen) -> Vec<Duration> {
        let [bus, rts2, relay] = &mut *lock(&self.seen);
        std::mem::take(match by {
            Seen::Bus => bus,
            Seen::Rts2 => rts2,
            Seen::Relay => relay,
        })
    }

    /// The first nodes are cut off now: a fresh sample of each is awaited.
    pub(crate) fn expect_live(&self, nodes: u32) {
        lock(&self.missing).0 = vec![true; usize::try_from(nodes).unwrap_or(0)];
    }

    fn saw_live(&self, node: u32) {
        let (missing, last) = &mut *lock(&self.missing);
        if let Some(missing) = usize::try_from(node).ok().and_then(|node| missing.get_mut(node))
            && std::mem::take(missing)
        {
            *last = Instant::now();
        }
    }

    /// How long after this instant the last of the nodes that were cut off was seen again, seconds; none when one never was.
    pub(crate) fn live_after(&self, began: Instant) -> Option<f64> {
        let (missing, last) = &*lock(&self.missing);
        (!missing.contains(&true)).then(|| last.saturating_duration_since(began).as_secs_f64())
    }
}

/// Follows the bus, for ever.
pub(crate) fn subscribe(bus: &str, board: Arc<Board>) -> anyhow::Result<()> {
    let socket = zmq::Context::new().socket(zmq::SUB)?;
    socket.set_rcvhwm(0)?;
    socket.set_subscribe(b"sample/")?;
    socket.connect(bus)?;
    std::thread::spawn(move || {
        let (mut topic, mut json) = (zmq::Message::new(), zmq::Message::new());
        while socket.recv(&mut topic, 0).and_then(|()| socket.recv(&mut json, 0)).is_ok() {
            if let Some((node, sequence)) = fresh(&topic, &json) {
                board.saw(Seen::Bus, node, sequence);
            }
        }
    });
    Ok(())
}

/// Sends a message through a bare relay every few milliseconds, for ever, and notes how long it takes.
pub(crate) fn relay(relay: SocketAddr, bus: &str, board: Arc<Board>) -> anyhow::Result<()> {
    /// As often as a sample of a thousand nodes comes.
    const EVERY: Duration = Duration::from_millis(10);
    let socket = zmq::Context::new().socket(zmq::SUB)?;
    socket.set_subscribe(b"")?;
    socket.connect(bus)?;
    let mut stream = TcpStream::connect(relay)?;
    stream.set_nodelay(true)?;
    let zero = board.zero;
    std::thread::spawn(move || {
        let now = || u64::try_from(zero.elapsed().as_nanos()).unwrap_or(0);
        while stream.write_all(&now().to_le_bytes()).is_ok() {
            std::thread::sleep(EVERY);
        }
    });
    std::thread::spawn(move || {
        let mut message = zmq::Message::new();
        while socket.recv(&mut message, 0).is_ok() {
            if let Ok(sent) = <[u8; MESSAGE_BYTES]>::try_from(&*message)
                && board.measuring.load(Ordering::Relaxed)
            {
                let sent = Duration::from_nanos(u64::from_le_bytes(sent));
                board.note(Seen::Relay, zero.elapsed().saturating_sub(sent));
            }
        }
    });
    Ok(())
}

/// Node and sequence number of a message, unless it is of a backlog.
fn fresh(topic: &[u8], json: &[u8]) -> Option<(u32, u64)> {
    const LATE: &str = "\"late\":true";
    const SEQUENCE: &str = "\"sequence\":\"";
    let (topic, json) = (str::from_utf8(topic).ok()?, str::from_utf8(json).ok()?);
    let (_, rest) = json.split_once(SEQUENCE)?;
    let (sequence, rest) = rest.split_once('"')?;
    if rest.contains(LATE) {
        return None;
    }
    Some((topic.strip_prefix("sample/load")?.parse().ok()?, sequence.parse().ok()?))
}

/// Follows the devices of all groups as an RTS2 client, for ever, on a thread of its own.
pub(crate) fn follow(centrald: SocketAddr, nodes: u32, board: Arc<Board>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        let followed = runtime.block_on(async {
            let client = Client::login(&centrald.to_string(), "bench", "lamon-bench").await?;
            let mut devices = tokio::task::JoinSet::new();
            for group in 0..nodes.div_ceil(GROUP) {
                let name = format!("NODES_G{group:03}");
                let device = client.device(&name).await.context(name)?;
                let board = Arc::clone(&board);
                devices.spawn(async move {
                    // The connection ends with the device.
                    let mut changes = device.changes();
                    while let Ok(change) = changes.next().await {
                        if let Change::Value(value) = change
                            && let Some(node) = value.name.strip_prefix("load")
                            && let Some((node, "nic_in")) = node.split_once('_')
                            && let (Ok(node), Some(number)) = (node.parse(), value.number())
                        {
                            #[expect(
                                clippy::cast_possible_truncation,
                                clippy::cast_sign_loss,
                                reason = "a count"
                            )]
                            board.saw(Seen::Rts2, node, number as u64);
                        }
                    }
                });
            }
            devices.join_all().await;
            anyhow::Ok(())
        });
        if let Err(error) = followed {
            crate::report::progress(&format!("bench: the RTS2 client ended: {error:#}"));
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_seen_once_and_only_within_the_span() {
        let board = Board::new(2);
        board.sent(1, 7);
        board.begin();
        board.saw(Seen::Bus, 1, 7);
        board.sent(1, 8);
        board.saw(Seen::Bus, 1, 8);
        board.saw(Seen::Bus, 2, 8);
        assert_eq!(board.end(), 1);
        board.sent(1, 9);
        board.saw(Seen::Bus, 1, 9);
        assert_eq!((board.take(Seen::Bus).len(), board.take(Seen::Rts2).len()), (1, 0));
    }

    #[test]
    fn messages_of_a_backlog_are_told_from_fresh_ones() {
        let message =
            |late| format!("{{\"seq\":1,\"epoch\":\"7\",\"sequence\":\"42\",\"taken\":1.5,\"late\":{late}}}");
        assert_eq!(fresh(b"sample/load00012", message("false").as_bytes()), Some((12, 42)));
        assert_eq!(fresh(b"sample/load00012", message("true").as_bytes()), None);
        assert_eq!(fresh(b"sample/ccd01", message("false").as_bytes()), None);
    }
}
