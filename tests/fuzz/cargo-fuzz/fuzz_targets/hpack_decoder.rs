//! See `../../src/hpack_decoder.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpc_nostd_fuzz_targets::hpack_decoder(data));
