//! Who visits the web page without a browser: the real lamon-web with users, and a client that sends exactly what it is told.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test whose page is not there, or answers no HTTP, ends here"
)]

use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

use crate::hub::Hub;
use crate::process::{self, Process};
use crate::wait::PATIENCE;

/// The password of [`Page::with_users`].
pub const PASSWORD: &str = "correct horse battery";

/// A running lamon-web with a password file of its own. It is killed when this is dropped.
#[derive(Debug)]
pub struct Page {
    process: Process,
    at: SocketAddr,
    folder: TempDir,
}

impl Page {
    /// A folder for a page that is still to be started: its configuration is written, and follows this hub.
    ///
    /// # Panics
    ///
    /// When the disk does not take it.
    #[must_use]
    pub fn prepare(hub: &Hub, lines: &str, tables: &str) -> (TempDir, SocketAddr) {
        let folder = TempDir::with_prefix("lamon-web").unwrap();
        // Free a moment ago, so free now; the same after a restart.
        let at = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
        let (publish, snapshot, users) = (hub.publish(), hub.snapshot(), folder.path().join("users"));
        let mut text =
            format!("listen = \"{at}\"\n{lines}\n[bus]\npublish = {publish:?}\nsnapshot = {snapshot:?}\n");
        let archive = hub.data_dir().join("archive.sqlite");
        writeln!(text, "[database]\nurl = \"sqlite:{}\"", archive.display()).unwrap();
        writeln!(text, "[control]\nsocket = {:?}\n[login]\nusers = {users:?}\n{tables}", hub.control())
            .unwrap();
        std::fs::write(folder.path().join("web.toml"), text).unwrap();
        (folder, at)
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it does not start; with its log.
    #[must_use]
    #[track_caller]
    pub fn start((folder, at): (TempDir, SocketAddr)) -> Self {
        let file = folder.path().join("web.toml");
        let arguments = ["-c".as_ref(), file.as_os_str(), "--log-to".as_ref(), "stderr".as_ref()];
        let process = Process::start("lamon-web", &arguments, None)
            .unwrap_or_else(|error| panic!("lamon-web does not start: {error:#}"));
        process.says("the page is at");
        Self { process, at, folder }
    }

    /// One with somebody of each role: vic may `view`, olga `operate`, ada is `admin`; each has [`PASSWORD`].
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn with_users(hub: &Hub) -> Self {
        let (folder, at) = Self::prepare(hub, "", "");
        add_users(folder.path());
        Self::start((folder, at))
    }

    /// Somebody who is logged in.
    ///
    /// # Panics
    ///
    /// When he is not let in.
    #[must_use]
    #[track_caller]
    pub fn logged_in(&self, name: &str) -> Visitor {
        let mut visitor = self.visitor();
        let answer = visitor.log_in(name, PASSWORD);
        assert_eq!(answer.code, 200, "{answer:?}");
        visitor
    }

    /// Starts it anew, after SIGTERM.
    ///
    /// # Panics
    ///
    /// When it does not end, or does not start.
    #[must_use]
    #[track_caller]
    pub fn restart(self) -> Self {
        let Self { mut process, at, folder } = self;
        assert!(process.terminate().is_ok_and(|status| status.success()), "it does not end");
        Self::start((folder, at))
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.at
    }

    /// Its folder: `web.toml`, `users`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process, for its log and for signals.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Somebody who is not logged in.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.at, "http", Connection::Plain)
    }
}

/// Makes somebody of each role in a page's folder, as [`Page::with_users`] says.
///
/// # Panics
///
/// When the command does not.
#[track_caller]
pub fn add_users(folder: &Path) {
    for (name, role) in [("vic", "view"), ("olga", "operate"), ("ada", "admin")] {
        let (code, said) = lamon_web(folder, &format!("user add {name} --role {role}"), PASSWORD);
        assert_eq!((code, said.trim()), (Some(0), format!("{name} may log in: {role}").as_str()));
    }
}

/// A new certificate of 127.0.0.1 as `web.crt` and `web.key` of a folder; its text.
///
/// # Panics
///
/// When it cannot be made or written.
#[must_use]
pub fn certificate(folder: &Path) -> String {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("web.crt"), own.cert.pem()).unwrap();
    let key = folder.join("web.key");
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    own.cert.pem()
}

/// Runs `lamon-web` with a password as its input; what it wrote to standard error and output, and its exit code.
///
/// # Panics
///
/// When it cannot be started.
pub fn lamon_web(folder: &Path, line: &str, password: &str) -> (Option<i32>, String) {
    let program = process::find("lamon-web").unwrap_or_else(|error| panic!("{error:#}"));
    let mut command = Command::new(program);
    command.arg("-c").arg(folder.join("web.toml")).args(line.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that needs no password does not read it.
    let _ = child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stderr, stdout].concat()).into_owned())
}

/// What lies below HTTP.
#[derive(Debug, Clone)]
pub enum Connection {
    /// TCP alone.
    Plain,
    /// TLS with who is believed.
    Tls(Arc<ClientConfig>),
}

impl Connection {
    /// TLS that believes this certificate alone, in PEM.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn believing(certificate: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self::Tls(config.into())
    }
}

/// A client with the cookie and the token that it was given.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Where the page is.
    pub at: SocketAddr,
    /// How it gets there.
    pub connection: Connection,
    /// What it says its page is.
    pub origin: Option<String>,
    /// The cookie that it sends.
    pub cookie: Option<String>,
    /// The token that it sends beside changes.
    pub token: Option<String>,
    /// Name and password as HTTP's Basic has them, that it sends with everything.
    pub basic: Option<String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub code: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

impl Visitor {
    /// A client of a page.
    #[must_use]
    pub fn new(at: SocketAddr, scheme: &str, connection: Connection) -> Self {
        Self {
            at,
            connection,
            origin: Some(format!("{scheme}://{at}")),
            cookie: None,
            token: None,
            basic: None,
        }
    }

    /// Sends a request as it is, and takes the answer.
    ///
    /// # Panics
    ///
    /// When nothing is answered.
    #[must_use]
    #[track_caller]
    pub fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let bytes = match &self.connection {
            Connection::Plain => converse(&mut stream, request),
            Connection::Tls(config) => {
                let connection =
                    ClientConnection::new(config.clone(), ServerName::IpAddress(self.at.ip().into()))
                        .unwrap();
                converse(&mut StreamOwned::new(connection, stream), request)
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Answer { code, head: head.into(), body: body.into() }
    }

    fn request(&self, first: &str, more: &str, body: &str) -> String {
        let mut text = format!("{first} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}", self.at);
        if let Some(cookie) = &self.cookie {
            let _ = write!(text, "Cookie: {cookie}\r\n");
        }
        if let Some(basic) = &self.basic {
            let _ = write!(text, "Authorization: Basic {basic}\r\n");
        }
        text + "\r\n" + body
    }

    /// Reads a path.
    #[must_use]
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.raw(&self.request(&format!("GET {path}"), "", ""))
    }

    /// Sends JSON to a path below `/api/v1/`, as the page does.
    #[must_use]
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let mut more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in [("Origin", &self.origin), ("X-Lamon-Csrf", &self.token)] {
            if let Some(value) = value {
                let _ = write!(more, "{name}: {value}\r\n");
            }
        }
        self.raw(&self.request(&format!("POST /api/v1/{path}"), &more, &body))
    }

    /// Logs in, and keeps cookie and token when it is let in.
    #[track_caller]
    pub fn log_in(&mut self, user: &str, password: &str) -> Answer {
        let answer = self.post("login", &serde_json::json!({"user": user, "password": password}));
        if answer.code == 200 {
            let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
            self.cookie = cookie.map(str::to_owned);
            self.token = answer.json()["csrf"].as_str().map(str::to_owned);
        }
        answer
    }

    /// Who it is: name and role, when it is logged in.
    #[must_use]
    #[track_caller]
    pub fn who(&self) -> Option<(String, String)> {
        let me = self.get("/api/v1/me").json();
        Some((me["user"].as_str()?.to_owned(), me["role"].as_str()?.to_owned()))
    }
}

fn converse(stream: &mut (impl Read + Write), request: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What is refused early is answered before all was sent.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.read_to_end(&mut bytes);
    bytes
}
