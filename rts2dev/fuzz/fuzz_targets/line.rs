#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rts2_fuzz::line::run(data));
