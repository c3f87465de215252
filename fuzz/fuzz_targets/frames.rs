#![no_main]
// See vestibule_fuzz::frames for what it holds true.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vestibule_fuzz::frames(bytes));
