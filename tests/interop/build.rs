//! Generates messages, clients and servers from the interop test's `.proto` files.

fn main() -> Result<(), rpc_nostd_codegen::Error> {
    rpc_nostd_codegen::Builder::new().compile(&["proto/grpc/testing/test.proto"], &["proto"])?;
    Ok(())
}
