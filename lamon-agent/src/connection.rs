//! A TCP connection to a hub: bytes in and out, without a word of what they mean.

use std::io;
use std::time::Duration;

use lamon_wire::framing::FrameBuffer;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::HubAddress;

/// How long a connection may take to be made, the look-up of the name included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much is read at a time, in bytes: a hub's frames are short.
const READ_BYTES: usize = 1_024;

/// The output buffer keeps this much between frames, in bytes; what a backlog took is given back.
const KEEP_BYTES: usize = 4 * 1_024;

/// A connection to a hub.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What came, cut into frames by its reader.
    pub input: FrameBuffer,
    /// What is to be sent; the writer fills it when [`Connection::is_flushed`].
    pub output: Vec<u8>,
    sent: usize,
}

/// What a turn of the connection brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Bytes came, or bytes went, or both.
    Moved,
    /// The hub closed the connection.
    End,
}

impl Connection {
    /// Connects to `hub`, trying each address of its name.
    ///
    /// # Errors
    ///
    /// When no address answers within ten seconds.
    pub async fn connect(hub: &HubAddress) -> io::Result<Self> {
        let connect = TcpStream::connect((hub.host.as_str(), hub.port));
        let stream = timeout(CONNECT_TIMEOUT, connect).await.map_err(|_| io::ErrorKind::TimedOut)??;
        // A sample is one small segment; waiting for more would only make it late.
        stream.set_nodelay(true)?;
        Ok(Self { stream, input: FrameBuffer::new(), output: Vec::new(), sent: 0 })
    }

    /// Whether all of [`Connection::output`] has gone to the system.
    #[must_use]
    pub const fn is_flushed(&self) -> bool {
        self.output.is_empty()
    }

    /// Waits until bytes can be read, or written where some are to be, and moves them. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When the connection broke.
    pub async fn turn(&mut self) -> io::Result<Turn> {
        let interest =
            if self.is_flushed() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        let ready = self.stream.ready(interest).await?;
        if ready.is_writable() {
            self.try_write()?;
        }
        if ready.is_readable() {
            let mut bytes = [0; READ_BYTES];
            match self.stream.try_read(&mut bytes) {
                Ok(0) => return Ok(Turn::End),
                Ok(length) => self.input.extend(bytes.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Turn::Moved)
    }

    /// Writes as much as the system takes without waiting.
    ///
    /// # Errors
    ///
    /// When the connection broke.
    pub fn try_write(&mut self) -> io::Result<()> {
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.try_write(rest) {
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.output.shrink_to(KEEP_BYTES);
        self.sent = 0;
        Ok(())
    }
}
