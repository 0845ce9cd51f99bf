//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use lamon_daemon::logging::{LogLevel, LogTarget};

const EXAMPLES: &str = "Examples:
  lamon-notify check                       what the configuration means, and what is wrong with it
  lamon-notify test robot                  one message over the channel robot, now
  lamon-notify --log-to stderr             follow the hub and tell people, in the foreground

Exit codes:
  0   done
  1   test: the message was not delivered
  2   the command line makes no sense
  69  the queue or the bus cannot be used
  78  the configuration is wrong

SIGHUP, systemctl reload lamon-notify: the configuration is read again; a wrong one is refused, and the one before goes on.";

/// Tells people what lamon's hub finds wrong: by e-mail, group robots, webhooks and commands.
///
/// Follows the hub's bus, puts what happens at about the same time into one message, and keeps each message on disk until it
/// is delivered.
#[derive(Debug, Parser)]
#[command(name = "lamon-notify", version = lamon_daemon::VERSION, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration
    #[arg(short, long, global = true, default_value = "/etc/lamon/notify.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// How much is logged
    #[arg(long, global = true, value_enum, default_value_t, value_name = "LEVEL")]
    pub(crate) log: LogLevel,
    /// Where logs go
    #[arg(long, global = true, value_enum, default_value_t, value_name = "TARGET")]
    pub(crate) log_to: LogTarget,
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Task {
    /// Follow the hub and tell people; the same as no command
    Run,
    /// Read the configuration, say what it means and what is wrong with it, and end
    Check,
    /// Send one message over a channel now, past queue and routes, and say what came of it
    Test {
        /// The channel's name
        channel: String,
        /// What it says
        #[arg(short = 'm', long, value_name = "TEXT")]
        text: Option<String>,
    },
}
