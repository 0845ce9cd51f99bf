//! The packages as a site has them: installed on small Debians that know nothing of lamon, on two computers and a wire, started as
//! their units say, operated as the documents say, upgraded, removed, purged.
//!
//! It takes root, network namespaces, mmdebstrap and cargo-deb (`make deps-test`); where one is missing, one line says that nothing
//! was tested. systemd does not run there: what it would do is done by `unit.rs`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]

mod installed;
mod made;
mod network;
mod tree;
mod unit;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lamon_tests::make::agent_for;
use lamon_tests::process::Process;
use lamon_tests::wait::{PATIENCE, patiently};
use rts2dev::testing::Centrald;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use self::installed::{installed, purged, removed, scanned};
use self::made::{Made, top};
use self::tree::Tree;

/// Where RTS2's programs look for centrald.
const CENTRALD_PORT: u16 = 617;

/// How lamon(1) ends when the hub does not let somebody operate it.
const NOT_ALLOWED: i32 = 77;

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
    if !missing.is_empty() {
        return Some(format!("make deps-test installs {}", missing.join(", ")));
    }
    // Root of a container may be root of little.
    let mut spaces = Command::new("unshare");
    spaces.args(["--mount", "--net", "--uts", "sh", "-c", "mount -t proc proc /proc"]);
    let may = spaces.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    (!may).then(|| "it takes a computer that lets root make namespaces".into())
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
fn heard(hub: &Tree<'_>, node: &str) {
    eventually(&format!("{node} is heard"), || {
        let nodes = hub.types("lamon nodes").out;
        nodes.lines().any(|line| line.contains(node) && !line.contains("silent")).then_some(())
    });
}

/// Ends as systemd does.
fn stop(mut service: Process) {
    service.signal(Signal::TERM);
    assert!(service.wait().unwrap().success(), "{}", service.log().join("\n"));
}

/// Runs lintian where it is: neither an error nor a warning.
#[expect(clippy::print_stdout, reason = "what was not tested is said")]
fn looked_through(packages: &[PathBuf]) {
    let mut lintian = Command::new("lintian");
    match lintian.args(["--fail-on", "error,warning"]).args(packages).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => println!("lintian is not there: the packages were not looked through by it."),
    }
}

/// Enrolls a node as docs/keys.md says, at a terminal, while its agent runs; returns its agent.
fn enrolled(hub: &Tree<'_>, node: &Tree<'_>) -> Process {
    let running = node.start("lamon-agent");
    let enroll = node.answers("docs/keys.md", "lamon-agent enroll HUB", "yes");
    let mut enroll = Process::run("enroll", enroll, None).unwrap();
    let key = eventually("the node's key", || {
        let keys = hub.typed("docs/keys.md", "lamon keys");
        keys.contains("ccd01").then(|| node.types("lamon-agent key").well())
    });
    assert!(hub.typed("README.md", "lamon keys").contains(&key));
    let keys: serde_json::Value = serde_json::from_str(&hub.types("lamon --json keys").well()).unwrap();
    enroll.says(keys["keys"]["hub"].as_str().unwrap());
    hub.typed("docs/keys.md", "lamon approve ccd01");
    assert!(enroll.wait().unwrap().success(), "{}", enroll.log().join("\n"));
    enroll.says("takes the samples of ccd01");
    heard(hub, "ccd01");
    running
}

/// Enrolls a node as docs/nodes.md says of many.
fn rolled_out(hub: &Tree<'_>, node: &Tree<'_>) {
    let page = fs::read_to_string(top().join("docs/nodes.md")).unwrap();
    let join = "(umask 077; lamon join '*' --nodes 100 --for 1d > join)";
    let enroll = "lamon-agent enroll {{ hub }} --join /etc/lamon/join --wait 1m";
    assert!(page.contains(join) && page.contains(enroll));
    hub.types(&format!("cd /root && {join}")).well();
    fs::copy(hub.path("/root/join"), node.path("/etc/lamon/join")).unwrap();
    let running = node.start("lamon-agent");
    node.types(&enroll.replace("{{ hub }}", "hub")).well();
    fs::remove_file(node.path("/etc/lamon/join")).unwrap();
    heard(hub, "ccd02");
    stop(running);
}

/// Starts the hub as RTS2's scripts do by the line of the installed example, under a centrald at its usual port.
fn in_rts2(hub: &Tree<'_>, runtime: &Runtime) -> (Centrald, Process) {
    let socket = hub.host().listen(CENTRALD_PORT);
    socket.set_nonblocking(true).unwrap();
    let centrald = Centrald::start_on(TcpListener::from_std(socket).unwrap(), |_| ()).unwrap();
    let devices = hub.read("/usr/share/doc/lamon-hub/examples/rts2/devices");
    let line = devices.lines().find_map(|line| line.strip_prefix("sensor\tlamon\t")).unwrap();
    let (name, options) = line.split_once('\t').unwrap();
    let line = format!("exec rts2-sensor-lamon -d {name} {options} -i");
    let hub_process = Process::run("rts2-sensor-lamon", hub.command("sh", &["-c", &line]), None).unwrap();
    runtime.block_on(patiently("NODES is registered", centrald.registered(name)));
    eventually("RTS2 sees the node", || {
        let said = hub.types("rts2c get NODES.ccd01_cpu_percent");
        said.out.trim().parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent))
    });
    (centrald, hub_process)
}

#[test]
fn what_a_site_installs_works_and_goes_again() {
    if let Some(missing) = missing() {
        println!("the packages were not installed: {missing}.");
        return;
    }
    let made = Made::new();
    let all = [made.package("lamon-agent"), made.package("lamon-hub"), made.package("lamon-apps")];
    let mut looked_at = all.to_vec();
    if agent_for("arm") {
        let boards = [("aarch64-unknown-linux-musl", "arm64"), ("arm-unknown-linux-musleabihf", "armhf")];
        looked_at.extend(boards.map(|(target, architecture)| made.for_board(target, architecture)));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| looked_through(&looked_at));
        told(&made, &all);
    });
}

/// The whole life of the packages at a site.
fn told(made: &Made, all: &[PathBuf]) {
    let agent = made.package("lamon-agent");
    let [hub, elsewhere] = network::wire();
    let (hub, node) = (Tree::new("hub", &hub), Tree::new("ccd01", &elsewhere));

    hub.install(all).well();
    installed(&hub);
    hub.install(all).well();
    installed(&hub);

    // As installed. The agent on the hub's computer needs nothing.
    hub.typed("README.md", "lamon-sensord check");
    // Root may do that before the hub runs.
    hub.types("lamon-sensord migrate").well();
    assert_eq!(hub.stat("/var/lib/lamon/archive.sqlite"), "644 lamon:lamon");
    let mut sensord = hub.start("lamon-sensord");
    let web = hub.start("lamon-web");
    hub.typed("README.md", "lamon-notify check");
    let notify = hub.start("lamon-notify");
    let own = hub.start("lamon-agent");
    heard(&hub, "hub");
    web.says("the page is at");
    scanned(&hub);

    // Who may operate it.
    hub.types("adduser --quiet --disabled-password --gecos '' ann").well();
    let ann = "setpriv --reuid ann --regid ann --init-groups lamon reload";
    assert_eq!(hub.types(ann).code, Some(NOT_ALLOWED));
    hub.typed("README.md", "adduser ann lamon");
    hub.types(ann).well();

    // For other computers.
    let settings = hub.read("/etc/lamon/hub.toml");
    let listen = "#listen = [\"127.0.0.1:7617\"]";
    assert!(settings.contains(listen));
    fs::write(hub.path("/etc/lamon/hub.toml"), settings.replace(listen, "listen = [\"0.0.0.0:7617\"]"))
        .unwrap();
    stop(sensord);
    sensord = hub.start("lamon-sensord");
    heard(&hub, "hub");

    node.install(std::slice::from_ref(&agent)).well();
    let running = enrolled(&hub, &node);
    hub.typed("README.md", "lamon nodes");
    eventually("the page shows the node", || {
        let mut curl = hub.host().command("curl");
        let output = curl.args(["-sS", "http://127.0.0.1:8617/api/v1/nodes"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("\"ccd01\"").then_some(())
    });
    assert_eq!(elsewhere.listening(), [], "nodes listen nowhere");
    let another = Tree::new("ccd02", &elsewhere);
    another.install(std::slice::from_ref(&agent)).well();
    rolled_out(&hub, &another);
    drop(another);

    // A new release, with another configuration of its own.
    let key = fs::read(hub.path("/var/lib/lamon/hub.key")).unwrap();
    let edited = hub.read("/etc/lamon/hub.toml");
    hub.install(&[made.newer("lamon-hub", "/etc/lamon/hub.toml")]).well();
    assert_eq!(hub.types("dpkg-query -W -f '${Version}' lamon-hub").well(), "99.0-1");
    assert_eq!(hub.read("/etc/lamon/hub.toml"), edited);
    assert!(hub.read("/etc/lamon/hub.toml.dpkg-dist").contains("New in this release"));
    stop(sensord);

    let runtime = Runtime::new().unwrap();
    let _in_it = runtime.enter();
    let (_centrald, started) = in_rts2(&hub, &runtime);
    sensord = started;
    assert_eq!(fs::read(hub.path("/var/lib/lamon/hub.key")).unwrap(), key);
    assert!(hub.types("lamon-sensord db status").well().contains("samples"));

    for service in [sensord, web, notify, own, running] {
        stop(service);
    }
    removed(&hub, &edited);
    purged(&hub, &node);
}

/// Users, folders and units as systemd itself reads them, where its programs are.
#[test]
fn systemd_takes_what_is_installed() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("systemd's programs are not there: the units were not looked at by them.");
        return;
    };
    assert!(version.status.success());
    let folder = TempDir::with_prefix("lamon-units").unwrap();
    let units = fs::read_dir(top().join("etc/systemd")).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        // The programs are not installed here.
        let text = fs::read_to_string(&path).unwrap().replace("/usr/bin/lamon-", "/bin/true lamon-");
        let unit = folder.path().join(path.file_name().unwrap());
        fs::write(&unit, text).unwrap();
        unit
    });
    let units: Vec<PathBuf> = units.collect();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    // It tells of the computer's own units, too.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("lamon-")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{said}");

    let root = folder.path().join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    for (program, option, file, place) in [
        ("systemd-sysusers", None, "sysusers.conf", "usr/lib/sysusers.d"),
        ("systemd-tmpfiles", Some("--create"), "tmpfiles.conf", "usr/lib/tmpfiles.d"),
    ] {
        fs::create_dir_all(root.join(place)).unwrap();
        fs::copy(top().join("packaging").join(file), root.join(place).join("lamon-hub.conf")).unwrap();
        let mut command = Command::new(program);
        command.arg(format!("--root={}", root.display())).args(option).arg("lamon-hub.conf");
        if rustix::process::geteuid().is_root() {
            assert!(command.output().unwrap().status.success(), "{program}");
        }
    }
    if rustix::process::geteuid().is_root() {
        let users = fs::read_to_string(root.join("etc/passwd")).unwrap();
        assert!(users.contains(":/var/lib/lamon:/usr/sbin/nologin"), "{users}");
        assert_eq!(fs::metadata(root.join("var/lib/lamon")).unwrap().permissions().mode() & 0o777, 0o750);
    }
}
