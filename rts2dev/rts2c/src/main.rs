//! The program `rts2c`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rts2c::main()
}
