//! The program `lamon-notify`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lamon_notify::main()
}
