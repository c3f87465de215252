#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vestibule::auth::token::fuzz(bytes));
