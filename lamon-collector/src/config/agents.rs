//! Tables `[[agents]]`: what the hub tells agents about how to watch their nodes.

use lamon_daemon::seconds::Seconds;
use lamon_wire::frames::{MAX_LABEL_BYTES, MAX_WATCHED, Settings};
use lamon_wire::names::NodeName;
use serde::{Deserialize, Deserializer};

use crate::watch::NodePattern;

/// One `[[agents]]` table. For a node with several, the later ones override the interval and add to the watch list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRule {
    /// For which nodes; all when not given.
    #[serde(default)]
    pub nodes: Vec<NodePattern>,
    /// Time between samples, 1 s to a day; the agents' own when not given.
    #[serde(default, deserialize_with = "interval")]
    pub interval: Option<Seconds>,
    /// Processes to count, besides those of the agents' own configuration.
    #[serde(default, deserialize_with = "watch")]
    pub watch: Vec<String>,
}

fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seconds>, D::Error> {
    let seconds = Seconds::deserialize(deserializer)?;
    if !(Seconds::new(1)..=Seconds::new(86_400)).contains(&seconds) {
        return Err(serde::de::Error::custom(format!("an interval is 1s to 1d, not {seconds}")));
    }
    Ok(Some(seconds))
}

fn watch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if let Some(bad) = names.iter().find(|name| name.is_empty() || name.len() > MAX_LABEL_BYTES) {
        return Err(serde::de::Error::custom(format!(
            "{bad:?} is no name of a process (1 to {MAX_LABEL_BYTES} bytes)"
        )));
    }
    Ok(names)
}

pub(super) fn settings_for(rules: &[AgentRule], group: &str, node: &NodeName) -> Settings {
    let mut settings = Settings::default();
    let means = |pattern: &NodePattern| match pattern {
        NodePattern::Group(name) => name == group,
        NodePattern::Name(glob) => glob.matches(node.as_str()),
    };
    for rule in rules.iter().filter(|rule| rule.nodes.is_empty() || rule.nodes.iter().any(means)) {
        let interval_ms =
            rule.interval.and_then(|interval| u32::try_from(interval.duration().as_millis()).ok());
        settings.interval_ms = interval_ms.or(settings.interval_ms);
        for name in &rule.watch {
            if settings.watch.len() < MAX_WATCHED && !settings.watch.contains(name) {
                settings.watch.push(name.clone());
            }
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_tables_override_and_add() {
        #[derive(Deserialize)]
        struct File {
            agents: Vec<AgentRule>,
        }
        let file: File = toml::from_str(
            "[[agents]]\ninterval = '30s'\nwatch = ['sshd']\n[[agents]]\nnodes = ['ccd*']\ninterval = 5\nwatch = ['camd', 'sshd']",
        )
        .unwrap();
        let settings = |node| settings_for(&file.agents, "other", &NodeName::new(node).unwrap());
        assert_eq!(
            settings("ccd01"),
            Settings { interval_ms: Some(5_000), watch: vec!["sshd".into(), "camd".into()] }
        );
        assert_eq!(settings("door"), Settings { interval_ms: Some(30_000), watch: vec!["sshd".into()] });
        assert!(toml::from_str::<AgentRule>("interval = '1ms'").is_err());
    }
}
