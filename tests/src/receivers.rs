//! Small servers that take what lamon-notify sends: a webhook's and a mail's. They end with the process.
#![expect(clippy::panic, reason = "a test that waited in vain ends here, with what came instead")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest wait for a message: a minute until it is repeated, half a minute until a hub is missed, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The longest body of a request.
const MAX_BODY_BYTES: usize = 1 << 20;

/// What a server was sent.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Where it listens on the loopback interface.
    pub port: u16,
    texts: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// A server that answers every POST with 200. It was sent the `text` of each body of JSON.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn of_webhooks() -> io::Result<Self> {
        Self::start(|stream| {
            let body = read_post(stream)?;
            stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
            let json: Value = serde_json::from_slice(&body)?;
            let text = json.get("text").and_then(Value::as_str).unwrap_or_default();
            Ok(vec![text.to_owned()])
        })
    }

    /// A mail server. It was sent the mails, with their headers.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn of_mails() -> io::Result<Self> {
        Self::start(read_mails)
    }

    fn start(serve: fn(&mut BufReader<TcpStream>) -> io::Result<Vec<String>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let receiver = Self { port: listener.local_addr()?.port(), texts: Arc::default() };
        let texts = Arc::clone(&receiver.texts);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever goes in the middle has sent nothing.
                if let Ok(more) = serve(&mut BufReader::new(stream)) {
                    texts.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
                }
            }
        });
        Ok(receiver)
    }

    /// All that came so far.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a text with these words.
    ///
    /// # Panics
    ///
    /// When none comes.
    #[track_caller]
    pub fn waits_for(&self, words: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let texts = self.texts();
            if let Some(text) = texts.iter().find(|text| text.contains(words)) {
                return text.clone();
            }
            if Instant::now() > end {
                panic!("waited in vain for \"{words}\"; there came\n{}", texts.join("\n"));
            }
            thread::sleep(Duration::from_millis(30));
        }
    }
}

fn read_post(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; usize::min(length, MAX_BODY_BYTES)];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn read_mails(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<String>> {
    let mut mails = Vec::new();
    stream.get_mut().write_all(b"220 test\r\n")?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(mails);
        }
        let answer: &[u8] = match line.trim_end() {
            "DATA" => b"354 go on\r\n",
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        stream.get_mut().write_all(answer)?;
        match line.trim_end() {
            "DATA" => {
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") && stream.read_line(&mut mail)? > 0 {}
                mails.push(mail);
                stream.get_mut().write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return Ok(mails),
            _ => {}
        }
    }
}
