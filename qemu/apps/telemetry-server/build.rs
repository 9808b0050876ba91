//! Generates messages and the service's trait from the `.proto` file that the peers use too.
fn main() -> Result<(), rpc_nostd_codegen::Error> {
    let protos = "../../../tests/proto";
    rpc_nostd_codegen::Builder::new()
        .client(false)
        .compile(&[format!("{protos}/telemetry/v1/telemetry.proto")], &[protos])?;
    Ok(())
}
