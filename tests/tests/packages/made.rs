//! The packages, made of the programs as they were built for debugging.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lamon_tests::process;
use tempfile::TempDir;

/// The packages in a folder.
pub(crate) struct Made(TempDir);

pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Made {
    /// Makes all of them.
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("lamon-packages").unwrap();
        make(folder.path(), &[]);
        Self(folder)
    }

    /// The package of the static agent that was built for a target, which is for computers of this architecture.
    pub(crate) fn for_board(&self, target: &str, architecture: &str) -> PathBuf {
        let folder = self.0.path().join(target);
        make(&folder, &[env!("CARGO_PKG_VERSION"), target]);
        let package = folder.join(format!("lamon-agent_{}-1_{architecture}.deb", env!("CARGO_PKG_VERSION")));
        let inside = folder.join("inside");
        run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&inside));
        let program = top().join("target/static").join(target).join("release/lamon-agent");
        let same = fs::read(inside.join("usr/bin/lamon-agent")).unwrap() == fs::read(program).unwrap();
        assert!(same, "{} has another agent", package.display());
        package
    }

    /// The package of this name.
    pub(crate) fn package(&self, name: &str) -> PathBuf {
        let mut files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let starts = format!("{name}_");
        files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&starts)).unwrap()
    }

    /// The same package of a release to come, which brings another configuration file.
    pub(crate) fn newer(&self, name: &str, configuration: &str) -> PathBuf {
        let folder = self.0.path().join("newer");
        run(Command::new("dpkg-deb").arg("-R").arg(self.package(name)).arg(&folder));
        let control = folder.join("DEBIAN/control");
        let text = fs::read_to_string(&control).unwrap();
        let text: Vec<&str> = text
            .lines()
            .map(|line| if line.starts_with("Version:") { "Version: 99.0-1" } else { line })
            .collect();
        fs::write(&control, text.join("\n") + "\n").unwrap();
        fs::set_permissions(folder.join("DEBIAN"), fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.join(configuration.trim_start_matches('/'));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text + "# New in this release.\n").unwrap();
        let package = self.0.path().join(format!("new-{name}.deb"));
        run(Command::new("dpkg-deb")
            .args(["-Zgzip", "-z1", "--root-owner-group", "-b"])
            .arg(&folder)
            .arg(&package));
        fs::remove_dir_all(folder).unwrap();
        package
    }
}

fn make(folder: &Path, more: &[&str]) {
    let pages = process::find("lamon-pages").unwrap();
    let built = pages.ancestors().nth(2).unwrap();
    let mut make = Command::new(top().join("packaging/deb.sh"));
    make.arg("dev").arg(folder).args(more).env("CARGO_TARGET_DIR", built).env_remove("CARGO");
    run(&mut make);
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
