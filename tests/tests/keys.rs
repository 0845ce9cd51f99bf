//! Who may speak for which node: the real hub, the real agent, the real commands, in TLS.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lamon_tests::agent::Agent;
use lamon_tests::archive;
use lamon_tests::hub::{Hub, HubBuilder};
use lamon_tests::lamon::{Said, lamon};
use lamon_tests::process;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;
use tempfile::TempDir;

/// A hub that believes nobody without a key.
fn strict() -> HubBuilder {
    Hub::collector().believing("[]").with("[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]")
}

fn ask(hub: &Hub, line: &str) -> Said {
    lamon(hub.control(), line)
}

fn hub_key(hub: &Hub) -> String {
    let all: serde_json::Value = serde_json::from_str(&ask(hub, "--json keys").out).unwrap();
    all["keys"]["hub"].as_str().unwrap().to_owned()
}

/// `lamon-agent` with these arguments, for the node whose key lies in the folder.
fn agent(folder: &Path, node: &str, arguments: &[&str]) -> Command {
    let config = folder.join(format!("{node}.toml"));
    let key = folder.join(node).join("agent.key");
    // Once: another of the same node may be reading it.
    if !config.exists() {
        std::fs::write(&config, format!("node = {node:?}\nkey = {key:?}\n")).unwrap();
    }
    let mut command = Command::new(process::find("lamon-agent").unwrap());
    command.args(arguments).arg("-c").arg(config).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// `lamon-agent enroll`, which waits to be approved; killed when the test ends before it does.
struct Enrolling(Child);

impl Enrolling {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn end(mut self) -> (Option<i32>, String) {
        let status = self.0.wait().unwrap();
        let mut said = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

impl Drop for Enrolling {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn waits(hub: &Hub, words: &str) -> String {
    eventually(&format!("lamon keys shows {words}"), || async {
        let shown = ask(hub, "keys").out;
        shown.contains(words).then_some(shown)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_enrolled_approved_and_heard_in_tls() {
    let hub = strict().start();
    let folder = TempDir::new().unwrap();
    let address = hub.address().to_string();
    let key = hub_key(&hub);
    // Nobody is at a terminal to compare the hub's key: it is shown, and nothing is believed.
    let (code, said) = run(&mut agent(folder.path(), "ccd01", &["enroll", &address, "--wait", "0"]));
    assert!(code == Some(69) && said.contains(&format!("has the key {key}")), "{said}");
    assert!(!folder.path().join("ccd01/hubs").exists());
    // A hub of another key is none.
    let (_, other) = run(&mut agent(folder.path(), "other", &["key"]));
    let (code, said) = run(&mut agent(
        folder.path(),
        "ccd01",
        &["enroll", &address, "--hub-key", other.trim(), "--wait", "0"],
    ));
    assert!(
        code == Some(69)
            && said.contains("this is another hub than the one that is known")
            && said.contains(&key),
        "{said}"
    );

    let enrolling = Enrolling::start(agent(folder.path(), "ccd01", &["enroll", &address, "--hub-key", &key]));
    let (_, own) = run(&mut agent(folder.path(), "ccd01", &["key"]));
    let shown = waits(&hub, own.trim()).await;
    assert!(shown.contains("ccd01") && shown.contains("127.0.0.1") && shown.contains("new"), "{shown}");
    hub.says("waits to be approved with the key");
    assert!(ask(&hub, "status").out.contains("waits to be approved (lamon keys): ccd01"));
    assert_eq!(ask(&hub, "approve ccd02").code, Some(1));
    assert!(ask(&hub, "approve ccd01").out.contains("approved ccd01"));
    let (code, said) = enrolling.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("waits to be approved") && said.contains("takes the samples of ccd01"), "{said}");

    // The agent itself is told of no hub: it knows the one that it was enrolled with.
    let daemon = Agent::named("ccd01").keyed(&folder.path().join("ccd01/agent.key")).start();
    archive::rows(&hub.archive(), "ccd01", 3).await;
    // A plain connection does not speak for it any more, nor does text, from wherever.
    let hub = hub.terminate().unwrap().believing("[\"127.0.0.0/8\"]").listening_on(&address).start();
    let refused = say(hub.address(), "node=ccd01 cpu_percent=1").await.unwrap();
    assert!(refused.contains("ccd01 has a key, and is heard by it alone"), "{refused}");
    assert_eq!(say(hub.address(), "node=ccd02 cpu_percent=1").await.unwrap(), "ok");
    hub.says("agent connected");
    let plain = Agent::named("ccd01").sending_to(hub.address()).start();
    plain.says("ccd01 has a key, and is heard by it alone");
    drop(plain);
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_agent_is_enrolled_and_goes_over_to_tls_without_a_restart() {
    let hub = Hub::collector().start();
    let folder = TempDir::new().unwrap();
    let key_file = folder.path().join("ccd01/agent.key");
    std::fs::create_dir_all(key_file.parent().unwrap()).unwrap();
    let daemon = Agent::named("ccd01").sending_to(hub.address()).keyed(&key_file).start();
    archive::rows(&hub.archive(), "ccd01", 1).await;
    let (_, own) = run(&mut agent(folder.path(), "ccd01", &["key"]));
    assert_eq!(ask(&hub, &format!("approve ccd01 {}", own.trim())).code, Some(0));
    // Its plain connection is cut, and it is heard no more until it knows the hub's key.
    hub.says("somebody at 127.0.0.1 wants to speak for ccd01 without its key");
    let address = hub.address().to_string();
    let (code, said) =
        run(&mut agent(folder.path(), "ccd01", &["enroll", &address, "--hub-key", &hub_key(&hub)]));
    assert_eq!(code, Some(0), "{said}");
    let before = archive::rows(&hub.archive(), "ccd01", 1).await.len();
    let rows = archive::rows(&hub.archive(), "ccd01", before + 3).await;
    let numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    let expected: Vec<_> = (numbers[0]..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "none is lost on the way over");
    // Its list of hubs goes, and the connection: it does not fall back to plain.
    std::fs::remove_file(key_file.with_file_name("hubs")).unwrap();
    let hub = hub.terminate().unwrap().listening_on(&address).start();
    daemon.says("hubs is gone or empty, and with it the hubs' keys");
    // Nor when it is started anew.
    drop(daemon);
    let daemon = Agent::named("ccd01").sending_to(hub.address()).keyed(&key_file).start();
    daemon.says("hubs is gone or empty, and with it the hubs' keys");
    assert!(ask(&hub, "revoke ccd01 -m test").out.contains("revoked"));
    assert!(hub.log().iter().all(|line| !line.contains("without its key")), "it said nothing in plain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_replaced_revoked_and_kept_over_a_restart() {
    let hub = strict().start();
    let folder = TempDir::new().unwrap();
    let (address, key) = (hub.address().to_string(), hub_key(&hub));
    let (_, own) = run(&mut agent(folder.path(), "ccd01", &["key"]));
    ask(&hub, &format!("approve ccd01 {}", own.trim()));
    let enroll = |node: &'static str| {
        agent(folder.path(), node, &["enroll", &address, "--hub-key", &key, "--wait", "0"])
    };
    assert_eq!(run(&mut enroll("ccd01")).0, Some(0));

    let hub = hub.terminate().unwrap().listening_on(&address).start();
    assert_eq!(hub_key(&hub), key, "the hub's key stays");
    assert_eq!(run(&mut enroll("ccd01")).0, Some(0), "and so do those of nodes");

    // A copied disk under another name.
    std::fs::create_dir_all(folder.path().join("ccd07")).unwrap();
    std::fs::copy(folder.path().join("ccd01/agent.key"), folder.path().join("ccd07/agent.key")).unwrap();
    let (code, said) = run(&mut enroll("ccd07"));
    assert!(code == Some(69) && said.contains("this key is that of ccd01"), "{said}");
    hub.says("comes with the key of ccd01: is its disk a copy?");

    // Set up anew: the new key waits beside the old one, which speaks until the new one is approved.
    std::fs::rename(folder.path().join("ccd01/agent.key"), folder.path().join("old.key")).unwrap();
    let (code, said) = run(&mut enroll("ccd01"));
    assert!(code == Some(69) && said.contains("waits to be approved"), "{said}");
    waits(&hub, "another key than before").await;
    assert_eq!(ask(&hub, "approve ccd01").code, Some(0));
    assert_eq!(run(&mut enroll("ccd01")).0, Some(0));
    std::fs::rename(folder.path().join("old.key"), folder.path().join("ccd01/agent.key")).unwrap();
    let (code, said) = run(&mut enroll("ccd01"));
    assert!(code == Some(69) && said.contains("this key was revoked"), "{said}");

    let _other = Enrolling::start(agent(folder.path(), "door", &["enroll", &address, "--hub-key", &key]));
    waits(&hub, "door").await;
    assert!(ask(&hub, "revoke door -m 'nobody knows it'").out.contains("revoked the key"));
    let shown = waits(&hub, "nobody knows it").await;
    assert!(shown.contains("nobody waits to be approved"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_secret_lets_so_many_in() {
    let hub = strict().start();
    let folder = TempDir::new().unwrap();
    let address = hub.address().to_string();
    let token = ask(&hub, "join @ccd --nodes 2 --for 1h").out;
    assert!(token.ends_with(&hub_key(&hub)), "{token}");
    let file = folder.path().join("join");
    std::fs::write(&file, &token).unwrap();
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    let file = file.to_str().unwrap().to_owned();
    // Whoever reads it gets in.
    mode(0o644);
    let (code, said) = run(&mut agent(folder.path(), "ccd01", &["enroll", &address, "--join", &file]));
    assert!(code == Some(69) && said.contains("may be used by others than its owner: chmod 600"), "{said}");
    mode(0o600);
    let join = |node: &str| {
        run(&mut agent(folder.path(), node, &["enroll", &address, "--join", &file, "--wait", "0"]))
    };
    for (node, expected) in [
        ("ccd01", None),
        ("door", Some("for other nodes")),
        ("ccd02", None),
        ("ccd03", Some("as often as it may be")),
    ] {
        let (code, said) = join(node);
        match expected {
            None => assert_eq!(code, Some(0), "{node}: {said}"),
            Some(why) => assert!(code == Some(69) && said.contains(why), "{node}: {said}"),
        }
    }
    let secret = token.split('@').next().unwrap();
    assert!(hub.log().iter().all(|line| !line.contains(secret)), "a secret is in no log");
    assert!(!std::fs::read_to_string(hub.data_dir().join("operator.json")).unwrap().contains(secret));
    // The agent alone, by its configuration.
    let token = ask(&hub, "join door2").out;
    let file = folder.path().join("join2");
    lamon_secret::replace(&file, token.as_bytes()).unwrap();
    let line = format!("join = {file:?}");
    let key = folder.path().join("door2/agent.key");
    let agent = || Agent::named("door2").sending_to(hub.address()).keyed(&key).with(&line);
    let daemon = agent().start();
    archive::rows(&hub.archive(), "door2", 2).await;
    daemon.says("the join token can be removed");
    // It knows the hub without it from now on.
    assert!(std::fs::read_to_string(key.with_file_name("hubs")).unwrap().contains(&hub_key(&hub)));
    daemon.terminate().unwrap();
    std::fs::remove_file(&file).unwrap();
    let known = archive::rows(&hub.archive(), "door2", 2).await.len();
    let _daemon = agent().start();
    archive::rows(&hub.archive(), "door2", known + 1).await;
    assert!(ask(&hub, "end-join 1").out.contains("ended join secret 1"));
}

/// The secret of one hub is no word for another, which the node believes as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_secret_is_told_to_the_hub_that_made_it() {
    let (first, second) = (strict().named("first").start(), strict().named("second").start());
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("join");
    lamon_secret::replace(&file, ask(&second, "join *").out.as_bytes()).unwrap();
    let lines = format!("hub_keys = [{:?}]\njoin = {file:?}", hub_key(&first));
    let agent = Agent::named("ccd01").sending_to(first.address()).sending_to(second.address());
    let agent = agent.with(&lines).start();
    archive::rows(&second.archive(), "ccd01", 1).await;
    let refused = agent.says(&format!("{}: the hub refuses this node", first.address()));
    assert!(!refused.contains("join secret"), "{refused}");
}

/// Text in TLS, by what every system has: openssl. It may speak for the node whose key it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_comes_in_tls_too() {
    let hub = strict().start();
    let folder = TempDir::new().unwrap();
    let (_, own) = run(&mut agent(folder.path(), "cam1", &["key"]));
    let send = |with_key: bool, line: &str| {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-no_ign_eof", "-connect", &hub.address().to_string()]);
        let key = folder.path().join("cam1/agent.key");
        if with_key {
            command.arg("-cert").arg(&key).arg("-key").arg(&key);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("openssl is needed (Debian's package openssl): {error}"));
        let mut input = child.stdin.take().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
        // The hub closes what is idle; until then the input stays open.
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        drop(input);
        child.wait().unwrap();
        said.trim().to_owned()
    };
    let refused = send(false, "node=cam1 cpu_percent=1");
    assert!(refused.contains("connections without a key are not taken"), "{refused}");
    let refused = send(true, "node=cam1 cpu_percent=1");
    assert!(refused.contains("waits to be approved"), "{refused}");
    assert!(ask(&hub, "keys").out.contains(own.trim()));
    ask(&hub, "approve cam1");
    assert_eq!(send(true, "node=cam1 cpu_percent=1"), "ok");
    // And by the script for computers that no agent runs on.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/examples/agent.sh");
    let mut script = Command::new(script);
    script.args([&hub.address().to_string(), "cam1"]).env("LAMON_KEY", folder.path().join("cam1/agent.key"));
    assert_eq!(run(&mut script), (Some(0), String::new()));
    let refused = send(true, "node=cam2 cpu_percent=1");
    assert!(refused.contains("this key is that of cam1"), "{refused}");
}

/// A stranger in TLS who goes on saying what is no line, or nothing: he has his place for ten seconds, and nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_who_talks_on_keeps_no_place_and_makes_no_event() {
    let hub = strict().start();
    for word in ["", "nonsense", "node=cam1 cpu_percent=1"] {
        let mut child = Command::new("openssl")
            .args(["s_client", "-quiet", "-no_ign_eof", "-connect", &hub.address().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("openssl is needed (Debian's package openssl): {error}"));
        let mut input = child.stdin.take().unwrap();
        let began = Instant::now();
        let talking = std::thread::spawn(move || {
            // A line a second: idle it never is.
            while input.write_all(format!("{word}\n").as_bytes()).is_ok() {
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(began.elapsed() < Duration::from_secs(20), "{word}: {:?}", began.elapsed());
        assert!(!said.contains("ok"), "{said}");
        child.wait().unwrap();
        talking.join().unwrap();
    }
    let events = ask(&hub, "events").out;
    assert!(!events.contains("refused") && !events.contains("cam1"), "{events}");
}

/// Connections that stop within the handshake cost nobody a sample.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_that_stop_in_the_handshake_are_nothing_to_others() {
    let hub = strict().start();
    let folder = TempDir::new().unwrap();
    let (_, own) = run(&mut agent(folder.path(), "ccd01", &["key"]));
    ask(&hub, &format!("approve ccd01 {}", own.trim()));
    let address = hub.address();
    let key = hub_key(&hub);
    let enrolled =
        run(&mut agent(folder.path(), "ccd01", &["enroll", &address.to_string(), "--hub-key", &key]));
    assert_eq!(enrolled.0, Some(0), "{}", enrolled.1);
    let _daemon = Agent::named("ccd01").keyed(&folder.path().join("ccd01/agent.key")).start();
    archive::rows(&hub.archive(), "ccd01", 1).await;
    // The beginning of a handshake, and silence.
    let stopped: Vec<TcpStream> = (0..1_000)
        .filter_map(|_| {
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
            stream.write_all(&[0x16, 0x03, 0x01]).ok()?;
            Some(stream)
        })
        .collect();
    assert!(stopped.len() > 500, "{}", stopped.len());
    hub.says("too many wait to say who they are");
    let before = archive::rows(&hub.archive(), "ccd01", 1).await.len();
    archive::rows(&hub.archive(), "ccd01", before + 3).await;
    drop(stopped);
    // Who comes then is served.
    let again = run(&mut agent(folder.path(), "ccd01", &["enroll", &address.to_string(), "--hub-key", &key]));
    assert_eq!(again.0, Some(0), "{}", again.1);
}
