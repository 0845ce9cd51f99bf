//! What centrald is asked for a client: whether its key is right, and for fresh states.

use std::sync::atomic::Ordering;

use rts2_proto::{CommandReturn, ErrorCode};
use tokio::sync::oneshot;

use super::Connection;
use crate::device::centrald::{Request, Verdict};
use crate::hooks;
use crate::status::Registration;

/// What centrald answered.
pub(super) enum Answer {
    Authorization(Verdict),
    DeviceStatus,
}

/// What centrald was asked for this client.
pub(super) enum Asked {
    Authorization { client: i32, answer: oneshot::Receiver<Verdict> },
    DeviceStatus { answer: oneshot::Receiver<bool> },
}

/// Waits for the answer to what was asked, for ever when nothing was; `None` when centrald's connection broke.
pub(super) async fn answer(asked: &mut Option<Asked>) -> Option<Answer> {
    match asked {
        Some(Asked::Authorization { answer, .. }) => answer.await.map(Answer::Authorization).ok(),
        Some(Asked::DeviceStatus { answer }) => answer.await.map(|_| Answer::DeviceStatus).ok(),
        None => std::future::pending().await,
    }
}

impl Connection {
    fn ask(&self, centrald: usize, request: Request) -> bool {
        self.context.centralds.get(centrald).is_some_and(|centrald| centrald.try_send(request).is_ok())
    }

    /// Asks whether the key of a client is right.
    pub(super) fn ask_authorization(&mut self, centrald_num: i32, client: i32, key: i32) {
        let (sender, answer) = oneshot::channel();
        let request = Request::Authorize { client, key, answer: sender };
        // centrald tells clients of a device before it tells the device that it is registered, and a client that is refused
        // then never comes back (seen with rts2-mon): whoever is about to be registered keeps the question.
        let asked = usize::try_from(centrald_num).is_ok_and(|centrald| {
            self.context.shared.registration(centrald) != Registration::StandBy && self.ask(centrald, request)
        });
        if asked {
            self.asked = Some(Asked::Authorization { client, answer });
        } else {
            self.refuse(false);
        }
    }

    /// Asks for fresh states.
    pub(super) fn ask_device_status(&mut self) {
        let (sender, answer) = oneshot::channel();
        // RTS2 asks its first centrald.
        let registered = matches!(self.context.shared.registration(0), Registration::Registered { .. });
        if registered && self.ask(0, Request::StatusInfo { answer: sender }) {
            self.asked = Some(Asked::DeviceStatus { answer });
        } else {
            self.end(CommandReturn::failed(ErrorCode::System, "not registered with centrald"));
        }
    }

    /// centrald answered; `None` when its connection broke.
    pub(super) fn answered(&mut self, answer: Option<Answer>) {
        match (self.asked.take(), answer) {
            (
                Some(Asked::Authorization { client, .. }),
                Some(Answer::Authorization(Verdict::Right(login))),
            ) => {
                let Some(end) = self.session.authorization_ok(client) else { return };
                self.caller.login = login;
                self.context.authorized.store(true, Ordering::Relaxed);
                if !hooks::refreshes(&self.context.shared) {
                    self.context.shared.touch_infotime();
                }
                self.cursor.send_all_values();
                self.end(end);
            }
            (Some(Asked::Authorization { .. }), answer) => self.refuse(answer.is_some()),
            (Some(Asked::DeviceStatus { .. }), Some(_)) => {
                self.end(CommandReturn::done("device status updated"));
            }
            (Some(Asked::DeviceStatus { .. }), None) => {
                self.end(CommandReturn::failed(ErrorCode::System, "connection to centrald lost"));
            }
            (None, _) => {}
        }
    }
}
