//! A device under a centrald, with an authorized client that has to be served whatever others do.

use rts2dev::proto::DeviceState;
use rts2dev::testing::Centrald;
use rts2dev::{DeviceOptions, Value};
use tokio::net::TcpStream;

use crate::common::{Raw, Running, options, patiently, start};

/// Memory that the whole test program may gain while a peer does its worst: many times what one connection may cost
/// (a line of 64 KiB, output of 32 KiB), and a small part of what the peers of these tests send.
pub(crate) const MAX_GROWTH: u64 = 64 << 20;

/// Name of the device.
pub(crate) const NAME: &str = "NODES";

pub(crate) struct Site {
    pub(crate) centrald: Centrald,
    pub(crate) device: Running,
    /// Writable, takes what it is given.
    pub(crate) limit: Value<i32>,
    /// Writable text.
    pub(crate) note: Value<String>,
    count: Value<i32>,
    round: i32,
    witness: Raw,
    /// centrald forgets a client's key with its connection.
    login: Raw,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut DeviceOptions)) -> Self {
        let centrald = Centrald::start().await.unwrap();
        let mut options = options(NAME, &[centrald.address().to_string()]);
        change(&mut options);
        let mut values = None;
        let device = start(options, |handle| {
            values = Some((
                handle.integer("limit", "a limit").writable().declare().unwrap(),
                handle.string("note", "a note").writable().declare().unwrap(),
                handle.integer("count", "a count").declare().unwrap(),
            ));
        })
        .await;
        let (limit, note, count) = values.unwrap();
        let mut status = device.handle.centrald_status();
        patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
        let (witness, login) = authorized(&centrald, device.port).await;
        Self { centrald, device, limit, note, count, round: 0, witness, login }
    }

    /// A connection that nobody authorized.
    pub(crate) async fn connect(&self) -> Raw {
        Raw::over(self.stream().await)
    }

    pub(crate) async fn stream(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.device.port)).await.unwrap()
    }

    /// Another authorized client, with its login at centrald.
    pub(crate) async fn client(&self) -> (Raw, Raw) {
        authorized(&self.centrald, self.device.port).await
    }

    /// The authorized client and centrald are served: both get what changes, the client's command is answered.
    pub(crate) async fn serves(&mut self) {
        self.round += 1;
        self.count.set(self.round);
        // The device's own bits of the state word, which mean nothing to centrald.
        let state = DeviceState::from_bits_retain((self.round & 0xfff).cast_unsigned());
        self.device.handle.set_state(state, "");
        let lines = self.witness.command("status_info").await;
        assert_eq!(lines[lines.len() - 1], "+0 OK");
        assert!(lines.contains(&format!("V count {}", self.round)), "{lines:?}");
        patiently(self.centrald.wait_for(|centrald| centrald.device_state(NAME) == Some(state))).await;
        assert_eq!(self.login.command("status_info").await.pop().unwrap(), "+0 OK");
    }

    /// A client that comes now gets in and is authorized.
    pub(crate) async fn takes_newcomers(&self) {
        let (mut client, _login) = self.client().await;
        assert_eq!(client.command("base_info").await.pop().unwrap(), "+0 OK");
    }

    /// As that, but the device may be too busy to ask centrald.
    pub(crate) async fn tries_newcomer(&self) -> bool {
        authorize(&self.centrald, self.device.port).await.is_ok()
    }
}

/// Logs in to centrald, and is authorized by the device of that port with the key from there.
async fn authorized(centrald: &Centrald, port: u16) -> (Raw, Raw) {
    authorize(centrald, port).await.unwrap()
}

/// As [`authorized`]; the error is what the device said, or nothing when it closed.
async fn authorize(centrald: &Centrald, port: u16) -> Result<(Raw, Raw), Option<String>> {
    let mut login = Raw::connect(centrald.address().port()).await;
    login.command("login observer hostile").await;
    let lines = login.command("password observer").await;
    let id = lines.iter().find_map(|line| line.strip_prefix("logged_as ")).unwrap().to_owned();
    let lines = login.command(&format!("key {NAME}")).await;
    let key = format!("authorization_key {NAME} ");
    let key = lines.iter().find_map(|line| line.strip_prefix(&key)).unwrap();
    let mut client = Raw::connect(port).await;
    client.try_send(&format!("auth {id} 0 {key}\n")).await;
    while let Some(line) = client.line().await {
        if line == "+0 OK authorized" {
            return Ok((client, login));
        } else if line.starts_with(['+', '-']) {
            return Err(Some(line));
        }
    }
    Err(None)
}

/// Bytes of this program in memory; 0 where the system does not tell.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
