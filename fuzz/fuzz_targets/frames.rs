#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lamon_fuzz::frames::run(data));
