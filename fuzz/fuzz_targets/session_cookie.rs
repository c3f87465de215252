#![no_main]
// See vestibule_fuzz::session_cookie for what it holds true.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vestibule_fuzz::session_cookie(bytes));
