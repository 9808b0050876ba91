//! Generates both sides' code from the same `.proto` files: the foreign peers' and, as firmware does it, the device's.
//! No protoc needed.

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
    rpc_nostd_codegen::Builder::new()
        .out_file("device.rs")
        .compile(&["proto/telemetry/v1/telemetry.proto"], &["proto"])?;
    rpc_nostd_codegen::Builder::new().compile(&["proto/records/v1/records.proto"], &["proto"])?;
    Ok(())
}
