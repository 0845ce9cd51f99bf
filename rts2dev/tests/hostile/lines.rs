//! Lines that no client should send.

use rts2dev::proto::MAX_LINE_BYTES;
use tokio::io::AsyncWriteExt;

use crate::common::Raw;
use crate::site::{MAX_GROWTH, Site, resident};

const BAD_X: &str = "-2 invalid parameters/invalid number of parameters - X";

/// The limit is `MAX_LINE_BYTES`: such a line is thrown away as it comes, and answered once.
#[tokio::test]
async fn a_line_of_a_gigabyte() {
    let mut site = Site::start().await;
    let (mut client, _login) = site.client().await;
    let chunk = vec![b'x'; 1 << 20];
    let before = resident();
    for megabyte in 0..1024 {
        client.send_bytes(&chunk).await;
        if megabyte % 128 == 100 {
            assert!(resident() < before + MAX_GROWTH, "{} bytes before, {} now", before, resident());
            site.serves().await;
        }
    }
    client.send("").await;
    assert_eq!(last(&mut client, "X limit = 5").await, ["-2 line too long"]);
    client.until(|line| line == "+0 OK").await;
    assert_eq!(site.limit.get(), 5);
    site.serves().await;
}

/// A line of just the limit is read, one byte more is not. The limit is `MAX_LINE_BYTES`.
#[tokio::test]
async fn a_line_of_the_limit() {
    let mut site = Site::start().await;
    let (mut client, _login) = site.client().await;
    let line = format!("bogus {}", "x".repeat(MAX_LINE_BYTES - 6));
    assert_eq!(last(&mut client, &line).await, ["-1 unknow command bogus"]);
    assert_eq!(last(&mut client, &(line + "x")).await, ["-2 line too long"]);
    site.serves().await;
}

/// A client that never authorized is no better off with a line that does not end, and is closed by nobody for it.
#[tokio::test]
async fn lines_without_end_of_a_stranger() {
    let mut site = Site::start().await;
    let mut strangers = Vec::new();
    let before = resident();
    let chunk = vec![b' '; 1 << 20];
    for _ in 0..20 {
        let mut stranger = site.connect().await;
        stranger.send_bytes(&chunk).await;
        strangers.push(stranger);
    }
    for stranger in &mut strangers {
        for _ in 0..4 {
            stranger.send_bytes(&chunk).await;
        }
    }
    assert!(resident() < before + MAX_GROWTH, "{} bytes before, {} now", before, resident());
    site.serves().await;
    site.takes_newcomers().await;
}

/// Bytes that no line has, numbers beyond their range, quotes left open: each costs its line only, and a command that
/// cannot be read is answered.
#[tokio::test]
async fn lines_that_mean_nothing() {
    let mut site = Site::start().await;
    let (mut client, _login) = site.client().await;
    let table: &[(&[u8], Option<&str>)] = &[
        (b"X limit = 6\0", Some(BAD_X)),
        (b"X limit\0 = 6", Some(BAD_X)),
        (b"\0", Some("-2 invalid parameters/invalid number of parameters - ?")),
        (b"\xff\xfe", Some("-1 unknow command \u{fffd}\u{fffd}")),
        (b"X limit = 6\rinfo", Some(BAD_X)),
        (b"X limit = 2147483648", Some(BAD_X)),
        (b"X limit = -2147483649", Some(BAD_X)),
        (b"X limit = 99999999999999999999999999", Some(BAD_X)),
        (b"X limit = 1e3000", Some(BAD_X)),
        (b"X limit + 2147483647", Some("+0 OK")),
        (b"X limit + 1", Some(BAD_X)),
        (b"X limit = 7", Some("+0 OK")),
        (b"X \"limit = 8", Some(BAD_X)),
        (b"X note = \"open", Some(BAD_X)),
        (b"X note = \"", Some(BAD_X)),
        (b"X note = \"a\"b\"", Some(BAD_X)),
        (b"X note = \"caf\xe9\"", Some("+0 OK")),
        (b"X limit[1 = 3", Some("-5 missing ] for end of array index")),
        (b"auth 99999999999 0 1", Some("-2 invalid parameters/invalid number of parameters - auth")),
        // What is told and not asked has no end line, readable or not.
        (b"S 99999999999999", None),
        (b"B 1", None),
        (b"M 1 2", None),
        (b"T what", None),
        (b"+99999999999 x", None),
        (b"V limit 9", None),
        (b"E 99999999999 \"limit\" \"x\"", None),
        (b"F \"limit", None),
    ];
    for (line, answer) in table {
        client.send_bytes(&[line, &b"\nbase_info\n"[..]].concat()).await;
        let mut ends = Vec::new();
        for _ in 0..1 + usize::from(answer.is_some()) {
            let lines = client.until(|line| line.starts_with(['+', '-'])).await;
            ends.push(lines[lines.len() - 1].clone());
        }
        let wanted: Vec<_> = answer.iter().copied().chain(["+0 OK"]).collect();
        assert_eq!(ends, wanted, "{}", String::from_utf8_lossy(line));
    }
    assert_eq!((site.limit.get(), site.note.get().as_str()), (7, "caf\u{fffd}"));
    site.serves().await;
}

/// What stands in a block of raw bytes is no command, however long the block is said to be; a block of no readable length
/// ends its connection, since nothing behind it can be told apart.
#[tokio::test]
async fn a_command_inside_a_binary_block() {
    let mut site = Site::start().await;
    let (mut client, _login) = site.client().await;
    client.send_bytes(b"D 1 0 20\nX limit = 99\nkillallX limit = 5\n").await;
    let lines = client.until(|line| line.starts_with(['+', '-'])).await;
    assert_eq!(lines, ["V limit 5", "+0 OK"]);
    client.send_bytes(b"D 1 0 99999999999999\nX limit = 99\n").await;
    site.serves().await;
    assert_eq!(site.limit.get(), 5);

    let (mut client, _login) = site.client().await;
    client.send_bytes(b"D 1 0 many\nX limit = 99\n").await;
    while client.line().await.is_some() {}
    site.serves().await;
    assert_eq!(site.limit.get(), 5);
}

/// What was not ended by a line end never happened, whichever way the connection ends.
#[tokio::test]
async fn a_peer_that_closes_mid_line() {
    let mut site = Site::start().await;
    for reset in [false, true] {
        let (mut client, _login) = site.client().await;
        client.send_bytes(b"X limit = 4\nX limit = 3").await;
        client.until(|line| line == "+0 OK").await;
        client.close(reset);
        site.serves().await;
        assert_eq!(site.limit.get(), 4);
        let mut stranger = site.stream().await;
        stranger.write_all(b"auth 1 0").await.unwrap();
        if reset {
            stranger.set_zero_linger().unwrap();
        }
        drop(stranger);
        site.serves().await;
    }
    site.takes_newcomers().await;
}

/// The end line of a command.
async fn last(client: &mut Raw, line: &str) -> [String; 1] {
    [client.command(line).await.pop().unwrap()]
}
