//! One conversation with a mail server, with the outcome of each recipient (RFC 5321).

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::{Failure, Security};

/// The longest that each step of a delivery waits for the server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The server closes the connection: an answer that is not about the recipient.
const CLOSING: u16 = 421;

/// How to reach the server.
pub(super) struct Session<'a> {
    pub(super) server: (&'a str, u16),
    pub(super) security: Security,
    /// Unless there is no security.
    pub(super) tls: Option<TlsParameters>,
    pub(super) credentials: Option<Credentials>,
}

/// Who did not get the mail, and why, in words of the server; everybody else did, when that is anybody.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// For good (5xx).
    pub(super) refused: Vec<(Address, String)>,
    /// Now (4xx).
    pub(super) deferred: Vec<(Address, String)>,
}

impl Session<'_> {
    /// Sends a mail to those whom the server takes.
    ///
    /// # Errors
    ///
    /// When nobody got it, and not for reasons of each recipient.
    pub(super) fn send(&self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Outcome, Failure> {
        let later = |error| Failure::Later(told(&error));
        let mut server = self.connect().map_err(later)?;
        let utf8 = server.server_info().supports_feature(Extension::SmtpUtfEight);
        let mut outcome = Outcome::default();
        let mut parameters = Vec::new();
        if !is_ascii(from) || !to.iter().all(is_ascii) {
            if utf8 {
                parameters.push(MailParameter::SmtpUtfEight);
            } else if !is_ascii(from) {
                return Err(Failure::Later(
                    "it takes no addresses beyond ASCII: write another from".to_owned(),
                ));
            }
        }
        if !mail.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        server.command(Mail::new(Some(from.clone()), parameters)).map_err(later)?;
        for address in to {
            if !utf8 && !is_ascii(address) {
                let why = "it takes no addresses beyond ASCII".to_owned();
                outcome.refused.push((address.clone(), why));
                continue;
            }
            let Err(error) = server.command(Rcpt::new(address.clone(), Vec::new())) else { continue };
            let answer = (address.clone(), told(&error));
            match error.status().map(u16::from) {
                Some(code) if error.is_permanent() && code != CLOSING => outcome.refused.push(answer),
                Some(code) if code != CLOSING => outcome.deferred.push(answer),
                _ => return Err(later(error)),
            }
        }
        if outcome.refused.len() + outcome.deferred.len() < to.len() {
            let sent = server.command(Data).and_then(|_| server.message(mail));
            sent.map_err(|error| {
                // 552: too much for a mailbox. Others may be about the server.
                let refused = error.status().is_some_and(|code| u16::from(code) == 552);
                if refused { Failure::Refused(told(&error)) } else { later(error) }
            })?;
        }
        // It is delivered; what the server says to that is of no use.
        let _ = server.quit();
        Ok(outcome)
    }

    fn connect(&self) -> Result<SmtpConnection, lettre::transport::smtp::Error> {
        let name = ClientId::default();
        let at_once = self.tls.as_ref().filter(|_| self.security == Security::Tls);
        let mut server = SmtpConnection::connect(self.server, Some(TIMEOUT), &name, at_once, None)?;
        if let Some(tls) = self.tls.as_ref().filter(|_| self.security == Security::Starttls) {
            server.starttls(tls, &name)?;
        }
        if let Some(credentials) = &self.credentials {
            server.auth(DEFAULT_MECHANISMS, credentials)?;
        }
        Ok(server)
    }
}

fn is_ascii(address: &Address) -> bool {
    AsRef::<str>::as_ref(address).is_ascii()
}

/// The error with its causes, in one line; some say their causes themselves.
pub(super) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text.replace(['\r', '\n'], " ")
}
