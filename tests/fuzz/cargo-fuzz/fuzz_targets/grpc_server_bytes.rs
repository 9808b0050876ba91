//! See `../../src/grpc_server_bytes.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpc_nostd_fuzz_targets::grpc_server_bytes(data));
