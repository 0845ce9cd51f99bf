//! Operators at RTS2: whose commands and sets are taken, and what carries them out.
//!
//! RTS2 has no real login: whoever reaches the device may send it anything. So operators are taken from listed addresses only,
//! and what they change is written down with the address and whatever name there is.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lamon_collector::config::Network;
use lamon_collector::control::Operations;
use lamon_control::request::MAX_WHO_BYTES;
use lamon_control::{Answer, Operation, Outcome, Why};
use lamon_daemon::limit::LogLimit;
use rts2dev::{Caller, CallingClient, ClientLogin, Refusal};
use tracing::warn;

/// Whose commands are taken, and what carries them out. Clones are the same.
#[derive(Clone)]
pub(super) struct Operator {
    operations: Operations,
    allow: Arc<[Network]>,
    /// Lines about those who may not: whoever is refused must not fill the log.
    refused: Arc<Mutex<LogLimit>>,
}

impl Operator {
    pub(super) fn new(operations: Operations, allow: &[Network]) -> Self {
        Self { operations, allow: allow.into(), refused: Arc::default() }
    }

    /// Has the hub do it, if the caller may, and waits until it is done and on disk. `name` is what he calls himself. Returns
    /// what was done, in words.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        name: Option<&str>,
        operation: Operation,
    ) -> Result<String, Refusal> {
        let Caller::Client(client) = caller else {
            // What the command line or a file of saved values wants would be taken for an operator's wish at each start.
            return Err(Refusal::not_allowed("operators set it while the hub runs, hub.toml before"));
        };
        let address = client.address.ip().to_canonical();
        if !self.allow.iter().any(|network| network.contains(address)) {
            return Err(self.refuse(address, &operation));
        }
        let who = called(client, address, name)?;
        match self.operations.ask(operation, &who).await.outcome {
            Outcome::Done(Answer::Did(did)) => Ok(did.text),
            Outcome::Done(_) => Ok("done".into()),
            Outcome::Refused(refusal) => Err(match refusal.why {
                Why::NotAllowed | Why::NotPossible | Why::Busy => Refusal::not_allowed(&refusal.text),
                Why::BadRequest | Why::NotFound => Refusal::value(&refusal.text),
            }),
        }
    }

    fn refuse(&self, address: IpAddr, operation: &Operation) -> Refusal {
        let admitted = self.refused.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now());
        if let Some(held_back) = admitted {
            warn!(%address, held_back, ?operation, "a client of RTS2 may not operate the hub: [rts2] allow does not list it");
        }
        Refusal::not_allowed(&format!(
            "operators are not taken from {address}: [rts2] allow does not list it"
        ))
    }
}

/// Who asks, for tables and events: the name that he gives stands beside what RTS2 knows, never instead.
fn called(client: &CallingClient, address: IpAddr, name: Option<&str>) -> Result<String, Refusal> {
    let shown = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    if name.is_some_and(|name| name.len() > MAX_WHO_BYTES || !shown(name)) {
        return Err(Refusal::value(&format!(
            "who is at most {MAX_WHO_BYTES} bytes, without control characters"
        )));
    }
    let login = client.login.as_ref().filter(|login| shown(&login.user) && shown(&login.program));
    Ok(match (name, login) {
        (Some(name), Some(ClientLogin { user, program })) => {
            format!("{name} (RTS2 {program} of {user} at {address})")
        }
        (Some(name), None) => format!("{name} (RTS2 at {address})"),
        (None, Some(ClientLogin { user, program })) => format!("{user} (RTS2 {program} at {address})"),
        (None, None) => format!("RTS2 client at {address}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_written_down_with_what_rts2_knows() {
        let address = "127.0.0.1:5".parse().unwrap();
        let login = ClientLogin { user: "obs".into(), program: "monitor".into() };
        let known = CallingClient { address, login: Some(login) };
        let unknown = CallingClient { address, login: None };
        let who = |client, name| called(client, address.ip(), name);
        assert_eq!(who(&known, None).unwrap(), "obs (RTS2 monitor at 127.0.0.1)");
        assert_eq!(who(&known, Some(" wang ")).unwrap(), "wang (RTS2 monitor of obs at 127.0.0.1)");
        assert_eq!(who(&unknown, Some("")).unwrap(), "RTS2 client at 127.0.0.1");
        assert_eq!(who(&unknown, Some("li")).unwrap(), "li (RTS2 at 127.0.0.1)");
        assert!(who(&known, Some("a\nb")).is_err() && who(&known, Some(&"x".repeat(65))).is_err());
    }
}
