//! A small Debian in a folder, as a computer has it on which nothing is installed yet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::made::top;
use crate::network::{ADDRESSES, Host, is_gone};

/// What a small Debian needs beside what it always has: what the packages depend on.
const WITH: &str = "libzmq5,adduser";

/// The whole Debian of a computer, deleted with this.
pub(crate) struct Tree<'h> {
    folder: TempDir,
    /// The computer's name.
    name: &'static str,
    /// Its network.
    host: &'h Host,
}

/// What somebody who is there has been told.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// # Panics
    ///
    /// When it did not end well.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }
}

impl<'h> Tree<'h> {
    /// A new one.
    pub(crate) fn new(name: &'static str, host: &'h Host) -> Self {
        let folder =
            TempDir::with_prefix_in(format!("lamon-{}-{name}-", std::process::id()), cache()).unwrap();
        let copied = Command::new("cp").arg("-a").arg(pristine().join(".")).arg(folder.path()).status();
        assert!(copied.unwrap().success(), "the tree is not copied");
        let tree = Self { folder, name, host };
        // As an installer writes it, and with the hub, for which a site has DNS.
        let hosts = format!("127.0.0.1 localhost\n127.0.1.1 {name}\n{} hub\n", ADDRESSES[0]);
        fs::write(
            tree.path("/etc/hosts"),
            if name == "hub" { hosts.replace("127.0.1.1 hub\n", "") } else { hosts },
        )
        .unwrap();
        tree
    }

    pub(crate) fn host(&self) -> &Host {
        self.host
    }

    /// A path of that computer, as this one sees it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| unreachable!("{path}: {error}"))
    }

    /// Mode, owner and group, as `stat` shows them there.
    pub(crate) fn stat(&self, path: &str) -> String {
        self.types(&format!("stat -c '%a %U:%G' {path}")).well()
    }

    /// A command there, in its network and under its name, which sees its own processes' files alone.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.host.command("unshare");
        // The mounts are seen by this command alone, and end with it.
        let begin = "hostname \"$1\" && mount -t proc proc \"$0/proc\" && \
                     mount -t devpts -o newinstance,ptmxmode=666 devpts \"$0/dev/pts\" && \
                     mount --bind \"$0/dev/pts/ptmx\" \"$0/dev/ptmx\" && shift && exec chroot \"$0\" \"$@\"";
        command.args(["--uts", "--mount", "sh", "-ec", begin]).arg(self.folder.path());
        command.args([self.name, program]).args(arguments).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
        command.env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// A line that root types there.
    pub(crate) fn types(&self, line: &str) -> Said {
        Said::of(&self.command("sh", &["-c", line]).output().unwrap())
    }

    /// A line that a document has its reader type, as it stands there but for the name of the hub.
    ///
    /// # Panics
    ///
    /// When it is not in the document, or does not end well.
    #[track_caller]
    pub(crate) fn typed(&self, document: &str, line: &str) -> String {
        self.types(&as_documented(document, line)).well()
    }

    /// The same at a terminal, where a question is answered.
    pub(crate) fn answers(&self, document: &str, line: &str, answer: &str) -> Command {
        let line = as_documented(document, line);
        // When the question stands there.
        let question = "seq 600 | while read -r _; do grep -qs 'y/N' /tmp/terminal && break; sleep 0.1; done";
        let terminal = format!("script -qefc '{line}' /tmp/terminal >&2");
        self.command("sh", &["-c", &format!("({question}; echo {answer}) | {terminal}")])
    }

    /// `dpkg -i` of packages; a configuration that was changed by hand is kept, as dpkg proposes.
    pub(crate) fn install(&self, packages: &[PathBuf]) -> Said {
        let names: Vec<String> = packages
            .iter()
            .map(|package| {
                let name = package.file_name().unwrap().to_str().unwrap();
                fs::copy(package, self.path("tmp").join(name)).unwrap();
                format!("/tmp/{name}")
            })
            .collect();
        self.types(&format!(
            "dpkg --force-unsafe-io --force-confdef --force-confold -i {0} && rm {0}",
            names.join(" ")
        ))
    }
}

/// A command of a document, which is looked for in it.
fn as_documented(document: &str, line: &str) -> String {
    let text = fs::read_to_string(top().join(document)).unwrap();
    let mut lines = text.lines().map(|line| line.split('#').next().unwrap().trim());
    assert!(lines.any(|found| found == line), "{document} does not say: {line}");
    line.replace("HUB", "hub")
}

fn cache() -> PathBuf {
    let folder = top().join("target/packages");
    fs::create_dir_all(&folder).unwrap();
    // What a run that was killed left.
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.strip_prefix("lamon-").and_then(|rest| rest.split('-').next()).is_some_and(is_gone) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    folder
}

/// The Debian that is copied: of this computer's release, made once.
fn pristine() -> PathBuf {
    let release = fs::read_to_string("/etc/os-release").unwrap();
    let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap();
    let tree = cache().join(suite);
    if !tree.exists() {
        let unfinished =
            TempDir::with_prefix_in(format!("lamon-{}-unfinished-", std::process::id()), cache()).unwrap();
        make(suite, unfinished.path());
        fs::rename(unfinished.path(), &tree).unwrap();
    }
    tree
}

fn make(suite: &str, folder: &Path) {
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap.args(["--quiet", "--variant=essential", "--aptopt=Acquire::Languages \"none\""]);
    // What is lost with the power is made again.
    mmdebstrap.arg("--dpkgopt=force-unsafe-io").arg(format!("--include={WITH}")).arg(suite).arg(folder);
    assert!(mmdebstrap.status().unwrap().success(), "mmdebstrap makes no {suite}");
}
