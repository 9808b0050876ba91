//! The plugin of protoc. Everything it does is in the library.

use std::io::{Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        eprintln!(
            "protoc-gen-rpc-nostd {} is a plugin of protoc, which runs it without arguments:\n\
             protoc --rpc-nostd_out=FOLDER [--rpc-nostd_opt=NAME=VALUE,...] -I proto proto/FILE.proto",
            env!("CARGO_PKG_VERSION")
        );
        return ExitCode::FAILURE;
    }
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> Result<(), Box<dyn std::error::Error>> {
    let mut request = Vec::new();
    std::io::stdin().lock().read_to_end(&mut request)?;
    let response = rpc_nostd_codegen::respond(&request)?;
    std::io::stdout().lock().write_all(&response)?;
    Ok(())
}
