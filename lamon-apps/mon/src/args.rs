//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use globset::{Glob, GlobMatcher};
use lamon_bus::{Addresses, Keys, PublicKey};
use lamon_daemon::seconds::Seconds;

use crate::lang::Lang;

const EXAMPLES: &str = "Examples:
  lamon-mon                                  the nodes of the hub on this computer, live
  lamon-mon --hub hub.example.org            of another computer's hub
  lamon-mon --group ccd --group dome         of two groups alone
  lamon-mon --node 'ccd*'                    of nodes whose names begin with ccd (quote it: * is the shell's, too)
  lamon-mon --once                           one look, for people and for Nagios
  lamon-mon --once --node ccd01 --timeout 5  how one node is
  lamon-mon --json | jq .nodes               the same for scripts

Keys: arrows choose, Enter shows a node, e events, / searches, ? helps, q ends.

Exit codes of --once and --json, those of Nagios plugins:
  0  all nodes that were asked for are good
  1  the worst is at warning
  2  the worst is at error, or silent
  3  unknown: the hub was not heard, it has no such node, or the command line makes no sense";

/// Shows how the observatory's computers are, live on the terminal, or in one look.
///
/// It follows lamon's hub over its bus, and needs nothing else of it.
#[derive(Debug, Parser)]
#[command(name = "lamon-mon", version = lamon_daemon::VERSION, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The computer that the hub is on; its bus has the ports 7618 and 7619
    #[arg(long, env = "LAMON_HUB", default_value = "127.0.0.1", value_name = "HOST")]
    pub(crate) hub: String,
    /// Where the hub publishes, if it is another port: tcp://HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) publish: Option<String>,
    /// Where the hub answers, if it is another port: tcp://HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) snapshot: Option<String>,
    /// The hub's key, where it lists who may follow its bus: `lamon-sensord check` prints it there
    #[arg(long, env = "LAMON_HUB_KEY", value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) hub_key: Option<PublicKey>,
    /// The file with one's own key then, made when it is needed; `lamon bus-key FILE` prints what the hub has to list
    /// [default: ~/.config/lamon/bus.key]
    #[arg(long, env = "LAMON_KEY_FILE", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// One look at all nodes as a table, with an exit code; the first line is a summary
    #[arg(long)]
    pub(crate) once: bool,
    /// The same as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// How long one look waits for the hub: 10, 30s, 1m
    #[arg(long, default_value = "10s", value_name = "TIME")]
    pub(crate) timeout: Seconds,
    /// This node alone, or those that fit: `*` is anything, `?` a letter, `{a,b}` either; may be given again
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Vec<Name>,
    /// The nodes of this group alone, or of those that fit; may be given again
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<Name>,
    /// The language, if not that of `LC_ALL`, `LC_MESSAGES` or `LANG`
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Lang>,
    /// Bars and curves of plain ASCII, for terminals that have no others; of itself where the locale is not UTF-8
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Whether levels have colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colours,
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

impl Args {
    /// Where the bus is.
    pub(crate) fn addresses(&self) -> Addresses {
        let usual = Addresses::of_host(&self.hub);
        Addresses {
            publish: self.publish.clone().unwrap_or(usual.publish),
            snapshot: self.snapshot.clone().unwrap_or(usual.snapshot),
            keys: self.hub_key.map(|hub| Keys { hub, own: self.key.clone().unwrap_or_else(own_key) }),
        }
    }

    /// Which nodes are asked for.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted { nodes: self.node.clone(), groups: self.group.clone() }
    }
}

/// Where one's own key is when nobody says otherwise.
fn own_key() -> PathBuf {
    let home = |name, below: &str| std::env::var_os(name).map(|home| PathBuf::from(home).join(below));
    let folder = home("XDG_CONFIG_HOME", "lamon").or_else(|| home("HOME", ".config/lamon"));
    folder.unwrap_or_default().join("bus.key")
}

/// A name, or a pattern of names.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    text: String,
    glob: GlobMatcher,
}

impl FromStr for Name {
    type Err = globset::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_owned(), glob: Glob::new(text)?.compile_matcher() })
    }
}

impl Name {
    fn fits(&self, name: &str) -> bool {
        self.text == name || self.glob.is_match(name)
    }
}

/// Which nodes are asked for; all when nothing is named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// By name.
    pub(crate) nodes: Vec<Name>,
    /// By group.
    pub(crate) groups: Vec<Name>,
}

impl Wanted {
    /// Whether a node is.
    pub(crate) fn has(&self, name: &str, group: &str) -> bool {
        let named = |names: &[Name], word: &str| names.is_empty() || names.iter().any(|name| name.fits(word));
        named(&self.nodes, name) && named(&self.groups, group)
    }

    /// What is asked for, in words, for who finds nothing.
    pub(crate) fn words(&self) -> String {
        let texts =
            |names: &[Name]| names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(" or ");
        let mut words = Vec::new();
        if !self.nodes.is_empty() {
            words.push(format!("named {}", texts(&self.nodes)));
        }
        if !self.groups.is_empty() {
            words.push(format!("in the group {}", texts(&self.groups)));
        }
        words.join(" ")
    }
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
    fn a_hub_is_named_by_its_host_or_by_its_ports() {
        let args = Args::parse_from(["lamon-mon", "--hub", "hub1", "--snapshot", "tcp://a:1"]);
        let addresses = args.addresses();
        assert_eq!(
            (addresses.publish.as_str(), addresses.snapshot.as_str()),
            ("tcp://hub1:7618", "tcp://a:1")
        );
    }

    #[test]
    fn nodes_are_asked_for_by_name_and_by_group() {
        let wanted = |nodes: &[&str], groups: &[&str]| Wanted {
            nodes: nodes.iter().map(|name| name.parse().unwrap()).collect(),
            groups: groups.iter().map(|name| name.parse().unwrap()).collect(),
        };
        assert!(wanted(&[], &[]).has("ccd01", "ccd"));
        assert!(wanted(&["a", "ccd01"], &["ccd"]).has("ccd01", "ccd"));
        assert!(!wanted(&["ccd01"], &["dome"]).has("ccd01", "ccd"));
        assert!(wanted(&["ccd*"], &[]).has("ccd01", "x") && !wanted(&["ccd?"], &[]).has("ccd01", "x"));
        assert!(wanted(&["{ccd01,dome}"], &["c*"]).has("ccd01", "ccd"));
        assert!(Args::try_parse_from(["lamon-mon", "--node", "a[b"]).is_err(), "a class that has no end");
        assert_eq!(wanted(&["a", "b"], &["c"]).words(), "named a or b in the group c");
    }
}
