//! The program against a publisher that the test speaks for, over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what the tests share fails them where it goes wrong"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No wait of these tests lasts longer.
const PATIENCE: Duration = Duration::from_secs(20);

const LEVEL: &str = r#"{"seq":1,"started":1.0,"time":60.5,"node":"ccd01","group":"c\"cd","level":"warning","heard":60.5,"muted":true,
    "metrics":{"disk_percent":{"level":"warning","value":82.5,"taken":60.0,"since":33.25,"flapping":true,"rule":"disk_percent: warning > 80",
    "limits":{"name":"disk","direction":"above","warning":80.0,"error":null,"clear":2.0}}}}"#;
const HUB: &str = r#"{"seq":1,"started":1.0,"time":61.0,"hub":"h1","level":"warning","worst":"ccd01 disk_percent 82.5 > 80"}"#;
const EVENT: &str = r#"{"seq":1,"started":1.0,"time":60.5,"node":"ccd01","kind":"level","level":"warning","text":"<b>disk</b>"}"#;

fn sample(node: &str, seq: u64) -> String {
    format!(
        r#"{{"seq":{seq},"started":1.0,"time":{seq},"node":"{node}","group":"ccd","taken":{seq},"interval":10,"metrics":{{"cpu_percent":{seq},"temp_a-b":null}}}}"#
    )
}

/// A hub of the test's words, which answers every question with its picture.
struct Hub {
    picture: Arc<Mutex<Vec<(&'static str, String)>>>,
    publish: zmq::Socket,
    ended: Arc<AtomicBool>,
    answering: Option<JoinHandle<()>>,
    addresses: [String; 2],
}

impl Hub {
    fn start() -> Self {
        let context = zmq::Context::new();
        let bound = |kind| {
            let socket = context.socket(kind).unwrap();
            socket.set_linger(0).unwrap();
            socket.set_rcvtimeo(50).unwrap();
            socket.bind("tcp://127.0.0.1:*").unwrap();
            let address = socket.get_last_endpoint().unwrap().unwrap();
            (socket, address)
        };
        let (publish, at) = bound(zmq::PUB);
        let (answer, answers_at) = bound(zmq::ROUTER);
        let ended = Arc::new(AtomicBool::new(false));
        let token = ended.clone();
        let first = sample("ccd01", 60);
        let picture =
            [("sample/ccd01", first.as_str()), ("level/ccd01", LEVEL), ("hub", HUB), ("event/ccd01", EVENT)];
        let picture = picture.map(|(topic, json)| (topic, json.to_owned()));
        let picture = Arc::new(Mutex::new(picture.to_vec()));
        let told = picture.clone();
        let answering = std::thread::spawn(move || {
            while !token.load(Ordering::Relaxed) {
                let Ok(question) = answer.recv_multipart(0) else { continue };
                let mut frames = vec![question[0].clone(), b"snapshot".to_vec(), b"{}".to_vec()];
                frames.extend(
                    told.lock()
                        .unwrap()
                        .iter()
                        .flat_map(|(topic, json)| [topic.as_bytes().to_vec(), json.as_bytes().to_vec()]),
                );
                answer.send_multipart(frames, 0).unwrap();
            }
        });
        Self { picture, publish, ended, answering: Some(answering), addresses: [at, answers_at] }
    }

    fn send(&self, topic: &str, json: &str) {
        self.publish.send_multipart([topic, json], 0).unwrap();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.answering.take().map(JoinHandle::join);
    }
}

/// The program, ended with the test.
struct Web {
    child: Child,
    at: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Web {
    fn start(addresses: &[String; 2]) -> Self {
        // Free a moment ago, so free now.
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.toml");
        let [publish, snapshot] = addresses;
        let text = format!("listen = \"{at}\"\n[bus]\npublish = \"{publish}\"\nsnapshot = \"{snapshot}\"\n");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamon-web"));
        let child =
            command.arg("-c").arg(file).args(["--log-to", "stderr"]).stderr(Stdio::null()).spawn().unwrap();
        let web = Self { child, at, _folder: folder };
        until("the port", || TcpStream::connect(at).ok());
        web
    }

    /// Status and whole answer to bytes as they are.
    fn raw(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        (status, answer)
    }

    fn get(&self, path: &str) -> (u16, String) {
        let (status, answer) =
            self.raw(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Waits until the hub's picture is there.
    fn wait_for_picture(&self) {
        until("the picture", || self.get("/api/v1/events").1.contains("disk").then_some(()));
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what} did not come");
}

#[test]
fn nodes_events_and_metrics_are_told() {
    let hub = Hub::start();
    let web = Web::start(&hub.addresses);
    web.wait_for_picture();
    assert_eq!(web.get("/healthz").0, 200);
    let site = web.json("/api/v1/site");
    assert_eq!((site["heard"].as_bool(), site["hub"]["name"].as_str()), (Some(true), Some("h1")));
    assert_eq!(site["groups"][0]["level"], "warning");
    let row = &web.json("/api/v1/nodes?level=warning")[0];
    assert_eq!(
        (&row["name"], &row["level"], &row["heard_ms"]),
        (&"ccd01".into(), &"warning".into(), &60_500.into())
    );
    assert_eq!(row["metrics"]["cpu_percent"]["value"], 60.0);
    assert_eq!(row["worst"]["metric"], "disk_percent");
    assert_eq!(web.json("/api/v1/nodes?level=error"), serde_json::json!([]));
    let node = web.json("/api/v1/nodes/ccd01");
    let disk = &node["metrics"]["disk_percent"];
    assert_eq!((&node["muted"], &node["acknowledged"]), (&true.into(), &false.into()));
    assert_eq!(
        (&disk["since_ms"], &disk["flapping"], &disk["unknown"]),
        (&33_250.into(), &true.into(), &false.into())
    );
    assert_eq!((&disk["unit"], &disk["rule"]), (&"%".into(), &"disk_percent: warning > 80".into()));
    let limits = serde_json::json!([{"name": "disk", "direction": "above", "warning": 80.0, "error": null, "clear": 2.0}]);
    assert_eq!(
        (&disk["limits"], &node["metrics"]["cpu_percent"]["limits"]),
        (&limits, &serde_json::json!([]))
    );
    assert_eq!(node["metrics"]["temp_a-b"]["value"], Value::Null);
    let event = &web.json("/api/v1/events?count=1")[0];
    assert_eq!((&event["text"], event.get("metric")), (&serde_json::json!("<b>disk</b>"), None));
    let (_, metrics) = web.get("/metrics");
    for line in [
        "# TYPE lamon_level gauge",
        r#"lamon_level{node="ccd01",group="c\"cd"} 1"#,
        r#"lamon_disk_percent{node="ccd01",group="c\"cd"} 82.5"#,
        r#"lamon_heard_timestamp_seconds{node="ccd01",group="c\"cd"} 60.5"#,
        r#"lamon_muted{node="ccd01",group="c\"cd"} 1"#,
        "lamon_hub_heard 1",
    ] {
        assert!(metrics.lines().any(|told| told == line), "{line} is not in\n{metrics}");
    }
    let described = web.json("/api/v1/openapi.json");
    for path in [
        "/healthz",
        "/metrics",
        "/api/v1/site",
        "/api/v1/nodes",
        "/api/v1/nodes/{node}",
        "/api/v1/events",
        "/api/v1/live",
    ] {
        assert!(described["paths"][path]["get"].is_object(), "{path}");
    }
}

#[test]
fn a_change_is_on_the_page_within_a_second_and_garbage_changes_nothing() {
    let hub = Hub::start();
    let web = Web::start(&hub.addresses);
    web.wait_for_picture();
    let mut stream = TcpStream::connect(web.at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut next = |wanted: &str| {
        let event = format!("event: {wanted}");
        assert!(lines.any(|line| line == event), "the stream ended");
        let data = lines.next().unwrap();
        serde_json::from_str::<Value>(data.strip_prefix("data: ").unwrap()).unwrap()
    };
    let hello = next("hello");
    assert_eq!(hello["site"]["hub"]["name"], "h1");
    assert_eq!(hello["nodes"][0]["name"], "ccd01");
    for garbage in ["", "{", "null", r#"{"seq":1}"#, "\u{0}\u{1}", &"[".repeat(100_000)] {
        hub.send("level/ccd01", garbage);
        hub.send(garbage, garbage);
    }
    let sent = Instant::now();
    hub.send("sample/ccd01", &sample("ccd01", 77));
    let nodes = next("nodes");
    assert!(sent.elapsed() < Duration::from_secs(1), "{:?}", sent.elapsed());
    assert_eq!(nodes[0]["metrics"]["cpu_percent"]["value"], 77.0);
    hub.send("event/ccd01", &EVENT.replace("\"seq\":1", "\"seq\":2").replace("disk", "again"));
    assert_eq!(next("event")["text"], "<b>again</b>");
    let of_metric =
        EVENT.replace("\"seq\":1", "\"seq\":3").replace("\"kind\"", "\"metric\":\"load1\",\"kind\"");
    hub.send("event/ccd01", &of_metric);
    assert_eq!(next("event")["metric"], "load1");
    hub.send("sample/old", &sample("old", 1));
    assert_eq!(next("nodes")[0]["name"], "old");
    hub.send("node/old", r#"{"seq":1,"started":1.0,"time":80.0,"node":"old","what":"gone"}"#);
    assert_eq!(next("gone"), serde_json::json!(["old"]));
    // The hub is started again and knows another node only.
    let new = sample("new", 5).replace("\"started\":1.0", "\"started\":2.0");
    *hub.picture.lock().unwrap() = vec![("sample/new", new.clone())];
    hub.send("sample/new", &new);
    assert_eq!(next("nodes")[0]["name"], "new");
    assert_eq!(next("gone"), serde_json::json!(["ccd01"]));
    assert_eq!(web.json("/api/v1/nodes").as_array().unwrap().len(), 1);
}

#[test]
fn without_a_hub_it_says_so() {
    // Ports that nobody answers on.
    let web = Web::start(&["tcp://127.0.0.1:1".into(), "tcp://127.0.0.1:2".into()]);
    let (status, body) = web.get("/healthz");
    assert_eq!(status, 503);
    assert!(body.contains("nothing is heard of the hub"), "{body}");
    assert_eq!(web.json("/api/v1/site")["heard"], false);
    assert_eq!(web.json("/api/v1/nodes"), serde_json::json!([]));
}

#[test]
fn what_makes_no_sense_and_who_is_foreign_is_refused() {
    let web = Web::start(&["tcp://127.0.0.1:1".into(), "tcp://127.0.0.1:2".into()]);
    for (path, wanted) in [
        ("/api/v1/nodes?level=bad", 400),
        ("/api/v1/nodes?colour=red", 400),
        ("/api/v1/events?count=0", 400),
        ("/api/v1/events?count=1001", 400),
        ("/api/v1/events?count=many", 400),
        ("/api/v1/nodes/%FF", 400),
        ("/api/v1/nodes/nobody", 404),
        ("/nothing", 404),
        ("/../etc/passwd", 404),
        ("/", 200),
    ] {
        let (status, body) = web.get(path);
        assert_eq!(status, wanted, "{path}: {body}");
        assert!(
            wanted == 200 || serde_json::from_str::<Value>(&body).unwrap()["error"].is_string(),
            "{body}"
        );
    }
    for (request, wanted) in [
        ("GET /api/v1/site HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n\r\n", 403),
        ("GET http://evil.example.org/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 403),
        ("GET / HTTP/1.0\r\n\r\n", 403),
        (
            "POST /api/v1/site HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            403,
        ),
        ("DELETE /api/v1/site HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        ("nonsense\r\n\r\n", 400),
    ] {
        let (status, answer) = web.raw(request);
        assert_eq!(status, wanted, "{request}: {answer}");
    }
    let (_, answer) = web.raw("GET / HTTP/1.1\r\nHost: [::1]:8617\r\nConnection: close\r\n\r\n");
    for header in [
        "content-security-policy: default-src 'self'",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
    ] {
        assert!(answer.contains(header), "{answer}");
    }
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let mut stream = TcpStream::connect(web.at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "a head without end was taken");
}

#[test]
fn an_address_for_everybody_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.toml");
    std::fs::write(&file, "listen = \"0.0.0.0:8617\"\n").unwrap();
    for task in [&["check"][..], &[]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_lamon-web")).args(task).arg("-c").arg(&file).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("web.toml:1:1: 0.0.0.0:8617 is not of this computer alone"), "{said}");
    }
}

#[test]
fn there_is_room_for_so_many_pages_and_a_page_that_is_gone_makes_room() {
    let web = Web::start(&["tcp://127.0.0.1:1".into(), "tcp://127.0.0.1:2".into()]);
    let mut pages: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(web.at).unwrap();
            stream.write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            assert!(BufReader::new(&stream).lines().any(|line| line.unwrap() == "event: hello"));
            stream
        })
        .collect();
    let (status, body) = web.get("/api/v1/live");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("200 pages are open already"), "{body}");
    assert_eq!(web.get("/api/v1/site").0, 200, "what is no page is answered");
    pages.pop();
    until("room", || {
        let mut stream = TcpStream::connect(web.at).unwrap();
        stream.write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(&stream).lines().next().unwrap().unwrap().contains(" 200 ").then_some(())
    });
}

#[test]
fn who_does_not_end_his_request_is_cut_off() {
    let web = Web::start(&["tcp://127.0.0.1:1".into(), "tcp://127.0.0.1:2".into()]);
    let mut stream = TcpStream::connect(web.at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
    let mut answer = Vec::new();
    // Within the patience: else this is an error, of time.
    stream.read_to_end(&mut answer).unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}
