//! A configuration that was read again.

use lamon_control::answer::Did;
use lamon_control::{Answer, Refusal, Why};

use super::{Core, event};
use crate::config::HubConfig;
use crate::control::ReloadReply;
use crate::sample::Now;
use crate::watch::EventKind;

impl Core {
    /// Takes up what can be taken up while the hub runs, and tells everybody, and who asked what waits for the next start.
    pub(super) fn handle_reload(
        &mut self,
        config: Result<Box<HubConfig>, String>,
        face_waits: bool,
        reply: Option<ReloadReply>,
    ) {
        let (kind, text) = match config {
            Ok(config) => {
                let mut waits = config.waits_for_a_start(&self.at_start);
                waits.extend(face_waits.then_some("[rts2]"));
                self.apply(*config);
                let waits = if waits.is_empty() {
                    String::new()
                } else {
                    format!("; what was changed of {} waits for the next start", waits.join(", "))
                };
                (
                    EventKind::Reload,
                    format!("rules, gates, groups and what agents are told were read again{waits}"),
                )
            }
            Err(why) => (EventKind::ReloadFailed, format!("the configuration stays as it was: {why}")),
        };
        if let Some(reply) = reply {
            let _ = reply.send(match kind {
                EventKind::Reload => Ok(Answer::Did(Did { text: text.clone(), id: None })),
                _ => Err(Refusal::new(Why::NotPossible, text.clone())),
            });
        }
        self.show(&[event(None, kind, text)]);
    }

    fn apply(&mut self, config: HubConfig) {
        let updates = self.watch.reload(Now::read(), config.rules.clone(), config.groups.clone());
        let of_gates = self.gates.reload(Now::read(), &self.watch, config.gates.clone());
        for (node, agent) in &self.agents {
            let settings = config.settings_for(node);
            agent.settings.send_if_modified(|before| {
                let changed = *before != settings;
                before.clone_from(&settings);
                changed
            });
        }
        self.config = config;
        self.show(&updates);
        self.show(&of_gates);
        self.look_at_the_sky();
    }
}
