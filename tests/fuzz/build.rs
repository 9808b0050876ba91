//! Generates the messages of `fuzz.proto` twice: as firmware has them, and as prost has them.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    rpc_nostd_codegen::Builder::new().compile(&["proto/fuzz.proto"], &["proto"])?;
    let files = protox::compile(["fuzz.proto"], ["proto"])?;
    prost_build::Config::new()
        .btree_map(["."])
        .include_file("reference.rs")
        .compile_fds(files)?;
    Ok(())
}
