//! On what, and with what, it is measured.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use diesel::prelude::*;
use diesel::sql_types::Text;
use lamon_tests::process::find;

use crate::Options;
use crate::report::Table;

/// Fills the head of the table.
pub(crate) fn describe(table: &mut Table, options: &Options) -> anyhow::Result<()> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    table.fact("processor", format!("{}, {cores} cores", model.unwrap_or("?")));
    let system = read("/etc/os-release");
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("?");
    let kernel = read("/proc/sys/kernel/osrelease");
    table.fact("system", format!("{}, kernel {}", system.trim_matches('"'), kernel.trim()));
    table.fact("disk", disk(&std::env::temp_dir()));
    let load = read("/proc/loadavg");
    table.fact("load before", format!("{} (what else runs here)", load.split(' ').next().unwrap_or("?")));
    let lamon = first_line(Command::new(find("lamon-sensord")?).arg("--version"));
    table.fact("lamon", lamon.unwrap_or_default());
    let (major, minor, patch) = zmq::version();
    let mariadb =
        first_line(Command::new("sh").args(["-c", "PATH=$PATH:/usr/sbin:/usr/libexec mariadbd --version"]));
    table.fact(
        "with",
        format!(
            "SQLite {}, libzmq {major}.{minor}.{patch}, {}",
            sqlite_version()?,
            mariadb.unwrap_or_else(|| "no MariaDB".into())
        ),
    );
    table.fact("build", if cfg!(debug_assertions) { "debug: no numbers to keep" } else { "release" });
    table.fact(
        "runs",
        format!(
            "{}{}",
            options.runs(),
            if options.quick { ", a short look" } else { ", median (min … max)" }
        ),
    );
    Ok(())
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned())
}

fn sqlite_version() -> anyhow::Result<String> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let mut connection = SqliteConnection::establish(":memory:")?;
    let version: Version =
        diesel::sql_query("SELECT sqlite_version() AS version").get_result(&mut connection)?;
    Ok(version.version)
}

/// The file system and the kind of disk on which journals and databases of the benchmark lie.
fn disk(folder: &Path) -> String {
    let Ok(metadata) = fs::metadata(folder) else { return "?".into() };
    let device = format!("{}:{}", rustix::fs::major(metadata.dev()), rustix::fs::minor(metadata.dev()));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mount = mounts.lines().rev().find(|line| line.split(' ').nth(2) == Some(device.as_str()));
    let kind = mount.and_then(|line| line.split_once(" - ")?.1.split(' ').next()).unwrap_or("?");
    let block = format!("/sys/dev/block/{device}");
    // A partition's queue is that of its disk.
    let queue = ["queue/rotational", "../queue/rotational"]
        .iter()
        .find_map(|file| fs::read_to_string(format!("{block}/{file}")).ok());
    let rotational = match queue.as_deref().map(str::trim) {
        Some("0") => "not rotational",
        Some(_) => "rotational",
        None => "no disk of its own",
    };
    let name = fs::read_link(&block).ok();
    let name =
        name.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    format!("{} on {}, {rotational} ({})", kind, name.unwrap_or(device), folder.display())
}
