//! Generates messages and stubs from the interop test's `.proto` files. No protoc needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let files = protox::compile(["grpc/testing/test.proto"], [PROTO])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}

const PROTO: &str = "../../proto";
