//! The live stream of a page: everything once, then what changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::{MAX_PAGES, State as Api, refuse};
use crate::answers::{Refusal, Site};
use crate::login::Caller;
use crate::watcher::{Update, event};

/// How often a stream without news says that it lives, so that a page that is gone is found out.
const PULSE: Duration = Duration::from_secs(15);

/// How long a page waits before it connects again, milliseconds.
const RETRY_MS: u32 = 2_000;

/// Everything at once.
#[derive(Serialize)]
struct Hello<'a> {
    site: Site,
    nodes: Vec<&'a RawValue>,
}

/// One page.
struct Page {
    api: Api,
    updates: broadcast::Receiver<Update>,
    /// What it has; `None` when it must be sent everything.
    number: Option<u64>,
    /// Who looks, when he is logged in.
    caller: Option<Caller>,
    _room: OwnedSemaphorePermit,
}

/// What changes, as server-sent events: `hello` with site and nodes, and again when the page was too slow; then `nodes` with
/// those that changed, `hub` with the site, `event`, and `gone` with names.
#[utoipa::path(get, path = "/api/v1/live", responses(
    (status = 200, description = "events without end", content_type = "text/event-stream", body = String),
    (status = 503, description = "too many pages", body = Refusal)))]
pub(crate) async fn live(State(api): State<Api>, caller: Option<Extension<Caller>>) -> Response {
    let Ok(room) = api.pages.clone().try_acquire_owned() else {
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{MAX_PAGES} pages are open already: close one"),
        );
    };
    let page = Page {
        updates: api.shared.subscribe(),
        api,
        number: None,
        caller: caller.map(|Extension(caller)| caller),
        _room: room,
    };
    let stream = stream::unfold(page, |mut page| async move {
        let text = page.next().await?;
        Some((Ok::<_, Infallible>(text), page))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

impl Page {
    /// What is sent next; `None` at the end of the program, and of the session of who looks.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // A page that is open is a use of its session, and does not outlive it.
            if self.caller.as_ref().is_some_and(|caller| !self.api.access.lobby.goes_on(caller.key)) {
                return None;
            }
            let Some(number) = self.number else { return Some(self.hello()) };
            match tokio::time::timeout(PULSE, self.updates.recv()).await {
                Err(_) => return Some(Bytes::from_static(b": alive\n\n")),
                Ok(Ok(update)) if update.number <= number => {}
                Ok(Ok(update)) => {
                    self.number = Some(update.number);
                    return Some(update.text);
                }
                Ok(Err(broadcast::error::RecvError::Lagged(_))) => {
                    self.updates = self.updates.resubscribe();
                    self.number = None;
                }
                Ok(Err(broadcast::error::RecvError::Closed)) => return None,
            }
        }
    }

    fn hello(&mut self) -> Bytes {
        let snapshot = self.api.shared.snapshot();
        self.number = Some(snapshot.number);
        let hello = Hello { site: snapshot.site(), nodes: snapshot.rows() };
        format!("retry: {RETRY_MS}\n{}", event("hello", &hello)).into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lamon_store::reading::Site;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::api::guard::Access;
    use crate::history::Past;
    use crate::login::{Hosts, Lobby};
    use crate::operate::{ControlConfig, Operator};
    use crate::picture::Snapshot;
    use crate::watcher::Shared;

    #[tokio::test]
    async fn a_page_that_is_too_slow_is_sent_everything_anew() {
        let shared = Shared::new();
        let pages = Arc::new(Semaphore::new(1));
        let room = pages.clone().try_acquire_owned().unwrap();
        let lobby = Lobby::open("/nowhere/users".into()).unwrap().into();
        let access = Access { hosts: Hosts::default(), lobby, tls: false, required: false };
        let operator = Operator::new(&ControlConfig::default()).into();
        let past = Past::new(None, Site::at_utc_offset(0));
        let api = Api { shared: shared.clone(), pages, past, access: access.into(), operator };
        let mut page = Page { updates: shared.subscribe(), api, number: None, caller: None, _room: room };
        let publish = |number| {
            shared.publish(Snapshot { number, ..Snapshot::default() }, format!("data: {number}\n\n"));
        };
        publish(1);
        let text = page.next().await.unwrap();
        assert!(text.starts_with(b"retry: 2000\nevent: hello\ndata: {"), "{text:?}");
        publish(2);
        assert_eq!(page.next().await.unwrap(), "data: 2\n\n", "what hello had is not told again");
        (3..=1_000).for_each(publish);
        assert!(page.next().await.unwrap().starts_with(b"retry: 2000\nevent: hello"));
        publish(1_001);
        assert_eq!(page.next().await.unwrap(), "data: 1001\n\n", "what was missed is not told after all");
    }
}
