//! What is there after packages were installed, removed and purged, and what listens.

use std::collections::BTreeSet;
use std::fs;

use crate::made::top;
use crate::tree::Tree;

/// The ports of the firewall table in docs/nodes.md.
fn firewall() -> BTreeSet<u16> {
    let page = fs::read_to_string(top().join("docs/nodes.md")).unwrap();
    let (_, table) = page.split_once("## Firewall").unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let hub = rows.filter(|row| !row.starts_with("| database"));
    let columns: Vec<&str> = hub.map(|row| row.split('|').nth(2).unwrap()).collect();
    assert!(columns.iter().any(|ports| ports.contains("one for each device")), "{columns:?}");
    let words = columns.iter().flat_map(|ports| ports.split(|letter: char| !letter.is_ascii_digit()));
    words.filter_map(|word| word.parse().ok()).collect()
}

/// What was installed, with its modes, and what was not done.
pub(crate) fn installed(hub: &Tree<'_>) {
    for (path, stat) in [
        ("/etc/lamon", "755 root:root"),
        ("/etc/lamon/hub.toml", "644 root:root"),
        ("/etc/lamon/agent.toml", "644 root:root"),
        ("/etc/lamon/web.toml", "644 root:root"),
        ("/etc/lamon/notify.toml", "644 root:root"),
        ("/usr/bin/lamon-sensord", "755 root:root"),
        ("/var/lib/lamon", "750 lamon:lamon"),
        ("/run/lamon", "755 lamon:lamon"),
    ] {
        assert_eq!(hub.stat(path), stat, "{path}");
    }
    assert_eq!(
        fs::read_link(hub.path("/usr/bin/rts2-sensor-lamon")).unwrap().to_str(),
        Some("lamon-sensord")
    );
    assert!(hub.types("getent passwd lamon").well().ends_with("/var/lib/lamon:/usr/sbin/nologin"));
    // The agent is enabled; of the rest a site chooses.
    let enabled = fs::read_dir(hub.path("/etc/systemd/system/multi-user.target.wants")).unwrap();
    let enabled: Vec<_> = enabled.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(enabled, ["lamon-agent.service"]);
    for check in ["lamon-agent", "lamon-sensord", "lamon-collector", "lamon-web", "lamon-notify"] {
        hub.types(&format!("{check} check")).well();
    }
    let mut programs = 0;
    for line in hub.types("dpkg -L lamon-agent lamon-hub lamon-apps").well().lines() {
        assert!(hub.path(line).symlink_metadata().is_ok(), "{line}");
        if let Some(program) = line.strip_prefix("/usr/bin/") {
            programs += 1;
            hub.types(&format!("{program} --version")).well();
            let page = ["1", "8"].map(|n| hub.path(&format!("/usr/share/man/man{n}/{program}.{n}.gz")));
            assert!(page.iter().any(|page| page.exists()), "{program} has no page");
            assert!(hub.path(&format!("/usr/share/bash-completion/completions/{program}")).exists());
        }
    }
    assert_eq!(programs, 9);
}

/// As installed, with everything started: what listens is in the table, and for this computer alone.
pub(crate) fn scanned(hub: &Tree<'_>) {
    let table = firewall();
    let (known, others): (Vec<_>, Vec<_>) =
        hub.host().listening().into_iter().partition(|(_, port)| table.contains(port));
    assert!(known.iter().all(|(address, _)| address == "127.0.0.1"), "{known:?}");
    for port in [7617, 7618, 7619, 8617] {
        assert!(known.iter().any(|(_, known)| *known == port), "nobody listens on {port}: {known:?}");
    }
    // The device NODES, whose port RTS2's programs are told.
    assert!(matches!(&others[..], [(address, _)] if address == "0.0.0.0"), "{others:?}");
}

/// Removed: the programs are gone, what is the site's stays.
pub(crate) fn removed(hub: &Tree<'_>, edited: &str) {
    hub.types("dpkg -r lamon-hub lamon-apps").well();
    for gone in
        ["/usr/bin/lamon-sensord", "/usr/bin/rts2-sensor-lamon", "/usr/lib/systemd/system/lamon-web.service"]
    {
        assert!(hub.path(gone).symlink_metadata().is_err(), "{gone} is still there");
    }
    assert_eq!(hub.read("/etc/lamon/hub.toml"), edited);
    for stays in
        ["lamon/journal.sqlite", "lamon/hub.key", "lamon-notify", "private/lamon-web", "private/lamon-agent"]
    {
        assert!(hub.path("/var/lib").join(stays).exists(), "{stays} is gone");
    }
}

/// Purged: one package takes what is its own; the last takes the folder, unless something of the site's is in it.
pub(crate) fn purged(hub: &Tree<'_>, node: &Tree<'_>) {
    hub.types("dpkg -P lamon-hub").well();
    for gone in ["/etc/lamon/hub.toml", "/etc/lamon/hub.toml.dpkg-dist", "/var/lib/lamon", "/run/lamon"] {
        assert!(!hub.path(gone).exists(), "{gone} is still there");
    }
    hub.types("lamon-agent check").well();
    for stays in ["/etc/lamon/agent.toml", "/etc/lamon/notify.toml", "/var/lib/lamon-notify"] {
        assert!(hub.path(stays).exists(), "{stays} is gone");
    }
    fs::write(hub.path("/etc/lamon/ca.pem"), "the site's own").unwrap();
    hub.types("dpkg -P lamon-apps lamon-agent").well();
    assert_eq!(hub.types("ls /etc/lamon").well(), "ca.pem");
    node.types("dpkg -P lamon-agent").well();
    assert!(!node.path("/etc/lamon").exists());
    for tree in [hub, node] {
        let left = tree.types("find /var /etc/systemd /usr /run -name '*lamon*' -not -path '/var/lib/dpkg/*' -not -path '/proc/*'");
        assert_eq!(left.well(), "", "left behind");
        assert_eq!(tree.types("dpkg-query -W 'lamon*'").out, "");
    }
}
