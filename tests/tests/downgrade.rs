//! Whoever wants an enrolled node to speak without TLS, or with an older one: a network that gives it another hub, a man in the
//! middle, an offer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests do")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use lamon_tests::agent::Agent;
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::keyed::Operator;
use lamon_tests::wait::eventually;
use lamon_tests::witness::Witness;
use lamon_wire::hello::{Answer, Welcome};
use lamon_wire::{Language, MAGIC};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What somebody in the middle does with a connection of a node.
#[derive(Clone, Copy, Debug)]
enum Middle {
    /// Passes everything on.
    Honest,
    /// Says that he is the hub, in plain, whatever he hears.
    Plain,
    /// Passes on what he hears without the first byte, so that the hub takes it for something else.
    Strips,
    /// Answers in words, as something that knows no TLS.
    Words,
}

/// Somebody between a node and its hub, who writes down the first bytes of each connection.
struct Man {
    address: SocketAddr,
    /// In turn, from connection to connection.
    does: Arc<Mutex<Vec<Middle>>>,
    heard: Book,
}

/// What was heard first, and then, on each connection.
type Book = Arc<Mutex<Vec<Vec<Vec<u8>>>>>;

impl Man {
    async fn between(hub: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let does = Arc::new(Mutex::new(vec![Middle::Honest]));
        let heard = Book::default();
        let (how, book) = (Arc::clone(&does), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let mut how = how.lock().unwrap();
                how.rotate_left(1);
                let how = *how.last().unwrap();
                let book = Arc::clone(&book);
                tokio::spawn(async move {
                    let mut page = Vec::new();
                    let _ = meddle(node, hub, how, &mut page).await;
                    book.lock().unwrap().push(page);
                });
            }
        });
        Self { address, does, heard }
    }

    fn does(&self, what: &[Middle]) {
        *self.does.lock().unwrap() = what.to_vec();
        self.heard.lock().unwrap().clear();
    }

    fn heard(&self) -> Vec<Vec<Vec<u8>>> {
        self.heard.lock().unwrap().clone()
    }
}

async fn meddle(mut node: TcpStream, hub: SocketAddr, how: Middle, page: &mut Vec<Vec<u8>>) -> Option<()> {
    let mut first = vec![0; 2_000];
    let count = node.read(&mut first).await.ok()?;
    first.truncate(count);
    page.push(first.clone());
    let mut welcome = MAGIC.to_vec();
    let word = Welcome { version: 2, hub_unix_ms: 1_795_000_000_000, committed: None, window: 64 };
    Answer::Welcome(word).write(&mut welcome).ok()?;
    match how {
        Middle::Honest | Middle::Strips => {
            let mut hub = TcpStream::connect(hub).await.ok()?;
            let from = if matches!(how, Middle::Strips) { 1 } else { 0 };
            hub.write_all(first.get(from..)?).await.ok()?;
            tokio::io::copy_bidirectional(&mut node, &mut hub).await.ok()?;
        }
        Middle::Plain => node.write_all(welcome.get(MAGIC.len()..)?).await.ok()?,
        Middle::Words => node.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok()?,
    }
    // Whatever more the node has to say.
    let mut more = vec![0; 2_000];
    let count = node.read(&mut more).await.unwrap_or(0);
    more.truncate(count);
    page.push(more);
    Some(())
}

/// A real agent that was enrolled at this address.
fn enrolled(folder: &Path, operator: &mut Operator, address: SocketAddr) -> Agent {
    operator.approved(folder, "ccd01").unwrap();
    let hubs = format!("{address} {}\n", operator.hub_key().unwrap());
    std::fs::write(folder.join("hubs"), hubs).unwrap();
    Agent::named("ccd01").keyed(&folder.join("ccd01.key")).start()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrolled_agent_says_nothing_in_plain_whoever_is_in_between_and_loses_nothing() {
    let hub = Hub::collector().start();
    let witness = Witness::start(&hub).await.unwrap();
    let man = Man::between(hub.address()).await;
    let folder = TempDir::new().unwrap();
    let agent = enrolled(folder.path(), &mut Operator::connect(hub.control()).unwrap(), man.address);
    archive::rows(&hub.archive(), "ccd01", 2).await;
    man.does(&[Middle::Plain, Middle::Strips, Middle::Words]);
    // The honest connection ends with the hub, which comes back behind the man in the middle.
    let hub = hub.terminate().unwrap().start();
    let heard = eventually("a try against each", || async {
        let heard = man.heard();
        (heard.len() >= 3).then_some(heard)
    })
    .await;
    for bytes in heard.iter().flatten().filter(|bytes| !bytes.is_empty()) {
        // An offer of TLS, or its word that it does not go on.
        assert!(matches!(bytes.first(), Some(0x16 | 0x15)), "{:?}", bytes.first());
        assert!(Language::of(bytes) != Some(Language::Binary));
        assert!(!bytes.windows(5).any(|word| word == b"ccd01"), "its name is told");
    }
    for offer in heard.iter().filter_map(|page| page.first()) {
        // Extension 43 of three bytes: a list of two, in it TLS 1.3 (RFC 8446, 4.2.1).
        assert!(offer.windows(7).any(|word| word == [0, 43, 0, 3, 2, 3, 4]), "another version is offered");
    }
    man.does(&[Middle::Honest]);
    let before = archive::rows(&hub.archive(), "ccd01", 2).await.len();
    let rows = archive::rows(&hub.archive(), "ccd01", before + 5).await;
    let numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>(), "each once, whatever happened");
    drop((agent, witness));
}

/// `openssl s_client` with these arguments and a line to say; what it tells of the session.
fn openssl(hub: SocketAddr, arguments: &[&str], key: &Path) -> String {
    let mut child = Command::new("openssl")
        .args(["s_client", "-connect", &hub.to_string(), "-cert"])
        .arg(key)
        .arg("-key")
        .arg(key)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("openssl is needed (Debian's package openssl): {error}"));
    let mut input = child.stdin.take().unwrap();
    let _ = std::io::Write::write_all(&mut input, b"node=ccd01 cpu_percent=1\n");
    // The hub closes what is idle; until then the input stays open.
    let output = child.wait_with_output().unwrap();
    drop(input);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_older_than_tls_1_3_is_spoken_and_nothing_is_said_before_the_handshake_is_over() {
    let hub = Hub::collector().believing("[]").start();
    let witness = Witness::start(&hub).await.unwrap();
    Operator::connect(hub.control()).unwrap().approved(witness.folder(), "ccd01").unwrap();
    let key = witness.folder().join("ccd01.key");
    let sessions = witness.folder().join("session");
    let kept = sessions.to_str().unwrap();
    for old in ["-tls1_2", "-tls1_1", "-tls1"] {
        // At its own lowest level, or openssl itself would not offer the oldest.
        let told = openssl(hub.address(), &[old, "-cipher", "ALL:@SECLEVEL=0"], &key);
        assert!(!told.contains("\nok"), "{old}: {told}");
        // Refused at its first word, before either shows a key.
        assert!(
            told.contains("no peer certificate available") && told.contains("SSL alert"),
            "{old}: {told}"
        );
    }
    // An offer of other protocols inside is not taken up, and hurts nobody.
    let told = openssl(hub.address(), &["-tls1_3", "-alpn", "h2,http/1.1", "-sess_out", kept], &key);
    assert!(
        told.contains("\nok") && told.contains("TLSv1.3") && told.contains("No ALPN negotiated"),
        "{told}"
    );
    // No ticket is given, so nobody resumes a session, and nothing can be said early and be said again.
    assert!(!told.contains("Reused") && !told.contains("Max Early Data: 1"), "{told}");
    assert!(!sessions.exists(), "a ticket was given");
    witness.lost_nothing(&hub).await;
}

/// The hub is not believed either where somebody else's answers at its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_of_its_hubs_is_not_believed_at_the_first_ones_address() {
    let (first, second) = (Hub::collector().named("first").start(), Hub::collector().named("second").start());
    let folder = TempDir::new().unwrap();
    // The network leads the first hub's address to the second, which the node is enrolled with as well.
    let man = Man::between(second.address()).await;
    let mut operators = [&first, &second].map(|hub| Operator::connect(hub.control()).unwrap());
    let mut hubs = String::new();
    for (operator, address) in operators.iter_mut().zip([man.address, second.address()]) {
        operator.approved(folder.path(), "ccd01").unwrap();
        hubs += &format!("{address} {}\n", operator.hub_key().unwrap());
    }
    std::fs::write(folder.path().join("hubs"), hubs).unwrap();
    let agent = Agent::named("ccd01").keyed(&folder.path().join("ccd01.key")).start();
    agent.says(&format!("{}: this is another hub than the one that is known", man.address));
    // At its own address it is.
    archive::rows(&second.archive(), "ccd01", 2).await;
    drop(first);
}
