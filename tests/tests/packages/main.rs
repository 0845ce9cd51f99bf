//! The packages as a site has them: installed on small Debians that know nothing of lamon, on two computers and a wire, started as
//! their units say, operated as the documents say, upgraded, removed, purged.
//!
//! It takes root, network namespaces, mmdebstrap and cargo-deb (`make deps-test`); where one is missing, one line says that nothing
//! was tested. systemd does not run there: what it would do is done by `unit.rs`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]

mod made;
mod network;
mod tree;
mod unit;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lamon_tests::process::Process;
use lamon_tests::wait::PATIENCE;
use rustix::process::Signal;

use self::made::{Made, top};
use self::tree::Tree;

/// What is missing on this computer, in words.
fn missing() -> Option<String> {
    let there = |program: &str| {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok()
    };
    if !rustix::process::geteuid().is_root() {
        return Some("it takes root".into());
    }
    let programs = ["mmdebstrap", "cargo-deb", "/usr/sbin/ip", "unshare", "ss"];
    let missing: Vec<&str> = programs.into_iter().filter(|program| !there(program)).collect();
    (!missing.is_empty()).then(|| format!("make deps-test installs {}", missing.join(", ")))
}

/// Looks again and again until there is something to see.
#[track_caller]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the hub shows a node that is heard.
fn heard(hub: &Tree, node: &str) {
    eventually(&format!("{node} is heard"), || {
        let nodes = hub.types("lamon nodes").out;
        nodes.lines().any(|line| line.contains(node) && !line.contains("silent")).then_some(())
    });
}

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

/// Ends as systemd does.
fn stop(mut service: Process) {
    service.signal(Signal::TERM);
    assert!(service.wait().unwrap().success(), "{}", service.log().join("\n"));
}

/// What was installed, with its modes, and what was not done.
fn installed(hub: &Tree) {
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
fn scanned(hub: &Tree) {
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

#[test]
fn what_a_site_installs_works_and_goes_again() {
    if let Some(missing) = missing() {
        println!("the packages were not installed: {missing}.");
        return;
    }
    let made = Made::new();
    let [hub, node] = network::wire();
    let (hub, node) = (Tree::new("hub", hub), Tree::new("ccd01", node));
    let agent = made.package("lamon-agent");
    let all = [agent.clone(), made.package("lamon-hub"), made.package("lamon-apps")];

    hub.install(&all).well();
    installed(&hub);
    hub.install(&all).well();
    installed(&hub);

    // As installed. The agent on the hub's computer needs nothing.
    let mut sensord = hub.start("lamon-sensord");
    let web = hub.start("lamon-web");
    let notify = hub.start("lamon-notify");
    let own = hub.start("lamon-agent");
    heard(&hub, "hub");
    web.says("the page is at");
    scanned(&hub);

    // For other computers.
    let settings = hub.read("/etc/lamon/hub.toml");
    let listen = "#listen = [\"127.0.0.1:7617\"]";
    assert!(settings.contains(listen));
    fs::write(hub.path("/etc/lamon/hub.toml"), settings.replace(listen, "listen = [\"0.0.0.0:7617\"]"))
        .unwrap();
    stop(sensord);
    sensord = hub.start("lamon-sensord");
    heard(&hub, "hub");

    // A node: its agent runs since it was installed.
    node.install(std::slice::from_ref(&agent)).well();
    let running = node.start("lamon-agent");
    let keys: serde_json::Value = serde_json::from_str(&hub.types("lamon --json keys").well()).unwrap();
    let key = keys["keys"]["hub"].as_str().unwrap();
    let enroll = node.command("lamon-agent", &["enroll", "hub", "--hub-key", key]);
    let mut enroll = Process::run("enroll", enroll, None).unwrap();
    let own_key = eventually("the node's key", || {
        let keys = hub.types("lamon keys").out;
        keys.contains("ccd01").then(|| node.types("lamon-agent key").well())
    });
    assert!(hub.types("lamon keys").well().contains(&own_key));
    hub.types("lamon approve ccd01").well();
    assert!(enroll.wait().unwrap().success(), "{}", enroll.log().join("\n"));
    heard(&hub, "ccd01");
    eventually("the page shows the node", || {
        let mut curl = hub.host().command("curl");
        let output = curl.args(["-sS", "http://127.0.0.1:8617/api/v1/nodes"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("\"ccd01\"").then_some(())
    });
    assert_eq!(node.host().listening(), [], "nodes listen nowhere");

    // A new release, with another configuration of its own.
    let hub_key = fs::read(hub.path("/var/lib/lamon/hub.key")).unwrap();
    let edited = hub.read("/etc/lamon/hub.toml");
    hub.install(&[made.newer("lamon-hub", "/etc/lamon/hub.toml")]).well();
    assert_eq!(hub.types("dpkg-query -W -f '${Version}' lamon-hub").well(), "99.0-1");
    assert_eq!(hub.read("/etc/lamon/hub.toml"), edited);
    assert!(hub.read("/etc/lamon/hub.toml.dpkg-dist").contains("New in this release"));
    stop(sensord);
    sensord = hub.start("lamon-sensord");
    heard(&hub, "ccd01");
    assert_eq!(fs::read(hub.path("/var/lib/lamon/hub.key")).unwrap(), hub_key);
    assert!(hub.types("lamon-sensord db status").well().contains("samples"));

    for service in [sensord, web, notify, own, running] {
        stop(service);
    }
    removed(&hub, &edited);
    purged(&hub, &node);
}

/// Removed: the programs are gone, what is the site's stays.
fn removed(hub: &Tree, edited: &str) {
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
fn purged(hub: &Tree, node: &Tree) {
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
