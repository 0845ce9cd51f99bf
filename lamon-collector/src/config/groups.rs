//! The checks of tables `[[group]]`, and of what names groups, that the form alone cannot make.

use lamon_daemon::config::ConfigError;
use toml::Spanned;

use super::Wrong;
use super::file::HubFile;
use crate::watch::{Group, NodePattern, OTHER};

/// No two groups have one name, nor the name of the group that is there without a table.
pub(super) fn check_groups(groups: &[Spanned<Group>], wrong: &Wrong<'_>) -> Result<(), ConfigError> {
    for (place, group) in groups.iter().enumerate() {
        let name = &group.get_ref().name;
        if name == OTHER {
            let message =
                format!("group \"{OTHER}\" is the one of all nodes that no group wants: choose another name");
            return Err(wrong(group.span(), &message));
        }
        if groups.iter().take(place).any(|earlier| earlier.get_ref().name == *name) {
            return Err(wrong(
                group.span(),
                &format!("group \"{name}\" stands twice: give it one table with all nodes"),
            ));
        }
    }
    Ok(())
}

/// Every group that a rule, a gate or an agents' table names exists.
pub(super) fn check_group_names<F>(table: &HubFile<F>, wrong: &Wrong<'_>) -> Result<(), ConfigError> {
    let known = |name: &str| name == OTHER || table.group.iter().any(|group| group.get_ref().name == name);
    let of_rules = table.rule.iter().map(|rule| (rule.span(), NodePattern::groups(&rule.get_ref().nodes)));
    let of_agents =
        table.agents.iter().map(|agents| (agents.span(), NodePattern::groups(&agents.get_ref().nodes)));
    let of_gates = table.gate.iter().map(|gate| (gate.span(), gate.get_ref()));
    let devices = of_gates.clone().filter_map(|(span, gate)| Some((span, gate.device_group()?)));
    let of_gates = of_gates
        .flat_map(|(span, gate)| NodePattern::groups(&gate.nodes).map(move |group| (span.clone(), group)));
    let of_tables =
        of_rules.chain(of_agents).flat_map(|(span, groups)| groups.map(move |group| (span.clone(), group)));
    for (span, unknown) in of_tables.chain(of_gates).chain(devices) {
        if !known(unknown) {
            return Err(wrong(
                span,
                &format!("this is for group \"{unknown}\", but no [[group]] has that name"),
            ));
        }
    }
    Ok(())
}
