//! Operating the hub for whoever is logged in: through its control socket, with his name.
//!
//! | file | what it does |
//! |---|---|
//! | `bodies` | what browsers send, as the hub is asked |
//! | `changes` | the paths that change something, with the role that each takes |
//! | `reads` | settings, gates, why a level is what it is |
//! | `whatif`, `suppose` | how many events other limits would have made |

mod bodies;
pub(crate) mod changes;
pub(crate) mod reads;
mod suppose;
pub(crate) mod whatif;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use lamon_control::answer::Refusal;
use lamon_control::{Answer, Operation, Why};
use lamon_operator::{AskError, Client};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::api::refuse;

/// The questions that are with the hub at once: it answers one after the other, in microseconds as a rule.
const ASKED_AT_ONCE: usize = 4;

/// How long a question waits for its turn; behind a hub that hangs the others are told so.
const TURN_WITHIN: Duration = Duration::from_secs(5);

/// `[control]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ControlConfig {
    /// The hub's control socket.
    pub(crate) socket: PathBuf,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { socket: lamon_control::DEFAULT_SOCKET.into() }
    }
}

/// The way to the hub.
#[derive(Debug)]
pub(crate) struct Operator {
    socket: PathBuf,
    turns: Arc<Semaphore>,
}

/// Why the hub did not do it: status and sentence.
pub(crate) type NotDone = (StatusCode, String);

impl Operator {
    /// Connects to nothing yet: each question has its connection, so a hub that was restarted is found.
    pub(crate) fn new(config: &ControlConfig) -> Self {
        Self { socket: config.socket.clone(), turns: Arc::new(Semaphore::new(ASKED_AT_ONCE)) }
    }

    /// Asks the hub, in the name of whoever asks.
    ///
    /// # Errors
    ///
    /// Status and sentence for him.
    pub(crate) async fn ask(&self, who: Option<&str>, operation: Operation) -> Result<Answer, NotDone> {
        let busy = || (StatusCode::SERVICE_UNAVAILABLE, "the hub has too much to do: try again".to_owned());
        let turn = tokio::time::timeout(TURN_WITHIN, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(busy()) };
        let (socket, who) = (self.socket.clone(), who.map(str::to_owned));
        let asked = tokio::task::spawn_blocking(move || {
            let answer = Client::connect(&socket, who).and_then(|mut hub| hub.ask(operation));
            // Also when nobody waits for it any more.
            drop(turn);
            answer
        });
        asked.await.map_err(|_| busy())?.map_err(not_done)
    }
}

fn not_done(error: AskError) -> NotDone {
    match error {
        AskError::Refused(Refusal { why, text }) => {
            let code = match why {
                Why::BadRequest => StatusCode::BAD_REQUEST,
                Why::NotFound => StatusCode::NOT_FOUND,
                Why::NotPossible => StatusCode::CONFLICT,
                Why::NotAllowed => StatusCode::FORBIDDEN,
                Why::Busy => StatusCode::SERVICE_UNAVAILABLE,
            };
            (code, text)
        }
        AskError::NoHub(socket) => {
            let text = format!(
                "no hub answers at {}: is it running (systemctl status lamon-sensord), and is this the socket that [control] of \
                 its configuration and of web.toml name?",
                socket.display()
            );
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
        AskError::NotAllowed { path, remedy } => {
            let text = format!("{}: lamon-web may not operate the hub: {remedy}", path.display());
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
        other => (StatusCode::SERVICE_UNAVAILABLE, other.to_string()),
    }
}

/// The answer for who was refused.
pub(crate) fn refused((code, text): NotDone) -> Response {
    refuse(code, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hub_that_is_away_is_503_with_the_remedy() {
        let operator = Operator::new(&ControlConfig { socket: "/nowhere/control".into() });
        let (code, said) = operator.ask(Some("ann"), Operation::Gates {}).await.unwrap_err();
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
        assert!(said.starts_with("no hub answers at /nowhere/control: is it running"), "{said}");
        for (why, code) in
            [(Why::BadRequest, 400), (Why::NotFound, 404), (Why::NotPossible, 409), (Why::Busy, 503)]
        {
            let (told, text) = not_done(AskError::Refused(Refusal::new(why, "no")));
            assert_eq!((told.as_u16(), text.as_str()), (code, "no"));
        }
    }
}
