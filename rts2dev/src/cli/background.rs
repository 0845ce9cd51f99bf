//! Going to the background as RTS2's start scripts expect (RTS2 lib/rts2/daemon.cpp, scripts/rts2-start, rts2.initd.in).
//!
//! They call `rts2-sensor-lamon -d NODES …` in the foreground and wait: exit code 0 means started, 255 means that it
//! runs already, anything else that it failed. To stop it they kill the process id in the lock file, whose lock is held as
//! long as the daemon lives.
//!
//! RTS2 forks; a process with threads and without `unsafe` cannot. So the program starts itself once more, hands the
//! locked file on as the child's standard input, and, unlike RTS2, waits until the child listens: a port in use is an
//! exit code here, not a line in syslog that nobody reads.

use std::env;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};
use rustix::stdio::{dup2_stderr, dup2_stdout};

/// What of the command line counts here.
#[derive(Debug, Clone, Copy)]
pub struct Background<'a> {
    /// The device's name.
    pub device: &'a str,
    /// What the name is put behind to name the lock file.
    pub lock_prefix: &'a str,
    /// The user and group that the daemon runs as.
    pub run_as: Option<&'a str>,
    /// Stay in the foreground.
    pub interactive: bool,
}

/// Set in the child's environment: it is the daemon.
const CHILD: &str = "LAMON_SENSORD_DAEMON";

/// The line by which the child says that it serves.
const READY: &str = "ready";

/// The beginning of the program's name when RTS2's scripts start it.
const RTS2_NAME: &str = "rts2-sensor-";

/// The exit code of a daemon that runs already; rts2-start knows it.
const RUNS_ALREADY: u8 = 255;

/// The exit code of RTS2 daemons whose start failed.
const INIT_FAILED: u8 = 10;

/// What became of the start.
enum Outcome {
    Started,
    RunsAlready(PathBuf),
    /// The child said why, and ended with this code.
    Failed(u8),
}

/// Goes to the background when the program was started by RTS2's name, without `-i`, and is not the child already. Gives
/// the exit code with which this process ends, or `None` when it is the one to serve.
#[must_use]
pub fn go(args: &Background<'_>) -> Option<ExitCode> {
    if !wanted(args) {
        return None;
    }
    Some(match start_child(args) {
        Ok(Outcome::Started) => ExitCode::SUCCESS,
        Ok(Outcome::RunsAlready(lock)) => {
            say(&format!("it runs already: {} is locked", lock.display()));
            ExitCode::from(RUNS_ALREADY)
        }
        Ok(Outcome::Failed(code)) => ExitCode::from(code),
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::from(INIT_FAILED)
        }
    })
}

/// Whether this process is the daemon that another one started.
#[must_use]
pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

fn wanted(args: &Background<'_>) -> bool {
    let name = env::args_os().next().map(PathBuf::from);
    let name = name.as_deref().and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().starts_with(RTS2_NAME) && !args.interactive && !is_child()
}

fn start_child(args: &Background<'_>) -> anyhow::Result<Outcome> {
    let path = PathBuf::from(format!("{}{}", args.lock_prefix, args.device));
    let lock = open_lock(&path)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Outcome::RunsAlready(path)),
        Err(TryLockError::Error(error)) => return Err(error).with_context(|| path.display().to_string()),
    }
    let mut command = Command::new(env::current_exe().context("cannot find the program itself")?);
    command.args(env::args_os().skip(1)).env(CHILD, "1");
    // The child inherits the lock with the file, and keeps it when this process ends.
    command.stdin(lock.try_clone()?).stdout(Stdio::piped());
    if let Some(user) = args.run_as {
        let (uid, gid) = ids(user)?;
        command.uid(uid).gid(gid);
    }
    let mut child = command.spawn().context("cannot start the daemon")?;
    write_pid(&lock, child.id()).with_context(|| path.display().to_string())?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    if line.trim_end() == READY {
        return Ok(Outcome::Started);
    }
    // A stop script must not kill whoever gets this process id next.
    lock.set_len(0)?;
    let code = child.wait()?.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0);
    Ok(Outcome::Failed(code.unwrap_or(INIT_FAILED)))
}

fn open_lock(path: &Path) -> anyhow::Result<File> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(path);
    open.with_context(|| {
        format!("cannot open the lock file {} (--lock-prefix names its place)", path.display())
    })
}

/// RTS2 leaves the digits of a longer process id behind the new one, and its stop script kills that process too.
fn write_pid(mut lock: &File, pid: u32) -> io::Result<()> {
    lock.set_len(0)?;
    writeln!(lock, "{pid}")
}

/// User and group of `--run-as USER[.GROUP]`; the group is the user's own when not given.
fn ids(text: &str) -> anyhow::Result<(u32, u32)> {
    let (user, group) = text.split_once('.').map_or((text, None), |(user, group)| (user, Some(group)));
    let Some(user) = nix::unistd::User::from_name(user)? else {
        bail!("--run-as: there is no user {user}");
    };
    let gid = match group {
        None => user.gid,
        Some(name) => match nix::unistd::Group::from_name(name)? {
            Some(group) => group.gid,
            None => bail!("--run-as: there is no group {name}"),
        },
    };
    Ok((user.uid.as_raw(), gid.as_raw()))
}

/// Tells the process that started the daemon that it serves, and lets go of its terminal. Does nothing in the foreground.
///
/// # Errors
/// When the output cannot be redirected.
pub fn serving() -> io::Result<()> {
    if !is_child() {
        return Ok(());
    }
    // Its own session: a terminal that closes does not take the daemon with it.
    rustix::process::setsid()?;
    let mut output = io::stdout();
    writeln!(output, "{READY}")?;
    output.flush()?;
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the start script shows it to the operator")]
fn say(text: &str) {
    eprintln!("rts2-sensor-lamon: {text}");
}
