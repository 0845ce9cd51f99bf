//! A connection in TLS to a hub that is slow, or ends in the middle: whatever is sent arrives, and nobody turns in circles.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use lamon_agent::config::HubAddress;
use lamon_agent::connection::{Connection, Turn};
use lamon_keys::{Believed, Key};
use rustls::{ServerConnection, StreamOwned};

type Session = StreamOwned<ServerConnection, TcpStream>;

/// How long a test waits for what must come; never reached unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A hub that does this with its one connection, and a connection to it.
async fn connected<T: Send + 'static>(
    serve: impl FnOnce(Session) -> T + Send + 'static,
) -> (Connection, JoinHandle<T>) {
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str| Key::load_or_make(&folder.path().join(name), name).unwrap();
    let (hub, own) = (key("hub"), key("agent"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: HubAddress = listener.local_addr().unwrap().to_string().parse().unwrap();
    let config = lamon_keys::server(&hub).unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut session = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        session.conn.complete_io(&mut session.sock).unwrap();
        serve(session)
    });
    let tls = lamon_keys::client(&own, Believed::Keys(vec![hub.fingerprint()])).unwrap();
    let connection = Connection::connect(&address, Some(tls)).await.unwrap();
    assert_eq!(connection.hub_key(), Some(hub.fingerprint()));
    (connection, thread)
}

/// A frame of so many bytes, none like the one before.
fn frame(number: usize, bytes: usize) -> Vec<u8> {
    let length = u16::try_from(bytes).unwrap().to_be_bytes();
    length.into_iter().chain((0..bytes).map(|at| u8::try_from((number + at) % 251).unwrap())).collect()
}

async fn turn(connection: &mut Connection) -> std::io::Result<Turn> {
    tokio::time::timeout(PATIENCE, connection.turn()).await.expect("it stands still")
}

/// A backlog of a day, some megabytes, to a hub that reads a little at a time and says something of its own between.
#[tokio::test]
async fn a_backlog_goes_whole_to_a_hub_that_reads_slowly() {
    const FRAMES: usize = 200;
    let bytes_of = |number: usize| 100 + number * 7_919 % 40_000;
    let (mut connection, hub) = connected(move |mut session| {
        let (mut all, mut part, mut answers) = (Vec::new(), [0; 3_000], 0);
        let total: usize = (0..FRAMES).map(|number| bytes_of(number) + 2).sum();
        while all.len() < total {
            let count = session.read(&mut part).unwrap();
            all.extend_from_slice(&part[..count]);
            if all.len() / 100_000 > answers {
                answers += 1;
                session.write_all(&frame(answers, 50)).unwrap();
                // Long enough for everything between to fill.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        session.conn.send_close_notify();
        session.flush().unwrap();
        session.sock.shutdown(Shutdown::Write).unwrap();
        (all, answers)
    })
    .await;
    let (mut number, mut turns, mut answers, mut sent) = (0, 0_usize, 0, Vec::new());
    loop {
        // As the uplink does it: a frame when there is room, and what comes taken up.
        while number < FRAMES && connection.is_flushed() {
            connection.output = frame(number, bytes_of(number));
            sent.extend_from_slice(&connection.output);
            number += 1;
            connection.try_write().unwrap();
        }
        turns += 1;
        let end = turn(&mut connection).await.unwrap() == Turn::End;
        while let Some(answer) = connection.input.next_frame() {
            answers += 1;
            assert_eq!(answer, &frame(answers, 50)[2..]);
        }
        if end {
            break;
        }
    }
    let (came, said) = hub.join().unwrap();
    assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
    assert_eq!(answers, said);
    // The system takes some kilobytes at a time; a connection that turned in circles would turn some 100,000 times.
    assert!(turns < sent.len() / 500, "{turns} turns for {} bytes", sent.len());
}

/// The last word of a hub that ends is heard, whether it takes leave in TLS or only closes.
#[tokio::test]
async fn the_last_word_is_heard_and_the_end_is_no_error() {
    for takes_leave in [true, false] {
        let (mut connection, hub) = connected(move |mut session| {
            session.write_all(&frame(1, 30_000)).unwrap();
            if takes_leave {
                session.conn.send_close_notify();
            }
            session.flush().unwrap();
            session.sock.shutdown(Shutdown::Write).unwrap();
            // Whatever is not read would make a reset of the end.
            let _ = session.sock.read(&mut [0; 64]);
        })
        .await;
        while turn(&mut connection).await.unwrap() != Turn::End {}
        assert_eq!(connection.input.next_frame(), Some(&frame(1, 30_000)[2..]));
        drop(connection);
        hub.join().unwrap();
    }
}

/// What is on its way is not lost because something else is waited for.
#[tokio::test]
async fn a_turn_that_is_given_up_loses_nothing() {
    let (mut connection, hub) = connected(|mut session| {
        for number in 0..2_000 {
            session.write_all(&frame(number, 40)).unwrap();
        }
        session.sock.shutdown(Shutdown::Write).unwrap();
        let _ = session.sock.read(&mut [0; 64]);
    })
    .await;
    let mut heard = 0;
    loop {
        let turned = tokio::select! {
            biased;
            () = tokio::task::yield_now() => None,
            turn = connection.turn() => Some(turn.unwrap()),
        };
        while let Some(answer) = connection.input.next_frame() {
            assert_eq!(answer, &frame(heard, 40)[2..]);
            heard += 1;
        }
        if turned == Some(Turn::End) {
            break;
        }
    }
    assert_eq!(heard, 2_000);
    drop(connection);
    hub.join().unwrap();
}
