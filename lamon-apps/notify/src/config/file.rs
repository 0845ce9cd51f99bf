//! What stands in the file.

use std::path::PathBuf;

use lamon_bus::{Level, PublicKey};
use lamon_daemon::seconds::Seconds;
use serde::Deserialize;
use toml::Spanned;

use crate::channel::{Format, Security};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) hub: String,
    pub(super) publish: Option<String>,
    pub(super) snapshot: Option<String>,
    pub(super) hub_key: Option<PublicKey>,
    pub(super) key: Option<PathBuf>,
    pub(super) state: PathBuf,
    pub(super) window: Seconds,
    pub(super) self_test: Option<Spanned<String>>,
    pub(super) retry: Seconds,
    pub(super) retry_longest: Seconds,
    pub(super) channel: Vec<Channel>,
    pub(super) route: Vec<Route>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            hub: "127.0.0.1".to_owned(),
            publish: None,
            snapshot: None,
            hub_key: None,
            key: None,
            state: "/var/lib/lamon-notify".into(),
            window: Seconds::new(10),
            self_test: None,
            retry: Seconds::new(5),
            retry_longest: Seconds::new(600),
            channel: Vec::new(),
            route: Vec::new(),
        }
    }
}

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Webhook,
    Command,
    Email,
    WecomRobot,
    WecomApp,
    Dingtalk,
    Feishu,
    Syslog,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Command => "command",
            Self::Email => "email",
            Self::WecomRobot => "wecom_robot",
            Self::WecomApp => "wecom_app",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Syslog => "syslog",
        }
    }
}

/// `[[channel]]`: the settings of every kind; which belong to one is checked afterwards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Channel {
    pub(super) name: Spanned<String>,
    pub(super) kind: Spanned<Kind>,
    pub(super) limit: Option<Spanned<u32>>,
    pub(super) per: Option<Spanned<Seconds>>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) url_file: Option<Spanned<PathBuf>>,
    pub(super) ca_file: Option<Spanned<PathBuf>>,
    pub(super) secret_file: Option<Spanned<PathBuf>>,
    pub(super) template: Option<Spanned<String>>,
    pub(super) content_type: Option<Spanned<String>>,
    pub(super) format: Option<Spanned<Format>>,
    pub(super) corpid: Option<Spanned<String>>,
    pub(super) agentid: Option<Spanned<u32>>,
    pub(super) touser: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) toparty: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) totag: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) socket: Option<Spanned<PathBuf>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) timeout: Option<Spanned<Seconds>>,
    pub(super) server: Option<Spanned<String>>,
    pub(super) port: Option<Spanned<u16>>,
    pub(super) security: Option<Spanned<Security>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<PathBuf>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `[[route]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) name: Option<Spanned<String>>,
    pub(super) levels: Option<Vec<Level>>,
    #[serde(default)]
    pub(super) nodes: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) groups: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) kinds: Vec<Spanned<String>>,
    pub(super) hours: Option<Spanned<String>>,
    pub(super) quiet: Option<Spanned<String>>,
    pub(super) channels: Spanned<Vec<Spanned<String>>>,
    pub(super) fallback: Option<Spanned<String>>,
    pub(super) fallback_after: Option<Seconds>,
    pub(super) repeat: Option<Spanned<Seconds>>,
    pub(super) escalate: Option<Escalate>,
}

/// `escalate = { after, channels }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Escalate {
    pub(super) after: Seconds,
    pub(super) channels: Spanned<Vec<Spanned<String>>>,
}
