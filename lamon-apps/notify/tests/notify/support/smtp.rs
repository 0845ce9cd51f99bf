//! A mail server that takes, refuses, or hangs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;

use super::tls::{self, Authority};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Takes mails, but none to `gone…`, and none to `full…` now.
    Take,
    /// Takes those to `full…`, too.
    TakeAll,
    /// Answers MAIL with 451.
    Refuse,
    /// Says nothing, not even a greeting.
    Hang,
}

/// When it speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Starttls,
    Tls,
}

/// A mail that was taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    /// Headers and text, the text decoded.
    pub(crate) data: String,
    /// What AUTH said, in Base64.
    pub(crate) auth: String,
}

#[derive(Clone)]
pub(crate) struct Smtp {
    pub(crate) port: u16,
    mode: Arc<Mutex<Mode>>,
    mails: Arc<Mutex<Vec<Mail>>>,
    connections: Arc<Mutex<usize>>,
    tls: Option<(Security, Arc<ServerConfig>)>,
}

impl Smtp {
    pub(crate) fn start(mode: Mode, tls: Option<(Security, &Authority)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            mode: Arc::new(Mutex::new(mode)),
            mails: Arc::default(),
            connections: Arc::default(),
            tls: tls.map(|(security, authority)| (security, authority.server())),
        };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let server = serving.clone();
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    let _ = server.serve(stream);
                });
            }
        });
        server
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        // A conversation ends as it began, whatever the test sets meanwhile.
        let mode = *self.mode.lock().unwrap();
        *self.connections.lock().unwrap() += 1;
        if mode == Mode::Hang {
            return (&stream).read_exact(&mut [0]);
        }
        match &self.tls {
            Some((Security::Tls, config)) => {
                self.talk(tls::accept(config, stream), mode, true, true).map(drop)
            }
            Some((_, config)) => {
                let stream = self.talk(stream, mode, true, false)?;
                self.talk(tls::accept(config, stream.into_inner()), mode, false, true).map(drop)
            }
            None => self.talk(stream, mode, true, true).map(drop),
        }
    }

    /// Talks until the end, or until TLS begins.
    fn talk<S: Read + Write>(
        &self,
        stream: S,
        mode: Mode,
        greet: bool,
        secure: bool,
    ) -> io::Result<BufReader<S>> {
        let mut stream = BufReader::new(stream);
        let mut mail = Mail::default();
        if greet {
            say(&mut stream, "220 test")?;
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(stream);
            }
            let line = line.trim_end();
            let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match word.as_str() {
                "EHLO" if secure => say(&mut stream, "250-test\r\n250 AUTH PLAIN")?,
                "EHLO" => say(&mut stream, "250-test\r\n250 STARTTLS")?,
                "STARTTLS" if !secure => {
                    say(&mut stream, "220 go on")?;
                    return Ok(stream);
                }
                "AUTH" => {
                    line.rsplit(' ').next().unwrap_or_default().clone_into(&mut mail.auth);
                    say(&mut stream, "235 welcome")?;
                }
                "MAIL" if !secure => say(&mut stream, "530 TLS first")?,
                "MAIL" if mode == Mode::Refuse => say(&mut stream, "451 later")?,
                "MAIL" => say(&mut stream, "250 ok")?,
                // An address says by its beginning how it is answered.
                "RCPT" if line.contains("<gone") => say(&mut stream, "550 no such user")?,
                "RCPT" if line.contains("<full") && mode != Mode::TakeAll => {
                    say(&mut stream, "452 mailbox full")?;
                }
                "RCPT" => {
                    mail.to.push(line["RCPT TO:".len()..].to_owned());
                    say(&mut stream, "250 ok")?;
                }
                "DATA" => {
                    say(&mut stream, "354 go on")?;
                    mail.data = data(&mut stream)?;
                    self.mails.lock().unwrap().push(std::mem::take(&mut mail));
                    say(&mut stream, "250 taken")?;
                }
                "QUIT" => {
                    say(&mut stream, "221 bye")?;
                    return Ok(stream);
                }
                _ => say(&mut stream, "250 ok")?,
            }
        }
    }
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, line: &str) -> io::Result<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
    stream.get_mut().flush()
}

fn data(stream: &mut impl BufRead) -> io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line == ".\r\n" {
            return Ok(data);
        }
        data += &line;
    }
}
