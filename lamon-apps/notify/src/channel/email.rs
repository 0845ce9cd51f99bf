//! A mail server, by SMTP.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use serde::Deserialize;

use super::{Failure, secret};
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
    /// The site's own authority, in place of the public ones.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
}

impl Email {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), Failure> {
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
        sent.map(drop).map_err(|error| {
            let why = format!("the mail server {}: {}", self.server, told(&error));
            // 552: too much for a mailbox (RFC 5321). Others may be about the server, or an address that is put right.
            let refused = error.status().is_some_and(|code| u16::from(code) == 552);
            if refused { Failure::Refused(why) } else { Failure::Later(why) }
        })
    }

    fn transport(&self) -> Result<SmtpTransport, String> {
        let tls = match self.security {
            Security::Starttls => Tls::Required(self.trusted()?),
            Security::Tls => Tls::Wrapper(self.trusted()?),
            Security::None => Tls::None,
        };
        let server = SmtpTransport::builder_dangerous(&self.server).tls(tls);
        let mut server = server.port(self.port).timeout(Some(TIMEOUT));
        if let Some((user, password)) = &self.user {
            server = server.credentials(Credentials::new(user.clone(), secret::read(password)?));
        }
        Ok(server.build())
    }

    /// Whose certificates are trusted: those of the file, or else the public ones.
    fn trusted(&self) -> Result<TlsParameters, String> {
        let failed = |error| format!("TLS to the mail server {}: {}", self.server, told(&error));
        let mut tls = TlsParameters::builder(self.server.clone());
        if let Some(path) = &self.ca_file {
            let unusable = |what: String| format!("the file {} {what}", path.display());
            let pem = std::fs::read(path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
            let certificate = Certificate::from_pem(&pem)
                .map_err(|_| unusable("has no certificate: it begins with -----BEGIN CERTIFICATE".into()))?;
            tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        tls.build_rustls().map_err(failed)
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
