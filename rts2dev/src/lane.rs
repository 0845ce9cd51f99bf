//! Where a device's handlers run: one after the other, on a thread of their own.
//!
//! A handler may take minutes, and may block its thread while it does (drivers of hardware often do). The device's
//! own task must not feel that: it answers centrald's `status_info`, which everybody's exposures wait for. A lane
//! therefore takes work in the order in which it came and does it on a plain thread, which is there only while there
//! is work. A plain thread and not one of the runtime's: a runtime waits for those before it ends, and a driver that
//! hangs must not keep a daemon from ending.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rts2_proto::{CommandReturn, ErrorCode};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Sets and commands of one device that may wait for its handlers. Clients send one and wait for its end, so that as
/// many clients as a device serves fit; beyond are only clients that send, go away and come again.
pub const MAX_WAITING_HANDLERS: usize = 64;

/// How far a command came at once.
pub(crate) enum Begun {
    /// To its end line.
    Ended(CommandReturn),
    /// A handler has it; the end line comes from there.
    Running(oneshot::Receiver<CommandReturn>),
}

impl From<Result<oneshot::Receiver<CommandReturn>, CommandReturn>> for Begun {
    fn from(submitted: Result<oneshot::Receiver<CommandReturn>, CommandReturn>) -> Self {
        match submitted {
            Ok(end) => Self::Running(end),
            Err(end) => Self::Ended(end),
        }
    }
}

/// What a killall does to work that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is dropped: a client's set or command.
    Command,
    /// It stays: it refreshes values or ends a script.
    Upkeep,
}

/// Work that waits.
struct Work {
    kind: Kind,
    task: Pin<Box<dyn Future<Output = CommandReturn> + Send>>,
    answer: oneshot::Sender<CommandReturn>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Work>,
    /// A thread is at it.
    busy: bool,
}

/// Does one piece of work at a time.
pub(crate) struct Lane {
    /// For the thread's name.
    name: String,
    queue: Mutex<Queue>,
}

impl Lane {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), queue: Mutex::default() }
    }

    /// Nothing runs and nothing waits: what is done now is done in its turn.
    pub(crate) fn is_idle(&self) -> bool {
        !self.lock().busy
    }

    /// Takes work. It is done whether or not somebody still waits for its end, but when `end` is cancelled it is given
    /// up at its next await. Call it from within the runtime, whose sockets and timers the work may use.
    ///
    /// # Errors
    /// The end of the command, when too much waits or the system has no thread.
    pub(crate) fn submit(
        self: &Arc<Self>,
        kind: Kind,
        end: CancellationToken,
        work: impl Future<Output = CommandReturn> + Send + 'static,
    ) -> Result<oneshot::Receiver<CommandReturn>, CommandReturn> {
        let (answer, receiver) = oneshot::channel();
        let task = Box::pin(async move {
            tokio::select! {
                biased;
                () = end.cancelled() => CommandReturn::failed(ErrorCode::System, "the device ends"),
                end = work => end,
            }
        });
        let work = Work { kind, task, answer };
        let mut queue = self.lock();
        if queue.waiting.len() >= MAX_WAITING_HANDLERS {
            return Err(CommandReturn::failed(ErrorCode::System, "too many commands wait for this device"));
        }
        queue.waiting.push_back(work);
        if !queue.busy {
            let (lane, runtime) = (Arc::clone(self), Handle::current());
            let thread = std::thread::Builder::new().name(self.name.clone());
            if let Err(error) = thread.spawn(move || lane.run(&runtime)) {
                let work = queue.waiting.pop_back();
                drop(queue);
                drop(work);
                tracing::error!(device = self.name, %error, "no thread for a handler");
                return Err(CommandReturn::failed(ErrorCode::System, "no thread for the handler"));
            }
            queue.busy = true;
        }
        Ok(receiver)
    }

    /// Ends the commands that wait, as that.
    pub(crate) fn drop_commands(&self, end: &CommandReturn) {
        let mut queue = self.lock();
        let (commands, upkeep) =
            std::mem::take(&mut queue.waiting).into_iter().partition(|work| work.kind == Kind::Command);
        queue.waiting = upkeep;
        drop(queue);
        let commands: VecDeque<Work> = commands;
        for Work { answer, .. } in commands {
            let _ = answer.send(end.clone());
        }
    }

    /// The thread: works until nothing waits.
    fn run(&self, runtime: &Handle) {
        while let Some(Work { task, answer, .. }) = self.next() {
            let end = catch_unwind(AssertUnwindSafe(|| runtime.block_on(task))).unwrap_or_else(|_| {
                tracing::error!(device = self.name, "a handler panicked");
                CommandReturn::failed(ErrorCode::System, "the device's handler panicked")
            });
            // A client that is gone needs no answer.
            let _ = answer.send(end);
        }
    }

    fn next(&self) -> Option<Work> {
        let mut queue = self.lock();
        let work = queue.waiting.pop_front();
        queue.busy = work.is_some();
        work
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
