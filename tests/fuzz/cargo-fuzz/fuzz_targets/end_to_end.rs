//! See `../../src/end_to_end.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpc_nostd_fuzz_targets::end_to_end(data));
