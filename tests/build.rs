//! Generates the foreign peers' code from the `.proto` files that the device's stubs come from. No protoc needed.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let files = protox::compile(["telemetry/v1/telemetry.proto"], ["proto"])?;
    // The Python peer builds its messages from this at run time.
    fs::write(out.join("telemetry.binpb"), files.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
