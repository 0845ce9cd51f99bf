//! The program `lamon-agent`; see [`lamon_agent`].

use std::process::ExitCode;

fn main() -> ExitCode {
    lamon_agent::cli::main()
}
