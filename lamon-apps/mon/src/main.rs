//! The program `lamon-mon`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lamon_mon::main()
}
