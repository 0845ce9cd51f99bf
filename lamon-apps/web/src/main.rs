//! The program `lamon-web`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lamon_web::main()
}
