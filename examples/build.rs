//! Generates messages, the client and the server trait from the `.proto` files.
fn main() -> Result<(), rpc_nostd_codegen::Error> {
    let protos = ["proto/greenhouse.proto", "proto/google/rpc/status.proto"];
    rpc_nostd_codegen::Builder::new().compile(&protos, &["proto"])?;
    Ok(())
}
