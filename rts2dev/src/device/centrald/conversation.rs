//! One connection to a centrald: registers, sends everything that changes, and asks for clients.

use std::collections::VecDeque;

use rts2_proto::session::device::{CentraldEvent, CentraldSession};
use rts2_proto::{CLOSE_AFTER, CommandReturn, Line, QuotedString};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{BackOff, FIRST_PAUSE, Link, Memory, Request, Verdict};
use crate::cursor::{Cursor, Receiver};
use crate::device::clients::Clients;
use crate::device::primary::Primary;
use crate::handlers::ClientLogin;
use crate::status::Registration;
use crate::wire::{OUT_BYTES, Wire};

/// Most requests that wait until the device is registered, which takes milliseconds: more clients than a site has.
const MAX_EARLY: usize = 64;

/// One connection of a registered device, or of one that wants to be.
pub(super) struct Conversation<'l> {
    link: &'l mut Link,
    memory: &'l mut Memory,
    wire: Wire,
    session: CentraldSession,
    /// There once we are registered.
    cursor: Option<Cursor>,
    /// Clients whose keys were sent to centrald, in that order.
    authorizations: VecDeque<(i32, i32, oneshot::Sender<Verdict>)>,
    /// Requests of clients that were told of the device before centrald told it that it is registered.
    early: VecDeque<Request>,
    /// Who the clients are that centrald has told of.
    clients: Clients,
    status_infos: VecDeque<oneshot::Sender<bool>>,
    weather_sent: Option<QuotedString>,
    /// When to ask again for a name that is taken.
    register_at: Option<Instant>,
}

impl<'l> Conversation<'l> {
    /// A conversation that begins.
    pub(super) fn new(
        link: &'l mut Link,
        memory: &'l mut Memory,
        wire: Wire,
        session: CentraldSession,
    ) -> Self {
        Self {
            link,
            memory,
            wire,
            session,
            cursor: None,
            authorizations: VecDeque::new(),
            early: VecDeque::new(),
            clients: Clients::default(),
            status_infos: VecDeque::new(),
            weather_sent: None,
            register_at: None,
        }
    }

    /// Runs to the end of the connection and says why it came.
    pub(super) async fn run(&mut self, shutdown: &CancellationToken) -> String {
        let mut changes = self.link.shared.subscribe();
        let mut line = Vec::new();
        loop {
            self.wire.give_way().await;
            changes.mark_unchanged();
            let caught_up = self.fill();
            if self.wire.has_room()
                && let Some(whole) = self.wire.next_line(&mut line)
            {
                if whole {
                    self.handle_line(&line);
                }
                continue;
            }
            let deadline = self.deadline();
            let read = self.wire.has_room();
            tokio::select! {
                () = shutdown.cancelled() => {
                    let _ = self.wire.flush();
                    return "shut down".to_owned();
                }
                turned = self.wire.turn(read) => {
                    if let Err(error) = turned {
                        return error.to_string();
                    }
                }
                _ = changes.changed(), if caught_up => {}
                Some(request) = self.link.requests.recv() => self.request(request),
                () = Primary::lost(&mut self.link.primary) => {
                    return "the primary device is not registered".to_owned();
                }
                () = tokio::time::sleep_until(deadline) => {
                    if let Some(why) = self.timeout() {
                        return why.to_owned();
                    }
                }
            }
        }
    }

    /// Adds what changed, and messages. `true` when nothing is left to add.
    fn fill(&mut self) -> bool {
        let Some(cursor) = &mut self.cursor else { return false };
        if !self.wire.has_room() {
            return false;
        }
        let mut state = self.link.shared.lock();
        let caught_up = cursor.fill(&state.table, &mut self.wire.out, OUT_BYTES);
        // 64 lines of 2 KB at most.
        state.messages.write_new(&mut self.memory.messages, &mut self.wire.out);
        let weather = state.table.weather_reason().cloned();
        let state_sent = cursor.has_sent(state.table.state_changed());
        drop(state);
        if state_sent && weather != self.weather_sent {
            // When too many commands wait, centrald goes without this reason; the state itself was sent.
            if let Some(reason) = weather.clone() {
                let _ = self.session.weather_update(reason, &mut self.wire.out);
            }
            self.weather_sent = weather;
        }
        caught_up
    }

    fn handle_line(&mut self, line: &[u8]) {
        let shared = &self.link.shared;
        let parsed = Line::parse(line);
        if let Err(error) = &parsed {
            tracing::debug!(device = %shared.name, %error, "centrald sent a line that cannot be read");
        }
        match self.session.handle_line(Instant::now().into_std(), &parsed, &mut self.wire.out) {
            CentraldEvent::None => {}
            CentraldEvent::Registered { id } => {
                tracing::info!(device = %shared.name, centrald = %self.link.address, id, "registered");
                self.cursor = Some(Cursor::new(Receiver::Centrald, &shared.lock().table));
                shared.set_registration(self.link.index, Registration::Registered { id });
                self.register_at = None;
                self.memory.back_off = BackOff(FIRST_PAUSE);
                for request in std::mem::take(&mut self.early) {
                    self.request(request);
                }
            }
            CentraldEvent::NameTaken { reason } | CentraldEvent::Refused { reason } => {
                if shared.registration(self.link.index) != Registration::StandBy {
                    tracing::warn!(device = %shared.name, centrald = %self.link.address, reason, "standing by");
                }
                shared.set_registration(self.link.index, Registration::StandBy);
                self.early.clear();
                self.register_at = Some(Instant::now() + self.memory.back_off.next());
            }
            CentraldEvent::NameFree => {
                self.register_at = None;
                self.session.register(&mut self.wire.out);
            }
            CentraldEvent::Authorized { client, key } => {
                let verdict = Verdict::Right(self.clients.get(client));
                self.authorized(client, key, verdict);
            }
            CentraldEvent::NotAuthorized { client, key } => self.authorized(client, key, Verdict::Wrong),
            CentraldEvent::Client { id, login, name } => {
                self.clients.add(id, ClientLogin { user: login, program: name });
            }
            CentraldEvent::ClientGone { id } => self.clients.remove(id),
            CentraldEvent::StatusInfo => {
                // A device that stands by has no state of its own to show: centrald would count it.
                if self.cursor.is_some() {
                    shared.lock().table.write_state(&mut self.wire.out);
                }
                CommandReturn::ok().write_to(&mut self.wire.out);
            }
            CentraldEvent::StatusInfoDone => {
                if let Some(answer) = self.status_infos.pop_front() {
                    // A client that is gone needs no answer.
                    let _ = answer.send(true);
                }
            }
            CentraldEvent::State(state) => shared.set_centrald_state(self.link.index, state),
            CentraldEvent::Bop { state, bop } => {
                shared.set_centrald_state(self.link.index, state);
                shared.set_bop(self.link.index, bop);
            }
        }
    }

    fn authorized(&mut self, client: i32, key: i32, verdict: Verdict) {
        if let Some(at) = self.authorizations.iter().position(|(id, k, _)| (*id, *k) == (client, key))
            && let Some((_, _, answer)) = self.authorizations.remove(at)
        {
            let _ = answer.send(verdict);
        }
    }

    /// Passes a client's request on, when the device is registered. Where there is no room, dropping the answer tells the
    /// client.
    fn request(&mut self, request: Request) {
        match request {
            _ if self.cursor.is_none() => {
                if self.early.len() < MAX_EARLY && self.register_at.is_none() {
                    self.early.push_back(request);
                }
            }
            Request::Authorize { client, key, answer } => {
                if self.session.authorize(client, key, &mut self.wire.out).is_ok() {
                    self.authorizations.push_back((client, key, answer));
                }
            }
            Request::StatusInfo { answer } => {
                if self.session.status_info(&mut self.wire.out).is_ok() {
                    self.status_infos.push_back(answer);
                }
            }
        }
    }

    fn deadline(&self) -> Instant {
        let mut deadline = Instant::from_std(self.session.next_timeout());
        if let Some(since) = self.wire.stalled_since() {
            deadline = deadline.min(since + CLOSE_AFTER);
        }
        self.register_at.map_or(deadline, |at| deadline.min(at))
    }

    fn timeout(&mut self) -> Option<&'static str> {
        let now = Instant::now();
        if self.register_at.is_some_and(|at| now >= at) {
            self.register_at = None;
            self.session.register(&mut self.wire.out);
        }
        if self.wire.stalled_since().is_some_and(|since| now >= since + CLOSE_AFTER) {
            return Some("centrald does not read");
        }
        self.session.handle_timeout(now.into_std(), &mut self.wire.out).then_some("centrald is silent")
    }
}
