//! Clients that do not read, or byte by byte. (What a client gets that reads again is in `slow_client.rs`.)

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::common::{Raw, patiently};
use crate::site::{MAX_GROWTH, Site, resident};

/// A client that sends commands and reads none of the answers: no more commands are taken from it when its output is
/// full (32 KiB), and what it sends waits in its own socket. When it reads, it finds every answer.
#[tokio::test]
async fn a_client_that_never_reads() {
    let mut site = Site::with(|options| options.noauth = true).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_send_buffer_size(65536).unwrap();
    let stream = socket.connect(([127, 0, 0, 1], site.device.port).into()).await.unwrap();
    let before = resident();
    // Each has an answer of about a kilobyte: the value with its text, then the end line.
    let texts = ["a".repeat(1000), "b".repeat(1000)];
    let block = texts.map(|text| format!("X note = {text}\n")).concat().into_bytes();
    let mut sent = 0;
    // The system's buffers fill; then nothing moves, however often the others are served.
    let mut still = 0;
    while still < 20 {
        match stream.try_write(&block[sent % block.len()..]) {
            Ok(count) => (sent, still) = (sent + count, 0),
            Err(_) => {
                site.serves().await;
                still += 1;
            }
        }
    }
    assert!(resident() < before + MAX_GROWTH, "{} bytes before, {} now", before, resident());
    site.takes_newcomers().await;

    let mut client = Raw::over(stream);
    let rest = &block[(sent + block.len() - 1) % block.len() + 1..];
    let commands = 2 * sent.div_ceil(block.len());
    let ends = client.converse(rest, commands).await;
    assert!(ends.iter().all(|end| end == "+0 OK"), "{ends:?}");
    site.serves().await;
}

/// One that sends and reads byte by byte is served as any other, at its own pace.
#[tokio::test]
async fn a_client_byte_by_byte() {
    let mut site = Site::with(|options| options.noauth = true).await;
    let mut client = site.stream().await;
    for byte in b"X limit = 5\r\n\r\n  \nX note = \"a b\"\nstatus_info\n" {
        client.write_all(&[*byte]).await.unwrap();
        site.serves().await;
    }
    let mut ends = 0;
    let mut line = Vec::new();
    while ends < 3 {
        let byte = patiently(client.read_u8()).await.unwrap();
        line.push(byte);
        if byte == b'\n' {
            ends += usize::from(line == b"+0 OK\n");
            line.clear();
        }
    }
    assert_eq!((site.limit.get(), site.note.get().as_str()), (5, "a b"));
}
