//! `lamon-sensord`: the hub as an RTS2 sensor device; installed as `rts2-sensor-lamon` too.

use std::process::ExitCode;

/// glibc's arenas, one for each thread, grow without end in long-lived daemons. This one is told at build time
/// (`.cargo/config.toml`) to keep a single arena and to give back what is free after a second. It takes malloc's place for
/// SQLite and ZeroMQ, too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    lamon_sensord::cli::main()
}
