//! An HTTP server that takes, refuses, hangs, or is as good as gone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::tls::{self, Authority};

/// How it behaves.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// Answers this.
    Answer(u16, String),
    /// Answers 200 and what this makes of everything that was posted, the newest last.
    By(fn(&[Post]) -> String),
    /// Reads, and says nothing.
    Hang,
    /// Closes the connection.
    Close,
}

/// What somebody posted.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// Path and query.
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
    /// Whether it was answered by 200.
    pub(crate) taken: bool,
}

impl Post {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) port: u16,
    mode: Arc<Mutex<Mode>>,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Http {
    pub(crate) fn start(mode: Mode) -> Self {
        Self::start_with(mode, None)
    }

    /// One that speaks TLS, for `localhost`.
    pub(crate) fn start_with(mode: Mode, authority: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, mode: Arc::new(Mutex::new(mode)), posts: Arc::default() };
        let (serving, tls) = (server.clone(), authority.map(Authority::server));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (server, tls) = (serving.clone(), tls.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    // Whoever is cut off, or does not trust, has no answer.
                    let _ = match tls {
                        Some(tls) => server.serve(tls::accept(&tls, stream)),
                        None => server.serve(stream),
                    };
                });
            }
        });
        server
    }

    pub(crate) fn good() -> Mode {
        Mode::Answer(200, r#"{"errcode":0,"errmsg":"ok","code":0,"msg":"success"}"#.into())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Everything that was posted.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    /// What was posted and taken.
    pub(crate) fn taken(&self) -> Vec<Post> {
        self.posts().into_iter().filter(|post| post.taken).collect()
    }

    /// The texts of what was taken, without the time of day.
    pub(crate) fn texts(&self) -> Vec<String> {
        let text = |post: Post| post.json()["text"].as_str().unwrap()["22:00 ".len()..].to_owned();
        self.taken().into_iter().map(text).collect()
    }

    fn serve<S: Read + Write>(&self, stream: S) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut content_type) = (0, String::new());
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "content-type" => value.trim().clone_into(&mut content_type),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let mode = self.mode.lock().unwrap().clone();
        let taken = matches!(mode, Mode::Answer(200, _) | Mode::By(_));
        let post = Post { path, content_type, body: String::from_utf8(body).unwrap(), taken };
        let mode = {
            let mut posts = self.posts.lock().unwrap();
            posts.push(post);
            match mode {
                Mode::By(answer) => Mode::Answer(200, answer(&posts)),
                mode => mode,
            }
        };
        match mode {
            Mode::Answer(status, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.get_mut().write_all((head + &body).as_bytes())?;
                stream.get_mut().flush()
            }
            // Until the other side has enough.
            Mode::Hang => stream.read_exact(&mut [0]),
            Mode::Close | Mode::By(_) => Ok(()),
        }
    }
}
