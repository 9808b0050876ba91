//! Generates messages and stubs, and gives the linker the small machine's memory map.
use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    rpc_nostd_codegen::Builder::new().compile(&["proto/proof.proto"], &["proto"])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::copy(MEMORY, out.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed={MEMORY}");
    for arg in ["--nmagic", "-Tlink.x"] {
        println!("cargo:rustc-link-arg-bins={arg}");
    }
    Ok(())
}

const MEMORY: &str = "memory.x";
