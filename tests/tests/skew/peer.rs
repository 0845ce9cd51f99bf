//! A connection as bytes: frames with their length in front, nothing known of what is in them.

use lamon_tests::wait::patiently;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::MAGIC;

/// One end of a connection.
pub(crate) struct Peer {
    stream: TcpStream,
}

impl Peer {
    /// To a hub, as an agent: with the magic bytes.
    pub(crate) async fn to_hub(address: std::net::SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(MAGIC).await.unwrap();
        Self { stream }
    }

    /// From an agent, which must say the magic bytes.
    pub(crate) async fn from_agent(mut stream: TcpStream) -> Self {
        let mut magic = [0; 4];
        patiently("the magic bytes", stream.read_exact(&mut magic)).await.unwrap();
        assert_eq!(magic, MAGIC);
        Self { stream }
    }

    pub(crate) async fn send(&mut self, payload: &[u8]) {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        self.stream.write_all(&[&length, payload].concat()).await.unwrap();
    }

    /// Waits until there is something to read, and reads nothing.
    pub(crate) async fn ready(&self) {
        self.stream.peek(&mut [0]).await.unwrap();
    }

    /// The next frame without its length.
    pub(crate) async fn next(&mut self) -> Vec<u8> {
        patiently("a frame", async {
            let mut length = [0; 2];
            self.stream.read_exact(&mut length).await.unwrap();
            let mut payload = vec![0; u16::from_be_bytes(length).into()];
            self.stream.read_exact(&mut payload).await.unwrap();
            payload
        })
        .await
    }
}
