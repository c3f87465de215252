#![no_main]
// See vestibule_fuzz::xs_tenants for what it holds true.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vestibule_fuzz::xs_tenants(bytes));
