//! A centrald that says what none should. The device has another, honest one, which goes on serving it.

use rts2dev::Registration;
use rts2dev::client::Client;
use tokio::net::{TcpListener, TcpStream};

use crate::common::{Raw, patiently};
use crate::site::{MAX_GROWTH, NAME, Site, resident};

/// A site whose device has a second centrald, which is ours to play.
async fn site_and_liar() -> (Site, TcpListener, Raw) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let site = Site::with(|options| options.centralds.push(address)).await;
    let liar = accept(&listener).await;
    (site, listener, liar)
}

/// The device's connection, with its registration read.
async fn accept(listener: &TcpListener) -> Raw {
    let (stream, _) = patiently(listener.accept()).await.unwrap();
    let mut liar = Raw::over(stream);
    let register = liar.line().await.unwrap();
    assert!(register.starts_with(&format!("register 1 {NAME} 15 ")), "{register}");
    liar
}

async fn registered(site: &Site) {
    let mut status = site.device.handle.centrald_status();
    let registered = |link: &Registration| matches!(link, Registration::Registered { .. });
    patiently(status.wait_for(|status| registered(&status.links[1].registration))).await.unwrap();
}

/// The limit is `MAX_LINE_BYTES`: the rest of such a line is thrown away, and what follows it is taken.
#[tokio::test]
async fn a_centrald_of_endless_lines() {
    let (mut site, _listener, mut liar) = site_and_liar().await;
    let before = resident();
    for _ in 0..4 {
        liar.send_bytes(&vec![b'x'; 32 << 20]).await;
        site.serves().await;
    }
    assert!(resident() < before + 3 * MAX_GROWTH, "{} bytes before, {} now", before, resident());
    liar.send("\nA registered_as 7\n+0 OK").await;
    registered(&site).await;
    site.serves().await;
    site.takes_newcomers().await;
}

/// Rubbish registers nobody and stops nothing; when it closes, it is tried again as after any loss.
#[tokio::test]
async fn a_centrald_of_rubbish() {
    let (mut site, listener, mut liar) = site_and_liar().await;
    let mut number: u32 = 1;
    for _ in 0..16 {
        // Any bytes but `D` at the front of a line, which announces bytes and ends the connection when it is broken.
        let rubbish: Vec<u8> = std::iter::repeat_with(|| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            number.to_be_bytes()[0]
        })
        .filter(|byte| *byte != b'D')
        .take(1 << 16)
        .collect();
        // What it is asked it must not understand, and what it answers nobody reads.
        liar.send_bytes(&rubbish).await;
        site.serves().await;
    }
    assert!(!matches!(
        site.device.handle.centrald_status().borrow().links[1].registration,
        Registration::Registered { .. }
    ));
    liar.close(true);
    let mut liar = accept(&listener).await;
    liar.send("A registered_as 7\n+0 OK").await;
    registered(&site).await;
    site.serves().await;
}

/// Half an authorization authorizes nobody: another client's number, an end without a word, a connection that breaks.
#[tokio::test]
async fn a_centrald_of_half_authorizations() {
    let (mut site, listener, mut liar) = site_and_liar().await;
    liar.send("A registered_as 7\n+0 OK").await;
    registered(&site).await;
    let mut stranger = site.connect().await;
    liar.send("A authorization_ok 5\nA authorization_ok 6").await;
    site.serves().await;
    let lines = stranger.command("info").await;
    assert_eq!(lines[lines.len() - 1], "-1 unknow command info");

    // It answers about somebody else, and then only ends the command.
    stranger.send("auth 5 1 77").await;
    liar.until(|line| line == "authorize 5 77").await;
    liar.send("A authorization_ok 6\n+0 OK").await;
    let lines = stranger.until(|line| line.starts_with(['+', '-'])).await;
    assert_eq!(lines[lines.len() - 1], "-5 authorization failed");

    // It says nothing for long: the client waits, nobody else does. Then it is gone.
    let mut stranger = site.connect().await;
    stranger.send("auth 5 1 77").await;
    liar.until(|line| line == "authorize 5 77").await;
    site.serves().await;
    site.takes_newcomers().await;
    liar.send_bytes(b"A authorization_ok 5").await;
    liar.close(false);
    let lines = stranger.until(|line| line.starts_with(['+', '-'])).await;
    assert_eq!(lines[lines.len() - 1], "-5 cannot authorize; try again later");
    accept(&listener).await;
    site.serves().await;
}

/// A centrald that asks without end and reads nothing: no more of it is taken when its output is full (32 KiB).
#[tokio::test]
async fn a_centrald_that_never_reads() {
    let (mut site, _listener, mut liar) = site_and_liar().await;
    liar.send("A registered_as 7\n+0 OK").await;
    registered(&site).await;
    let before = resident();
    let block = "status_info\nA registered_as 8\nB 0 0\n".repeat(100);
    let mut still = 0;
    while still < 20 {
        if liar.try_write(block.as_bytes()) {
            still = 0;
        } else {
            site.serves().await;
            still += 1;
        }
    }
    assert!(resident() < before + MAX_GROWTH, "{} bytes before, {} now", before, resident());
    site.takes_newcomers().await;
}

/// Our own client, at a centrald whose first line has no end for long: it logs in all the same.
#[tokio::test]
async fn a_client_of_a_centrald_of_endless_lines() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let before = resident();
    let liar = async {
        let (stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        let mut liar = Raw::over(stream);
        liar.line().await.unwrap();
        liar.send_bytes(&vec![b'x'; 64 << 20]).await;
        liar.send("\n\0\u{fffd}\nV a\nE x\n+0 OK").await;
        liar.line().await.unwrap();
        liar.send("logged_as 3\n+0 OK").await;
        liar.line().await.unwrap();
        liar.send("+0 OK").await;
        liar
    };
    let (client, _liar) =
        patiently(async { tokio::join!(Client::login(&address, "observer", "test"), liar) }).await;
    assert_eq!(client.unwrap().id(), 3);
    assert!(resident() < before + 2 * MAX_GROWTH, "{} bytes before, {} now", before, resident());
}
