//! `lamon-mon`: the nodes of an observatory on a terminal, live or in one look.
//!
//! It follows the hub over its bus (`lamon-bus`), and needs nothing else of it.
//!
//! | file | what it does |
//! |---|---|
//! | `args` | the command line |
//! | `live`, `terminal` | the live screen |
//! | `app` | its state; pure |
//! | `action` | what keys mean; pure |
//! | `view/` | its drawing |
//! | `follow` | the follower on a thread of its own, in batches |
//! | `site` | what is known of the site; pure |
//! | `rows` | the overview's rows; pure |
//! | `once`, `report` | one look: table, JSON, exit code |
//! | `units` | values as people read them |
//! | `clean` | text from the bus, fit for a terminal |
//! | `lang`, `texts`, `kinds` | the language, every text in it, and kinds of events |

mod action;
mod app;
mod args;
mod clean;
mod follow;
mod kinds;
mod lang;
mod live;
mod once;
mod report;
mod rows;
mod site;
mod terminal;
mod texts;
mod units;
mod view;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::args::{Args, Colours};
use self::lang::Lang;
use self::texts::Texts;
use self::view::Look;
use self::view::theme::Theme;

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            // To Nagios clap's own code 2 is a node in danger.
            return if error.use_stderr() { ExitCode::from(report::UNKNOWN) } else { ExitCode::SUCCESS };
        }
    };
    let live = !args.once && !args.json;
    if live && !std::io::stdout().is_terminal() {
        say("this is no terminal; --once or --json give one look");
        return ExitCode::from(report::UNKNOWN);
    }
    let lang = args.lang.unwrap_or_else(|| Lang::of_environment(|name| std::env::var(name).ok()));
    let texts = Texts::of(lang);
    let batches = match follow::start(&args.addresses()) {
        Ok(batches) => batches,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(report::UNKNOWN);
        }
    };
    if live {
        let ascii = args.ascii || !lang::is_utf8(|name| std::env::var(name).ok());
        let theme = Theme { colours: paint(args.color), ascii };
        let look = Look { texts, theme, address: clean::text(&args.addresses().publish) };
        return match live::show(args.wanted(), &look, &batches) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format!("the terminal fails: {error}"));
                ExitCode::from(report::UNKNOWN)
            }
        };
    }
    once::look(&args, texts, &batches, paint(args.color))
}

fn paint(colours: Colours) -> bool {
    match colours {
        Colours::Always => true,
        Colours::Never => false,
        Colours::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

#[expect(clippy::print_stderr, reason = "to the person at the terminal, not to who reads the answer")]
fn say(text: &str) {
    eprintln!("lamon-mon: {text}");
}
