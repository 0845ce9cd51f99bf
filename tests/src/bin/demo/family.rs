//! The processes of the demonstration, their ports, and their folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use lamon_tests::process::{Process, quoted};
use rts2dev::testing;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// The port of centrald.
const CENTRALD_PORT: u16 = 617;

/// What is taken where something else has centrald's port, or only root may have it; and those behind it.
const OTHER_CENTRALD_PORT: u16 = 6170;

/// The usual port of lamon-web.
const WEB_PORT: u16 = 8617;

/// How many other ports are tried before the demonstration gives up.
const TRIES: u16 = 20;

/// The running family.
pub(crate) struct Family {
    hub: Process,
    agent: Process,
    web: Process,
    /// Unless another one was named.
    _built_in: Option<testing::Centrald>,
    centrald: String,
    device: &'static str,
    ports: Ports,
    folder: Folder,
}

/// Where the hub listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    /// For agents and text; the bus has the two behind it.
    pub(crate) intake: u16,
    /// For browsers.
    pub(crate) web: u16,
}

impl Ports {
    /// The first free ports, three of them in a row, the usual ones before all.
    async fn find() -> anyhow::Result<Self> {
        let web = free_port(WEB_PORT).await?;
        let usual = lamon_wire::PORT;
        for intake in (usual..).step_by(3).take(TRIES.into()) {
            let mut free = true;
            for port in intake..intake + 3 {
                free &= TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_ok();
            }
            if free {
                return Ok(Self { intake, web });
            }
        }
        bail!("no free ports from {usual} on")
    }

    /// Where the bus publishes.
    pub(crate) fn publish(self) -> u16 {
        self.intake + 1
    }

    /// Where the bus answers snapshots.
    pub(crate) fn snapshot(self) -> u16 {
        self.intake + 2
    }
}

async fn free_port(usual: u16) -> anyhow::Result<u16> {
    for port in (usual..).take(TRIES.into()) {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {usual} on")
}

enum Folder {
    Kept(PathBuf),
    /// Where nothing can be written here; it goes with the demonstration.
    Temporary(TempDir),
}

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let here = PathBuf::from("demo-data");
        match fs::create_dir_all(&here).and_then(|()| File::create(here.join("hub.toml"))) {
            Ok(_) => Ok(Self::Kept(here)),
            Err(_) => {
                TempDir::with_prefix("lamon-demo").map(Self::Temporary).context("no folder for the data")
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

impl Family {
    /// Starts all of it, and waits until the hub and the page listen.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let (built_in, centrald) = centrald(&folder.path().join("centrald.log")).await?;
        // In an observatory that has its own NODES this one must not take the name.
        let device = if built_in.is_some() { "NODES" } else { "NODES_DEMO" };
        let ports = Ports::find().await?;
        let hub_file = write(
            folder.path(),
            "hub.toml",
            &hub_toml(folder.path(), ports, &centrald, device, built_in.is_some())?,
        )?;
        let agent_file = write(folder.path(), "agent.toml", &agent_toml(ports))?;
        let log = |name: &str| File::create(folder.path().join(name)).context("cannot write a log");
        let hub = Process::start("lamon-sensord", &["-c".into(), hub_file], Some(log("hub.log")?))?;
        hub.line_with("listening for agents and text")?;
        let agent = Process::start("lamon-agent", &["-c".into(), agent_file], Some(log("agent.log")?))?;
        let web_file = write(folder.path(), "web.toml", &web_toml(folder.path(), ports)?)?;
        let web = Process::start("lamon-web", &["-c".into(), web_file], Some(log("web.log")?))?;
        web.line_with("the page is at")?;
        Ok(Self { hub, agent, web, _built_in: built_in, centrald, device, ports, folder })
    }

    /// The centrald's address.
    pub(crate) fn centrald(&self) -> &str {
        &self.centrald
    }

    /// The hub's name in RTS2.
    pub(crate) fn device(&self) -> &str {
        self.device
    }

    /// Where the hub listens.
    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// Where configuration, logs and data are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether everything still runs.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let all = [("the hub", &mut self.hub), ("the agent", &mut self.agent), ("the page", &mut self.web)];
        for (name, process) in all {
            if !process.is_running() {
                let log = process.log();
                let last = log.iter().rev().take(5).rev().map(String::as_str).collect::<Vec<_>>();
                bail!("{name} ended by itself; its last words:\n{}", last.join("\n"));
            }
        }
        Ok(())
    }

    /// Ends the page, the agent, then the hub, and waits for each.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        let web = self.web.terminate();
        let agent = self.agent.terminate();
        let hub = self.hub.terminate();
        for (name, status) in [("the page", web?), ("the agent", agent?), ("the hub", hub?)] {
            if !status.success() {
                bail!("{name} ended with {status}");
            }
        }
        Ok(())
    }
}

/// The centrald that is asked for, or one of its own, which tells `log` what happens: never one that happens to run here,
/// which may be an observatory's.
async fn centrald(log: &Path) -> anyhow::Result<(Option<testing::Centrald>, String)> {
    if let Some(address) = std::env::var_os("CENTRALD") {
        let address = address.to_string_lossy().into_owned();
        TcpStream::connect(&address).await.with_context(|| format!("no centrald at CENTRALD={address}"))?;
        return Ok((None, address));
    }
    let ports = [CENTRALD_PORT].into_iter().chain(OTHER_CENTRALD_PORT..OTHER_CENTRALD_PORT + TRIES);
    for port in ports {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // One that listens on another interface only would let this one bind, and confuse everybody.
        if TcpStream::connect(("localhost", port)).await.is_ok() {
            continue;
        }
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let log =
                    Mutex::new(File::create(log).with_context(|| format!("cannot write {}", log.display()))?);
                // A line that cannot be written is lost, and the demonstration goes on.
                let tell = move |line: &str| {
                    let _ = writeln!(log.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
                };
                return Ok((Some(testing::Centrald::start_on(listener, tell)?), address.to_string()));
            }
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {address}")),
        }
    }
    bail!("no free port for centrald: {CENTRALD_PORT} and those from {OTHER_CENTRALD_PORT} on are taken")
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn hub_toml(folder: &Path, ports: Ports, centrald: &str, device: &str, own: bool) -> anyhow::Result<String> {
    let data = quoted(&folder.canonicalize().context("the folder for the data is gone")?);
    let Ports { intake, .. } = ports;
    let (publish, snapshot) = (ports.publish(), ports.snapshot());
    // Clients of the built-in centrald are on this computer; for others its name is what they need.
    let host = if own { "host = \"127.0.0.1\"\nlisten = \"127.0.0.1\"\n" } else { "" };
    Ok(format!(
        "# Written by `make demo`, anew each time.\n\
         data_dir = {data}\nlog_to = \"stderr\"\n\n\
         [intake]\nlisten = [\"127.0.0.1:{intake}\"]\n\n\
         [bus]\npublish = \"tcp://127.0.0.1:{publish}\"\nsnapshot = \"tcp://127.0.0.1:{snapshot}\"\n\n\
         [rts2]\ndevice = \"{device}\"\ncentrald = [\"{centrald}\"]\n{host}"
    ))
}

fn agent_toml(Ports { intake, .. }: Ports) -> String {
    format!(
        "# Written by `make demo`, anew each time.\n\
         hubs = [\"127.0.0.1:{intake}\"]\ninterval = \"2s\"\nlog_to = \"stderr\"\n"
    )
}

fn web_toml(folder: &Path, ports: Ports) -> anyhow::Result<String> {
    let (Ports { web, .. }, users) = (ports, folder.join("users"));
    let (publish, snapshot) = (ports.publish(), ports.snapshot());
    let archive = folder.canonicalize().context("the folder for the data is gone")?.join("archive.sqlite");
    let url = format!("sqlite:{}", archive.display());
    Ok(format!(
        "# Written by `make demo`, anew each time.\n\
         listen = \"127.0.0.1:{web}\"\nlog_to = \"stderr\"\n\n\
         [bus]\npublish = \"tcp://127.0.0.1:{publish}\"\nsnapshot = \"tcp://127.0.0.1:{snapshot}\"\n\n\
         [database]\nurl = {url:?}\n\n[login]\nusers = {users:?}\n"
    ))
}
