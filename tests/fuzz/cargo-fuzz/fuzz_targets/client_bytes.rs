//! See `../../src/client_bytes.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpc_nostd_fuzz_targets::client_bytes(data));
