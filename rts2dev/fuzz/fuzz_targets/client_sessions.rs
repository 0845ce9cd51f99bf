#![no_main]

use std::time::Instant;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rts2_fuzz::client_sessions::run(Instant::now(), data));
