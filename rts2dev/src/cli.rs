//! RTS2's command-line options for a program of yours (feature `cli`; RTS2 lib/rts2/app.cpp, daemon.cpp, device.cpp).
//!
//! [`DeviceArgs`] is flattened into a clap parser, next to the program's own options. The program needs `clap` 4 (feature
//! `derive`) and `tokio` (features `macros`, `rt`):
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use clap::Parser;
//! use rts2dev::Device;
//! use rts2dev::cli::{self, DeviceArgs};
//!
//! /// The temperature of the cellar.
//! #[derive(Parser)]
//! struct Options {
//!     #[command(flatten)]
//!     device: DeviceArgs,
//!     /// The thermometer.
//!     #[arg(long, default_value = "/dev/ttyUSB0")]
//!     port: String,
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> ExitCode {
//!     let options = Options::parse();
//!     // In the background this process ends here, and the one that it started comes by.
//!     let _lock = match options.device.daemonize("CELLAR") {
//!         Ok(lock) => lock,
//!         Err(code) => return code,
//!     };
//!     match run(&options).await {
//!         Ok(()) => ExitCode::SUCCESS,
//!         Err(error) => {
//!             eprintln!("{error}");
//!             ExitCode::from(cli::INIT_FAILED)
//!         }
//!     }
//! }
//!
//! async fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
//!     let device = Device::new(options.device.options("CELLAR"))?;
//!     let temperature = device.handle().double("temperature", "[C] of the air").declare()?;
//!     let listener = options.device.bind().await?;
//!     let shutdown = cli::ended_by_signal()?;
//!     cli::serving()?;
//!     device.run(listener, shutdown).await?;
//!     Ok(())
//! }
//! ```
//!
//! An option of RTS2 that is not here is refused, and so is what this machine cannot do; nothing is taken silently.
//! Left out are `--valuefile` (a program declares its values), `--modefile` (a selection with a set handler does more)
//! and `--autorestart` (systemd does that, with `Restart=`), and `--logfile`, `--config` and `--port`, which RTS2's sensors
//! do not have either.

#[cfg(unix)]
mod background;
#[cfg(unix)]
mod lock;
mod signals;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::ExitCode;

use clap::Args;
use rts2_proto::DeviceName;
use tokio::net::TcpListener;

#[cfg(unix)]
pub use self::background::{is_daemon, serving};
#[cfg(unix)]
pub use self::lock::{LockError, LockFile};
pub use self::signals::ended_by_signal;
use crate::options::DeviceOptions;

/// The exit code of RTS2 daemons whose start failed (RTS2 lib/rts2/daemon.cpp, `initDaemon`).
pub const INIT_FAILED: u8 = 10;

/// Where lock files are when `--lock-prefix` does not say.
#[cfg(unix)]
pub const LOCK_PREFIX: &str = "/var/run/rts2_";

/// Above these options in `--help`; not for all that follow, which are the program's own.
const HEADING: &str = "Options of RTS2 devices";

/// The options of RTS2 devices, to be flattened into the options of a program. [`cli`](self) shows how.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[non_exhaustive]
pub struct DeviceArgs {
    /// The device's name.
    #[arg(help_heading = HEADING, short = 'd', value_name = "NAME", value_parser = device_name)]
    pub device: Option<String>,

    /// A centrald to register with, port 617 when none is given. May be repeated. [default: localhost]
    #[arg(help_heading = HEADING, long, value_name = "HOST[:PORT]")]
    pub server: Vec<String>,

    /// The host that clients are told to connect to. [default: the name of this machine]
    #[arg(help_heading = HEADING, long, value_name = "HOST")]
    pub localhost: Option<String>,

    /// The port on which the device listens. [default: any that is free; centrald tells clients]
    #[arg(help_heading = HEADING, long, value_name = "PORT")]
    pub local_port: Option<u16>,

    /// Serve commands to clients that centrald does not vouch for.
    #[arg(help_heading = HEADING, long)]
    pub noauth: bool,

    /// Stay in the foreground.
    #[arg(help_heading = HEADING, short = 'i')]
    pub interactive: bool,

    /// What the device's name is put behind to name its lock file, which holds the process id. In the foreground there
    /// is one only when this is given. [default: /var/run/rts2_]
    #[cfg(unix)]
    #[arg(help_heading = HEADING, long, value_name = "PREFIX")]
    pub lock_prefix: Option<String>,

    /// The user, and group, that the daemon runs as. Not in the foreground.
    #[cfg(unix)]
    #[arg(help_heading = HEADING, long, value_name = "USER[.GROUP]")]
    pub run_as: Option<String>,

    /// A file with what values begin with: lines `name = value`, and name.min and name.max for values with limits.
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub defaults: Option<PathBuf>,

    /// The file in which the values that have to be are kept over restarts. It stands over NAME=VALUE and --defaults.
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub autosave: Option<PathBuf>,

    /// What a value begins with, whether clients may set it or not.
    #[arg(help_heading = HEADING, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub initial: Vec<(String, String)>,

    /// Log more. The library only takes it: how much is shown is up to the program's subscriber of [`tracing`].
    #[arg(help_heading = HEADING, long, help = "Log more")]
    pub debug: bool,

    /// Taken because start scripts may give it to every device; without effect, for no local times are written.
    #[arg(help_heading = HEADING, long = "UT")]
    pub ut: bool,

    /// Taken because start scripts may give it to every device; without effect, for no value has to be set at the start.
    #[arg(help_heading = HEADING, long)]
    pub notcheck: bool,
}

/// The device cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on port {port} (--local-port): {source}")]
pub struct BindError {
    /// The port that was asked for.
    pub port: u16,
    /// Why not.
    pub source: io::Error,
}

impl DeviceArgs {
    /// The device's name: that of `-d`, or the program's own.
    #[must_use]
    pub fn name<'a>(&'a self, default_name: &'a str) -> &'a str {
        self.device.as_deref().unwrap_or(default_name)
    }

    /// The options of a device. What RTS2's command line does not say can be set in them afterwards.
    #[must_use]
    pub fn options(&self, default_name: &str) -> DeviceOptions {
        let mut options = DeviceOptions::new(self.name(default_name));
        if !self.server.is_empty() {
            options.centralds.clone_from(&self.server);
        }
        options.host.clone_from(&self.localhost);
        options.noauth = self.noauth;
        options.defaults.clone_from(&self.defaults);
        options.autosave.clone_from(&self.autosave);
        options.initial.clone_from(&self.initial);
        options
    }

    /// Listens on all addresses of this machine, as RTS2's devices do, on the port of `--local-port`.
    ///
    /// # Errors
    /// When the port is in use, or not allowed.
    pub async fn bind(&self) -> Result<TcpListener, BindError> {
        let port = self.local_port.unwrap_or(0);
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.map_err(|source| BindError { port, source })
    }

    /// The lock file: `--lock-prefix` with the device's name behind.
    #[cfg(unix)]
    #[must_use]
    pub fn lock_file(&self, default_name: &str) -> PathBuf {
        let prefix = self.lock_prefix.as_deref().unwrap_or(LOCK_PREFIX);
        format!("{prefix}{}", self.name(default_name)).into()
    }

    /// Goes to the background, unless `-i` was given: this program is started once more with the same arguments, and
    /// this process gets the exit code with which it has to end, once the other called [`serving`] or failed: 0 it
    /// serves, 255 another process has the lock file, else the daemon's own code or [`INIT_FAILED`]. Failures are told
    /// on standard error. To be called before anything is begun.
    ///
    /// In the daemon itself, and in the foreground, it returns with the lock, which is to be kept as long as the process
    /// lives.
    ///
    /// # Errors
    /// The exit code with which this process has to end.
    #[cfg(unix)]
    pub fn daemonize(&self, default_name: &str) -> Result<Option<LockFile>, ExitCode> {
        if is_daemon() {
            let lock = LockFile::inherited().map_err(background::StartError::Spawn);
            return lock.map(Some).map_err(|error| background::tell(&error));
        }
        if !self.interactive {
            let started = background::start(&self.lock_file(default_name), self.run_as.as_deref());
            return Err(started.map_or_else(|error| background::tell(&error), |()| ExitCode::SUCCESS));
        }
        if self.run_as.is_some() {
            background::say("--run-as has no effect in the foreground");
        }
        if self.lock_prefix.is_none() {
            return Ok(None);
        }
        match LockFile::take(&self.lock_file(default_name)) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) => Err(background::tell(&error.into())),
        }
    }
}

/// For clap: a name that RTS2 takes.
fn device_name(name: &str) -> Result<String, String> {
    DeviceName::new(name).map(|name| name.as_str().to_owned()).map_err(|error| error.to_string())
}

/// For clap: `NAME=VALUE`.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("what stands alone is NAME=VALUE: what a value begins with".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        device: DeviceArgs,
        /// The program's own
        #[arg(long)]
        own: bool,
    }

    fn parse(arguments: &str) -> Result<DeviceArgs, String> {
        let arguments = std::iter::once("program").chain(arguments.split_whitespace());
        Program::try_parse_from(arguments).map(|program| program.device).map_err(|error| error.to_string())
    }

    #[test]
    fn the_help_keeps_apart_what_the_program_adds() {
        let help = parse("--help").unwrap_err();
        let (above, below) = help.split_once(HEADING).unwrap();
        assert!(above.contains("--own") && !above.contains("--server"), "{help}");
        assert!(
            below.contains("--notcheck") && below.contains("Log more\n") && !below.contains("--own"),
            "{help}"
        );
    }

    #[test]
    fn what_start_scripts_give() {
        let args = parse(
            "-d DUMMY --server a --server b:618 --localhost h --local-port 7 --noauth --UT --notcheck --debug",
        );
        let args = args.unwrap();
        let options = args.options("S1");
        assert_eq!(options.name, "DUMMY");
        assert_eq!(options.centralds, ["a", "b:618"]);
        assert_eq!(options.host.as_deref(), Some("h"));
        assert_eq!(
            (options.noauth, args.local_port, args.debug, args.interactive),
            (true, Some(7), true, false)
        );
        let args = parse("limit=5 --defaults a.ini text=a=b --autosave b.ini").unwrap().options("S1");
        assert_eq!(args.initial, [("limit".into(), "5".into()), ("text".into(), "a=b".into())]);
        assert_eq!((args.defaults, args.autosave), (Some("a.ini".into()), Some("b.ini".into())));
        // As the init script has it: the name last, long options with =.
        assert_eq!(parse("--server=a -i -d X").unwrap().options("S1").name, "X");
    }

    #[test]
    fn without_options_there_are_rts2s_defaults() {
        let args = parse("").unwrap();
        let options = args.options("S1");
        assert_eq!((options.name.as_str(), options.noauth, options.host), ("S1", false, None));
        assert_eq!(options.centralds, ["localhost"]);
        #[cfg(unix)]
        assert_eq!(args.lock_file("S1"), PathBuf::from("/var/run/rts2_S1"));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for (arguments, sentence) in [
            ("-d a.b", "letters, digits and _ only"),
            ("--local-port 70000", "70000 is not in 0..=65535"),
            ("limit", "NAME=VALUE"),
            ("--autorestart 5", "unexpected argument '--autorestart'"),
            ("--logfile f", "unexpected argument '--logfile'"),
        ] {
            let refused = parse(arguments).unwrap_err();
            assert!(refused.contains(sentence), "{arguments}: {refused}");
        }
    }
}
