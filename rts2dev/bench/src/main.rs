//! `make bench`, the part about RTS2: what a device costs, in time, CPU and memory, beside the limits that it was given.
//! Nothing is asserted.
//!
//! The device runs in a process of its own, release build, on one thread, so that its memory and its CPU time are its
//! own; its clients are threads here. With `RTS2_BINDIR` set, the original's dummy sensor gets the same load beside it,
//! in turns. Each number is the median of many, with the smallest and the largest behind it.

mod device;
mod echo;
mod listener;
mod measures;
mod process;
mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures what an RTS2 device costs on this machine.
#[derive(Debug, Parser)]
#[command(name = "rts2-bench", version)]
struct Options {
    /// A short look: a fifth of the rounds.
    #[arg(long)]
    quick: bool,
    /// Only the measures whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    #[command(subcommand)]
    child: Option<Child>,
}

/// What the program starts of itself.
#[derive(Debug, Subcommand)]
enum Child {
    /// Devices, driven through standard input.
    #[command(hide = true)]
    Device(device::Options),
    /// Says back what it hears.
    #[command(hide = true)]
    Echo,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.child {
        Some(Child::Device(device)) => device::run(&device),
        Some(Child::Echo) => echo::run(),
        None => measures::run(options.quick, &options.only),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complaint(&format!("rts2-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
