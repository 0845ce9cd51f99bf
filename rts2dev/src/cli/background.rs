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
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, getpid, getppid, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use super::INIT_FAILED;
use super::lock::{LockError, open_and_lock, write_pid};

/// Set in the daemon's environment to the process id of its parent: a program that the daemon starts in its turn
/// inherits the variable, but has another parent.
const DAEMON_OF: &str = "RTS2DEV_DAEMON_OF";

/// The line by which the daemon says that it serves.
const READY: &str = "rts2dev: ready";

/// The exit code of a daemon that runs already; rts2-start knows it.
const RUNS_ALREADY: u8 = 255;

/// Why the daemon was not started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The lock was not taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// `--run-as` names nobody.
    #[error("--run-as: there is no {kind} {name}")]
    Nobody {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Users and groups cannot be looked up.
    #[error("--run-as: {0}")]
    Users(#[source] io::Error),
    /// The program cannot be started once more.
    #[error("cannot start the daemon: {0}")]
    Spawn(#[source] io::Error),
    /// The daemon ended before it served; it said why by itself.
    #[error("the daemon ended with exit code {code}")]
    Ended {
        /// Its exit code, never 0.
        code: u8,
    },
}

impl StartError {
    /// What RTS2's scripts take it for: 255 when it runs already, the daemon's own code when that failed, else 10.
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Lock(LockError::RunsAlready { .. }) => RUNS_ALREADY,
            Self::Ended { code } => *code,
            _ => INIT_FAILED,
        })
    }
}

/// Tells the operator why nothing was started, and gives the exit code for the script.
pub(super) fn tell(error: &StartError) -> ExitCode {
    // What ended the daemon it said by itself.
    if !matches!(error, StartError::Ended { .. }) {
        say(&error.to_string());
    }
    error.exit_code()
}

#[expect(clippy::print_stderr, reason = "the start script shows it to the operator")]
pub(super) fn say(text: &str) {
    let program = env::args_os().next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default();
    eprintln!("{}: {text}", program.to_string_lossy());
}

/// Starts this program once more as a daemon, with the same arguments, and waits until it calls [`serving`]. `run_as` is
/// `USER[.GROUP]`; the group is the user's own when not given.
///
/// # Errors
/// When it runs already, cannot be started, or ends before it serves.
pub(super) fn start(lock_file: &Path, run_as: Option<&str>) -> Result<(), StartError> {
    let lock = open_and_lock(lock_file)?;
    let lock_failed = |source| LockError::Lock { path: lock_file.to_owned(), source };
    let mut command = Command::new(env::current_exe().map_err(StartError::Spawn)?);
    command.args(env::args_os().skip(1)).env(DAEMON_OF, getpid().as_raw_pid().to_string());
    // The child inherits the lock with the file, and keeps it when this process ends.
    command.stdin(lock.try_clone().map_err(lock_failed)?).stdout(Stdio::piped());
    if let Some(user) = run_as {
        let (uid, gid) = ids(user)?;
        command.uid(uid).gid(gid);
    }
    let mut child = command.spawn().map_err(StartError::Spawn)?;
    write_pid(&lock, Pid::from_child(&child)).map_err(lock_failed)?;
    if child.stdout.take().is_some_and(says_ready) {
        return Ok(());
    }
    // A stop script must not kill whoever gets this process id next.
    lock.set_len(0).map_err(lock_failed)?;
    let code = child.wait().map_err(StartError::Spawn)?.code();
    let code = code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0);
    Err(StartError::Ended { code: code.unwrap_or(INIT_FAILED) })
}

/// Whether this process is the daemon that [`DeviceArgs::daemonize`](super::DeviceArgs::daemonize) started.
#[must_use]
pub fn is_daemon() -> bool {
    // Asked before the parent ends, then remembered.
    static IS_DAEMON: OnceLock<bool> = OnceLock::new();
    *IS_DAEMON.get_or_init(|| {
        let parent = getppid().map(|pid| pid.as_raw_pid().to_string());
        parent.is_some() && env::var(DAEMON_OF).ok() == parent
    })
}

/// Tells the process that started the daemon that it serves, and lets go of its terminal: to be called when nothing is
/// left that can end the program at its start. Does nothing in the foreground.
///
/// # Errors
/// When the output cannot be redirected.
pub fn serving() -> io::Result<()> {
    if !is_daemon() {
        return Ok(());
    }
    // Its own session: a terminal that closes does not take the daemon with it.
    setsid()?;
    let mut output = io::stdout();
    writeln!(output, "{READY}")?;
    output.flush()?;
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Reads what the daemon writes until it says that it serves; `false` when it ended. What a program prints before that
/// is for the operator.
fn says_ready(output: impl io::Read) -> bool {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if line == READY {
            return true;
        }
        // Nobody may listen.
        let _ = writeln!(io::stdout(), "{line}");
    }
    false
}

/// User and group of `--run-as USER[.GROUP]` (RTS2 lib/rts2/daemon.cpp, `switchUser`).
fn ids(text: &str) -> Result<(u32, u32), StartError> {
    let (user, group) = text.split_once('.').map_or((text, None), |(user, group)| (user, Some(group)));
    let failed = |errno: nix::Error| StartError::Users(errno.into());
    let nobody = |kind, name: &str| StartError::Nobody { kind, name: name.to_owned() };
    let user = nix::unistd::User::from_name(user).map_err(failed)?.ok_or_else(|| nobody("user", user))?;
    let gid = match group {
        None => user.gid,
        Some(name) => {
            nix::unistd::Group::from_name(name).map_err(failed)?.ok_or_else(|| nobody("group", name))?.gid
        }
    };
    Ok((user.uid.as_raw(), gid.as_raw()))
}
