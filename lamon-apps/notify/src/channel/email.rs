//! A mail server, by SMTP.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{SmtpTransport, Transport};
use serde::Deserialize;

use super::secret;
use crate::notice::Message;

/// The longest that each step of a delivery waits for the server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Security {
    /// It becomes TLS after a greeting (port 587).
    #[default]
    Starttls,
    /// It is TLS from its beginning (port 465).
    Tls,
    /// Not at all; only to a server on this computer (port 25).
    None,
}

/// The server, and who writes to whom.
#[derive(Debug, Clone)]
pub(crate) struct Email {
    pub(crate) server: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) user: Option<(String, PathBuf)>,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
}

impl Email {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), String> {
        let mut mail = lettre::Message::builder()
            .from(self.from.clone())
            // Mail programs must not answer it with "out of office" (RFC 3834).
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .subject(message.title.replace(['\r', '\n'], " "))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let body = format!(
            "{}\n\n-- \nlamon-notify, route {}, {}\n",
            message.text,
            message.route,
            message.local_time()
        );
        let mail = mail.body(body).map_err(|error| format!("the mail cannot be written: {error}"))?;
        let sent = self.transport()?.send(&mail);
        sent.map(drop).map_err(|error| format!("the mail server {}: {}", self.server, told(&error)))
    }

    fn transport(&self) -> Result<SmtpTransport, String> {
        let server = match self.security {
            Security::Starttls => SmtpTransport::starttls_relay(&self.server),
            Security::Tls => SmtpTransport::relay(&self.server),
            Security::None => Ok(SmtpTransport::builder_dangerous(&self.server)),
        };
        let server = server.map_err(|error| format!("the mail server {}: {}", self.server, told(&error)))?;
        let mut server = server.port(self.port).timeout(Some(TIMEOUT));
        if let Some((user, password)) = &self.user {
            server = server.credentials(Credentials::new(user.clone(), secret::read(password)?));
        }
        Ok(server.build())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.transport().map(drop)
    }
}

/// The error with its causes, in one line.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.replace(['\r', '\n'], " ")
}
