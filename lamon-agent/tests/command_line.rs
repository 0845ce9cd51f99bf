//! The program as a person calls it.

use std::process::{Command, Output};

use lamon_wire::metric::CORE;
use lamon_wire::text::TextSample;

fn run(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_lamon-agent")).args(arguments).output();
    output.unwrap_or_else(|error| unreachable!("the program starts: {error}"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn meminfo(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN)
}

#[test]
fn one_sample_shows_what_the_kernel_says() {
    let output = run(&["--once"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        let shown = line.and_then(|line| line.split_whitespace().nth(1));
        shown.and_then(|shown| shown.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
    };
    let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names[..9], CORE[..9]);
    for percent in ["cpu_percent", "memory_percent", "swap_percent", "disk_percent"] {
        assert!((0.0..=100.0).contains(&value(percent)), "{text}");
    }
    // Others use this machine too, so near is good.
    let memory = 100.0 - meminfo("MemAvailable") / meminfo("MemTotal") * 100.0;
    assert!((value("memory_percent") - memory).abs() < 15.0, "{memory}\n{text}");
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    assert!(value("uptime") <= uptime + 1.0 && value("uptime") > uptime - 60.0);
    let pids = std::fs::read_dir("/proc").unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().chars().all(|c| c.is_ascii_digit())
    });
    let pids = f64::from(u32::try_from(pids.count()).unwrap());
    assert!((value("processes") - pids).abs() < 200.0 && value("processes") >= 1.0, "{pids}\n{text}");
    assert!(text.ends_with("(rates over 1 s)\n"));
}

#[test]
fn one_sample_as_text_is_a_line_that_a_hub_takes() {
    let output = run(&["--once", "--text", "--node", "Door"]);
    let text = stdout(&output);
    let line = text.strip_suffix('\n').unwrap();
    let sample = TextSample::parse(line.as_bytes()).unwrap();
    assert_eq!(sample.node.as_str(), "door");
    assert!(sample.metrics.iter().any(|(name, _)| name.as_str() == "cpu_percent"));
}

#[test]
fn check_says_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    std::fs::write(
        &path,
        "node = \"CCD-01\"\nhubs = [\"a\", \"b:1\"]\ninterval = \"1m\"\nwatch = [\"sshd\"]\n",
    )
    .unwrap();
    let output = run(&["check", "-c", path.to_str().unwrap()]);
    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    for part in [
        "ccd-01 (configured)",
        "a:7617, b:1 ",
        "every 1m, ",
        "2000000 bytes: ",
        "after 3m ",
        "processes      sshd",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[test]
fn mistakes_in_the_configuration_are_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    let path = path.to_str().unwrap();
    std::fs::write(path, "node = \"ccd01\"\n  intervall = \"10s\"\n").unwrap();
    for arguments in [
        &["check", "-c", path][..],
        &["-c", path],
        &["--once", "-c", path],
        &["-c", path, "key"],
        &["key", "-c", path],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(78), "{arguments:?}");
        let expected =
            format!("lamon-agent: {path}:2:3: unknown key \"intervall\" (did you mean \"interval\"?)");
        assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    }
    let output = run(&["check", "-c", "/nonexistent/agent.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("/nonexistent/agent.toml: cannot read the configuration"));
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    for (arguments, part) in [
        (&["--interval", "1ms"][..], "out of range (1s to 1d)"),
        (&["--node", "a b"], "character ' ' at position 1"),
        (&["--hub", "http://hub"], "is no hub"),
        (&["--text"], "--once"),
        (&["--once", "check"], "--once goes with no command"),
        (&["--hup", "a"], "--hub"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}

#[test]
fn help_teaches() {
    let text = stdout(&run(&["--help"]));
    assert!(text.contains("lamon-agent --once --text | nc hub 7617"), "{text}");
}
