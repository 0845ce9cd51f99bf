//! The frozen folders in `tests/kept/`: of a release its hub's data, its agent's, and `story.json`, which tells what is in them.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lamon_tests::foreign::{Elsewhere, configuration};
use lamon_tests::hub::{Hub, HubBuilder};
use lamon_tests::make::top;
use lamon_tests::process;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// The agent's node.
pub(crate) const NODE: &str = "ccd01";

/// What is in the folders.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Story {
    /// The folders' programs.
    pub(crate) about: String,
    /// Samples in the hub's archive.
    pub(crate) stored: usize,
    /// Samples that only the agent's disk had.
    pub(crate) spooled: usize,
    /// When all of them were taken, unix milliseconds, in their order.
    pub(crate) times_ms: Vec<i64>,
    /// Words that `lamon keys` says.
    pub(crate) keys: Vec<String>,
    /// Words that `lamon settings` says.
    pub(crate) settings: Vec<String>,
}

/// A copy of a release's folders, which programs may write.
pub(crate) struct Kept {
    folder: TempDir,
    pub(crate) story: Story,
}

pub(crate) fn place(release: &str) -> PathBuf {
    top().join("tests/kept").join(release)
}

/// All frozen releases, by their names.
pub(crate) fn releases() -> Vec<String> {
    let Ok(folders) = fs::read_dir(place("")) else { return Vec::new() };
    let mut names: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Kept {
    pub(crate) fn copy_of(release: &str) -> Self {
        let folder = TempDir::with_prefix("lamon-kept").unwrap();
        copy(&place(release), folder.path());
        let story = fs::read_to_string(folder.path().join("story.json")).unwrap();
        Self { folder, story: serde_json::from_str(&story).unwrap() }
    }

    pub(crate) fn hub(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    pub(crate) fn agent(&self) -> PathBuf {
        self.folder.path().join("agent")
    }
}

/// Copies a folder with all in it, but for the indexes of write-ahead logs, which SQLite makes anew. What is in a repository has no
/// modes: here files are for their owner alone, as programs make them.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() && !to.to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// A hub with its data there, which believes nobody without a key and forgets nothing, however old it is.
pub(crate) fn hub(data: &Path) -> HubBuilder {
    let for_ever = "[archive]\nsamples = \"forever\"\nten_minutes = \"forever\"\nevents = \"forever\"";
    Hub::collector().believing("[]").keeping_data_in(data).with(for_ever)
}

/// An agent on this computer, with its files in a folder.
pub(crate) struct Here {
    folder: PathBuf,
    /// Where its configuration is, which is no part of what is kept.
    own: TempDir,
}

impl Here {
    pub(crate) fn at(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let own = TempDir::with_prefix("lamon-upgrade").unwrap();
        fs::write(own.path().join("agent.toml"), configuration(NODE, folder)).unwrap();
        Self { folder: folder.into(), own }
    }

    /// The hub that it knows is at this address now: tests have no ports of their own.
    pub(crate) fn finds(&self, hub: SocketAddr) {
        let path = self.folder.join("hubs");
        let known = fs::read_to_string(&path).unwrap();
        let moved = known.lines().map(|line| match line.split_once(' ') {
            Some((address, key)) if address.starts_with("127.0.0.1:") => format!("{hub} {key}\n"),
            _ => format!("{line}\n"),
        });
        fs::write(&path, moved.collect::<String>()).unwrap();
    }
}

impl Elsewhere for Here {
    fn agent(&self, arguments: &str) -> Command {
        let mut command = Command::new(process::find("lamon-agent").unwrap());
        command.args(arguments.split_whitespace()).arg("-c").arg(self.own.path().join("agent.toml"));
        command.stdin(Stdio::null());
        command
    }

    fn node(&self) -> &'static str {
        NODE
    }
}
