//! A mail server: the mail, and who of its recipients got it.

use std::path::PathBuf;

use lettre::Address;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use serde::Deserialize;

use super::smtp::{Outcome, Session, told};
use super::{Failure, secret};
use crate::notice::Message;

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
    /// Writes to those of `only`, or to everybody when it is empty.
    pub(super) fn deliver(&self, message: &Message, only: &[String]) -> Result<(), Failure> {
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
        let Some(from) = mail.envelope().from().cloned() else {
            return Err(Failure::Later("the mail cannot be written: nobody writes it".to_owned()));
        };
        let to: Vec<Address> = self.to.iter().map(|to| to.email.clone()).collect();
        let left: Vec<Address> = to
            .iter()
            .filter(|to| only.is_empty() || only.iter().any(|name| *name == to.to_string()))
            .cloned()
            .collect();
        if left.is_empty() {
            tracing::warn!("{} is no recipient any more", only.join(", "));
            return Ok(());
        }
        let outcome =
            self.session()?.send(&from, &left, &mail.formatted()).map_err(|failure| self.named(failure))?;
        self.judge(&outcome, left.len(), !only.is_empty())
    }

    /// What the outcome of each recipient comes to. A recipient that is refused must not keep the others from what comes next.
    fn judge(&self, outcome: &Outcome, count: usize, again: bool) -> Result<(), Failure> {
        let Outcome { refused, deferred } = outcome;
        let server = &self.server;
        if refused.len() + deferred.len() >= count {
            let (_, why) = deferred
                .iter()
                .chain(refused)
                .next()
                .ok_or_else(|| "the mail has no recipient".to_owned())?;
            let why = format!("the mail server {server}: {why}");
            // All at the first try may be about this computer, or addresses that are put right.
            return Err(if again && deferred.is_empty() {
                Failure::Refused(why)
            } else {
                Failure::Later(why)
            });
        }
        for (address, why) in refused {
            tracing::warn!(
                "the mail server {server} refuses {address}, who is not told; the others are: {why}"
            );
        }
        match deferred.first() {
            None => Ok(()),
            Some((_, why)) => {
                let left = deferred.iter().map(|(address, _)| address.to_string()).collect();
                Err(Failure::Some { left, why: format!("the mail server {server}: {why}") })
            }
        }
    }

    fn named(&self, failure: Failure) -> Failure {
        let name = |why: String| format!("the mail server {}: {why}", self.server);
        match failure {
            Failure::Refused(why) => Failure::Refused(name(why)),
            Failure::Later(why) => Failure::Later(name(why)),
            some @ Failure::Some { .. } => some,
        }
    }

    fn session(&self) -> Result<Session<'_>, String> {
        let tls = match self.security {
            Security::None => None,
            Security::Starttls | Security::Tls => Some(self.trusted()?),
        };
        let credentials = match &self.user {
            Some((user, password)) => Some(Credentials::new(user.clone(), secret(password)?)),
            None => None,
        };
        Ok(Session { server: (&self.server, self.port), security: self.security, tls, credentials })
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
        self.session().map(drop)
    }
}
