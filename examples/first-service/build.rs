fn main() -> Result<(), rpc_nostd_codegen::Error> {
    rpc_nostd_codegen::Builder::new().compile(&["proto/fleet.proto"], &["proto"])?;
    // The scripts by which the linker lays out memory and keeps the log's texts; the board has the memory map.
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}
