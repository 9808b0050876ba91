//! See `../../src/generated_decoders.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpc_nostd_fuzz_targets::generated_decoders(data));
