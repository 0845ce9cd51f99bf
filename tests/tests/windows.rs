//! The agent for Windows, under wine, with the real hub: what it sees, its key in TLS, and as a service.
//!
//! Where wine or the compiler for Windows is missing, which `make windows` installs, one line says that nothing was tested.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use lamon_store::Sample;
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::lamon::{Said, lamon};
use lamon_tests::make::{agent_for, top};
use lamon_tests::process::Process;
use tempfile::TempDir;

/// Where Debian hides its programs of wine, before those of the path.
const WINE: [&str; 3] = ["/usr/lib/wine/wine64", "wine64", "wine"];
const WINESERVER: [&str; 3] = ["/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver", "wineserver"];

/// The compiler of C for Windows.
const CC: &str = "x86_64-w64-mingw32-gcc";

/// A Windows of wine's in a folder of its own, with the agent on its drive C. All that runs in it ends with this.
struct Windows {
    folder: TempDir,
    wine: &'static str,
}

impl Windows {
    /// Builds the agent and sets it up; `None` where that cannot be done on this computer, which is said.
    fn set_up() -> Option<Self> {
        if !agent_for("windows") {
            return None;
        }
        let folder = TempDir::with_prefix("lamon-wine").unwrap();
        let windows = Self { wine: found(&WINE), folder };
        let booted = windows.command("wineboot").arg("--init").stderr(Stdio::null()).status().unwrap();
        assert!(booted.success(), "wineboot does not make a Windows");
        windows.wait();
        let agent = top().join("target/windows/x86_64-pc-windows-gnu/release/lamon-agent.exe");
        std::fs::copy(agent, windows.drive().join("lamon-agent.exe")).unwrap();
        let system = windows.drive().join("windows/system32/bcryptprimitives.dll");
        if !system.exists() {
            let source = top().join("tests/tests/windows/bcryptprimitives.c");
            let mut cc = Command::new(CC);
            cc.args(["-shared", "-O2", "-s", "-o"]).arg(system).arg(source).arg("-ladvapi32");
            assert!(cc.status().unwrap().success());
        }
        Some(windows)
    }

    /// The folder that is drive C in there.
    fn drive(&self) -> PathBuf {
        self.folder.path().join("drive_c")
    }

    /// A program in there.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.wine);
        self.environment(&mut command);
        command.arg(program).stdin(Stdio::null());
        command
    }

    /// The agent in there.
    fn agent(&self, line: &str) -> Command {
        let mut command = self.command(r"C:\lamon-agent.exe");
        command.args(line.split(' '));
        command
    }

    /// What the agent says; wine's own words are left out. By way of a file: a service that wine starts meanwhile holds the
    /// outputs of who made it start, and the end of a pipe would not come.
    fn says(&self, line: &str) -> (Option<i32>, String) {
        let path = self.folder.path().join("said");
        let file = File::create(&path).unwrap();
        let mut command = self.agent(line);
        let status = command.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let lines = text.lines().filter(|line| !line.starts_with("wine:"));
        (status.code(), lines.collect::<Vec<_>>().join("\n"))
    }

    fn environment(&self, command: &mut Command) {
        command.env("WINEPREFIX", self.folder.path()).env("WINEARCH", "win64").env("WINEDEBUG", "-all");
        // Neither .NET nor a browser is asked to be downloaded, and no window is shown.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=").env_remove("DISPLAY");
    }

    /// Somebody who is logged in: wine ends its services when nobody is any more.
    fn somebody(&self) -> Somebody {
        let mut command = self.command("cmd");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Somebody(command.spawn().unwrap())
    }

    /// Waits until nothing runs in there.
    fn wait(&self) {
        self.server("-w");
    }

    fn server(&self, option: &str) {
        let mut command = Command::new(found(&WINESERVER));
        self.environment(&mut command);
        let _ = command.arg(option).stdin(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        // Ends what runs in this folder's Windows and nothing else.
        self.server("-k");
        self.wait();
    }
}

/// A command line that waits for commands; ended with this.
struct Somebody(Child);

impl Drop for Somebody {
    fn drop(&mut self) {
        // At the end of its input it ends, and so does what wine put before it.
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first of these programs that is there.
fn found(programs: &[&'static str]) -> &'static str {
    let works = |program: &&&str| {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok()
    };
    programs.iter().find(works).unwrap()
}

fn ask(hub: &Hub, line: &str) -> Said {
    lamon(hub.control(), line)
}

/// What every sample of the agent on Windows has.
fn check(sample: &Sample) {
    let value =
        |metric: &str| sample.metric(metric).unwrap_or_else(|| unreachable!("no {metric} in {sample:?}"));
    for (metric, least, most) in [
        ("cpu_percent", 0.0, 100.0),
        ("memory_percent", 0.1, 100.0),
        ("swap_percent", 0.0, 100.0),
        ("disk_percent", 0.1, 100.0),
        ("disk_c_percent", 0.1, 100.0),
        ("disk_c_free", 1.0, 1e18),
        ("nic_in", 0.0, 1e12),
        ("nic_out", 0.0, 1e12),
        ("processes", 2.0, 1_000.0),
        ("uptime", 1.0, 1e9),
        ("proc_services", 1.0, 1.0),
        ("proc_nothing", 0.0, 0.0),
        ("restarts_services", 0.0, 0.0),
    ] {
        let value = value(metric);
        assert!((least..=most).contains(&value), "{metric} is {value}");
    }
    assert_eq!(sample.metric("load1"), None, "Windows has none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_windows_node_is_heard_and_enrolled_and_runs_as_a_service() {
    let Some(windows) = Windows::set_up() else { return };
    let hub = Hub::collector().start();
    let address = hub.address().to_string();

    // As a program, in plain.
    let settings = windows.drive().join("agent.toml");
    let key = r"'C:\users\agent.key'";
    let lines = format!(
        "node = \"win01\"\nhubs = [{address:?}]\nkey = {key}\ninterval = \"1s\"\nlog_to = \"stderr\"\n\
         watch = [\"Services\", \"nothing\"]\n"
    );
    std::fs::write(&settings, &lines).unwrap();
    let (code, said) = windows.says(r"check -c C:\agent.toml");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(r"disks          C:\") && !said.contains("interfaces     none"), "{said}");
    let mut agent = Process::run("lamon-agent.exe", windows.agent(r"-c C:\agent.toml"), None).unwrap();
    for sample in archive::rows(&hub.archive(), "win01", 3).await {
        check(&sample);
    }
    agent.kill();

    // With its key, in TLS.
    let keys: serde_json::Value = serde_json::from_str(&ask(&hub, "--json keys").out).unwrap();
    let hub_key = keys["keys"]["hub"].as_str().unwrap().to_owned();
    let (_, own) = windows.says(r"key -c C:\agent.toml");
    assert!(own.starts_with("SHA256:"), "{own}");
    let (code, said) =
        windows.says(&format!(r"enroll {address} --hub-key {hub_key} --wait 0 -c C:\agent.toml"));
    assert!(code == Some(69) && said.contains("waits to be approved"), "{said}");
    let waiting = ask(&hub, "keys").out;
    assert!(waiting.contains(own.trim()) && waiting.contains("Windows"), "{waiting}");
    assert_eq!(ask(&hub, "approve win01").code, Some(0));
    let (code, said) = windows.says(&format!(r"enroll {address} --hub-key {hub_key} -c C:\agent.toml"));
    assert!(code == Some(0) && said.contains("takes the samples of win01"), "{said}");

    // As a service, from the place of the configuration and the key.
    let data = windows.drive().join("ProgramData/lamon");
    std::fs::create_dir_all(&data).unwrap();
    for file in ["agent.key", "hubs"] {
        std::fs::copy(windows.drive().join("users").join(file), data.join(file)).unwrap();
    }
    let lines = lines.replace(r"C:\users", r"C:\ProgramData\lamon").replace("log_to", "#log_to");
    let lines = lines + r"spool = 'C:\ProgramData\lamon\spool'";
    std::fs::write(data.join("agent.toml"), lines).unwrap();
    let before = archive::rows(&hub.archive(), "win01", 1).await.len();
    let somebody = windows.somebody();
    let (code, said) = windows.says("service install");
    assert_eq!(code, Some(0), "{said}");
    let after = archive::rows(&hub.archive(), "win01", before + 3).await;
    check(after.last().unwrap());
    assert!(windows.drive().join("Program Files/lamon/lamon-agent.exe").exists());
    assert!(data.join("spool").exists());
    // Again, as for a new version.
    let (code, said) = windows.says("service install");
    assert_eq!(code, Some(0), "{said}");
    let count = archive::rows(&hub.archive(), "win01", 1).await.len();
    archive::rows(&hub.archive(), "win01", count + 2).await;
    let (code, said) = windows.says("service uninstall");
    assert!(code == Some(0) && said.contains("removed"), "{said}");
    let (code, said) = windows.says("service run");
    assert!(code == Some(64) && said.contains("only Windows starts it so"), "{said}");
    drop(somebody);
}
