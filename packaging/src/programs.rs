//! The programs.

use clap::Command;

/// A program, and what its manual page says that its command line does not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Program {
    /// What a person types.
    pub name: &'static str,
    /// The section of the manual: 1 for everybody, 8 for who runs the site.
    pub section: &'static str,
    /// Its command line.
    pub command: fn() -> Command,
    /// What it reads and keeps.
    pub files: &'static [(&'static str, &'static str)],
    /// Pages to read on, each as `name(section)`.
    pub see: &'static [&'static str],
}

const HUB_FILES: &[(&str, &str)] = &[
    ("/etc/lamon/hub.toml", "The configuration; see hub.toml(5)."),
    (
        "/var/lib/lamon",
        "Journal, archive where it is SQLite, the hub's key, and what operators changed. It is copied as a whole.",
    ),
    ("/run/lamon/control", "The socket over which lamon(1) and lamon-web(8) operate the hub."),
];

/// Every program that is installed.
pub const PROGRAMS: [Program; 9] = [
    Program {
        name: "lamon-agent",
        section: "8",
        command: lamon_agent::cli::command,
        files: &[
            ("/etc/lamon/agent.toml", "The configuration; see agent.toml(5). None is needed."),
            (
                "/var/lib/lamon-agent",
                "The node's key, the hubs that it was enrolled with and that it was, and the spool, where one is kept.",
            ),
        ],
        see: &["lamon(7)", "agent.toml(5)", "lamon(1)"],
    },
    Program {
        name: "lamon-sensord",
        section: "8",
        command: lamon_sensord::cli::command,
        files: HUB_FILES,
        see: &["lamon(7)", "hub.toml(5)", "lamon(1)", "lamon-collector(8)", "rts2c(1)"],
    },
    Program {
        name: "rts2-sensor-lamon",
        section: "8",
        command: || lamon_sensord::cli::command().name("rts2-sensor-lamon"),
        files: HUB_FILES,
        see: &["lamon-sensord(8)", "lamon(7)", "hub.toml(5)", "rts2c(1)"],
    },
    Program {
        name: "lamon-collector",
        section: "8",
        command: lamon_collector::cli::command,
        files: HUB_FILES,
        see: &["lamon(7)", "hub.toml(5)", "lamon(1)", "lamon-sensord(8)"],
    },
    Program {
        name: "lamon",
        section: "1",
        command: lamon::command,
        files: &[("/run/lamon/control", "The hub's control socket, for members of the group lamon.")],
        see: &["lamon(7)", "lamon-mon(1)", "lamon-sensord(8)", "lamon-collector(8)"],
    },
    Program {
        name: "rts2c",
        section: "1",
        command: rts2c::command,
        files: &[],
        see: &["lamon(7)", "lamon-sensord(8)"],
    },
    Program {
        name: "lamon-mon",
        section: "1",
        command: lamon_mon::command,
        files: &[],
        see: &["lamon(7)", "lamon(1)", "lamon-web(8)"],
    },
    Program {
        name: "lamon-notify",
        section: "8",
        command: lamon_notify::command,
        files: &[
            ("/etc/lamon/notify.toml", "The configuration; see notify.toml(5)."),
            ("/var/lib/lamon-notify", "What is not delivered yet, and what was told."),
        ],
        see: &["lamon(7)", "notify.toml(5)"],
    },
    Program {
        name: "lamon-web",
        section: "8",
        command: lamon_web::command,
        files: &[
            ("/etc/lamon/web.toml", "The configuration; see web.toml(5). None is needed."),
            ("/var/lib/lamon-web/users", "Who may log in; lamon-web user changes it."),
        ],
        see: &["lamon(7)", "web.toml(5)", "lamon-mon(1)"],
    },
];
