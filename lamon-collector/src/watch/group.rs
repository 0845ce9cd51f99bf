//! Groups: which subsystem a node belongs to.

use lamon_wire::names::NodeName;
use serde::Deserialize;

use super::pattern::NameGlob;

/// The group of nodes that no configured group wants.
pub const OTHER: &str = "other";

/// A `[[group]]` table: a subsystem of nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, which also names its RTS2 device: `[a-z0-9][a-z0-9_]{0,15}`.
    #[serde(deserialize_with = "group_name")]
    pub name: String,
    /// Names or globs of its nodes.
    pub nodes: Vec<NameGlob>,
}

/// The longest group name: with `NODES_` before, still a device name that rts2-mon shows whole.
const MAX_NAME_BYTES: usize = 16;

fn group_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?.to_ascii_lowercase();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.starts_with('_') || name.len() > MAX_NAME_BYTES || !name.chars().all(good) {
        return Err(serde::de::Error::custom(format!(
            "{name:?} is no name of a group (a-z, 0-9 and _, at most {MAX_NAME_BYTES} characters)"
        )));
    }
    Ok(name)
}

impl Group {
    /// Whether it wants the node.
    #[must_use]
    pub fn has(&self, node: &NodeName) -> bool {
        self.nodes.iter().any(|glob| glob.matches(node.as_str()))
    }
}

/// A `[[tag]]` table: what nodes share that may fail, as a switch or a circuit. A node may have many.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// What it is, as messages name it: `switch b2`.
    #[serde(deserialize_with = "tag_name")]
    name: String,
    /// Names or globs of its nodes.
    nodes: Vec<NameGlob>,
}

/// The longest name of a tag: a message has room for it.
const MAX_TAG_CHARS: usize = 40;

fn tag_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() || name.chars().count() > MAX_TAG_CHARS || name.chars().any(char::is_control) {
        return Err(serde::de::Error::custom(format!(
            "a tag's name says what it is, as \"switch b2\", in {MAX_TAG_CHARS} characters at most"
        )));
    }
    Ok(name)
}

/// The configured groups, in the order of the file, and the tags.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    groups: Vec<Group>,
    tags: Vec<Group>,
}

impl Groups {
    /// The groups of a file.
    #[must_use]
    pub const fn new(groups: Vec<Group>) -> Self {
        Self { groups, tags: Vec::new() }
    }

    /// The same groups, with these tags.
    #[must_use]
    pub fn with_tags(self, tags: Vec<Tag>) -> Self {
        let tags = tags.into_iter().map(|Tag { name, nodes }| Group { name, nodes }).collect();
        Self { tags, ..self }
    }

    /// The tags, in the order of the file; a group here is only a name with nodes.
    pub(super) fn tags(&self) -> impl Iterator<Item = &Group> {
        self.tags.iter()
    }

    /// The first group that wants the node, else [`OTHER`].
    #[must_use]
    pub fn of(&self, node: &NodeName) -> &str {
        self.groups.iter().find(|group| group.has(node)).map_or(OTHER, |group| group.name.as_str())
    }

    /// The names of all configured groups.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// Whether nodes can be in a group of this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        name == OTHER || self.names().any(|known| known == name)
    }

    /// Whether none is configured.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_belongs_to_the_first_group_that_wants_it() {
        #[derive(Deserialize)]
        struct File {
            group: Vec<Group>,
        }
        let file: File = toml::from_str(
            "[[group]]\nname = 'CCD'\nnodes = ['ccd*', 'cam-1']\n[[group]]\nname = 'rest'\nnodes = ['c*']",
        )
        .unwrap();
        let groups = Groups::new(file.group);
        for (node, group) in [("ccd01", "ccd"), ("cam-1", "ccd"), ("cam-2", "rest"), ("door", OTHER)] {
            assert_eq!(groups.of(&NodeName::new(node).unwrap()), group);
        }
    }

    #[test]
    fn group_names_can_name_devices() {
        for bad in ["", "_a", "c c", "a-b", "seventeen_letters"] {
            assert!(toml::from_str::<Group>(&format!("name = '{bad}'\nnodes = []")).is_err(), "{bad:?}");
        }
    }
}
