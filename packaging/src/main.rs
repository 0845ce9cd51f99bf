//! `lamon-pages FOLDER`: writes the manual pages and the files for shells into that folder, for packages.

use std::path::PathBuf;

use clap::Parser;

/// Writes lamon's manual pages into FOLDER/man, and completion for bash, zsh and fish into FOLDER/completion.
#[derive(Debug, Parser)]
#[command(name = "lamon-pages", version = lamon_daemon::VERSION)]
struct Args {
    /// The folder; it is made where it is missing
    folder: PathBuf,
}

fn main() -> anyhow::Result<()> {
    lamon_packaging::write(&Args::parse().folder)
}
