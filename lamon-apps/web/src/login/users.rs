//! Who may log in: the password file, a line for each user.
//!
//! ```text
//! ann:operate:$argon2id$v=19$m=19456,t=2,p=1$…$…
//! ```
//!
//! Nobody but its owner may read or write it. `lamon-web user` changes it, and the running page sees the change.

pub(crate) mod command;
mod keyboard;
pub(crate) mod password;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use clap::ValueEnum;
use lamon_secret::Readers;
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use utoipa::ToSchema;

use self::password::Hash;

/// The most users: an observatory has tens.
const MAX_USERS: usize = 1_000;

/// The longest file: as many users with the longest lines.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// The longest name, bytes; the hub takes twice that.
pub(crate) const MAX_NAME_BYTES: usize = 32;

/// What somebody may do; the later the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Look at everything
    View,
    /// Also set limits, mute, acknowledge, override gates
    Operate,
    /// Also forget nodes, and have the hub read its configuration again
    Admin,
}

impl Role {
    /// Its word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

/// A user's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// What he may do.
    pub(crate) role: Role,
    /// His password's hash.
    pub(crate) hash: Hash,
}

/// Everybody who may log in, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Users(pub(crate) BTreeMap<String, User>);

/// What tells whether a file is another than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64, u64, u32, Option<SystemTime>);

/// Checks a name.
///
/// # Errors
///
/// A sentence.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let known = |letter: char| letter.is_ascii_alphanumeric() || "._-@".contains(letter);
    if !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(known)
    {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no name: 1 to {MAX_NAME_BYTES} letters and digits, and . _ - @ behind the first"
    ))
}

impl Users {
    /// Reads the file; nobody may log in when there is none.
    ///
    /// # Errors
    ///
    /// A sentence with the remedy, when it cannot be used or others may read or write it.
    pub(crate) fn load(path: &Path) -> Result<(Self, Option<Stamp>), String> {
        let failed = |what: String| format!("the password file {} {what}", path.display());
        // Of before it is read: what changes in between is seen by the next look.
        let stamp = Self::stamp(path);
        let text = match lamon_secret::text(path, MAX_FILE_BYTES, Readers::Owner) {
            Ok(text) => text,
            Err(error) if error.is_missing() => return Ok((Self::default(), None)),
            Err(error) => return Err(format!("the password file {error}")),
        };
        let users = Self::parse(&text).map_err(failed)?;
        Ok((users, stamp))
    }

    /// The stamp of the file as it is; none where there is none.
    pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
        fs::metadata(path).ok().map(|metadata| stamp(&metadata))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut users = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |what: &str| format!("is wrong in line {number}: {what}");
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut fields = line.splitn(3, ':');
            let (Some(name), Some(role), Some(hash)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(wrong("a line is NAME:ROLE:HASH"));
            };
            check_name(name).map_err(|error| wrong(&error))?;
            let role = Role::from_str(role, false)
                .map_err(|_| wrong(&format!("{role:?} is no role: view, operate or admin")))?;
            let hash = Hash::parse(hash).map_err(|error| wrong(&error))?;
            if users.insert(name.to_owned(), User { role, hash }).is_some() {
                return Err(wrong(&format!("{name} has a line before")));
            }
        }
        if users.len() > MAX_USERS {
            return Err(format!("has more than {MAX_USERS} users"));
        }
        Ok(Self(users))
    }

    fn text(&self) -> String {
        let mut text = String::from("# Who may log in to lamon-web. Change it with: lamon-web user\n");
        for (name, User { role, hash }) in &self.0 {
            // A String takes everything.
            let _ = writeln!(text, "{name}:{}:{}", role.as_str(), hash.as_str());
        }
        text
    }
}

/// Changes the file: reads it, has it changed, and puts the new one in its place at once. One at a time; it stays its owner's.
///
/// # Errors
///
/// A sentence, also that of `change`; then nothing is changed.
pub(crate) fn change(
    path: &Path,
    change: impl FnOnce(&mut Users) -> Result<(), String>,
) -> Result<(), String> {
    let failed =
        |error: io::Error| format!("the password file {} cannot be written: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The file itself is another one after each change.
    let folder = File::open(folder).map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        format!(
            "{}{}",
            failed(error),
            if missing { ": its folder is missing, start lamon-web once or make it" } else { "" }
        )
    })?;
    flock(&folder, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    let (mut users, _) = Users::load(path)?;
    change(&mut users)?;
    if users.0.len() > MAX_USERS {
        return Err(format!("there are {MAX_USERS} users already"));
    }
    lamon_secret::replace(path, users.text().as_bytes()).map_err(failed)
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    Stamp(metadata.ino(), metadata.len(), metadata.mode(), metadata.modified().ok())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b27+b27+b27+b27+b27+b27+b0";

    #[test]
    fn names_are_short_and_plain() {
        for (name, good) in [
            ("ann", true),
            ("li.wei-2@site", true),
            ("", false),
            ("a:b", false),
            (".a", false),
            ("a b", false),
            ("李", false),
            ("a\nb", false),
            (&"x".repeat(33), false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn lines_are_users_and_mistakes_are_named() {
        let users = Users::parse(&format!("# x\n\nann:operate:{HASH}\nbo:view:{HASH}\n")).unwrap();
        assert_eq!(users.0.get("ann").unwrap().role, Role::Operate);
        assert_eq!(Users::parse(&users.text()).unwrap(), users);
        for (text, said) in [
            ("ann".to_owned(), "line 1: a line is NAME:ROLE:HASH"),
            (format!("\nann:god:{HASH}"), "line 2: \"god\" is no role"),
            (format!("a b:view:{HASH}"), "\"a b\" is no name"),
            ("ann:view:secret".to_owned(), "line 1: no hash of argon2id"),
            (format!("ann:view:{HASH}\nann:admin:{HASH}"), "line 2: ann has a line before"),
        ] {
            let error = Users::parse(&text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn the_file_is_its_owners_alone_and_changed_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        assert_eq!(Users::load(&path).unwrap(), (Users::default(), None));
        let add = |name: &'static str| {
            move |users: &mut Users| {
                users.0.insert(name.into(), User { role: Role::View, hash: Hash::parse(HASH).unwrap() });
                Ok(())
            }
        };
        change(&path, add("ann")).unwrap();
        let (_, before) = Users::load(&path).unwrap();
        change(&path, add("bo")).unwrap();
        let (users, after) = Users::load(&path).unwrap();
        assert_eq!(users.0.len(), 2);
        assert_ne!(before, after);
        assert_eq!(Users::stamp(&path), after);
        assert!(change(&path, |_| Err("no".into())).is_err());
        assert_eq!(Users::stamp(&path), after, "nothing was changed");
        for mode in [0o640, 0o604, 0o620, 0o660] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = Users::load(&path).unwrap_err();
            assert!(error.contains("others than its owner: chmod 600"), "{error}");
        }
    }
}
