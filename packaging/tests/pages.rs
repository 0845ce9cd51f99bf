//! Every page as a reader has it: formatted by groff without a warning, with every command and option on it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::path::Path;
use std::process::Command;

use lamon_packaging::PROGRAMS;

/// Formats a page as `man -l` does, in plain text.
///
/// # Panics
///
/// When groff warns of anything.
fn formatted(page: &Path) -> String {
    let mut groff = Command::new("groff");
    groff.args(["-t", "-man", "-Tutf8", "-ww", "-rLL=100n", "-P-cbou"]).arg(page);
    let output = groff.output().unwrap();
    let warnings = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_page_is_whole_and_without_warnings() {
    if Command::new("groff").arg("--version").output().is_err() {
        println!("groff is not there: the manual pages were not formatted.");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    lamon_packaging::write(folder.path()).unwrap();
    let man = folder.path().join("man");
    for program in &PROGRAMS {
        let text = formatted(&man.join(format!("{}.{}", program.name, program.section)));
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"] {
            assert!(text.lines().any(|line| line == heading), "{}: no {heading} in\n{text}", program.name);
        }
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for command in (program.command)().get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = format!("{} {}", program.name, command.get_name());
            assert!(words.contains(&name), "{name} is not on its page");
            for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
                let Some(long) = option.get_long() else { continue };
                assert!(words.contains(&format!("--{long}")), "{name} --{long} is not on its page");
            }
        }
    }
    let by_hand = ["lamon.7", "agent.toml.5", "hub.toml.5", "notify.toml.5", "web.toml.5"];
    for page in by_hand {
        let text = formatted(&man.join(page));
        assert!(text.contains(lamon_daemon::VERSION) && !text.contains("@VERSION@"), "{text}");
    }
    let pages = std::fs::read_dir(&man).unwrap().count();
    assert_eq!(pages, PROGRAMS.len() + by_hand.len(), "a page was not looked at");
}

#[test]
fn bash_takes_every_completion() {
    let folder = tempfile::tempdir().unwrap();
    lamon_packaging::write(folder.path()).unwrap();
    for program in &PROGRAMS {
        let completion = folder.path().join("completion");
        let bash = Command::new("bash").arg("-n").arg(completion.join(program.name)).status().unwrap();
        assert!(bash.success(), "{}", program.name);
        assert!(completion.join(format!("_{}", program.name)).exists());
        assert!(completion.join(format!("{}.fish", program.name)).exists());
    }
}
