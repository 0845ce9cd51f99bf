//! A connection of a client, kept by a task: the session's events go into the picture that its owner looks at, commands
//! of its owner go into the session.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rts2_proto::session::client::{
    CentraldEvent, CentraldSession, CommandId, DeviceEvent, DeviceSession, TimeoutEvent, TooManyCommands,
};
use rts2_proto::{Command, CommandReturn, Line, ParseError, Rest, Text};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant};

use super::ClientError;
use super::changes::Changes;
use super::image::{ImageNews, Sink};
use super::picture::Picture;
use crate::wire::{Received, Wire};

/// Commands that may wait for the task; more is a caller that does not wait for answers.
const MAX_WAITING: usize = 64;
/// Longest wait for a connection to be made, and then for the peer to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the end of a command when the caller names none. A camera may take long to answer, a network a
/// while to fail.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// What happened to a command.
enum Ended {
    End(CommandReturn),
    TimedOut,
    /// The session has too many.
    Busy,
}

struct Order {
    /// The line without its end.
    text: Vec<u8>,
    deadline: Instant,
    answer: oneshot::Sender<Ended>,
}

/// What the owner asks of the task.
enum Request {
    Command(Order),
    /// From now on, hand on images there.
    Images(Sink),
}

/// How the conversation begins.
pub(super) enum Opening<'a> {
    Login { login: Text<'a>, program: Text<'a> },
    Authorize { id: i32, centrald_num: i32, key: i32 },
}

/// What the task and its owner share.
#[derive(Debug, Default)]
pub(super) struct Common {
    picture: Mutex<Picture>,
    /// Why the connection ended.
    why: Mutex<Option<String>>,
}

impl Common {
    /// The picture as it is. Held only to copy from it.
    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lost(&self, peer: &str) -> ClientError {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ClientError::Lost { peer: peer.to_owned(), why: why.unwrap_or_else(|| "closed".to_owned()) }
    }
}

/// A peer and its task; dropping it ends both.
pub(super) struct Peer {
    name: String,
    requests: mpsc::Sender<Request>,
    common: Arc<Common>,
    changes: watch::Receiver<u64>,
    task: AbortHandle,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Connects, and is let in: by centrald under a number.
    pub(super) async fn connect(
        name: &str,
        address: &str,
        opening: Opening<'_>,
    ) -> Result<(Self, Option<i32>), ClientError> {
        let failed =
            |source| ClientError::Connect { peer: name.to_owned(), address: address.to_owned(), source };
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?;
        let mut wire = Wire::new(stream);
        let now = Instant::now();
        let session = Session::new(now, &opening, &mut wire.out);
        let (requests, receiver) = mpsc::channel(MAX_WAITING);
        let (told, changes) = watch::channel(0);
        let (let_in, answer) = oneshot::channel();
        let common = Arc::new(Common::default());
        let task = Task {
            wire,
            session,
            waiting: HashMap::new(),
            let_in: Some(let_in),
            sink: None,
            image: None,
            common: Arc::clone(&common),
            told,
        };
        let task = tokio::spawn(task.run(receiver)).abort_handle();
        let peer = Self { name: name.to_owned(), requests, common, changes, task };
        match answer.await {
            Ok(Ok(id)) => Ok((peer, id)),
            Ok(Err(answer)) => Err(ClientError::Refused { peer: name.to_owned(), answer }),
            Err(_) => Err(peer.lost()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The picture as it is. Held only to copy from it.
    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.common.picture()
    }

    pub(super) fn is_connected(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Follows the picture, from `seen` on.
    pub(super) fn watch(&self, seen: u64) -> Changes {
        Changes::new(&self.name, Arc::clone(&self.common), self.changes.clone(), seen)
    }

    /// Follows the picture from now on.
    pub(super) fn watch_from_now(&self) -> Changes {
        let seen = self.picture().log.last();
        self.watch(seen)
    }

    /// Waits until anything changed after `seen`, and moves it there.
    pub(super) async fn changed(&self, seen: &mut u64) -> Result<(), ClientError> {
        self.watch(*seen).next().await?;
        *seen = self.picture().log.last();
        Ok(())
    }

    /// Sends a command and waits for its end.
    pub(super) async fn command(
        &self,
        line: &Line<'_>,
        within: Duration,
    ) -> Result<CommandReturn, ClientError> {
        let mut text = line.to_bytes();
        text.pop();
        self.order(text, within).await
    }

    /// Sends a line that a person wrote.
    pub(super) async fn command_text(
        &self,
        line: &str,
        within: Duration,
    ) -> Result<CommandReturn, ClientError> {
        let text = Rest::new(line.as_bytes())?;
        if !Line::is_answered(text.as_bytes()) {
            return Err(ClientError::NoCommand { line: line.to_owned() });
        }
        self.order(text.as_bytes().to_vec(), within).await
    }

    /// Sends a command that has to succeed.
    pub(super) async fn must(&self, line: &Line<'_>) -> Result<(), ClientError> {
        let answer = self.command(line, COMMAND_TIMEOUT).await?;
        if answer.is_error() {
            return Err(ClientError::Refused { peer: self.name.clone(), answer });
        }
        Ok(())
    }

    /// Has images handed on.
    pub(super) async fn images(&self, sink: Sink) -> Result<(), ClientError> {
        self.requests.send(Request::Images(sink)).await.map_err(|_| self.lost())
    }

    async fn order(&self, text: Vec<u8>, within: Duration) -> Result<CommandReturn, ClientError> {
        let peer = || self.name.clone();
        let (answer, receiver) = oneshot::channel();
        let order = Order { text, deadline: Instant::now() + within, answer };
        self.requests.try_send(Request::Command(order)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ClientError::Busy { peer: peer() },
            mpsc::error::TrySendError::Closed(_) => self.lost(),
        })?;
        match receiver.await {
            Ok(Ended::End(end)) => Ok(end),
            Ok(Ended::TimedOut) => Err(ClientError::Timeout { peer: peer() }),
            Ok(Ended::Busy) => Err(ClientError::Busy { peer: peer() }),
            Err(_) => Err(self.lost()),
        }
    }

    fn lost(&self) -> ClientError {
        self.common.lost(&self.name)
    }
}

/// One of the two conversations that a client has.
enum Session {
    Centrald(CentraldSession),
    Device(DeviceSession),
}

/// What an event asks of the task.
enum Outcome<'a> {
    Nothing,
    LetIn(Option<i32>),
    Refused(CommandReturn),
    End(CommandId, CommandReturn),
    News(Line<'a>),
    Image(ImageNews),
}

impl Session {
    fn new(now: Instant, opening: &Opening<'_>, out: &mut Vec<u8>) -> Self {
        let deadline = (now + CONNECT_TIMEOUT).into_std();
        let now = now.into_std();
        match *opening {
            Opening::Login { login, program } => {
                Self::Centrald(CentraldSession::new(now, login, program, deadline, out))
            }
            Opening::Authorize { id, centrald_num, key } => {
                Self::Device(DeviceSession::new(now, id, centrald_num, key, deadline, out))
            }
        }
    }

    fn handle_line<'a>(
        &mut self,
        now: Instant,
        line: Result<Line<'a>, ParseError>,
        out: &mut Vec<u8>,
    ) -> Outcome<'a> {
        match self {
            Self::Centrald(session) => match session.handle_line(now.into_std(), line, out) {
                CentraldEvent::None => Outcome::Nothing,
                CentraldEvent::LoggedIn { id } => Outcome::LetIn(Some(id)),
                CentraldEvent::Refused(end) => Outcome::Refused(end),
                CentraldEvent::Key { device, key } => {
                    Outcome::News(Line::Command(Command::AuthorizationKey { device, key }))
                }
                CentraldEvent::CommandEnd { id, end } => Outcome::End(id, end),
                CentraldEvent::News(line) => Outcome::News(line),
            },
            Self::Device(session) => match session.handle_line(now.into_std(), line, out) {
                DeviceEvent::None | DeviceEvent::ImageBytes { .. } => Outcome::Nothing,
                DeviceEvent::Authorized => Outcome::LetIn(None),
                DeviceEvent::Refused(end) => Outcome::Refused(end),
                DeviceEvent::CommandEnd { id, end } => Outcome::End(id, end),
                DeviceEvent::News(Line::Image(image)) => {
                    ImageNews::of_line(&image).map_or(Outcome::Nothing, Outcome::Image)
                }
                DeviceEvent::News(line) => Outcome::News(line),
            },
        }
    }

    fn handle_binary(&mut self, now: Instant, bytes: &[u8]) -> Outcome<'static> {
        match self {
            Self::Centrald(session) => {
                session.handle_binary(now.into_std());
                Outcome::Nothing
            }
            Self::Device(session) => match session.handle_binary(now.into_std(), bytes) {
                DeviceEvent::ImageBytes { data_conn, channel, bytes, complete } => {
                    Outcome::Image(ImageNews::Bytes { data_conn, channel, bytes: bytes.to_vec(), complete })
                }
                _ => Outcome::Nothing,
            },
        }
    }

    fn command(
        &mut self,
        text: Rest<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        match self {
            Self::Centrald(session) => session.command_text(text, deadline.into_std(), out),
            Self::Device(session) => session.command_text(text, deadline.into_std(), out),
        }
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut Vec<u8>) -> TimeoutEvent {
        match self {
            Self::Centrald(session) => session.handle_timeout(now.into_std(), out),
            Self::Device(session) => session.handle_timeout(now.into_std(), out),
        }
    }

    fn next_timeout(&self) -> Instant {
        Instant::from_std(match self {
            Self::Centrald(session) => session.next_timeout(),
            Self::Device(session) => session.next_timeout(),
        })
    }
}

struct Task {
    wire: Wire,
    session: Session,
    /// Who waits for the end of a command; as many as the session takes.
    waiting: HashMap<CommandId, oneshot::Sender<Ended>>,
    /// Told once how the peer received us: under which number, or its refusal.
    let_in: Option<oneshot::Sender<Result<Option<i32>, CommandReturn>>>,
    sink: Option<Sink>,
    /// News of an image for which the sink has no room yet. Until it has, nothing more is read from the peer.
    image: Option<ImageNews>,
    common: Arc<Common>,
    told: watch::Sender<u64>,
}

impl Task {
    /// Keeps the connection to its end. Waits on the socket, on the owner, on room for an image, and on time.
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
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
