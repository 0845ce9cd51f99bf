//! The task of a client's connection: reads and writes, keeps the picture, and tells the owner how its commands ended.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use rts2_proto::session::client::{CommandId, TimeoutEvent, TooManyCommands};
use rts2_proto::{CommandReturn, Line, Rest};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::Common;
use super::session::{Outcome, Session};
use crate::client::image::{ImageNews, Sink};
use crate::wire::{Received, Wire};

/// Told how the peer received us: under which number, or its refusal.
type LetIn = oneshot::Sender<Result<Option<i32>, CommandReturn>>;

/// What happened to a command.
pub(super) enum Ended {
    End(CommandReturn),
    TimedOut,
    /// The session has too many.
    Busy,
}

/// A command of the owner.
pub(super) struct Order {
    /// The line without its end.
    pub(super) text: Vec<u8>,
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<Ended>,
}

/// What the owner asks of the task.
pub(super) enum Request {
    Command(Order),
    /// From now on, hand on images there.
    Images(Sink),
}

/// The task of a connection.
pub(super) struct Task {
    wire: Wire,
    session: Session,
    /// Who waits for the end of a command; as many as the session takes.
    waiting: HashMap<CommandId, oneshot::Sender<Ended>>,
    /// Told once how the peer received us: under which number, or its refusal.
    let_in: Option<LetIn>,
    sink: Option<Sink>,
    /// News of an image for which the sink has no room yet. Until it has, nothing more is read from the peer.
    image: Option<ImageNews>,
    common: Arc<Common>,
    told: watch::Sender<u64>,
}

impl Task {
    /// The task of a connection on which the session has begun.
    pub(super) fn new(
        wire: Wire,
        session: Session,
        let_in: LetIn,
        common: Arc<Common>,
        told: watch::Sender<u64>,
    ) -> Self {
        let let_in = Some(let_in);
        Self { wire, session, waiting: HashMap::new(), let_in, sink: None, image: None, common, told }
    }

    /// Keeps the connection to its end. Waits on the socket, on the owner, on room for an image, and on time.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let why = loop {
            if let Err(why) = self.take_in() {
                break why;
            }
            let read = self.wire.has_room() && self.image.is_none();
            tokio::select! {
                turned = self.wire.turn(read) => if let Err(error) = turned {
                    break error.to_string();
                },
                request = requests.recv() => match request {
                    Some(Request::Command(order)) => self.order(order),
                    Some(Request::Images(sink)) => self.sink = Some(sink),
                    None => break "closed".to_owned(),
                },
                () = room(self.sink.as_ref()), if self.image.is_some() => self.hand_on(),
                () = tokio::time::sleep_until(self.session.next_timeout()) => {}
            }
            if let Err(why) = self.handle_timeout() {
                break why;
            }
        };
        *self.common.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Takes in what was read. An error says why the connection is over.
    fn take_in(&mut self) -> Result<(), String> {
        let now = Instant::now();
        let mut line = Vec::new();
        let mut changed = false;
        while self.wire.has_room()
            && self.image.is_none()
            && let Some(received) = self.wire.next(&mut line)
        {
            let outcome = match received {
                Received::Line => self.session.handle_line(now, Line::parse(&line), &mut self.wire.out),
                Received::Overlong => Outcome::Nothing,
                Received::Binary(bytes) => self.session.handle_binary(now, bytes),
            };
            match outcome {
                Outcome::Nothing => {}
                Outcome::LetIn(id) => {
                    if let Some(let_in) = self.let_in.take() {
                        let _ = let_in.send(Ok(id));
                    }
                }
                Outcome::Refused(end) => {
                    let why = format!("refused: {end}");
                    if let Some(let_in) = self.let_in.take() {
                        let _ = let_in.send(Err(end));
                    }
                    return Err(why);
                }
                Outcome::End(id, end) => {
                    if let Some(answer) = self.waiting.remove(&id) {
                        // Whoever asked may have given up.
                        let _ = answer.send(Ended::End(end));
                    }
                }
                Outcome::News(line) => changed |= self.common.picture().handle_line(&line),
                Outcome::Image(image) => {
                    if self.sink.is_some() {
                        self.image = Some(image);
                        self.hand_on();
                    }
                }
            }
        }
        if changed {
            self.told.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(())
    }

    /// Gives news of an image to whoever wants it; keeps it when there is no room.
    fn hand_on(&mut self) {
        let (Some(sink), Some(image)) = (&self.sink, self.image.take()) else { return };
        match sink.try_send(image) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(image)) => self.image = Some(image),
            Err(mpsc::error::TrySendError::Closed(_)) => self.sink = None,
        }
    }

    fn order(&mut self, Order { text, deadline, answer }: Order) {
        let sent = Rest::new(&text)
            .map_err(|_| TooManyCommands)
            .and_then(|text| self.session.command(text, deadline, &mut self.wire.out));
        match sent {
            Ok(id) => {
                self.waiting.insert(id, answer);
            }
            Err(TooManyCommands) => {
                let _ = answer.send(Ended::Busy);
            }
        }
    }

    fn handle_timeout(&mut self) -> Result<(), String> {
        let now = Instant::now();
        loop {
            match self.session.handle_timeout(now, &mut self.wire.out) {
                TimeoutEvent::None => return Ok(()),
                TimeoutEvent::CommandTimedOut(id) => {
                    if let Some(answer) = self.waiting.remove(&id) {
                        let _ = answer.send(Ended::TimedOut);
                    }
                }
                TimeoutEvent::Close(reason) => return Err(reason.to_string()),
            }
        }
    }
}

/// Waits for room in a sink, or for its end.
async fn room(sink: Option<&Sink>) {
    match sink {
        Some(sink) => drop(sink.reserve().await),
        None => std::future::pending().await,
    }
}
