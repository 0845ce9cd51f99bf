//! The real agent, and a hub that does what a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

use lamon_wire::MAGIC;
use lamon_wire::frames::{AgentFrame, Boot, HubFrame, Samples, Table};
use lamon_wire::framing::FrameBuffer;
use lamon_wire::hello::{Answer, Hello, Welcome};
use tempfile::TempDir;

/// How long a test waits for what must come; never reached unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running agent. It ends with the test.
pub(crate) struct Agent {
    child: Child,
    log: BufReader<ChildStderr>,
    _folder: TempDir,
}

impl Agent {
    /// Starts the agent with this configuration.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// Starts the agent with this configuration and these environment variables.
    pub(crate) fn start_with(config: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        std::fs::write(&path, format!("node = \"ccd01\"\nlog = \"debug\"\nlog_to = \"stderr\"\n{config}"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamon-agent"));
        command.envs(environment.iter().copied());
        let mut child = command.arg("-c").arg(&path).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, _folder: folder }
    }

    /// Asks the agent to end.
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Reads the agent's log up to a line with `part` in it.
    pub(crate) fn wait_for_log(&mut self, part: &str) {
        self.wait_for_line(|line| line.contains(part).then_some(()));
    }

    /// Reads the agent's log up to a line in which `find` finds something.
    pub(crate) fn wait_for_line<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        let found = (&mut self.log).lines().map(Result::unwrap).find_map(|line| find(&line));
        found.expect("the agent ended without a word of it")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A listening hub.
pub(crate) struct Hub {
    listener: TcpListener,
}

impl Hub {
    pub(crate) fn listen() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub(crate) fn listen_at(address: SocketAddr) -> Self {
        Self { listener: TcpListener::bind(address).unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Configuration that names this hub, with an interval of a second.
    pub(crate) fn config(&self) -> String {
        format!("hubs = [\"{}\"]\ninterval = \"1s\"\n", self.address())
    }

    /// The next connection, with its hello.
    pub(crate) fn accept(&self) -> (Peer, Hello) {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut peer = Peer { stream, input: FrameBuffer::new(), tables: Vec::new() };
        let mut magic = [0; 4];
        peer.stream.read_exact(&mut magic).unwrap();
        assert_eq!(magic, MAGIC);
        let hello = Hello::parse(&peer.payload().expect("a hello")).unwrap();
        (peer, hello)
    }

    /// The next connection, welcomed in version 2 of the protocol.
    pub(crate) fn welcome_of_version_2(&self, committed: Option<u64>) -> (Peer, Hello) {
        let (mut peer, hello) = self.accept();
        let unix_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let hub_unix_ms = i64::try_from(unix_ms).unwrap();
        peer.answer(&Answer::Welcome(Welcome { version: 2, hub_unix_ms, committed, window: 1_000 }));
        (peer, hello)
    }

    /// The next connection, welcomed.
    pub(crate) fn welcome(&self, committed: Option<u64>) -> (Peer, Hello) {
        let (mut peer, hello) = self.accept();
        peer.answer(&Answer::Welcome(Welcome { version: 1, hub_unix_ms: 0, committed, window: 100 }));
        (peer, hello)
    }
}

/// A connection of an agent, seen from the hub.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    input: FrameBuffer,
    /// The tables that came, the newest last.
    pub(crate) tables: Vec<Table>,
}

impl Peer {
    /// The payload of the next frame; `None` when the agent closed the connection.
    fn payload(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(payload) = self.input.next_frame() {
                return Some(payload.into());
            }
            let mut bytes = [0; 4_096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => self.input.extend(&bytes[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    pub(crate) fn frame(&mut self) -> Option<AgentFrame> {
        let frame = AgentFrame::parse(&self.payload()?).unwrap();
        if let AgentFrame::Table(table) = &frame {
            self.tables.push(table.clone());
        }
        Some(frame)
    }

    /// The next samples, and the table that names them.
    pub(crate) fn samples(&mut self) -> (Samples, Table) {
        loop {
            if let AgentFrame::Samples(samples) = self.frame().expect("the connection stands") {
                let table = self.tables.last().expect("a table comes first").clone();
                assert_eq!(table.id, samples.table);
                for row in &samples.rows {
                    assert_eq!(row.readings.len(), table.metrics.len());
                }
                return (samples, table);
            }
        }
    }

    /// Reads samples until one of this life of the agent comes, whose numbers begin far from those before: the numbers,
    /// each with the boot that stamped it.
    pub(crate) fn numbers_through_the_jump(&mut self) -> Vec<(u64, Boot)> {
        let (mut boot, mut numbers) = (Boot::This, Vec::new());
        loop {
            match self.frame().expect("the connection stands") {
                AgentFrame::Boot(of) => boot = of,
                AgentFrame::Samples(samples) => {
                    let rows = u64::try_from(samples.rows.len()).unwrap();
                    numbers.extend((samples.first..samples.first + rows).map(|number| (number, boot)));
                    if samples.first > 1 << 32 {
                        return numbers;
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads samples, which must follow each other, until that of sequence number `last` came.
    pub(crate) fn samples_through(&mut self, first: u64, last: u64) {
        let mut expected = first;
        while expected <= last {
            let (samples, _) = self.samples();
            assert_eq!(samples.first, expected);
            expected += u64::try_from(samples.rows.len()).unwrap();
        }
    }

    /// Acknowledges every sample until the agent closes the connection.
    pub(crate) fn acknowledge_until_the_end(mut self) {
        while let Some(frame) = self.frame() {
            if let AgentFrame::Samples(samples) = frame {
                let rows = u64::try_from(samples.rows.len()).unwrap();
                self.send(&HubFrame::Ack(samples.first + rows - 1));
            }
        }
    }

    /// Waits until the agent closes the connection, whatever it sends shortly before.
    pub(crate) fn wait_for_end(mut self) {
        const FRAMES: usize = 30;
        let frames = std::iter::from_fn(|| self.payload()).take(FRAMES).count();
        assert!(frames < FRAMES, "the agent goes on and on");
    }

    pub(crate) fn answer(&mut self, answer: &Answer) {
        let mut out = Vec::new();
        answer.write(&mut out).unwrap();
        self.stream.write_all(&out).unwrap();
    }

    pub(crate) fn send(&mut self, frame: &HubFrame) {
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        self.stream.write_all(&out).unwrap();
    }
}
