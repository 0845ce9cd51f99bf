//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use lamon_control::Hours;
use lamon_daemon::seconds::Seconds;

use crate::exit::CODES;
use crate::times::{self, Moment};

const EXAMPLES: &str = "Examples:
  lamon                                            how everything is
  lamon nodes                                      every node, the worst first
  lamon nodes ccd01                                all of one node
  lamon explain ccd01 disk_percent                 why its level is what it is
  lamon mute ccd01 --for 2h -m \"new disk\"          keep it quiet for two hours
  lamon mute @ccd --every \"mon,thu 09:00-11:00\" -m maintenance
  lamon unmute ccd01
  lamon ack ccd01 disk_percent -m \"Li moves data\"
  lamon set disk --warning 85 --error 95            limits of a rule, until they are reset
  lamon set ccd01 disk_root_free --error \"5 GB\"    of one value
  lamon reset disk
  lamon gates                                      what holds the observatory up, and why
  lamon override ccd_disk --for 2h -m supernova
  lamon keys                                       who waits to be approved, and the keys of all nodes
  lamon approve ccd01                              let it in, when the keys are the same
  lamon join @ccd --nodes 20 --for 2d              a secret for a roll-out
  lamon events --since 7d --level error            what was wrong this week
  lamon status --check || echo look at it          for scripts; also --json
  source <(lamon completion bash)";

/// Asks lamon's hub how the observatory's computers are, and operates it.
#[derive(Debug, Parser)]
#[command(name = "lamon", version = lamon_daemon::VERSION, after_help = format!("{EXAMPLES}\n\n{CODES}"))]
#[command(args_conflicts_with_subcommands = false, subcommand_required = false)]
pub(crate) struct Args {
    /// The hub's control socket, as the section control of its configuration names it
    #[arg(long, global = true, env = "LAMON_SOCKET", default_value = lamon_control::DEFAULT_SOCKET, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// The answers as JSON, one object, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Who asks, written down beside the user: for those who share one
    #[arg(long, global = true, env = "LAMON_WHO", value_name = "NAME")]
    pub(crate) who: Option<String>,
    /// Whether levels have colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colours,
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

/// Whether levels have colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colours {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Gravity {
    /// Anything
    Good,
    /// Worth a look
    Warning,
    /// Wrong
    Error,
    /// Nothing heard
    Silent,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Task {
    /// How everything is, in a few lines; the same as no command
    Status {
        /// End with 3 when something is at warning, 4 when something is at error or silent; muted nodes do not count
        #[arg(long)]
        check: bool,
    },
    /// Every node, the worst first; or all of one node
    Nodes {
        /// One node
        node: Option<String>,
    },
    /// Which rule holds for a value, and why its level is what it is
    Explain {
        /// The node
        node: String,
        /// The metric, as nodes shows them
        metric: String,
    },
    /// What happened, the newest last: what the hub has in memory, and before that what is in the archive
    Events {
        /// Of this node alone
        #[arg(long)]
        node: Option<String>,
        /// Of this level, or graver
        #[arg(long, value_enum)]
        level: Option<Gravity>,
        /// Not before this time, 2026-11-23T09:00, or so long ago: 30m, 12h, 7d
        #[arg(long, value_parser = times::since, value_name = "TIME")]
        since: Option<Moment>,
        /// How many at most: 20, or 1000 with --since
        #[arg(short = 'n', long, value_name = "COUNT")]
        count: Option<usize>,
    },
    /// What operators changed: mutes, acknowledgements and limits, with who and when
    Settings,
    /// Set the limits of a rule, or of one value, over those of the configuration, until they are reset
    ///
    /// A limit is a number in the metric's unit, or has its unit with it: 80, "90 %", "20 GB", 2m; none for no such limit.
    /// One that is not given stays as it is. explain names the rule that holds for a value.
    #[command(group(ArgGroup::new("limits").required(true).args(["warning", "error"]).multiple(true)))]
    Set {
        /// A rule by its name, wherever it holds; or a node, with a metric
        #[arg(value_name = "RULE|NODE")]
        target: String,
        /// The metric of the node
        metric: Option<String>,
        /// Where warning begins
        #[arg(long, value_name = "LIMIT", allow_hyphen_values = true)]
        warning: Option<String>,
        /// Where error begins
        #[arg(long, value_name = "LIMIT", allow_hyphen_values = true)]
        error: Option<String>,
        /// Why, for those who wonder later
        #[arg(short = 'm', long)]
        reason: Option<String>,
    },
    /// Let the limits of the configuration hold again
    Reset {
        /// A rule by its name; or a node, with a metric
        #[arg(value_name = "RULE|NODE")]
        target: String,
        /// The metric of the node
        metric: Option<String>,
    },
    /// Keep nodes quiet: they neither gate nor notify, and keep their levels
    ///
    /// A time is 2026-11-23T09:00, local, or with Z behind it, UTC. Hours are those of the hub's local time; those that end
    /// before they begin end on the next day.
    #[command(group(ArgGroup::new("when").required(true).args(["length", "until", "every"]).multiple(true)))]
    Mute {
        /// A node, a glob ("ccd*"), a group (@ccd), or "*" for all
        target: String,
        /// For how long from now: 90s, 30m, 2h, 3d
        #[arg(long = "for", value_name = "TIME", conflicts_with_all = ["until", "from", "every"])]
        length: Option<Seconds>,
        /// From when on; now when not given
        #[arg(long, value_parser = times::moment, requires = "until", conflicts_with = "every")]
        from: Option<Moment>,
        /// Until when
        #[arg(long, value_parser = times::moment)]
        until: Option<Moment>,
        /// Again and again: "mon,thu 09:00-11:00", "daily 12:00-13:00"
        #[arg(long, value_name = "HOURS")]
        every: Option<Hours>,
        /// Why, for those who wonder later
        #[arg(short = 'm', long)]
        reason: String,
    },
    /// End mutes
    Unmute {
        /// The number of one mute, or what it is for, exactly as it was given: ccd01, @ccd
        mute: String,
    },
    /// Say that somebody knows, until it is well again or gets worse
    Ack {
        /// The node
        node: String,
        /// One metric of it alone
        metric: Option<String>,
        /// For how long at most: 2h, 3d
        #[arg(long = "for", value_name = "TIME")]
        length: Option<Seconds>,
        /// What is being done about it
        #[arg(short = 'm', long)]
        reason: String,
    },
    /// How every gate stands, why, and how long it was closed since the hub's start
    Gates,
    /// Let a gate block nothing for a while, though its condition holds; it goes on telling what it would have done
    Override {
        /// The gate, as gates shows it
        gate: String,
        /// For how long from now, a week at most: 30m, 2h, 1d
        #[arg(long = "for", value_name = "TIME")]
        length: Seconds,
        /// Why, for those who wonder later
        #[arg(short = 'm', long)]
        reason: String,
    },
    /// End the override of a gate before its time
    Release {
        /// The gate
        gate: String,
    },
    /// Keys of nodes: who waits to be approved, who is, who is believed no more, and what lets nodes in
    Keys,
    /// Let a key speak for a node: the one that waits for it, when there is one
    ///
    /// Compare it first with what `lamon-agent key` prints on the node. A key that the node had before is believed no more.
    Approve {
        /// The node
        node: String,
        /// The key, or so much of it as tells it from others that wait; or the whole of one that did not come yet
        #[arg(value_name = "SHA256:…")]
        key: Option<String>,
    },
    /// Believe a key no more: of a node that was stolen or sold, or of somebody who waits and is not wanted
    Revoke {
        /// A node, or a key
        #[arg(value_name = "NODE|SHA256:…")]
        target: String,
        /// Why, for those who wonder later
        #[arg(short = 'm', long)]
        reason: String,
    },
    /// Make a secret that lets new nodes in without asking; it is printed once, and the hub does not keep it
    ///
    /// On the node: lamon-agent enroll HUB --join FILE, with the secret in FILE. It also tells the node the hub's key.
    Join {
        /// Which nodes it is for: a node, a glob ("ccd*"), a group (@ccd), or "*" for all
        target: String,
        /// How many nodes it lets in
        #[arg(long, default_value_t = 1, value_name = "COUNT")]
        nodes: u32,
        /// For how long from now, 31 days at most: 30m, 2h, 3d
        #[arg(long = "for", value_name = "TIME", default_value = "1d")]
        length: Seconds,
    },
    /// End such a secret before its time
    EndJoin {
        /// Its number, as keys shows it
        id: u32,
    },
    /// Print the public half of a key for the bus, made in FILE where there is none; the hub's [bus.clients] lists it
    BusKey {
        /// The file, for its owner alone
        file: PathBuf,
    },
    /// Take a silent node out of the picture that will not come back; its stored samples stay
    Forget {
        /// The node
        node: String,
    },
    /// Have the hub read its configuration again: rules, groups, what agents are told
    Reload,
    /// A completion file for a shell, on standard output
    Completion {
        /// Which shell
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_mute_wants_one_kind_of_time_and_a_reason_and_limits_a_limit() {
        for (line, good) in [
            ("lamon mute a --for 2h -m x", true),
            ("lamon mute a --until 2026-11-23T09:00Z -m x", true),
            ("lamon mute a --from 2026-11-23T09:00 --until 2026-11-23T10:00 -m x", true),
            ("lamon mute a --every 09:00-10:00 -m x", true),
            ("lamon mute a --every 09:00-10:00 --until 2027-01-01T00:00 -m x", true),
            ("lamon mute a -m x", false),
            ("lamon mute a --for 2h", false),
            ("lamon mute a --for 2h --until 2026-11-23T09:00 -m x", false),
            ("lamon mute a --from 2026-11-23T09:00 -m x", false),
            ("lamon mute a --every 9-10 -m x", false),
            ("lamon mute a --until soon -m x", false),
            ("lamon set disk --warning 80 --error 90", true),
            ("lamon set a clock_offset --warning -5 -m x", true),
            ("lamon set disk", false),
            ("lamon set disk -m x", false),
        ] {
            assert_eq!(Args::try_parse_from(line.split(' ')).is_ok(), good, "{line}");
        }
    }
}
