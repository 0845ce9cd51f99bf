//! Overrides: an operator takes it upon himself that a gate blocks nothing for a while.

use std::time::Duration;

use lamon_control::GateOverride;

use super::Gates;
use super::standing::event;
use crate::sample::{Now, utc};
use crate::watch::mutes::{OperateError, checked_reason};
use crate::watch::update::{EventKind, Update};

/// The longest override: what is wanted for longer belongs into the configuration.
pub const MAX_OVERRIDE: Duration = Duration::from_secs(7 * 86_400);

/// How long until the wall clock is looked at again, which somebody may set.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Gates {
    /// The overrides that hold, in the order of the gates.
    pub fn overrides(&self) -> impl Iterator<Item = &GateOverride> {
        self.all.iter().filter_map(|standing| standing.overridden.as_ref())
    }

    /// How often operators' overrides changed: another number than before means that they are to be kept anew.
    #[must_use]
    pub const fn operated_changes(&self) -> u64 {
        self.changes
    }

    /// Takes up what was kept over a restart; those of gates that there are no more are let go.
    pub fn restore(&mut self, now: Now, overrides: Vec<GateOverride>) -> Vec<Update> {
        let mut updates = Vec::new();
        for kept in overrides {
            if let Some(standing) = self.all.iter_mut().find(|standing| standing.gate.name == kept.gate) {
                let why = format!("overridden by {}", kept.who);
                standing.overridden = Some(kept);
                if self.started {
                    updates.extend(standing.settle(now, &why));
                }
            }
        }
        self.plan(now);
        updates
    }

    /// Lets a gate block nothing for so long, in the place of an earlier override of it.
    ///
    /// # Errors
    ///
    /// [`OperateError`], a sentence for who asked; nothing changes then.
    pub fn override_gate(
        &mut self,
        now: Now,
        gate: &str,
        seconds: u64,
        reason: &str,
        who: &str,
    ) -> Result<Vec<Update>, OperateError> {
        let reason = checked_reason(reason)?;
        let length = Duration::from_secs(seconds);
        if length.is_zero() || length > MAX_OVERRIDE {
            return Err(OperateError::OverrideTime);
        }
        let unknown = || self.unknown(gate);
        let Some(place) = self.all.iter().position(|standing| standing.gate.name == gate) else {
            return Err(unknown());
        };
        let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        let until_ms = now.unix_ms.saturating_add(length_ms);
        let made =
            GateOverride { gate: gate.into(), until_ms, reason, who: who.into(), made_ms: now.unix_ms };
        let text = format!("{who} overrides gate {gate} until {}: {}", utc(until_ms), made.reason);
        let mut updates = vec![event(EventKind::GateOverridden, text)];
        if let Some(standing) = self.all.get_mut(place) {
            standing.overridden = Some(made);
            updates.extend(standing.settle(now, &format!("overridden by {who}")));
        }
        self.changes += 1;
        self.plan(now);
        Ok(updates)
    }

    /// Ends an override before its time.
    ///
    /// # Errors
    ///
    /// [`OperateError`] when there is no such gate, or nobody overrides it.
    pub fn release(&mut self, now: Now, gate: &str, who: &str) -> Result<Vec<Update>, OperateError> {
        let unknown = self.unknown(gate);
        let standing = self.all.iter_mut().find(|standing| standing.gate.name == gate).ok_or(unknown)?;
        let ended = standing.overridden.take().ok_or_else(|| OperateError::NotOverridden(gate.into()))?;
        let GateOverride { reason, who: by, .. } = ended;
        let text = format!("{who} ended the override of gate {gate} ({reason}, by {by})");
        let mut updates = vec![event(EventKind::GateOverrideEnded, text)];
        updates.extend(standing.settle(now, "no longer overridden"));
        self.changes += 1;
        self.plan(now);
        Ok(updates)
    }

    /// Ends what is over by now.
    pub(super) fn end_overrides(&mut self, now: Now) -> Vec<Update> {
        let mut updates = Vec::new();
        for standing in &mut self.all {
            let over = |kept: &mut GateOverride| kept.until_ms <= now.unix_ms;
            let Some(GateOverride { gate, reason, who, .. }) = standing.overridden.take_if(over) else {
                continue;
            };
            let text = format!("the override of gate {gate} is over ({reason}, by {who})");
            updates.push(event(EventKind::GateOverrideEnded, text));
            updates.extend(standing.settle(now, "no longer overridden"));
            self.changes += 1;
        }
        self.plan(now);
        updates
    }

    /// Finds when the next override may end.
    pub(super) fn plan(&mut self, now: Now) {
        self.revision += 1;
        let next = self.overrides().map(|kept| kept.until_ms).min();
        self.next = next.map(|until_ms| {
            let wait_ms = u64::try_from(until_ms.saturating_sub(now.unix_ms)).unwrap_or_default();
            now.monotonic + Duration::from_millis(wait_ms).min(LOOK_AGAIN)
        });
    }

    fn unknown(&self, gate: &str) -> OperateError {
        let names: Vec<_> = self.all.iter().map(|standing| standing.gate.name.as_str()).collect();
        let names = if names.is_empty() { "there are none".into() } else { names.join(", ") };
        OperateError::UnknownGate(gate.into(), names)
    }
}
