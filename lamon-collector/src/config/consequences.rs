//! What follows from a configuration, in sentences, for `check`.

use lamon_curve::KeyPair;

use super::{ControlConfig, HubConfig};
use crate::sun::NIGHT_BELOW;
use crate::watch::{Origin, Ruled, SILENT_INTERVALS};

impl HubConfig {
    /// Says what the hub will do, a sentence a line.
    #[must_use]
    pub fn consequences(&self) -> Vec<String> {
        let mut lines = vec![
            format!("hub {} listens for agents and text on {}", self.name, self.intake.listen.join(", ")),
            format!("plain connections are taken from {}", list(&self.intake.plain_from)),
        ];
        lines.push(if self.bus.enabled {
            let key =
                KeyPair::load(&self.bus_key_path()).map(|key| format!(", its own key is {}", key.public()));
            let whom = match self.bus.clients.keys().cloned().collect::<Vec<_>>().join(", ") {
                all if all.is_empty() => "whoever reaches it".into(),
                some => format!("{some}, by their keys{}", key.unwrap_or_default()),
            };
            format!(
                "the bus publishes on {} and answers snapshots on {}, for {whom}",
                self.bus.publish, self.bus.snapshot
            )
        } else {
            "there is no bus".into()
        });
        let ControlConfig { enabled, socket, group } = &self.control;
        lines.push(if *enabled {
            let group = group.as_deref().unwrap_or("the hub's own group");
            format!("it is operated by the command lamon on {}, by members of {group}", socket.display())
        } else {
            "there is no control socket".into()
        });
        lines.push(format!(
            "samples are acknowledged when they are in {} and kept there for {} at least",
            self.journal_path().display(),
            self.journal.keep
        ));
        lines.push(format!("the archive is {}", self.database.url));
        let archive = &self.archive;
        lines.push(format!(
            "it keeps samples {}, rows of ten minutes {}, rows of an hour {} and events {}",
            archive.samples, archive.ten_minutes, archive.hours, archive.events
        ));
        lines.push(if self.groups.is_empty() {
            "there are no groups".into()
        } else {
            format!("groups: {}; every other node is in \"other\"", list(self.groups.names()))
        });
        lines.extend(self.rules.iter().map(|Ruled { rule, origin, .. }| {
            let origin = if *origin == Origin::BuiltIn { "built-in rule" } else { "rule" };
            format!("{origin} {}: {rule}", rule.name())
        }));
        lines.extend(self.gates.iter().map(|gate| format!("gate {}: {gate}", gate.name())));
        if self.gates.is_empty() {
            lines.push("nothing is held up by any level: there are no gates".into());
        }
        if let Some(site) = self.site {
            let (latitude, longitude) = (site.latitude, site.longitude);
            lines.push(format!(
                "night is when the Sun is {} degrees below the horizon at latitude {latitude}, longitude {longitude}",
                -NIGHT_BELOW
            ));
        }
        lines.push(format!("a node is silent after {SILENT_INTERVALS} of its intervals without a word"));
        lines
    }
}

fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "nowhere".into() } else { items.join(", ") }
}
