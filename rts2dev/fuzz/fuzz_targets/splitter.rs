#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rts2_fuzz::splitter::run(data));
