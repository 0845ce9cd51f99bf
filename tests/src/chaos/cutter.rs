//! A network that is cut: a proxy in front of a hub that lets a random number of bytes of each connection through, then ends it,
//! mostly in the middle of a frame.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lamon_wire::MAGIC;
use lamon_wire::framing::FrameBuffer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The most bytes that a connection may carry to the hub: some twenty frames.
const MAX_BYTES: u64 = 2_000;

/// The longest that a connection lives, milliseconds: one that is idle is cut too.
const MAX_LIFE_MS: u64 = 3_000;

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Cutter {
    address: SocketAddr,
    hub: watch::Sender<Option<SocketAddr>>,
    cuts: Arc<Cuts>,
    _end: DropGuard,
}

/// What was cut.
#[derive(Debug, Default)]
struct Cuts {
    all: AtomicU32,
    in_frame: AtomicU32,
}

impl Cutter {
    /// Starts one that leads nowhere yet.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn start(random: fastrand::Rng) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, end, cuts) = (listener.local_addr()?, CancellationToken::new(), Arc::default());
        let hub = watch::Sender::new(None);
        tokio::spawn(serve(listener, hub.subscribe(), random, Arc::clone(&cuts), end.clone()));
        Ok(Self { address, hub, cuts, _end: end.drop_guard() })
    }

    /// Where agents connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to this hub from now on.
    pub fn aim(&self, hub: Option<SocketAddr>) {
        self.hub.send_replace(hub);
    }

    /// How many connections were cut, and how many of them within a frame on its way to the hub.
    #[must_use]
    pub fn cuts(&self) -> (u32, u32) {
        (self.cuts.all.load(Ordering::Relaxed), self.cuts.in_frame.load(Ordering::Relaxed))
    }
}

async fn serve(
    listener: TcpListener,
    hub: watch::Receiver<Option<SocketAddr>>,
    mut random: fastrand::Rng,
    cuts: Arc<Cuts>,
    end: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = end.cancelled() => return,
        };
        let Ok((agent, _)) = accepted else { continue };
        let aim = *hub.borrow();
        let Some(hub) = aim else { continue };
        let (budget, life_ms) = (random.u64(1..=MAX_BYTES), random.u64(1..=MAX_LIFE_MS));
        let (cuts, end) = (Arc::clone(&cuts), end.clone());
        tokio::spawn(async move {
            let Ok(hub) = TcpStream::connect(hub).await else { return };
            let mut passage = Passage { budget, position: Position::default() };
            tokio::select! {
                () = passage.carry(agent, hub) => {}
                () = sleep(Duration::from_millis(life_ms)) => {}
                () = end.cancelled() => return,
            }
            cuts.all.fetch_add(1, Ordering::Relaxed);
            cuts.in_frame.fetch_add(u32::from(passage.position.is_within()), Ordering::Relaxed);
        });
    }
}

/// One connection.
struct Passage {
    budget: u64,
    position: Position,
}

impl Passage {
    async fn carry(&mut self, agent: TcpStream, hub: TcpStream) {
        let _ = (agent.set_nodelay(true), hub.set_nodelay(true));
        let (mut from_agent, mut to_agent) = agent.into_split();
        let (mut from_hub, mut to_hub) = hub.into_split();
        let up = async {
            let mut bytes = [0; 1_024];
            while let Ok(count) = from_agent.read(&mut bytes).await
                && count > 0
            {
                let through = usize::try_from(self.budget).unwrap_or(usize::MAX).min(count);
                let through = bytes.get(..through).unwrap_or_default();
                self.budget -= u64::try_from(through.len()).unwrap_or(0);
                self.position.follow(through);
                if to_hub.write_all(through).await.is_err() || self.budget == 0 {
                    return;
                }
            }
        };
        let down = async { tokio::io::copy(&mut from_hub, &mut to_agent).await };
        tokio::select! {
            () = up => {}
            _ = down => {}
        }
    }
}

/// Where in its frames a stream is.
#[derive(Default)]
struct Position {
    magic: usize,
    frames: FrameBuffer,
}

impl Position {
    fn follow(&mut self, bytes: &[u8]) {
        let magic = bytes.len().min(MAGIC.len() - self.magic);
        self.magic += magic;
        self.frames.extend(bytes.get(magic..).unwrap_or_default());
        while self.frames.next_frame().is_some() {}
    }

    fn is_within(&self) -> bool {
        (1..MAGIC.len()).contains(&self.magic) || !self.frames.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use lamon_wire::frames::AgentFrame;

    use super::*;

    #[test]
    fn whether_a_stream_stopped_within_a_frame() {
        let mut bytes = MAGIC.to_vec();
        let mut ends = vec![0, bytes.len()];
        for _ in 0..2 {
            AgentFrame::Rewound(70_000).write(&mut bytes).unwrap();
            ends.push(bytes.len());
        }
        for length in 0..=bytes.len() {
            for step in 1..=3 {
                let mut position = Position::default();
                bytes[..length].chunks(step).for_each(|chunk| position.follow(chunk));
                assert_eq!(position.is_within(), !ends.contains(&length), "{length} by {step}");
            }
        }
    }
}
