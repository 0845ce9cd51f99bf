//! Each way to tell somebody.
//!
//! | file | channel |
//! |---|---|
//! | `webhook` | any HTTP server, with a template of yours |
//! | `command` | a program of yours |
//! | `email` | a mail server |
//! | `smtp` | a conversation with it |
//! | `wecom` | a WeCom group robot |
//! | `wecom_app` | an application of WeCom |
//! | `dingtalk` | a DingTalk group robot |
//! | `feishu` | a Feishu group robot |
//! | `syslog` | a log daemon |
//! | `http` | what those that speak HTTP share |
//! | `sign` | the robots' signatures |

mod command;
mod dingtalk;
mod email;
mod feishu;
mod http;
mod sign;
mod smtp;
mod syslog;
mod webhook;
mod wecom;
mod wecom_app;

pub(crate) use self::command::Command;
pub(crate) use self::dingtalk::DingTalk;
pub(crate) use self::email::{Email, Security};
pub(crate) use self::feishu::Feishu;
pub(crate) use self::http::{Url, is_url};
pub(crate) use self::syslog::Syslog;
pub(crate) use self::webhook::{Webhook, render};
pub(crate) use self::wecom::{Format, WeCom};
pub(crate) use self::wecom_app::{Recipients, SERVICE, Token, WeComApp};

use std::fmt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::notice::Message;

/// The secret in a file. It is read at each delivery, and shown by nothing.
///
/// # Errors
///
/// A sentence with the remedy, when the file cannot be used or others may read it.
fn secret(path: &Path) -> Result<String, String> {
    lamon_secret::first_line(path).map_err(|error| format!("the file {error}"))
}

/// Why a message was not delivered: a sentence, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may be delivered later.
    Later(String),
    /// The server refuses it for what it says, or whom it is for.
    Refused(String),
    /// All but these have it; they may later.
    Some {
        /// Mail addresses.
        left: Vec<String>,
        /// The reason of the first.
        why: String,
    },
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Later(why)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Later(why) | Self::Refused(why) | Self::Some { why, .. }) = self;
        f.write_str(why)
    }
}

/// One way to tell somebody.
#[derive(Debug, Clone)]
pub(crate) enum Channel {
    /// An HTTP server.
    Webhook(Webhook),
    /// A program.
    Command(Command),
    /// A mail server.
    Email(Email),
    /// A WeCom group robot.
    WeCom(WeCom),
    /// An application of WeCom.
    WeComApp(WeComApp),
    /// A DingTalk group robot.
    DingTalk(DingTalk),
    /// A Feishu group robot.
    Feishu(Feishu),
    /// A log daemon.
    Syslog(Syslog),
}

impl Channel {
    /// Delivers a message, of a mail's recipients to these alone unless there are none; blocks for as long as the channel's timeouts allow.
    ///
    /// # Errors
    ///
    /// [`Failure`], when it was not delivered.
    pub(crate) fn deliver(&self, message: &Message, only: &[String]) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match self {
            Self::Webhook(webhook) => webhook.deliver(message),
            Self::Command(command) => Ok(command.deliver(message)?),
            Self::Email(email) => email.deliver(message, only),
            Self::WeCom(robot) => robot.deliver(message),
            Self::WeComApp(app) => app.deliver(message),
            Self::DingTalk(robot) => robot.deliver(message, now.as_millis()),
            Self::Feishu(robot) => robot.deliver(message, now.as_secs()),
            Self::Syslog(syslog) => Ok(syslog.deliver(message)?),
        }
    }

    /// What would fail at each delivery and can be known before: secrets that cannot be read.
    ///
    /// # Errors
    ///
    /// A sentence with the remedy.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Webhook(webhook) => webhook.check(),
            Self::Command(command) => command.check(),
            Self::Email(email) => email.check(),
            Self::WeCom(robot) => robot.url.read().map(drop),
            Self::WeComApp(app) => app.check(),
            Self::DingTalk(robot) => robot.check(),
            Self::Feishu(robot) => robot.check(),
            Self::Syslog(syslog) => syslog.check(),
        }
    }
}

/// The beginning of a text, of at most so many bytes, with a mark where it was cut.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub("…".len()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        for (text, most, expected) in [("abc", 3, "abc"), ("abcdef", 5, "ab…"), ("望远镜望远镜", 10, "望远…")]
        {
            assert_eq!(cut(text, most), expected);
        }
    }
}
