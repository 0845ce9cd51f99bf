//! Node and metric names, and the one function that makes a name of what people and systems call things.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest node name, in bytes: with a metric's 40 it still makes a value name that rts2-mon shows whole.
pub const MAX_NODE_NAME_BYTES: usize = 32;

/// The longest metric name, in bytes.
pub const MAX_METRIC_NAME_BYTES: usize = 40;

/// Names that the hub itself gives to values of a node (`ccd01_level`, `ccd01_heard`): no metric may bear them.
pub const RESERVED_METRIC_NAMES: [&str; 4] = ["level", "heard", "completeness", "remarks"];

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is nothing in it.
    #[error("empty name")]
    Empty,
    /// It is longer than the limit, in bytes.
    #[error("name of {len} bytes, at most {max} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A character that names do not have, at a byte position counted from 0.
    #[error("character {character:?} at position {at} (names are made of {allowed})")]
    InvalidCharacter {
        /// The character.
        character: char,
        /// Its position in bytes, from 0.
        at: usize,
        /// What a name may be made of, in words.
        allowed: &'static str,
    },
    /// The hub uses this name for a value of its own.
    #[error("the name {0:?} is reserved for a value of the hub")]
    Reserved(String),
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Cheap to clone: the text is shared.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The shared text itself, for those who keep many.
            #[must_use]
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().into()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }
    };
}

name_type! {
    /// The name of a watched computer: `[a-z0-9][a-z0-9_-]{0,31}`, unique in the site, compared without case
    /// (upper case is folded when the name is made).
    NodeName
}

name_type! {
    /// The name of one quantity of a node: `[a-z0-9_]{1,40}`, such as `cpu_percent`.
    MetricName
}

impl NodeName {
    /// Makes a node name, folding upper case to lower.
    ///
    /// # Errors
    ///
    /// [`NameError`] when the text does not fit the form.
    pub fn new(text: &str) -> Result<Self, NameError> {
        const ALLOWED: &str = "a-z, 0-9, and after the first also _ and -";
        check(text, MAX_NODE_NAME_BYTES, ALLOWED, |at, character| {
            character.is_ascii_alphanumeric() || (at > 0 && matches!(character, '_' | '-'))
        })?;
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// Makes a node name of what a system calls itself: the host name up to its first dot, with other characters
    /// turned to `_`, cut to length.
    ///
    /// # Errors
    ///
    /// [`NameError::Empty`] when nothing usable is left.
    pub fn from_host(host: &str) -> Result<Self, NameError> {
        let short = host.split('.').next().unwrap_or_default();
        let folded: String = short
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' })
            .skip_while(|c| !c.is_ascii_alphanumeric())
            .take(MAX_NODE_NAME_BYTES)
            .collect();
        Self::new(&folded)
    }
}

impl MetricName {
    /// Makes a metric name.
    ///
    /// # Errors
    ///
    /// [`NameError`] when the text does not fit the form, or is one of [`RESERVED_METRIC_NAMES`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text, MAX_METRIC_NAME_BYTES, "a-z, 0-9 and _", |_, character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        })?;
        if RESERVED_METRIC_NAMES.contains(&text) {
            return Err(NameError::Reserved(text.into()));
        }
        Ok(Self(text.into()))
    }
}

fn check(
    text: &str,
    max: usize,
    allowed: &'static str,
    good: impl Fn(usize, char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some((at, character)) = text.char_indices().find(|(at, character)| !good(*at, *character)) {
        return Err(NameError::InvalidCharacter { character, at, allowed });
    }
    if text.len() > max {
        return Err(NameError::TooLong { len: text.len(), max });
    }
    Ok(())
}

/// Turns what a person or a system calls a thing (a mount point, an interface, a sensor, a process) into the middle of
/// a metric name: lower case, every other character to `_`, without leading, trailing or doubled `_`, at most
/// `max_bytes` long, never empty (`root` for `/`, else `x`).
#[must_use]
pub fn slug(original: &str, max_bytes: usize) -> String {
    let mut out = String::new();
    for character in original.chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            out.push(character);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if out.len() >= max_bytes {
            break;
        }
    }
    while out.ends_with('_') {
        out.pop();
    }
    if !out.is_empty() {
        return out;
    }
    if original == "/" { "root".into() } else { "x".into() }
}

/// Gives every original its own slug, the same one at each asking: the second that would have `data` gets `data_2`.
///
/// It remembers at most [`Slugs::MAX`] originals; past these [`Slugs::name`] gives `None`, so that a system which
/// invents names (a container per minute, each with its mounts) cannot grow an agent.
#[derive(Debug, Default)]
pub struct Slugs {
    given: HashMap<String, String>,
    taken: HashMap<String, u32>,
}

impl Slugs {
    /// The most originals that are remembered: more mounts, interfaces or sensors than any real node has.
    pub const MAX: usize = 1_024;

    /// The longest slug, in bytes: leaves room for `disk_` before and `_inodes_percent` behind within a metric name.
    pub const MAX_SLUG_BYTES: usize = 20;

    /// The slug of `original`, always the same, unlike every other original's; `None` when the memory is full.
    pub fn name(&mut self, original: &str) -> Option<&str> {
        if !self.given.contains_key(original) {
            if self.given.len() >= Self::MAX {
                return None;
            }
            let unique = self.unique(&slug(original, Self::MAX_SLUG_BYTES));
            self.taken.entry(unique.clone()).or_insert(1);
            self.given.insert(original.into(), unique);
        }
        self.given.get(original).map(String::as_str)
    }

    fn unique(&mut self, base: &str) -> String {
        let Some(last) = self.taken.get(base).copied() else {
            return base.into();
        };
        let mut number = last + 1;
        loop {
            let suffix = format!("_{number}");
            let room = Self::MAX_SLUG_BYTES.saturating_sub(suffix.len());
            let candidate: String = base.chars().take(room).chain(suffix.chars()).collect();
            if !self.taken.contains_key(&candidate) {
                self.taken.insert(base.into(), number);
                return candidate;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn node_names_fold_case_and_refuse_the_rest() {
        assert_eq!(NodeName::new("CCD-01_a").unwrap().as_str(), "ccd-01_a");
        assert_eq!(NodeName::new(""), Err(NameError::Empty));
        for bad in ["-ccd", "_ccd", "ccd 01", "ccd.01", "ccd\u{e9}", &"a".repeat(33)] {
            assert!(NodeName::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            NodeName::new("ccd 01").unwrap_err().to_string(),
            "character ' ' at position 3 (names are made of a-z, 0-9, and after the first also _ and -)"
        );
    }

    #[test]
    fn a_host_name_makes_a_node_name() {
        assert_eq!(NodeName::from_host("CCD01.lamost.org").unwrap().as_str(), "ccd01");
        assert_eq!(NodeName::from_host("__dome pc").unwrap().as_str(), "dome_pc");
        assert_eq!(NodeName::from_host("...").unwrap_err(), NameError::Empty);
    }

    #[test]
    fn metric_names_are_lower_case_and_never_the_hubs_own() {
        assert!(MetricName::new("disk_root_inodes_percent").is_ok());
        assert_eq!(MetricName::new("level"), Err(NameError::Reserved("level".into())));
        for bad in ["", "CPU", "cpu-percent", "cpu percent", &"a".repeat(41)] {
            assert!(MetricName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn slugs_of_real_things() {
        for (original, expected) in [
            ("/", "root"),
            ("/home", "home"),
            ("/mnt/Data Disk", "mnt_data_disk"),
            ("eth0", "eth0"),
            ("Core 0", "core_0"),
            ("\u{6570}\u{636e}", "x"),
            ("---", "x"),
            ("C:\\", "c"),
        ] {
            assert_eq!(slug(original, 20), expected, "{original:?}");
        }
    }

    #[test]
    fn equal_slugs_are_told_apart_and_stay_so() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.name("/a-b"), Some("a_b"));
        assert_eq!(slugs.name("/a_b"), Some("a_b_2"));
        assert_eq!(slugs.name("/a b"), Some("a_b_3"));
        assert_eq!(slugs.name("/a_b_2"), Some("a_b_2_2"));
        assert_eq!(slugs.name("/a-b"), Some("a_b"));
    }

    #[test]
    fn the_memory_of_slugs_is_bounded() {
        let mut slugs = Slugs::default();
        for number in 0..Slugs::MAX {
            assert!(slugs.name(&format!("/m{number}")).is_some());
        }
        assert_eq!(slugs.name("/one/more"), None);
        assert_eq!(slugs.name("/m7"), Some("m7"));
    }

    proptest! {
        #[test]
        fn any_original_makes_a_valid_unique_metric_name(originals in proptest::collection::vec(".{0,40}", 1..30)) {
            let mut slugs = Slugs::default();
            let mut seen = HashMap::new();
            for original in originals {
                let name = slugs.name(&original).unwrap().to_owned();
                prop_assert!(MetricName::new(&format!("disk_{name}_inodes_percent")).is_ok(), "{name:?}");
                let earlier = seen.insert(name.clone(), original.clone());
                prop_assert!(earlier.is_none_or(|e| e == original), "{name:?} given twice");
            }
        }

        #[test]
        fn any_text_is_a_name_or_an_error(text in ".{0,60}") {
            let _ = (NodeName::new(&text), MetricName::new(&text), NodeName::from_host(&text));
        }
    }
}
