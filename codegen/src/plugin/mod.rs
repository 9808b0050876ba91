//! The plugin of protoc: takes a `CodeGeneratorRequest`, gives a `CodeGeneratorResponse`.

mod parameters;
mod request;

use prost::Message;
use prost_types::compiler::CodeGeneratorResponse;
use prost_types::compiler::code_generator_response::{Feature, File};

use crate::error::{Error, Problem};
use parameters::Parameters;
use request::Request;

/// Answers `request`, an encoded `CodeGeneratorRequest`, with an encoded `CodeGeneratorResponse`: what the program
/// `protoc-gen-rpc-nostd` does with its standard input.
///
/// The output is the one of [`Builder::generate`](crate::Builder::generate) for the same files, as one file. What is
/// wrong with the `.proto` files, the capacity files or the parameters is told in the response, for protoc to print.
///
/// # Errors
/// `request` is none.
pub fn respond(request: &[u8]) -> Result<Vec<u8>, Error> {
    let request = Request::decode(request).map_err(|error| {
        Problem::Usage(format!(
            "standard input is not what protoc sends to a plugin ({error}); protoc runs this program, when it is told \
             --rpc-nostd_out=FOLDER"
        ))
    })?;
    let mut response = CodeGeneratorResponse {
        supported_features: Some(Feature::Proto3Optional as u64),
        ..CodeGeneratorResponse::default()
    };
    match generate(&request) {
        Ok(file) => response.file.push(file),
        Err(error) => response.error = Some(format!("\n{error}")),
    }
    Ok(response.encode_to_vec())
}

fn generate(request: &Request) -> Result<File, Error> {
    let parameters = Parameters::parse(request.parameter())?;
    let sources = request.sources(&parameters.proto_paths)?;
    let name = parameters.builder.out_name(request.file_to_generate.first())?;
    let input = parameters.builder.read(sources)?;
    let generated = parameters.builder.render(&input)?;
    for warning in &generated.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(File {
        // protoc wants forward slashes, on every system.
        name: Some(name.display().to_string().replace('\\', "/")),
        content: Some(generated.code),
        ..File::default()
    })
}
