//! `[[channel]]`: what each kind needs.

use std::ops::Range;
use std::time::Duration;

use lamon_bus::Level;
use lettre::message::Mailbox;
use toml::Spanned;

use super::file::{Channel as Table, Kind};
use super::{Named, Wrong};
use crate::channel::{
    Channel, Command, DingTalk, Email, Feishu, Recipients, SERVICE, Security, Syslog, Token, Url, WeCom,
    WeComApp, Webhook, is_url, render,
};
use crate::notice::Message;

/// The longest name of a channel or a route.
const MAX_NAME_BYTES: usize = 64;

/// How long a program may take, unless its setting says otherwise: text messages of a modem take half of it.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The most members that one message of a WeCom application may name, and departments or tags (path/90236).
const MAX_USERS: usize = 1_000;
const MAX_PARTIES: usize = 100;

/// At most so many messages within so long; what is beyond is counted, and told in a line of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) count: u32,
    pub(crate) per: Duration,
}

impl Default for Limit {
    /// Twenty in ten minutes: what people still read. WeCom's robots take 20 a minute.
    fn default() -> Self {
        Self { count: 20, per: Duration::from_secs(600) }
    }
}

/// A name of a channel or a route.
pub(super) fn name(name: &Spanned<String>) -> Result<String, Wrong> {
    let text = name.get_ref();
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.chars().all(good) {
        return Err((name.span(), format!("{text:?} is no name: write letters, digits, - and _")));
    }
    Ok(text.clone())
}

/// Makes a channel of its table.
pub(super) fn checked(table: Table, text: &str) -> Result<Named, Wrong> {
    let name = name(&table.name)?;
    let (kind, kind_at) = (*table.kind.get_ref(), table.kind.span());
    for (key, span) in set(&table) {
        if !keys(kind).contains(&key) {
            let (kind, known) = (kind.as_str(), keys(kind).join(", "));
            return Err((
                span,
                format!("{key} is no setting of a channel of the kind {kind} (its own: {known})"),
            ));
        }
    }
    let usual = Limit::default();
    let limit = Limit {
        count: table.limit.as_ref().map_or(usual.count, |limit| *limit.get_ref()),
        per: table.per.as_ref().map_or(usual.per, |per| per.get_ref().duration()),
    };
    if limit.count == 0 || limit.per.is_zero() {
        return Err((table.kind.span(), "limit and per must be above 0".to_owned()));
    }
    let needs =
        |what: &str| (kind_at.clone(), format!("a channel of the kind {} needs {what}", kind.as_str()));
    let channel = match kind {
        Kind::Webhook => {
            let content_type =
                table.content_type.map_or_else(|| "application/json".to_owned(), Spanned::into_inner);
            if let Some(template) = &table.template {
                check_template(template, &content_type, text)?;
            }
            let ca_file = table.ca_file.map(Spanned::into_inner);
            let url = url(table.url, table.url_file)?.ok_or_else(|| needs("url or url_file"))?;
            Channel::Webhook(Webhook {
                url,
                template: table.template.map(Spanned::into_inner),
                content_type,
                ca_file,
            })
        }
        Kind::Command => {
            let command = table.command.ok_or_else(|| needs("command"))?;
            let at = command.span();
            let mut words = command.into_inner().into_iter();
            let program = words.next().filter(|program| program.starts_with('/')).ok_or_else(|| {
                (
                    at,
                    "a command begins with the absolute path of a program: [\"/usr/local/bin/tell\"]"
                        .to_owned(),
                )
            })?;
            let timeout = table.timeout.map_or(COMMAND_TIMEOUT, |timeout| timeout.get_ref().duration());
            Channel::Command(Command { program, arguments: words.collect(), timeout })
        }
        Kind::Email => Channel::Email(email(table, &needs)?),
        Kind::WecomRobot => {
            let url = url(None, table.url_file)?.ok_or_else(|| needs("url_file"))?;
            Channel::WeCom(WeCom { url, format: table.format.map(Spanned::into_inner).unwrap_or_default() })
        }
        Kind::WecomApp => Channel::WeComApp(wecom_app(table, &needs)?),
        Kind::Syslog => {
            let socket = table.socket.map_or_else(|| "/dev/log".into(), Spanned::into_inner);
            Channel::Syslog(Syslog { socket })
        }
        Kind::Dingtalk | Kind::Feishu => {
            let url = url(None, table.url_file)?.ok_or_else(|| needs("url_file"))?;
            let secret = table.secret_file.map(Spanned::into_inner);
            match kind {
                Kind::Dingtalk => Channel::DingTalk(DingTalk { url, secret }),
                _ => Channel::Feishu(Feishu { url, secret }),
            }
        }
    };
    Ok(Named { name, channel, limit })
}

/// The settings that belong to a kind.
const fn keys(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Webhook => &["url", "url_file", "ca_file", "template", "content_type"],
        Kind::Command => &["command", "timeout"],
        Kind::Email => &["server", "port", "security", "user", "password_file", "ca_file", "from", "to"],
        Kind::WecomRobot => &["url_file", "format"],
        Kind::WecomApp => {
            &["corpid", "agentid", "secret_file", "touser", "toparty", "totag", "format", "url", "ca_file"]
        }
        Kind::Syslog => &["socket"],
        Kind::Dingtalk | Kind::Feishu => &["url_file", "secret_file"],
    }
}

/// The settings that are given, with their places.
fn set(table: &Table) -> impl Iterator<Item = (&'static str, Range<usize>)> {
    fn at<T>(value: Option<&Spanned<T>>) -> Option<Range<usize>> {
        value.map(Spanned::span)
    }
    [
        ("url", at(table.url.as_ref())),
        ("url_file", at(table.url_file.as_ref())),
        ("ca_file", at(table.ca_file.as_ref())),
        ("secret_file", at(table.secret_file.as_ref())),
        ("template", at(table.template.as_ref())),
        ("content_type", at(table.content_type.as_ref())),
        ("format", at(table.format.as_ref())),
        ("corpid", at(table.corpid.as_ref())),
        ("agentid", at(table.agentid.as_ref())),
        ("touser", at(table.touser.as_ref())),
        ("toparty", at(table.toparty.as_ref())),
        ("totag", at(table.totag.as_ref())),
        ("socket", at(table.socket.as_ref())),
        ("command", at(table.command.as_ref())),
        ("timeout", at(table.timeout.as_ref())),
        ("server", at(table.server.as_ref())),
        ("port", at(table.port.as_ref())),
        ("security", at(table.security.as_ref())),
        ("user", at(table.user.as_ref())),
        ("password_file", at(table.password_file.as_ref())),
        ("from", at(table.from.as_ref())),
        ("to", at(table.to.as_ref())),
    ]
    .into_iter()
    .filter_map(|(key, span)| Some((key, span?)))
}

fn url(
    url: Option<Spanned<String>>,
    file: Option<Spanned<std::path::PathBuf>>,
) -> Result<Option<Url>, Wrong> {
    match (url, file) {
        (Some(url), Some(_)) => {
            Err((url.span(), "url and url_file are both given: leave one out".to_owned()))
        }
        (Some(url), None) if is_url(url.get_ref()) => Ok(Some(Url::Plain(url.into_inner()))),
        (Some(url), None) => {
            Err((url.span(), format!("{:?} is no address (write https://…)", url.get_ref())))
        }
        (None, file) => Ok(file.map(|file| Url::File(file.into_inner()))),
    }
}

fn wecom_app(table: Table, needs: &dyn Fn(&str) -> Wrong) -> Result<WeComApp, Wrong> {
    let url = match url(table.url, None)? {
        Some(Url::Plain(url)) => url.trim_end_matches('/').to_owned(),
        _ => SERVICE.to_owned(),
    };
    let to = Recipients {
        users: recipients(table.touser, MAX_USERS)?,
        parties: recipients(table.toparty, MAX_PARTIES)?,
        tags: recipients(table.totag, MAX_PARTIES)?,
    };
    if to.users.is_empty() && to.parties.is_empty() && to.tags.is_empty() {
        return Err(needs(
            "touser, toparty or totag: touser = [\"@all\"] is everybody who sees the application",
        ));
    }
    Ok(WeComApp {
        url,
        corpid: table.corpid.ok_or_else(|| needs("corpid"))?.into_inner(),
        agentid: table.agentid.ok_or_else(|| needs("agentid"))?.into_inner(),
        secret: table.secret_file.ok_or_else(|| needs("secret_file"))?.into_inner(),
        to,
        format: table.format.map(Spanned::into_inner).unwrap_or_default(),
        ca_file: table.ca_file.map(Spanned::into_inner),
        token: Token::default(),
    })
}

/// Names that WeCom can tell apart: it has them in one text, with `|` in between.
fn recipients(names: Option<Spanned<Vec<Spanned<String>>>>, most: usize) -> Result<Vec<String>, Wrong> {
    let Some(names) = names else { return Ok(Vec::new()) };
    if names.get_ref().len() > most {
        return Err((names.span(), format!("WeCom takes {most} of these at most")));
    }
    let checked = |name: Spanned<String>| {
        let text = name.get_ref();
        if text.is_empty() || text.contains(|c: char| c == '|' || c.is_whitespace()) {
            return Err((name.span(), format!("{text:?} is no name: write each by itself, [\"a\", \"b\"]")));
        }
        Ok(name.into_inner())
    };
    names.into_inner().into_iter().map(checked).collect()
}

fn email(table: Table, needs: &dyn Fn(&str) -> Wrong) -> Result<Email, Wrong> {
    let server = table.server.ok_or_else(|| needs("server"))?.into_inner();
    let security = table.security.as_ref().map(|security| *security.get_ref()).unwrap_or_default();
    if let Some(given) = &table.security
        && security == Security::None
        && !["localhost", "127.0.0.1", "::1"].contains(&server.as_str())
    {
        let what = "without TLS a mail server must be on this computer: server = \"localhost\", or security = \"starttls\"";
        return Err((given.span(), what.to_owned()));
    }
    let usual = match security {
        Security::Starttls => 587,
        Security::Tls => 465,
        Security::None => 25,
    };
    let user = match (table.user, table.password_file) {
        (Some(user), Some(file)) => Some((user.into_inner(), file.into_inner())),
        (None, None) => None,
        (Some(user), None) => return Err((user.span(), "user needs password_file".to_owned())),
        (None, Some(file)) => return Err((file.span(), "password_file needs user".to_owned())),
    };
    let from = mailbox(&table.from.ok_or_else(|| needs("from"))?)?;
    let to = table.to.ok_or_else(|| needs("to"))?;
    if to.get_ref().is_empty() {
        return Err((to.span(), "to names nobody".to_owned()));
    }
    let to = to.get_ref().iter().map(mailbox).collect::<Result<_, _>>()?;
    let port = table.port.map_or(usual, Spanned::into_inner);
    let ca_file = table.ca_file.map(Spanned::into_inner);
    Ok(Email { server, port, security, user, ca_file, from, to })
}

fn mailbox(text: &Spanned<String>) -> Result<Mailbox, Wrong> {
    text.get_ref().parse().map_err(|_| (text.span(), format!("{:?} is no mail address", text.get_ref())))
}

/// Fills the template with a message that has all that makes trouble.
fn check_template(template: &Spanned<String>, content_type: &str, text: &str) -> Result<(), Wrong> {
    let message = Message {
        title: "a \"quoted\" title".to_owned(),
        text: "line one\nline \\ two\t<望远镜>".to_owned(),
        level: Level::Error,
        nodes: vec!["ccd01".to_owned(), "ccd02".to_owned()],
        route: "example".to_owned(),
        time: 1.5e9,
    };
    let body = render(template.get_ref(), &message)
        .map_err(|(line, what)| (place(template, line, text), format!("the template: {what}")))?;
    if content_type.starts_with("application/json")
        && serde_json::from_str::<serde_json::Value>(&body).is_err()
    {
        let what =
            "the template does not always make JSON: write {{ text | tojson }} without quotes around it";
        return Err((template.span(), what.to_owned()));
    }
    Ok(())
}

/// Where a line of the template stands in the file.
fn place(template: &Spanned<String>, line: usize, text: &str) -> Range<usize> {
    let span = template.span();
    let raw = text.get(span.clone()).unwrap_or_default();
    // A newline behind the opening quotes is not part of the text.
    let first = usize::from(["\"\"\"\n", "'''\n"].iter().any(|quotes| raw.starts_with(quotes)));
    let Some(before) = (line - 1 + first).checked_sub(1) else { return span };
    let Some((newline, _)) = raw.match_indices('\n').nth(before) else { return span };
    let start = span.start + newline + 1;
    let length = text.get(start..span.end).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    start..start + length
}
