//! A Galera cluster of three MariaDB nodes on this computer.
//!
//! It needs Debian's package galera-4 besides the server's programs. How a node copies the data of another is a script of
//! this fixture (`state_transfer.sh`): those of MariaDB come with the package mariadb-server, which starts a server of the
//! system, and on one computer a copy of the files is all there is to do.

use std::{
    ffi::OsString,
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
    thread,
    time::Instant,
};

use tempfile::TempDir;

use super::{
    error::{MariadbError, tail},
    mariadb::{LOOK_AGAIN, Mariadb, PORT_TRIES, START_LIMIT},
};
use crate::archive::ArchiveUrl;

/// Nodes: the least of which one may be away.
const NODES: usize = 3;

/// Ports of a node: for SQL, the cluster, small and whole transfers of the state.
const PORTS: usize = 4;

/// What a node calls to copy the data; the server finds it by the method's name.
const SCRIPT: &str = "wsrep_sst_lamon";

/// Where systems have Galera.
const PROVIDERS: [&str; 4] = [
    "/usr/lib/galera/libgalera_smm.so",
    "/usr/lib64/galera-4/libgalera_smm.so",
    "/usr/lib/libgalera_smm.so",
    "/usr/local/lib/libgalera_smm.so",
];

/// Not Galera's 5 and 15 s, so that a killed node is given up soon.
const PATIENCE: &str = "evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.3S;\
    evs.suspect_timeout=PT2S;evs.inactive_timeout=PT6S";

/// A running cluster; its nodes are killed when it goes out of scope.
#[derive(Debug)]
pub struct Galera {
    nodes: Vec<Mariadb>,
    ports: Vec<[u16; PORTS]>,
    /// Has the script, and where its two sides meet.
    _folder: TempDir,
    provider: &'static str,
}

impl Galera {
    /// Why there can be none on this computer, a sentence; none when there can be one.
    #[must_use]
    pub fn missing() -> Option<String> {
        provider().err().map(|error| error.to_string())
    }

    /// Starts three nodes, one after the other. Blocks for about ten seconds.
    ///
    /// # Errors
    ///
    /// When a program is missing (the error names the package) or fails.
    pub fn start() -> Result<Self, MariadbError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_start() {
                Err(MariadbError::Failed { log, .. }) if log.contains("in use") && tries < PORT_TRIES => {}
                result => return result,
            }
        }
    }

    fn try_start() -> Result<Self, MariadbError> {
        let folder = tempfile::Builder::new().prefix("lamon-galera-").tempdir()?;
        let script = folder.path().join(SCRIPT);
        std::fs::write(&script, include_str!("state_transfer.sh"))?;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700))?;
        let nodes =
            (0..NODES).map(|_| Mariadb::empty_finding(path_with(folder.path()))).collect::<Result<_, _>>()?;
        let mut cluster = Self { nodes, ports: free_ports()?, _folder: folder, provider: provider()? };
        cluster.node_mut(0).install()?;
        for index in 0..NODES {
            cluster.start_node(index, index == 0)?;
        }
        Ok(cluster)
    }

    /// A node, from 0.
    ///
    /// # Panics
    ///
    /// When there is none of this number.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "the number is written in a test")]
    pub fn node(&self, index: usize) -> &Mariadb {
        &self.nodes[index]
    }

    #[expect(clippy::indexing_slicing, reason = "the number is written in a test")]
    fn node_mut(&mut self, index: usize) -> &mut Mariadb {
        &mut self.nodes[index]
    }

    /// Runs a statement on a node when it has everything that any node had committed, and returns what it gives, as
    /// [`Mariadb::execute`].
    ///
    /// # Errors
    ///
    /// When the node does not answer or refuses.
    pub fn execute(&self, index: usize, sql: &str) -> Result<Vec<Vec<String>>, MariadbError> {
        let node = self.node(index);
        // For every session that begins: a statement has one of its own.
        node.execute("SET GLOBAL wsrep_sync_wait = 7")?;
        let rows = node.execute(sql);
        // Whoever comes later has to ask for it by himself.
        node.execute("SET GLOBAL wsrep_sync_wait = 0")?;
        rows
    }

    /// The addresses of a database on every node, as they stand in a configuration file, with the password.
    #[must_use]
    pub fn url_texts(&self, database: &str) -> Vec<String> {
        self.nodes.iter().map(|node| node.url_text(database)).collect()
    }

    /// The database that every cluster has, seen through all nodes.
    ///
    /// # Panics
    ///
    /// Never: the addresses are well formed.
    #[must_use]
    #[expect(clippy::expect_used, reason = "made of constants and ports")]
    pub fn url(&self) -> ArchiveUrl {
        ArchiveUrl::several(self.nodes.iter().map(Mariadb::url).collect()).expect("three servers")
    }

    /// Kills a node as a power cut would.
    ///
    /// # Errors
    ///
    /// When the system does not allow it.
    pub fn kill(&mut self, index: usize) -> Result<(), MariadbError> {
        self.node_mut(index).kill()
    }

    /// Starts a node again that was killed, and waits until it has caught up with the others.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn rejoin(&mut self, index: usize) -> Result<(), MariadbError> {
        self.start_node(index, false)
    }

    /// Starts a node and waits until it takes statements.
    fn start_node(&mut self, index: usize, first: bool) -> Result<(), MariadbError> {
        let mut options = self.options(index);
        // The first node makes the cluster; whoever comes later finds it by all the others.
        let all = self.ports.iter().map(|[_, cluster, ..]| format!("127.0.0.1:{cluster}"));
        let all: Vec<String> = all.take(if first { 0 } else { NODES }).collect();
        options.push(format!("--wsrep-cluster-address=gcomm://{}", all.join(",")));
        let sql_port = self.ports.get(index).map_or(0, |[sql, ..]| *sql);
        let node = self.node_mut(index);
        node.set_up(sql_port, options.clone());
        if let Some(position) = position(node)? {
            options.push(format!("--wsrep-start-position={position}"));
            node.set_up(sql_port, options);
        }
        node.restart()?;
        let begin = Instant::now();
        loop {
            let ready = node.execute("SHOW GLOBAL STATUS LIKE 'wsrep_ready'").ok();
            if ready.is_some_and(|rows| rows.iter().flatten().any(|value| value == "ON")) {
                return Ok(());
            }
            if begin.elapsed() > START_LIMIT {
                return Err(node.failed("the node does not join its cluster"));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// What makes a server a node.
    fn options(&self, index: usize) -> Vec<String> {
        let [_, cluster, small, whole] = self.ports.get(index).copied().unwrap_or_default();
        [
            "--wsrep-on=ON".into(),
            format!("--wsrep-provider={}", self.provider),
            "--wsrep-cluster-name=lamon".into(),
            format!("--wsrep-node-name=node{index}"),
            format!("--wsrep-node-address=127.0.0.1:{cluster}"),
            format!(
                "--wsrep-provider-options=base_host=127.0.0.1;base_port={cluster};\
                 gmcast.listen_addr=tcp://127.0.0.1:{cluster};ist.recv_addr=127.0.0.1:{small};\
                 gcache.size=16M;{PATIENCE}"
            ),
            "--wsrep-sst-method=lamon".into(),
            format!("--wsrep-sst-receive-address=127.0.0.1:{whole}"),
            "--binlog-format=ROW".into(),
            "--innodb-autoinc-lock-mode=2".into(),
        ]
        .into()
    }
}

/// Where the cluster's transactions had come in the data of a node that was killed: then it needs only those that it
/// missed. None in an empty folder.
fn position(node: &Mariadb) -> Result<Option<String>, MariadbError> {
    if !node.folder().join("data/mysql").exists() || !node.folder().join("data/grastate.dat").exists() {
        return Ok(None);
    }
    let output = node.command()?.arg("--wsrep-recover").stdin(Stdio::null()).output()?;
    let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let found = log.lines().find_map(|line| line.split_once("Recovered position:"));
    match found.and_then(|(_, rest)| rest.split_whitespace().next()) {
        Some(position) => Ok(Some(position.to_owned())),
        None => Err(MariadbError::Failed { what: "mariadbd finds no position".into(), log: tail(&log) }),
    }
}

/// Galera, where it is installed.
fn provider() -> Result<&'static str, MariadbError> {
    let missing = MariadbError::Missing { program: "Galera (libgalera_smm.so)", package: "galera-4" };
    PROVIDERS.into_iter().find(|path| Path::new(path).is_file()).ok_or(missing)
}

/// Ports of all nodes that are free at the same time.
fn free_ports() -> io::Result<Vec<[u16; PORTS]>> {
    let listeners = (0..NODES * PORTS)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<io::Result<Vec<_>>>()?;
    let ports = listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect::<io::Result<Vec<u16>>>()?;
    Ok(ports.as_chunks().0.to_vec())
}

/// The path on which a server finds the script.
fn path_with(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}
