//! Which names are meant: globs over metrics and nodes, and groups.

use std::fmt;

use globset::{Glob, GlobMatcher};
use lamon_wire::names::NodeName;
use serde::Deserialize;

/// A glob over names (`ccd*`, `disk_?_percent`, `{a,b}`), or an exact name.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct NameGlob {
    text: String,
    matcher: GlobMatcher,
    exact: bool,
}

/// By what was written.
impl PartialEq for NameGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl NameGlob {
    /// Compiles a glob. Case is folded, as names are.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty name matches nothing".into());
        }
        let text = text.to_ascii_lowercase();
        let matcher = Glob::new(&text).map_err(|error| error.to_string())?.compile_matcher();
        let exact = !text.contains(['*', '?', '[', '{']);
        Ok(Self { text, matcher, exact })
    }

    /// Whether it is a name, not a glob.
    #[must_use]
    pub(super) const fn is_exact(&self) -> bool {
        self.exact
    }

    /// What the only `*` of a glob without other wildcards stands for in `name`: `None` when it is no such glob, and
    /// `Some(None)` when the name is not meant.
    pub(super) fn star<'a>(&self, name: &'a str) -> Option<Option<&'a str>> {
        let (before, behind) = self.text.split_once('*')?;
        let plain = !self.text.contains(['?', '[', '{']) && !behind.contains('*');
        plain.then(|| name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)))
    }

    /// Whether `name` is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.exact { self.text == name } else { self.matcher.is_match(name) }
    }
}

impl TryFrom<String> for NameGlob {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}

/// The text alone: a compiled glob fills pages.
impl fmt::Debug for NameGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for NameGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Which nodes a rule is for: a name, a glob, or a group as `@ccd`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub enum NodePattern {
    /// All nodes of the group of this name.
    Group(String),
    /// The nodes whose names match.
    Name(NameGlob),
}

impl NodePattern {
    /// The groups that patterns name.
    pub fn groups(patterns: &[Self]) -> impl Iterator<Item = &str> {
        patterns.iter().filter_map(|pattern| match pattern {
            Self::Group(name) => Some(name.as_str()),
            Self::Name(_) => None,
        })
    }

    /// Whether a node of this name and group is meant.
    #[must_use]
    pub fn wants(&self, node: &NodeName, group: &str) -> bool {
        match self {
            Self::Group(name) => name == group,
            Self::Name(glob) => glob.matches(node.as_str()),
        }
    }
}

impl TryFrom<String> for NodePattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix('@') {
            Some("") => Err("@ wants the name of a group behind it".into()),
            Some(group) => Ok(Self::Group(group.to_ascii_lowercase())),
            None => NameGlob::new(&text).map(Self::Name),
        }
    }
}

impl fmt::Display for NodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "@{name}"),
            Self::Name(glob) => glob.fmt(f),
        }
    }
}
