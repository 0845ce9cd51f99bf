//! A connection to a hub: bytes in and out, without a word of what they mean.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use lamon_keys::Fingerprint;
use lamon_wire::framing::FrameBuffer;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::HubAddress;

/// How long a connection may take to be made, the look-up of the name and the handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much is read at a time, in bytes: a hub's frames are short.
const READ_BYTES: usize = 1_024;

/// The output buffer keeps this much between frames, in bytes; what a backlog took is given back.
const KEEP_BYTES: usize = 4 * 1_024;

/// How much TLS holds that the system did not take yet, in bytes; the rest stays in [`Connection::output`].
const TLS_BYTES: usize = 16 * 1_024;

/// A connection to a hub.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
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
    /// Connects to `hub`, trying each address of its name; in TLS where `tls` is given.
    ///
    /// # Errors
    ///
    /// When no address answers within ten seconds, or the hub is not who is believed.
    pub async fn connect(hub: &HubAddress, tls: Option<Arc<ClientConfig>>) -> io::Result<Self> {
        let connect = async {
            let stream = TcpStream::connect((hub.host.as_str(), hub.port)).await?;
            // A sample is one small segment; waiting for more would only make it late.
            stream.set_nodelay(true)?;
            let tls = match tls {
                Some(config) => Some(Box::new(shake_hands(&stream, hub, config).await?)),
                None => None,
            };
            Ok(Self { stream, tls, input: FrameBuffer::new(), output: Vec::new(), sent: 0 })
        };
        timeout(CONNECT_TIMEOUT, connect).await.map_err(|_| ErrorKind::TimedOut)?
    }

    /// The hub's key, in TLS.
    #[must_use]
    pub fn hub_key(&self) -> Option<Fingerprint> {
        self.tls.as_deref().and_then(|session| lamon_keys::key_of(session))
    }

    /// Whether all of [`Connection::output`] has gone to the system.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.output.is_empty() && !self.tls.as_ref().is_some_and(|session| session.wants_write())
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
        if !ready.is_readable() {
            return Ok(Turn::Moved);
        }
        match self.try_read() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Turn::Moved),
            turn => turn,
        }
    }

    fn try_read(&mut self) -> io::Result<Turn> {
        let mut bytes = [0; READ_BYTES];
        let Some(session) = &mut self.tls else {
            return match self.stream.try_read(&mut bytes)? {
                0 => Ok(Turn::End),
                length => {
                    self.input.extend(bytes.get(..length).unwrap_or_default());
                    Ok(Turn::Moved)
                }
            };
        };
        let ended = session.read_tls(&mut Socket(&self.stream))? == 0;
        session.process_new_packets().map_err(broken)?;
        let mut came = false;
        loop {
            match session.reader().read(&mut bytes) {
                // The end counts when what came before it was looked at: the hub's last word says why.
                Ok(0) if !came => return Ok(Turn::End),
                Ok(0) => break,
                Ok(length) => self.input.extend(bytes.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // A hub that ends takes no leave in TLS. Frames say how long they are, so that nobody who cuts the
                // connection can make one of less.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof && !came => return Ok(Turn::End),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
            came = true;
        }
        Ok(if ended && !came { Turn::End } else { Turn::Moved })
    }

    /// Writes as much as the system takes without waiting.
    ///
    /// # Errors
    ///
    /// When the connection broke.
    pub fn try_write(&mut self) -> io::Result<()> {
        let written = match &mut self.tls {
            None => write_plain(&self.stream, &self.output, &mut self.sent),
            Some(session) => write_tls(&self.stream, session, &self.output, &mut self.sent),
        };
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        self.output.clear();
        self.output.shrink_to(KEEP_BYTES);
        self.sent = 0;
        Ok(())
    }
}

fn write_plain(stream: &TcpStream, output: &[u8], sent: &mut usize) -> io::Result<()> {
    while let Some(rest) = output.get(*sent..).filter(|rest| !rest.is_empty()) {
        *sent += stream.try_write(rest)?;
    }
    Ok(())
}

fn write_tls(
    stream: &TcpStream,
    session: &mut ClientConnection,
    output: &[u8],
    sent: &mut usize,
) -> io::Result<()> {
    loop {
        let rest = output.get(*sent..).unwrap_or_default();
        if !rest.is_empty() {
            *sent += session.writer().write(rest)?;
        }
        while session.wants_write() {
            session.write_tls(&mut Socket(stream))?;
        }
        if *sent >= output.len() {
            return Ok(());
        }
    }
}

/// Shakes hands; the session when the hub is who is believed.
async fn shake_hands(
    stream: &TcpStream,
    hub: &HubAddress,
    config: Arc<ClientConfig>,
) -> io::Result<ClientConnection> {
    // Nobody looks at the name; the library wants one, and a host may have one that is none in its eyes.
    let name = ServerName::try_from(hub.host.clone()).or_else(|_| ServerName::try_from("lamon-hub"));
    let name = name.map_err(io::Error::other)?;
    let mut session = ClientConnection::new(config, name).map_err(broken)?;
    session.set_buffer_limit(Some(TLS_BYTES));
    while session.is_handshaking() || session.wants_write() {
        if session.wants_write() {
            stream.writable().await?;
            match session.write_tls(&mut Socket(stream)) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => continue,
            }
        }
        stream.readable().await?;
        match session.read_tls(&mut Socket(stream)) {
            Ok(0) => {
                let why = "the hub closed the connection within the handshake: does it speak TLS, and has it a key?";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
            }
            Ok(_) => {
                session.process_new_packets().map_err(broken)?;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(session)
}

/// What TLS finds wrong.
fn broken(error: rustls::Error) -> io::Error {
    let why = match error {
        rustls::Error::General(why) => {
            format!(
                "this is another hub than the one that is known, {why}; if it was set up anew: lamon-agent enroll"
            )
        }
        error => format!("TLS: {error}"),
    };
    io::Error::new(ErrorKind::InvalidData, why)
}

/// A socket as TLS wants it: what would wait says so.
struct Socket<'a>(&'a TcpStream);

impl io::Read for Socket<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(bytes)
    }
}

impl io::Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
