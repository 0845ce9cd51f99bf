//! Starting a service as its unit says, where no systemd runs: its commands, its user and its folders.

use std::os::unix::fs::symlink;

use lamon_tests::process::Process;

use crate::tree::Tree;

/// The user that systemd makes up for a unit with `DynamicUser=yes`; any of its range.
const MADE_UP: &str = "61184";

/// A unit file.
struct Unit(String);

impl Unit {
    fn value(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    }
}

impl Tree<'_> {
    /// Starts a service; it is ended with what is returned.
    pub(crate) fn start(&self, service: &str) -> Process {
        let unit = Unit(self.read(&format!("/usr/lib/systemd/system/{service}.service")));
        let dynamic = unit.value("DynamicUser") == Some("yes");
        let (user, group) = if dynamic {
            (MADE_UP, MADE_UP)
        } else {
            (unit.value("User").unwrap(), unit.value("Group").unwrap())
        };
        for (key, above) in [("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")] {
            let Some(name) = unit.value(key) else { continue };
            let mode = unit.value(&format!("{key}Mode")).unwrap();
            let mut folder = format!("{above}/{name}");
            if dynamic {
                let link = self.path(&folder);
                folder = format!("{above}/private/{name}");
                self.types(&format!("mkdir -p -m 700 {above}/private")).well();
                if link.is_dir() && !link.is_symlink() {
                    self.types(&format!("mv {above}/{name} {folder}")).well();
                }
                if !link.is_symlink() {
                    symlink(format!("private/{name}"), link).unwrap();
                }
            }
            self.types(&format!(
                "mkdir -p {folder} && chmod {mode} {folder} && chown -R {user}:{group} {folder}"
            ))
            .well();
            if dynamic {
                // systemd lets the user through by a mount; here the folder above lets everybody.
                self.types(&format!("chmod 711 {above}/private")).well();
            }
        }
        let groups = unit.value("SupplementaryGroups");
        let groups = groups.map_or("--clear-groups".to_owned(), |groups| format!("--groups {groups}"));
        let run = |command: &str| {
            format!(
                "umask {}; exec setpriv --reuid {user} --regid {group} {groups} --no-new-privs --inh-caps=-all \
                 --bounding-set=-all {command}",
                unit.value("UMask").unwrap()
            )
        };
        if let Some(before) = unit.value("ExecStartPre") {
            self.types(&run(before)).well();
        }
        let line = run(unit.value("ExecStart").unwrap());
        Process::run(service, self.command("sh", &["-c", &line]), None).unwrap()
    }
}
