//! Operations of people and programs, carried out by the core task.

use lamon_control::answer::{Answer, Did, Settings};
use lamon_control::{Operation, Refusal, Threshold, Why};
use lamon_store::registers::Setting;
use tokio::sync::oneshot;

use super::{Core, event};
use super::{answers, gates};
use crate::control::{Asked, Replied};
use crate::durable::{Found, Keep, Kept, of_register};
use crate::face::Condition;
use crate::past::EventsAsked;
use crate::sample::{Now, utc};
use crate::watch::{EventKind, KeptNode, OperateError, Update};

impl From<OperateError> for Refusal {
    fn from(error: OperateError) -> Self {
        use OperateError::{
            Limits, NotOverridden, NothingWrong, OverrideTime, Reason, StillHeard, Target, TooMany,
            UnknownGate, UnknownGroup, UnknownMetric, UnknownMute, UnknownNode, Window,
        };
        let why = match error {
            Target(..) | Reason | Window | OverrideTime => Why::BadRequest,
            UnknownGroup(_) | UnknownNode(_) | UnknownMetric(..) | UnknownMute(..) | UnknownGate(..) => {
                Why::NotFound
            }
            NothingWrong(_) | NotOverridden(_) | StillHeard(_) | TooMany(_) => Why::NotPossible,
            Limits(ref error) if error.is_about_nothing() => Why::NotFound,
            Limits(_) => Why::BadRequest,
        };
        Self::new(why, error.to_string())
    }
}

impl Core {
    /// Carries an operation out. Whoever asked and went away changed what he changed.
    pub(super) fn operate(&mut self, asked: Asked) {
        let Asked { operation, who, reply } = asked;
        let replied = if let Operation::PastEvents { node, level, since_ms, before, limit } = operation {
            let asked = EventsAsked::new(node, level.as_deref(), since_ms, before, limit);
            asked
                .and_then(|asked| self.past.events(asked))
                .map_or_else(|why| Replied::Now(Err(why)), Replied::Later)
        } else if operation.changes() {
            match self.change_keys(&operation, &who) {
                Some(replied) => replied.unwrap_or_else(|error| Replied::Now(Err(error.into()))),
                None => self.change(operation, &who).unwrap_or_else(|error| Replied::Now(Err(error.into()))),
            }
        } else if let Operation::Keys {} = operation {
            Replied::Now(Ok(self.keys_answer()))
        } else {
            Replied::Now(self.answer(operation))
        };
        let _ = reply.send(replied);
    }

    fn answer(&self, operation: Operation) -> Result<Answer, Refusal> {
        let picture = self.picture();
        match operation {
            Operation::Status {} => {
                let status = answers::status(&picture, self.config.name.as_str(), self.started_ms);
                Ok(Answer::Status(Box::new(status)))
            }
            Operation::Nodes { after } => Ok(Answer::Nodes(answers::nodes(&picture, after.as_deref()))),
            Operation::Node { node } => {
                answers::node(&picture, &node).map(|node| Answer::Node(Box::new(node)))
            }
            Operation::Explain { node, metric } => {
                answers::explain(&picture, &node, &metric).map(Answer::Explanation)
            }
            Operation::Gates {} => Ok(Answer::Gates(gates::gates(&picture))),
            Operation::Events { node, before, limit } => {
                Ok(Answer::Events(self.recent.page(node.as_deref(), before, limit)))
            }
            _ => {
                let Kept { mutes, acks, overrides, limits, .. } = self.kept();
                Ok(Answer::Settings(Settings { mutes, acks, overrides, limits }))
            }
        }
    }

    fn change(&mut self, operation: Operation, who: &str) -> Result<Replied, OperateError> {
        let now = Now::read();
        match operation {
            Operation::Mute { target, when, reason } => {
                let (id, updates) = self.watch.mute(now, &target, &when, &reason, who)?;
                let mute = self.watch.mutes().iter().find(|mute| mute.id == id);
                let mut text = mute.map(crate::watch::describe).unwrap_or_default();
                // A mistyped name, or a node that comes later.
                if !self.watch.nodes().any(|node| self.watch.mutes().of(node).any(|mute| mute.id == id)) {
                    text.push_str("; no node of now is meant by it");
                }
                Ok(self.changed(&updates, Did { text, id: Some(id) }))
            }
            Operation::Unmute { mute } => {
                let (count, updates) = self.watch.unmute(now, &mute, who)?;
                let text = if count == 1 { "ended the mute".into() } else { format!("ended {count} mutes") };
                Ok(self.changed(&updates, Did { text, id: None }))
            }
            Operation::Ack { node, metric, seconds, reason } => {
                let updates = self.watch.acknowledge(now, &node, metric.as_deref(), seconds, &reason, who)?;
                let text = match metric {
                    None => format!("{node} is acknowledged until it is well again or gets worse"),
                    Some(metric) => {
                        format!("{node} {metric} is acknowledged until it is well again or gets worse")
                    }
                };
                Ok(self.changed(&updates, Did { text, id: None }))
            }
            Operation::Set { target, metric, warning, error, reason } => {
                let (metric, wanted) = (metric.as_deref(), (warning.as_deref(), error.as_deref()));
                let (text, updates) =
                    self.watch.set_limits(now, (&target, metric), wanted, reason.as_deref(), who)?;
                Ok(self.changed(&updates, Did { text, id: None }))
            }
            Operation::Reset { target, metric } => {
                let (text, updates) = self.watch.reset_limits(now, (&target, metric.as_deref()), who)?;
                Ok(self.changed(&updates, Did { text, id: None }))
            }
            Operation::Override { gate, seconds, reason } => {
                let updates = self.gates.override_gate(now, &gate, seconds, &reason, who)?;
                let kept = self.gates.overrides().find(|kept| kept.gate == gate);
                let until = kept.map(|kept| utc(kept.until_ms)).unwrap_or_default();
                let text = format!("gate {gate} blocks nothing until {until}");
                Ok(self.changed(&updates, Did { text, id: None }))
            }
            Operation::Release { gate } => {
                let updates = self.gates.release(now, &gate, who)?;
                Ok(self.changed(
                    &updates,
                    Did { text: format!("gate {gate} is no longer overridden"), id: None },
                ))
            }
            Operation::Forget { node } => {
                let updates = self.watch.forget(&node, who)?;
                self.forget_connection(&updates);
                Ok(self.changed(&updates, Did { text: format!("{node} is forgotten"), id: None }))
            }
            _ => {
                let (reply, result) = oneshot::channel();
                Ok(match self.reload_asks.try_send(reply) {
                    Ok(()) => Replied::Later(result),
                    Err(_) => {
                        Replied::Now(Err(Refusal::new(Why::Busy, "the configuration is being read already")))
                    }
                })
            }
        }
    }

    /// A forgotten node's agent that comes back says hello anew.
    fn forget_connection(&mut self, updates: &[Update]) {
        for update in updates {
            if let Update::Gone { node } = update
                && let Some(connection) = self.agents.remove(node)
            {
                connection.replaced.cancel();
                self.health.agents = self.agents.len();
            }
        }
    }

    pub(super) fn changed(&mut self, updates: &[Update], did: Did) -> Replied {
        let keeping = self.keep();
        self.show(updates);
        match keeping {
            Ok(kept) => Replied::Keeping(Answer::Did(did), kept),
            Err(why) => {
                let text = format!("{}; it would not outlive a restart: {why}", did.text);
                Replied::Now(Ok(Answer::Did(Did { text, ..did })))
            }
        }
    }

    /// Has what operators changed written down, if it changed since it last was.
    pub(super) fn keep_if_changed(&mut self) {
        if self.kept_at != self.operated_changes() {
            // Nobody waits for it; that it failed is told by the thread's report.
            let _ = self.keep();
        }
    }

    fn keep(&mut self) -> Result<oneshot::Receiver<Result<(), String>>, &'static str> {
        self.kept_at = self.operated_changes();
        let kept = self.kept();
        let (done, result) = oneshot::channel();
        self.keeps.try_send(Keep { kept, done }).map(|()| result).map_err(|_| "the disk does not answer")
    }

    /// How often anything changed that is to be kept.
    fn operated_changes(&self) -> u64 {
        self.watch.operated_changes() + self.gates.operated_changes() + self.keys.changes()
    }

    fn kept(&self) -> Kept {
        Kept {
            mutes: self.watch.mutes().iter().cloned().collect(),
            acks: self.watch.acks().iter().cloned().collect(),
            overrides: self.gates.overrides().cloned().collect(),
            limits: self.watch.limits().to_vec(),
            keys: self.keys.approved(),
            revoked: self.keys.revoked().to_vec(),
            secrets: self.keys.secrets(),
            incomplete: self.incomplete,
        }
    }

    /// Puts back what the hub knew when it ended, before anything else comes: limits that operators set, then levels, which
    /// stand by them.
    pub(crate) fn restore(&mut self, limits: Vec<Threshold>, kept: Vec<KeptNode>) {
        self.look_at_the_sky();
        let mut updates = self.watch.restore_limits(Now::read(), limits);
        updates.extend(self.watch.restore_levels(Now::read(), kept));
        self.show(&updates);
    }

    /// Takes up what was kept on this machine; the limits among it hold already.
    pub(super) fn start_with(&mut self, found: Found) {
        let Kept { mutes, acks, overrides, limits: _, keys, revoked, secrets, incomplete: _ } = found.kept;
        self.incomplete = found.fresh;
        self.keys.restore(keys, revoked, secrets);
        let updates = self.watch.restore_operated(Now::read(), mutes, acks);
        self.show(&updates);
        let mut updates = self.gates.restore(Now::read(), overrides);
        // Now, not before: a muted node must not close a gate for the moment until its mute is known.
        updates.extend(self.gates.start(Now::read(), &self.watch));
        self.show(&updates);
        if let Some(damage) = found.damage {
            let text = format!("{damage}; what the archive has of it is taken up");
            self.show(&[event(None, EventKind::SettingsFailed, text)]);
        }
    }

    /// Takes up what the archive has, on a machine that had nothing.
    pub(super) fn take_up(&mut self, settings: &[Setting]) {
        let kept = of_register(self.config.name.as_str(), settings);
        let Kept { mutes, acks, overrides, limits, keys, revoked, secrets, incomplete: _ } = kept;
        self.incomplete = false;
        self.keys.restore(keys, revoked, secrets);
        // Whoever came in the meantime, when nobody's key was known.
        for node in self.agents.keys().cloned().collect::<Vec<_>>() {
            self.cut_who_may_not_speak(&node);
        }
        let mut updates = self.watch.restore_operated(Now::read(), mutes, acks);
        updates.extend(self.watch.restore_limits(Now::read(), limits));
        updates.extend(self.gates.restore(Now::read(), overrides));
        // Also when it changed nothing that anybody sees: the file is to be made.
        let _ = self.keep();
        self.show(&updates);
    }

    /// Whether what operators change can be kept.
    pub(super) fn settings_condition(&mut self, failed: Option<String>) -> Option<(EventKind, String)> {
        use EventKind::{SettingsFailed, SettingsRecovered};
        let now = failed.clone().map_or(Condition::Works, Condition::Fails);
        let before = std::mem::replace(&mut self.health.settings, now);
        match (before, failed) {
            (_, Some(why)) => {
                Some((SettingsFailed, format!("{why}; what operators change would not outlive a restart")))
            }
            (Condition::Fails(_), None) => {
                Some((SettingsRecovered, "what operators change is kept again".into()))
            }
            _ => None,
        }
    }
}
