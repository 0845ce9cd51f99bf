//! The manual page of a program. All of its commands are on it, so that one search finds what somebody looks for.

use std::collections::HashSet;
use std::fmt::Write;

use clap::Command;
use clap_mangen::Man;

use crate::programs::Program;
use crate::{help, roff};

/// The page, in roff.
///
/// # Errors
///
/// When `clap_mangen` fails.
pub(crate) fn of(program: &Program) -> anyhow::Result<String> {
    let mut command = (program.command)();
    command.build();
    let after = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string);
    let version = lamon_daemon::VERSION;
    let mut out = format!(
        ".\\\" Made by lamon-pages from the program's command line.\n.TH {} {} \"\" \"lamon {version}\" \"lamon\"\n",
        roff::text(program.name),
        program.section,
    );
    let _ = writeln!(out, ".SH NAME\n{} \\- {}", roff::text(program.name), roff::text(&purpose(&command)));
    let _ = writeln!(out, ".SH SYNOPSIS\n.nf\n{}\n.fi", usage(&mut command));
    let _ = writeln!(out, ".SH DESCRIPTION\n{}", description(&command));
    out.push_str(".SH OPTIONS\n");
    out.push_str(&options(command.clone())?);
    let known = names(&command);
    if command.get_subcommands().any(shown) {
        out.push_str(".SH COMMANDS\n");
        for sub in command.get_subcommands_mut() {
            commands(&mut out, sub, program.name, &known)?;
        }
    }
    out.push_str(&help::sections(&after.unwrap_or_default()));
    if !program.files.is_empty() {
        out.push_str(".SH FILES\n");
        for (path, what) in program.files {
            let _ = writeln!(out, ".TP\n\\fI{}\\fR\n{}", roff::text(path), roff::text(what));
        }
    }
    let see: Vec<String> = program.see.iter().map(|name| roff::page(name)).collect();
    let _ = writeln!(out, ".SH SEE ALSO\n{}", see.join(",\n"));
    Ok(roff::ascii(&out))
}

/// A command and those below it, each with its usage, what it does and its own options.
fn commands(
    out: &mut String,
    command: &mut Command,
    above: &str,
    known: &HashSet<String>,
) -> anyhow::Result<()> {
    if !shown(command) {
        return Ok(());
    }
    let name = format!("{above} {}", command.get_name());
    let _ = writeln!(out, ".SS \"{}\"", roff::text(&name));
    if !command.get_subcommands().any(shown) {
        let _ = writeln!(out, ".nf\n{}\n.fi\n.PP", usage(command));
    }
    let _ = writeln!(out, "{}", description(command));
    let (inherited, own): (Vec<_>, Vec<_>) = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.get_id() != "help" && !arg.is_global_set())
        .partition(|arg| arg.get_long().is_some_and(|long| known.contains(long)));
    let inherited: Vec<String> = inherited
        .iter()
        .filter_map(|arg| arg.get_long())
        .map(|long| format!("\\fB\\-\\-{}\\fR", roff::text(long)))
        .collect();
    let any = !own.is_empty();
    if any {
        let only = command.clone().mut_args(|arg| {
            let elsewhere = arg.get_id() == "help"
                || arg.is_global_set()
                || arg.get_long().is_some_and(|long| known.contains(long));
            if elsewhere { arg.hide(true) } else { arg }
        });
        out.push_str(&options(only)?);
    }
    if !inherited.is_empty() {
        let _ = writeln!(out, ".PP\nIt also takes {}, as above.", inherited.join(", "));
    }
    for sub in command.get_subcommands_mut() {
        commands(out, sub, &name, known)?;
    }
    Ok(())
}

/// What the program lists of itself.
fn shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

/// The first sentence, as `apropos` shows it.
fn purpose(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let line = about.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = line.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn description(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let paragraphs: Vec<String> = about.split("\n\n").map(|paragraph| roff::text(paragraph.trim())).collect();
    let text = paragraphs.join("\n.PP\n");
    if text.is_empty() || text.ends_with(['.', ':']) { text } else { text + "." }
}

/// How it is called, one way a line.
fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let lines = usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(roff::text).collect::<Vec<_>>().join("\n")
}

/// Long options of a command.
fn names(command: &Command) -> HashSet<String> {
    command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned).collect()
}

/// The options as `clap_mangen` shows them, without its heading and its definition of an apostrophe; headings of groups one
/// step lower.
fn options(command: Command) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    Man::new(command).render_options_section(&mut bytes)?;
    let text = String::from_utf8(bytes)?.replace("\\*(Aq", "\\(aq");
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if [".SH OPTIONS", ".ie ", ".el "].iter().any(|start| line.starts_with(start)) {
            continue;
        }
        match line.strip_prefix(".SH ") {
            Some(group) => out.extend([".SS ", group, "\n"]),
            None => out.extend([line, "\n"]),
        }
    }
    Ok(out)
}
