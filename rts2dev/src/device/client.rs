//! A client's connection. Waits on its socket, on changes of the values, on centrald's word about it, and on time;
//! sends the client values and the ends of its commands, and centralds the requests that it causes.
//!
//! A command that one of the program's handlers or centrald works on keeps its client waiting for the end line, but not for
//! values; so a client has one thing in work at a time, and cannot fill the queues with many.
//! A command's end line goes out after everything that changed before it, but for what keeps changing faster than the client
//! reads. While the client does not read, changes
//! wait in the table where they cost nothing, and no further command of it is taken; after ten minutes without
//! progress it is closed.

mod asking;

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use rts2_proto::session::device::{ClientAction, ClientSession};
use rts2_proto::{CLOSE_AFTER, Command, CommandReturn, ErrorCode, Line, MessageType};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use self::asking::Asked;
use super::centrald::Request;
use super::errors::ErrorBudget;
use crate::commands;
use crate::cursor::{Cursor, Receiver};
use crate::handlers::{Caller, CallingClient};
use crate::hooks;
use crate::lane::Begun;
use crate::sets;
use crate::shared::Shared;
use crate::wire::{OUT_BYTES, Wire};

/// Longest wait for a client to read the line that says why it is closed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What a client's task needs.
pub(super) struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) centralds: Arc<[mpsc::Sender<Request>]>,
    pub(super) noauth: bool,
    pub(super) allow_exit: bool,
    /// Set once the client may send commands.
    pub(super) authorized: Arc<AtomicBool>,
    /// Errors of all who are not authorized.
    pub(super) strangers: Arc<Mutex<ErrorBudget>>,
    /// Ends this connection.
    pub(super) shutdown: CancellationToken,
    /// Ends the device.
    pub(super) end_device: CancellationToken,
}

struct Connection {
    context: Client,
    wire: Wire,
    session: ClientSession,
    cursor: Cursor,
    /// The end line of a command, and the number of the last change that has to be sent before it. No command is taken
    /// while it waits.
    reply: Option<(CommandReturn, u64)>,
    asked: Option<Asked>,
    /// The end of a command that a handler works on.
    running: Option<oneshot::Receiver<CommandReturn>>,
    /// The line that came while a handler or centrald worked; nothing behind it is read before it had its turn.
    held: Option<Vec<u8>>,
    /// Close when everything is written, at this time at the latest.
    closing: Option<Instant>,
    errors: ErrorBudget,
    /// Who asks, for handlers.
    caller: CallingClient,
}

impl Client {
    /// Serves the client to its end.
    pub(super) async fn run(self, stream: TcpStream, peer: SocketAddr) {
        let _ended = self.shutdown.clone().drop_guard();
        let device = self.shared.name.clone();
        tracing::debug!(%device, %peer, "client connected");
        let cursor = Cursor::new(Receiver::Client, &self.shared.lock().table);
        let mut connection = Connection {
            session: ClientSession::new(Instant::now().into_std(), self.noauth),
            wire: Wire::new(stream),
            cursor,
            reply: None,
            asked: None,
            running: None,
            held: None,
            closing: None,
            errors: ErrorBudget::new(Instant::now()),
            caller: CallingClient { address: peer, login: None },
            context: self,
        };
        let why = connection.serve().await;
        tracing::debug!(%device, %peer, why, "client gone");
    }
}

impl Connection {
    /// Runs to the end of the connection and says why it came.
    async fn serve(&mut self) -> &'static str {
        let mut changes = self.context.shared.subscribe();
        let mut line = Vec::new();
        loop {
            self.wire.give_way().await;
            changes.mark_unchanged();
            let caught_up = self.fill();
            if self.take_line(&mut line) {
                continue;
            }
            if self.closing.is_some() && !self.wire.has_output() {
                return "closed";
            }
            let deadline = self.deadline();
            let read = self.takes_commands() && self.held.is_none();
            let running = async {
                match &mut self.running {
                    Some(end) => end.await,
                    None => std::future::pending().await,
                }
            };
            let asked = asking::answer(&mut self.asked);
            tokio::select! {
                () = self.context.shutdown.cancelled() => {
                    // What is ready goes out; nobody waits for it.
                    let _ = self.wire.flush();
                    return "shut down";
                }
                turned = self.wire.turn(read) => {
                    if turned.is_err() {
                        return "connection lost";
                    }
                }
                _ = changes.changed(), if caught_up => {}
                answer = asked => self.answered(answer),
                end = running => {
                    self.running = None;
                    // Without an answer its thread is gone, which no handler can cause.
                    self.end(end.unwrap_or_else(|_| CommandReturn::failed(ErrorCode::System, "no answer")));
                }
                () = super::until(deadline), if deadline.is_some() => {
                    if let Some(why) = self.timeout() {
                        return why;
                    }
                }
            }
        }
    }

    /// Adds what changed, and then the end line that waits for it. `true` when nothing is left to add.
    fn fill(&mut self) -> bool {
        if !self.wire.has_room() || self.closing.is_some() {
            return false;
        }
        let caught_up = self.cursor.fill(&self.context.shared.lock().table, &mut self.wire.out, OUT_BYTES);
        if let Some((end, _)) = self.reply.take_if(|(_, due)| self.cursor.has_sent(*due)) {
            self.write_end(&end);
        }
        caught_up
    }

    /// A handler or centrald works on a command.
    fn is_busy(&self) -> bool {
        self.running.is_some() || self.asked.is_some()
    }

    fn takes_commands(&self) -> bool {
        self.reply.is_none() && self.closing.is_none() && self.wire.has_room()
    }

    /// Handles the next line that is there. `false` when there is none, or none is taken now.
    fn take_line(&mut self, line: &mut Vec<u8>) -> bool {
        if !self.takes_commands() {
            return false;
        }
        if self.held.is_some() {
            if !self.is_busy()
                && let Some(held) = self.held.take()
            {
                self.handle_line(&held);
                return true;
            }
            return false;
        }
        match self.wire.next_line(line) {
            None => false,
            Some(false) => {
                self.end(CommandReturn::failed(ErrorCode::Parameters, "line too long"));
                true
            }
            Some(true) => {
                // Whether we live can be asked at any time; everything else waits for its turn.
                let waits = self.is_busy() && !matches!(Line::parse(line), Ok(Line::Technical(_)));
                if waits {
                    self.held = Some(std::mem::take(line));
                } else {
                    self.handle_line(line);
                }
                true
            }
        }
    }

    fn handle_line(&mut self, line: &[u8]) {
        let now = Instant::now().into_std();
        let action = self.session.handle_line(now, Line::parse(line), &mut self.wire.out);
        self.act(action);
    }

    fn act(&mut self, action: ClientAction<'_>) {
        match action {
            ClientAction::None => {}
            ClientAction::Reply(end) => self.end(end),
            ClientAction::Authorize { centrald_num, client, key } => {
                self.ask_authorization(centrald_num, client, key);
            }
            ClientAction::SetValue { name, op, operand } => {
                let (caller, end_device) = (self.caller(), self.context.end_device.clone());
                self.begun(sets::begin(&self.context.shared, name, op, operand, caller, end_device));
            }
            ClientAction::Info => {
                let end_device = self.context.end_device.clone();
                self.begun(hooks::begin_info(&self.context.shared, end_device));
            }
            ClientAction::StatusInfo => {
                self.context.shared.lock().table.write_state(&mut self.wire.out);
                self.end(CommandReturn::ok());
            }
            ClientAction::DeviceStatus => self.ask_device_status(),
            ClientAction::Killall { script_ends } => {
                let end_device = self.context.end_device.clone();
                self.begun(hooks::begin_killall(&self.context.shared, script_ends, end_device));
            }
            ClientAction::ScriptEnds => {
                let end_device = self.context.end_device.clone();
                self.begun(hooks::begin_script_ends(&self.context.shared, end_device));
            }
            ClientAction::Autosave => match self.context.shared.autosave() {
                Ok(end) => self.running = Some(end),
                Err(end) => self.end(end),
            },
            ClientAction::Exit => {
                if self.context.allow_exit {
                    self.context.end_device.cancel();
                } else {
                    self.end(CommandReturn::failed(ErrorCode::System, "exit is not allowed"));
                }
            }
            ClientAction::Command(Command::Other { word, parameters }) => {
                let (caller, end_device) = (self.caller(), self.context.end_device.clone());
                self.begun(commands::begin(&self.context.shared, word, parameters, caller, end_device));
            }
            ClientAction::Command(command) => self.end(CommandReturn::unknown_command(command.word())),
        }
    }

    fn caller(&self) -> Caller {
        Caller::Client(self.caller.clone())
    }

    fn begun(&mut self, command: Begun) {
        match command {
            Begun::Ended(end) => self.end(end),
            Begun::Running(end) => self.running = Some(end),
        }
    }

    /// Ends a command once everything before it is sent.
    fn end(&mut self, end: CommandReturn) {
        let due = self.context.shared.lock().table.version();
        self.reply = Some((end, due));
    }

    fn write_end(&mut self, end: &CommandReturn) {
        end.write_to(&mut self.wire.out);
        if end.is_error() && self.may_log() {
            let text = format!("command end with error {} description: {}", end.code, end.text);
            self.context.shared.message(MessageType::ERROR, &text);
        }
    }

    /// Whether centrald's log gets another error of this client. A stranger could connect again and again, and have a
    /// budget of its own each time.
    fn may_log(&mut self) -> bool {
        let now = Instant::now();
        if self.session.is_authorized() {
            return self.errors.take(now);
        }
        self.context.strangers.lock().unwrap_or_else(PoisonError::into_inner).take(now)
    }

    /// Tells the client that it is not authorized, and closes.
    fn refuse(&mut self, reachable: bool) {
        let end = self.session.authorization_failed(reachable);
        self.write_end(&end);
        self.closing = Some(Instant::now() + LAST_WORDS);
    }

    fn deadline(&self) -> Option<Instant> {
        // While we do not read we cannot know whether the client is silent.
        let silent = self.held.is_none().then(|| Instant::from_std(self.session.next_timeout()));
        let stalled = self.wire.stalled_since().map(|since| since + CLOSE_AFTER);
        [silent, stalled, self.closing].into_iter().flatten().min()
    }

    fn timeout(&mut self) -> Option<&'static str> {
        let now = Instant::now();
        if self.closing.is_some_and(|closing| now >= closing) {
            return Some("closed");
        }
        if self.wire.stalled_since().is_some_and(|since| now >= since + CLOSE_AFTER) {
            return Some("does not read");
        }
        let silent = self.held.is_none() && self.session.handle_timeout(now.into_std(), &mut self.wire.out);
        silent.then_some("silent")
    }
}
