//! The program `lamon`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lamon::main()
}
