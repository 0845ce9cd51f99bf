//! What operators set over the configuration, read beside a hub that may run.

use std::io;

use lamon_control::Threshold;

use crate::config::HubConfig;
use crate::durable::look_at_settings;
use crate::sample::utc;
use crate::watch::{Rules, with_thresholds};

/// The rules in force.
pub(super) struct Operated {
    /// Those of the file, with the limits that operators set.
    pub(super) rules: Rules,
    /// The limits.
    pub(super) limits: Vec<Threshold>,
    /// Limits that do not fit the file, or why none can be read.
    pub(super) complaints: Vec<String>,
}

impl Operated {
    pub(super) fn read(config: &HubConfig) -> Self {
        let path = config.settings_path();
        let (limits, mut complaints) = match look_at_settings(&path) {
            Ok(kept) => (kept.limits, Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
            Err(error) => {
                let path = path.display();
                (Vec::new(), vec![format!("what operators set cannot be read from {path}: {error}")])
            }
        };
        let (rules, unused) = with_thresholds(&config.rules, &config.groups, &limits);
        let unused = unused
            .into_iter()
            .map(|(set, why)| format!("limits of {} by {} are not used: {why}", set.about(), set.who));
        complaints.extend(unused);
        Self { rules, limits, complaints }
    }

    /// What follows from it, a sentence a line.
    pub(super) fn consequences(self) -> Vec<String> {
        let limit = |limit: Option<f64>| limit.map_or_else(|| "none".into(), |limit| limit.to_string());
        let set = self.limits.iter().map(|set| {
            let Threshold { warning, error, who, made_ms, .. } = set;
            let pair = format!("warning {}, error {}", limit(*warning), limit(*error));
            format!("over the file, {who} set limits of {} on {}: {pair}", set.about(), utc(*made_ms))
        });
        set.chain(self.complaints).collect()
    }
}
