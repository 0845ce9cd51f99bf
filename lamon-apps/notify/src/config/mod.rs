//! The configuration, checked: who is told what, over which channels.
//!
//! `file` is what stands in the file, `channel` and `route` make of its tables what the program uses, or a mistake with its place.

mod channel;
mod file;
mod route;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lamon_bus::{Addresses, Keys};
use lamon_daemon::config::{self as reading, ConfigError};

pub(crate) use self::channel::Limit;
pub(crate) use self::route::Route;
use crate::channel::Channel;

/// The most channels, each a thread: far above what a site has.
const MAX_CHANNELS: usize = 50;

/// The most routes.
const MAX_ROUTES: usize = 200;

/// A mistake: where in the text, in bytes, and what.
type Wrong = (Range<usize>, String);

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) hub: Addresses,
    /// Where the queue and what is told are kept.
    pub(crate) state: PathBuf,
    /// What happens within so long is one message.
    pub(crate) window: Duration,
    /// Minutes after midnight, local, at which every channel is told that all is alive.
    pub(crate) self_test: Option<u16>,
    pub(crate) retry: Retry,
    pub(crate) channels: Vec<Named>,
    pub(crate) routes: Vec<Route>,
}

/// A channel with its name.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) channel: Channel,
    pub(crate) limit: Limit,
}

/// How long a channel that fails is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the place of the first mistake.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&path.display().to_string(), &reading::read(path)?)
    }

    fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let file: file::File = reading::parse(name, text)?;
        Self::of(file, text).map_err(|(at, what)| ConfigError::Wrong(reading::mistake(name, text, at, &what)))
    }

    fn of(file: file::File, text: &str) -> Result<Self, Wrong> {
        let mut channels: Vec<Named> = Vec::new();
        for table in file.channel {
            let at = table.name.span();
            let channel = channel::checked(table, text)?;
            if channels.iter().any(|known| known.name == channel.name) {
                return Err((at, format!("there are two channels {:?}", channel.name)));
            }
            if channels.len() >= MAX_CHANNELS {
                return Err((at, format!("there are more than {MAX_CHANNELS} channels")));
            }
            channels.push(channel);
        }
        let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        let mut routes: Vec<Route> = Vec::new();
        for (number, table) in file.route.into_iter().enumerate() {
            let at = table.channels.span();
            let route = route::checked(table, number + 1, &names)?;
            if routes.iter().any(|known| known.name == route.name) {
                return Err((at, format!("there are two routes {:?}", route.name)));
            }
            if routes.len() >= MAX_ROUTES {
                return Err((at, format!("there are more than {MAX_ROUTES} routes")));
            }
            routes.push(route);
        }
        let mut hub = Addresses::of_host(&file.hub);
        hub.publish = file.publish.unwrap_or(hub.publish);
        hub.snapshot = file.snapshot.unwrap_or(hub.snapshot);
        let own = file.key.unwrap_or_else(|| file.state.join("bus.key"));
        hub.keys = file.hub_key.map(|hub| Keys { hub, own });
        let retry = Retry { first: file.retry.duration(), longest: file.retry_longest.duration() };
        if retry.first.is_zero() {
            return Err((0..0, "retry must be longer than 0s".to_owned()));
        }
        let self_test = file.self_test.map(|time| {
            let minute = route::minutes(time.get_ref()).filter(|minute| *minute < 24 * 60);
            let what = format!("{:?} is no time of day (write \"09:00\")", time.get_ref());
            minute.ok_or_else(|| (time.span(), what))
        });
        let (state, window) = (file.state, file.window.duration());
        Ok(Self { hub, state, window, self_test: self_test.transpose()?, retry, channels, routes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "[[channel]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://x/\"\n";

    fn error(text: &str) -> String {
        Config::parse("n.toml", text).unwrap_err().to_string().lines().next().unwrap().to_owned()
    }

    #[test]
    fn the_shipped_file_is_valid_and_tells_nobody() {
        let config = Config::parse("notify.toml", include_str!("../../../../etc/notify.toml")).unwrap();
        assert!(config.channels.is_empty() && config.routes.is_empty());
        assert!(Config::parse("notify.toml", "").is_ok());
    }

    /// What is commented out in the shipped file is valid, too.
    #[test]
    fn the_examples_of_the_shipped_file_are_valid() {
        let text = include_str!("../../../../etc/notify.toml");
        let examples: Vec<&str> = text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        let config = Config::parse("notify.toml", &examples.join("\n")).unwrap();
        assert!(config.channels.len() >= 6 && config.routes.len() >= 2);
    }

    #[test]
    fn mistakes_have_their_place() {
        for (text, expected) in [
            ("hup = 1", "n.toml:1:1: unknown key \"hup\" (did you mean \"hub\"?)"),
            ("self_test = \"24:00\"", "n.toml:1:13: \"24:00\" is no time of day (write \"09:00\")"),
            ("[[channel]]\nname = \"a\"\nkind = \"fax\"", "n.toml:3:8: unknown variant `fax`"),
            (
                "[[channel]]\nname = \"a b\"\nkind = \"webhook\"\nurl = \"http://x\"",
                "n.toml:2:8: \"a b\" is no name",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"webhook\"",
                "n.toml:3:8: a channel of the kind webhook needs url or url_file",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"wecom_robot\"\nurl_file = \"/x\"\nserver = \"y\"",
                "n.toml:5:10: server is no setting of a channel of the kind wecom_robot",
            ),
            ("[[channel]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"x\"", "n.toml:4:7: \"x\" is no address"),
            (
                "[[channel]]\nname = \"a\"\nkind = \"email\"\nserver = \"m\"\nfrom = \"x@y\"\nto = [\"x@y\", \"nobody\"]",
                "n.toml:6:14: \"nobody\" is no mail address",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"email\"\nserver = \"m.org\"\nsecurity = \"none\"\nfrom = \"x@y\"\nto = [\"x@y\"]",
                "n.toml:5:12: without TLS a mail server must be on this computer",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://x\"\ntemplate = \"\"\"\n{{ title }}\n{{ titel }}\"\"\"",
                "n.toml:7:1: the template: undefined value",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://x\"\ntemplate = '{\"t\": \"{{ text }}\"}'",
                "n.toml:5:12: the template does not always make JSON",
            ),
            (
                &format!("{CHANNEL}[[route]]\nchannels = [\"a\", \"b\"]"),
                "n.toml:6:18: there is no channel \"b\" (there is: a)",
            ),
            (
                &format!("{CHANNEL}[[route]]\nchannels = []"),
                "n.toml:6:12: a route without channels tells nobody",
            ),
            (
                &format!("{CHANNEL}[[route]]\nchannels = [\"a\"]\nhours = \"22-7\""),
                "n.toml:7:9: \"22-7\" is no time of day (write \"22:00-07:00\")",
            ),
            (&format!("{CHANNEL}[[route]]\nchannels = [\"a\"]\nnodes = [\"[\"]"), "n.toml:7:10: "),
            (
                "[[channel]]\nname = \"a\"\nkind = \"wecom_app\"\ncorpid = \"w\"\nagentid = 1\nsecret_file = \"/x\"",
                "n.toml:3:8: a channel of the kind wecom_app needs touser, toparty or totag",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"wecom_app\"\ntouser = [\"a|b\"]",
                "n.toml:4:11: \"a|b\" is no name: write each by itself",
            ),
            (
                "[[channel]]\nname = \"a\"\nkind = \"wecom_app\"\ntotag = [\"a\"]\nagentid = -1",
                "n.toml:5:11: invalid value: integer `-1`",
            ),
            (&format!("{CHANNEL}{CHANNEL}"), "n.toml:6:8: there are two channels \"a\""),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{text}\n{error}\n{expected}");
        }
    }
}
