//! Asks questions that may never be answered: each on a thread that can be left behind.
//!
//! `statvfs` on a dead NFS or FUSE mount, or on a dying disk, does not return, and nothing can interrupt it. So a helper
//! thread asks. When it does not answer within the deadline it is left alone with its question, a new one takes its
//! place, and the question is not asked again until the old one has come back.

use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, channel as answers};
use tokio::time::timeout;

/// How long an answer may take: a sleeping disk wakes in that time, and a sample is not yet late.
const DEADLINE: Duration = Duration::from_secs(2);

/// The most helpers that are left behind: as many mounts as a configuration may name. Past it nothing is asked until
/// one returns.
const MAX_STUCK: usize = 16;

/// The stack of a helper, in bytes: it makes one system call.
const STACK_BYTES: usize = 64 * 1024;

/// Asks `Q`s, gets `A`s.
#[derive(Debug)]
pub(super) struct Asker<Q, A> {
    ask: fn(&Q) -> A,
    deadline: Duration,
    helper: Option<Helper<Q, A>>,
    stuck: Vec<(Q, Helper<Q, A>)>,
}

#[derive(Debug)]
struct Helper<Q, A> {
    questions: Sender<Q>,
    answers: Receiver<A>,
}

impl<Q: Clone + PartialEq + Send + 'static, A: Send + 'static> Asker<Q, A> {
    /// An asker that finds its answers by `ask`; no thread runs until the first question.
    pub(super) const fn new(ask: fn(&Q) -> A) -> Self {
        Self { ask, deadline: DEADLINE, helper: None, stuck: Vec::new() }
    }

    /// The answer; `None` when none came in time, or an earlier asking still waits for its own.
    pub(super) async fn ask(&mut self, question: &Q) -> Option<A> {
        self.stuck
            .retain_mut(|(_, helper)| helper.answers.try_recv().is_err_and(|e| e == TryRecvError::Empty));
        if self.stuck.len() >= MAX_STUCK || self.stuck.iter().any(|(waiting, _)| waiting == question) {
            return None;
        }
        let mut helper = match self.helper.take() {
            Some(helper) => helper,
            None => Helper::start(self.ask)?,
        };
        helper.questions.send(question.clone()).ok()?;
        match timeout(self.deadline, helper.answers.recv()).await {
            Ok(answer) => {
                self.helper = Some(helper);
                answer
            }
            Err(_elapsed) => {
                self.stuck.push((question.clone(), helper));
                None
            }
        }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Helper<Q, A> {
    fn start(ask: fn(&Q) -> A) -> Option<Self> {
        let (questions, asked) = channel();
        let (answer, answers) = answers(1);
        let work = move || {
            // Ends when the asker drops its side: at once when idle, or as soon as a lost question is answered.
            while let Ok(question) = asked.recv() {
                if answer.try_send(ask(&question)).is_err() {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name("ask".into()).stack_size(STACK_BYTES).spawn(work);
        match started {
            Ok(_detached) => Some(Self { questions, answers }),
            Err(error) => {
                tracing::debug!(%error, "no thread for a question");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Condvar, Mutex};

    use super::*;

    /// A door at which questions wait until it is opened.
    #[derive(Debug, Clone, Default)]
    struct Door(Arc<(Mutex<bool>, Condvar)>);

    impl Door {
        fn open(&self) {
            *self.0.0.lock().unwrap() = true;
            self.0.1.notify_all();
        }

        fn pass(&self) {
            drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |open| !*open).unwrap());
        }
    }

    impl PartialEq for Door {
        fn eq(&self, other: &Self) -> bool {
            Arc::ptr_eq(&self.0, &other.0)
        }
    }

    fn asker() -> Asker<Door, u8> {
        let deadline = Duration::from_millis(20);
        Asker {
            deadline,
            ..Asker::new(|door: &Door| {
                door.pass();
                7
            })
        }
    }

    fn open_door() -> Door {
        let door = Door::default();
        door.open();
        door
    }

    #[tokio::test(flavor = "current_thread")]
    async fn one_that_hangs_costs_only_itself_until_it_returns() {
        let mut asker = asker();
        let (dead, alive) = (Door::default(), open_door());
        // The deadline of the healthy question is long: a busy machine must not fail it.
        let patient = |asker: &mut Asker<Door, u8>| asker.deadline = Duration::from_secs(60);
        assert_eq!(asker.ask(&dead).await, None);
        patient(&mut asker);
        assert_eq!((asker.ask(&alive).await, asker.stuck.len()), (Some(7), 1));
        assert_eq!((asker.ask(&dead).await, asker.stuck.len()), (None, 1), "not asked again, at once");
        dead.open();
        while asker.ask(&dead).await.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(asker.stuck.len(), 0);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_number_of_lost_threads_is_bounded() {
        let mut asker = asker();
        asker.deadline = Duration::from_millis(1);
        let doors: Vec<Door> = (0..MAX_STUCK + 3).map(|_| Door::default()).collect();
        for door in &doors {
            assert_eq!(asker.ask(door).await, None);
        }
        assert_eq!(asker.stuck.len(), MAX_STUCK);
        asker.deadline = Duration::from_secs(60);
        assert_eq!(asker.ask(&open_door()).await, None, "nothing is asked any more");
        for door in &doors {
            door.open();
        }
        while asker.ask(&open_door()).await.is_none() {
            tokio::task::yield_now().await;
        }
    }
}
