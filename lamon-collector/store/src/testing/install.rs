//! Finds the programs of a MariaDB server, and fills a data folder for one.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use super::error::{MariadbError, tail};

/// Debian's package of the server's programs.
const PACKAGE: &str = "mariadb-server-core";

/// Small buffers: several servers run beside each other and a compiler.
pub(super) const INNODB: [&str; 2] = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"];

/// Fills the data folder with the server's own tables, as mariadb-install-db does. That script is not used because on
/// Debian it needs a program of the client's package, while everything here comes with the server's.
pub(super) fn install(folder: &Path) -> Result<(), MariadbError> {
    let mut sql = String::from("CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n");
    for part in ["system_tables", "performance_tables", "system_tables_data"] {
        sql.push_str(&std::fs::read_to_string(find_script(part)?)?);
    }
    let script = folder.join("install.sql");
    std::fs::write(&script, sql)?;
    let output = Command::new(find("mariadbd")?)
        .args(["--no-defaults", "--bootstrap", "--log-warnings=0", "--max-allowed-packet=8M"])
        .args(folders(folder))
        .args(INNODB)
        .args(as_root())
        .stdin(File::open(script)?)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Err(MariadbError::Failed {
        what: format!("mariadbd --bootstrap ended with {}", output.status),
        log: tail(&log),
    })
}

/// Finds a script of the server; newer versions renamed folder and files.
fn find_script(part: &str) -> Result<PathBuf, MariadbError> {
    ["/usr/share", "/usr/local/share"]
        .iter()
        .flat_map(|share| ["mysql", "mariadb"].map(|name| Path::new(share).join(name)))
        .flat_map(|folder| ["mysql", "mariadb"].map(|name| folder.join(format!("{name}_{part}.sql"))))
        .find(|path| path.is_file())
        .ok_or(MariadbError::Missing {
            program: "the script mysql_system_tables.sql of mariadbd",
            package: PACKAGE,
        })
}

/// Where a server works. Its temporary files need a folder of their own, because a server that starts removes those of
/// all others in the same folder.
pub(super) fn folders(folder: &Path) -> [String; 2] {
    [("datadir", "data"), ("tmpdir", "tmp")]
        .map(|(option, name)| format!("--{option}={}", folder.join(name).display()))
}

/// Root has to say that it wants to run a server as root.
pub(super) fn as_root() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("--user=root")
}

/// Finds a program, also where the path of an ordinary user does not lead.
pub(super) fn find(program: &'static str) -> Result<PathBuf, MariadbError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or(MariadbError::Missing { program, package: PACKAGE })
}
