//! A MariaDB server.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use mysql_async::{Conn, OptsBuilder, prelude::Queryable};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{
    error::{MariadbError, tail},
    install::{INNODB, as_root, find, folders, install},
};
use crate::archive::ArchiveUrl;

/// The database that every server has.
pub const DATABASE: &str = "lamon";
/// The user, who may do everything.
pub const USER: &str = "lamon";
/// The user's password; with characters that have to be escaped in an address.
pub const PASSWORD: &str = "dome@7/shutter";
/// [`PASSWORD`] as it stands in an address.
const PASSWORD_IN_URL: &str = "dome%407%2Fshutter";

/// How long a server may take to answer; a first start on a busy machine takes seconds.
pub(super) const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to end after it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at a server that starts or stops.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often another free port is tried when somebody else takes it first.
pub(super) const PORT_TRIES: u32 = 5;

/// A running server, or one that was stopped and can be started again. Killed when it goes out of scope.
#[derive(Debug)]
pub struct Mariadb {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    /// Options of its command line besides those that every server here has.
    options: Vec<String>,
    /// Whether users and database are made at each start.
    init: bool,
    /// Where it finds programs; as the test when not given.
    path: Option<OsString>,
}

impl Mariadb {
    /// Makes the data folder, starts the server and waits until it answers. Blocks for about two seconds.
    ///
    /// # Errors
    ///
    /// When a program is missing (the error names the package) or fails.
    pub fn start() -> Result<Self, MariadbError> {
        Self::start_with(&[])
    }

    /// The same with more options of the command line, which stand at each start.
    ///
    /// # Errors
    ///
    /// See [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> Result<Self, MariadbError> {
        let mut server = Self::empty()?;
        server.install()?;
        server.options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut tries = 0;
        loop {
            server.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            tries += 1;
            match server.restart() {
                Err(MariadbError::Failed { log, .. }) if log.contains("in use") && tries < PORT_TRIES => {}
                result => return result.map(|()| server),
            }
        }
    }

    /// A server without anything in its folder.
    fn empty() -> Result<Self, MariadbError> {
        let folder = tempfile::Builder::new().prefix("lamon-mariadb-").tempdir()?;
        std::fs::create_dir(folder.path().join("data"))?;
        std::fs::create_dir(folder.path().join("tmp"))?;
        Ok(Self { folder, port: 0, child: None, options: Vec::new(), init: false, path: None })
    }

    /// The same, looking for programs on this path.
    pub(super) fn empty_finding(path: OsString) -> Result<Self, MariadbError> {
        let mut server = Self::empty()?;
        server.path = Some(path);
        Ok(server)
    }

    /// Fills the data folder; users and database come with the first start.
    pub(super) fn install(&mut self) -> Result<(), MariadbError> {
        install(self.folder.path())?;
        self.init = true;
        std::fs::write(
            self.folder.path().join("init.sql"),
            format!(
                "CREATE DATABASE IF NOT EXISTS {DATABASE};\n\
                 CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
            ),
        )?;
        Ok(())
    }

    /// Has it listen there and start with these options from now on.
    pub(super) fn set_up(&mut self, port: u16, options: Vec<String>) {
        (self.port, self.options) = (port, options);
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of [`DATABASE`].
    ///
    /// # Panics
    ///
    /// Never: the address is well formed.
    #[must_use]
    #[expect(clippy::expect_used, reason = "made of constants and a port")]
    pub fn url(&self) -> ArchiveUrl {
        ArchiveUrl::parse(&self.url_text(DATABASE)).expect("an address made of constants")
    }

    /// The address of a database as it stands in a configuration file, with the password.
    #[must_use]
    pub fn url_text(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes another database, when it is not there yet, and returns its address. `name` is of letters, digits and
    /// `_`. Blocks.
    ///
    /// # Errors
    ///
    /// When the server does not answer or refuses.
    pub fn database(&self, name: &str) -> Result<ArchiveUrl, MariadbError> {
        self.execute(&format!("CREATE DATABASE IF NOT EXISTS {name}"))?;
        ArchiveUrl::parse(&self.url_text(name)).map_err(|error| MariadbError::Refused(error.to_string()))
    }

    /// Runs a statement, with [`DATABASE`] in use, and returns what it gives, each value as text. Blocks; works inside
    /// and outside of an asynchronous runtime.
    ///
    /// # Errors
    ///
    /// When the server does not answer or refuses.
    pub fn execute(&self, sql: &str) -> Result<Vec<Vec<String>>, MariadbError> {
        self.execute_as(USER, PASSWORD, sql)
    }

    /// The same as another user.
    ///
    /// # Errors
    ///
    /// When the server does not answer or refuses.
    pub fn execute_as(
        &self,
        user: &str,
        password: &str,
        sql: &str,
    ) -> Result<Vec<Vec<String>>, MariadbError> {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(user))
            .pass(Some(password))
            .db_name(Some(DATABASE))
            .prefer_socket(false);
        let refused = |error: mysql_async::Error| MariadbError::Refused(error.to_string());
        // A thread of its own, since a runtime cannot be started inside another.
        let work = || -> Result<Vec<Vec<String>>, MariadbError> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = Conn::new(options).await.map_err(refused)?;
                let rows: Vec<mysql_async::Row> = connection.query(sql).await.map_err(refused)?;
                connection.disconnect().await.map_err(refused)?;
                Ok(rows.into_iter().map(|row| row.unwrap().iter().map(text).collect()).collect())
            })
        };
        thread::scope(|scope| scope.spawn(work).join())
            .unwrap_or_else(|_| Err(MariadbError::Refused("the client panicked".to_owned())))
    }

    /// The port on 127.0.0.1; the same after [`restart`](Self::restart).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Ends the server the normal way and waits for it. Does nothing when it does not run.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub fn stop(&mut self) -> Result<(), MariadbError> {
        let Some(child) = &mut self.child else { return Ok(()) };
        kill_process(Pid::from_child(child), Signal::TERM).map_err(io::Error::from)?;
        let begin = Instant::now();
        while child.try_wait()?.is_none() {
            if begin.elapsed() > STOP_LIMIT {
                return Err(self.failed("mariadbd does not end"));
            }
            thread::sleep(LOOK_AGAIN);
        }
        self.child = None;
        Ok(())
    }

    /// Kills the server as a power cut would.
    ///
    /// # Errors
    ///
    /// When the system does not allow it.
    pub fn kill(&mut self) -> Result<(), MariadbError> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts the server again, stopping it first if it runs, with the same data and port, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn restart(&mut self) -> Result<(), MariadbError> {
        self.stop()?;
        let log = File::create(self.folder.path().join("mariadbd.log"))?;
        let mut command = self.command()?;
        if self.init {
            command.arg(format!("--init-file={}", self.folder.path().join("init.sql").display()));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn()?);
        self.wait_for_answer()
    }

    /// The server's command, with every option but where its output goes.
    pub(super) fn command(&self) -> Result<Command, MariadbError> {
        let folder = self.folder.path();
        let mut command = Command::new(find("mariadbd")?);
        command
            .arg("--no-defaults")
            .args(folders(folder))
            .arg(format!("--socket={}", folder.join("s").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg(format!("--port={}", self.port))
            .args([
                "--bind-address=127.0.0.1",
                "--skip-networking=0",
                "--skip-log-bin",
                "--key-buffer-size=1M",
                "--aria-pagecache-buffer-size=1M",
                "--performance-schema=OFF",
                // What lamon needs it must ask for itself.
                "--sql-mode=",
                "--default-time-zone=+05:00",
                "--max-connections=64",
            ])
            .args(INNODB)
            .args(as_root())
            .args(&self.options);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        Ok(command)
    }

    /// Waits until it greets.
    fn wait_for_answer(&mut self) -> Result<(), MariadbError> {
        let begin = Instant::now();
        while !answers(self.port) {
            if let Some(status) = self.ended()? {
                self.child = None;
                return Err(self.failed(&format!("mariadbd ended with {status}")));
            }
            if begin.elapsed() > START_LIMIT {
                return Err(self.failed("mariadbd does not answer"));
            }
            thread::sleep(LOOK_AGAIN);
        }
        // A server of somebody else may have answered, and this one have ended because of it.
        match self.ended()? {
            Some(status) => {
                self.child = None;
                Err(self.failed(&format!("mariadbd ended with {status}")))
            }
            None => Ok(()),
        }
    }

    /// The server's exit status, when it has ended.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// A failure with the end of the server's log.
    pub(super) fn failed(&self, what: &str) -> MariadbError {
        let log = std::fs::read_to_string(self.folder.path().join("mariadbd.log")).unwrap_or_default();
        MariadbError::Failed { what: what.to_owned(), log: tail(&log) }
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        // Its data goes with it: there is nothing to end in order.
        let _killed = self.kill();
    }
}

/// Whether a server greets: it does only after its start, with the users made.
fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let greeting = || -> io::Result<u8> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(START_LIMIT))?;
        // The packet's header, then the version of the protocol.
        let mut bytes = [0; 5];
        stream.read_exact(&mut bytes)?;
        let [.., version] = bytes;
        Ok(version)
    };
    greeting().is_ok_and(|version| version == 10)
}

/// A value of a result as text.
fn text(value: &mysql_async::Value) -> String {
    match value {
        mysql_async::Value::NULL => "NULL".to_owned(),
        mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.as_sql(true),
    }
}
