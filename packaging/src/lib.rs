//! What a package of lamon has beside the programs: manual pages and completion for shells, made from the command lines of
//! the programs, and the pages written by hand in `man/`.
//!
//! | file | what it does |
//! |---|---|
//! | `programs` | the programs, each with its section of the manual, its files and where to read on |
//! | `page` | the manual page of a program, all of its commands on it |
//! | `help` | what stands below the options of `--help`, as sections of a page |
//! | `roff` | text as the manual's language wants it |
//!
//! What goes into which package stands in `Cargo.toml`, and what is done when one is installed or removed in `scripts/`.

mod help;
mod page;
mod programs;
mod roff;

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap_complete::Shell;

pub use self::programs::{PROGRAMS, Program};

/// The pages that were written by hand, with their names.
const BY_HAND: [(&str, &str); 5] = [
    ("lamon.7", include_str!("../man/lamon.7")),
    ("agent.toml.5", include_str!("../man/agent.toml.5")),
    ("hub.toml.5", include_str!("../man/hub.toml.5")),
    ("notify.toml.5", include_str!("../man/notify.toml.5")),
    ("web.toml.5", include_str!("../man/web.toml.5")),
];

/// Stands in pages by hand for the version of the family.
const VERSION_MARK: &str = "@VERSION@";

/// Writes every manual page into `man/` of a folder and the files for shells into `completion/`, over those of before.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(folder: &Path) -> anyhow::Result<()> {
    let man = folder.join("man");
    let completion = folder.join("completion");
    for folder in [&man, &completion] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    for program in &PROGRAMS {
        put(&man.join(format!("{}.{}", program.name, program.section)), page::of(program)?.as_bytes())?;
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut (program.command)(), program.name, &mut script);
            put(&completion.join(file_of(shell, program.name)), &script)?;
        }
    }
    for (name, text) in BY_HAND {
        put(&man.join(name), text.replace(VERSION_MARK, lamon_daemon::VERSION).as_bytes())?;
    }
    Ok(())
}

/// As shells look for it, but for the folder.
fn file_of(shell: Shell, program: &str) -> String {
    match shell {
        Shell::Zsh => format!("_{program}"),
        Shell::Fish => format!("{program}.fish"),
        _ => program.to_owned(),
    }
}

fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
