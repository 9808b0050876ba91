//! The plugin of protoc: its output, which is that of the other two ways, and what it says of bad input.
#![cfg(feature = "cli")]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use prost::Message;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use rpc_nostd_codegen::{Builder, respond};

/// What protoc would send for `protos` in `folder`. Every file comes before those that import it.
fn request(folder: &Path, protos: &[&str], parameter: &str) -> CodeGeneratorRequest {
    let compiler = compiled(folder, protos);
    CodeGeneratorRequest {
        file_to_generate: protos.iter().map(|&name| name.to_owned()).collect(),
        parameter: Some(format!("proto_path={},{parameter}", folder.display())),
        proto_file: compiler.file_descriptor_set().file,
        compiler_version: None,
    }
}

/// As protoc, which needs a folder for the options file.
fn compiled(folder: &Path, protos: &[&str]) -> protox::Compiler {
    let options = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let mut compiler = protox::Compiler::new([folder, &options]).unwrap();
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(protos).unwrap();
    compiler
}

/// [`request`] as protoc encodes it, with the options that other files define.
fn encoded_request(folder: &Path, protos: &[&str]) -> Vec<u8> {
    let mut request = request(folder, protos, "");
    request.proto_file.clear();
    let mut encoded = request.encode_to_vec();
    for file in compiled(folder, protos).descriptor_pool().files() {
        prost::encoding::bytes::encode(15, &file.encode_to_vec(), &mut encoded);
    }
    encoded
}

fn answer(request: &CodeGeneratorRequest) -> CodeGeneratorResponse {
    CodeGeneratorResponse::decode(respond(&request.encode_to_vec()).unwrap().as_slice()).unwrap()
}

/// The error in the response, with paths relative to `folder`.
fn refusal(folder: &Path, request: &CodeGeneratorRequest) -> String {
    let response = answer(request);
    assert!(response.file.is_empty(), "no output beside an error");
    response.error().replace(&format!("{}/", folder.display()), "")
}

/// The program itself.
fn plugin(input: &[u8]) -> Output {
    let mut plugin = Command::new(env!("CARGO_BIN_EXE_protoc-gen-rpc-nostd"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    plugin.stdin.take().unwrap().write_all(input).unwrap();
    plugin.wait_with_output().unwrap()
}

#[test]
fn build_script_command_and_plugin_give_the_same_output() {
    for case in support::golden_cases() {
        let out = tempfile::tempdir().unwrap();
        let built = Builder::new()
            .out_dir(out.path())
            .out_file("built.rs")
            .cargo_lines(false)
            .compile(&[case.join("in.proto")], &[&case])
            .unwrap();
        let built = std::fs::read_to_string(built).unwrap();

        let command = Command::new(env!("CARGO_BIN_EXE_rpc-nostd-codegen"))
            .args(["generate", "in.proto", "--out-dir"])
            .arg(out.path())
            .current_dir(&case)
            .output()
            .unwrap();
        assert!(command.status.success(), "{command:?}");
        let commanded = std::fs::read_to_string(out.path().join("in.rs")).unwrap();
        assert!(commanded == built, "{case:?}: the command's differs");

        let output = plugin(&encoded_request(&case, &["in.proto"]));
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let response = CodeGeneratorResponse::decode(output.stdout.as_slice()).unwrap();
        assert_eq!(response.error, None);
        let [file] = response.file.as_slice() else {
            panic!("{} files", response.file.len())
        };
        assert_eq!(file.name(), "in.rs");
        assert!(file.content() == built, "{case:?}: the plugin's differs");
    }
}

/// Not only what it would send: with the `protoc` of Python's grpcio-tools, if there is one.
#[test]
fn protoc_makes_the_plugin_give_the_same_output() {
    let Some(python) = std::env::var_os("RPC_NOSTD_PROTOC_PYTHON") else {
        eprintln!(
            "not tested: `cargo xtask test` installs a protoc; RPC_NOSTD_PROTOC_PYTHON names its python"
        );
        return;
    };
    let golden = support::golden_cases().into_iter();
    let golden = golden.map(|case| {
        (
            case.display().to_string(),
            vec![case.join("in.proto")],
            vec![case],
        )
    });
    for (name, protos, includes) in support::suites().into_iter().chain(golden) {
        let out = tempfile::tempdir().unwrap();
        let mut protoc = Command::new(&python);
        protoc.args(["-m", "grpc_tools.protoc"]).args(&protos);
        for folder in &includes {
            protoc.arg("-I").arg(folder);
            protoc.arg(format!("--rpc-nostd_opt=proto_path={}", folder.display()));
        }
        // Our options, which protoc knows from nowhere else.
        protoc
            .arg("-I")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("proto"));
        let plugin = env!("CARGO_BIN_EXE_protoc-gen-rpc-nostd");
        protoc.arg(format!("--plugin=protoc-gen-rpc-nostd={plugin}"));
        protoc.arg(format!("--rpc-nostd_out={}", out.path().display()));
        protoc.arg("--rpc-nostd_opt=out_file=out.rs,descriptors,defmt_feature=defmt");
        let output = protoc.output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        let code = std::fs::read_to_string(out.path().join("out.rs")).unwrap();
        let builder = Builder::new().descriptors(true).defmt_feature("defmt");
        let expected = builder.generate(&protos, &includes).unwrap().code;
        assert!(code == expected, "{name}: protoc's differs");
    }
}

const TWO: &str = "syntax = \"proto3\";\npackage a.v1;\nmessage M {\n  optional uint32 n = 1;\n}\n\
                   service S {\n  rpc Get(M) returns (M);\n}\nservice T {\n  rpc Get(M) returns (M);\n}\n";

#[test]
fn parameters_are_those_of_the_other_ways() {
    let folder = support::folder(&[("a.proto", TWO)]);
    let parameters = "client_for=S,client_for=a.v1.T,server=false,out_file=x/y.rs";
    let response = answer(&request(folder.path(), &["a.proto"], parameters));
    let expected = Builder::new()
        .client_for(["S", "a.v1.T"])
        .server(false)
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap();
    assert_eq!(response.error, None);
    assert_eq!(response.file[0].name(), "x/y.rs");
    assert_eq!(response.file[0].content(), expected.code);
}

#[test]
fn defaults_of_capacities_are_parameters() {
    let folder = support::folder(&[("a.proto", &TWO.replace("optional uint32", "string"))]);
    let response = answer(&request(folder.path(), &["a.proto"], "default_string=16"));
    assert!(
        response.file[0].content().contains("heapless::String<16>"),
        "{}",
        response.error()
    );
    let text = refusal(
        folder.path(),
        &request(folder.path(), &["a.proto"], "default_string=x,default_text=1"),
    );
    assert!(
        text.contains("parameter `default_string=x`: its value is a number from 1 to 4294967295"),
        "{text}"
    );
    assert!(
        text.contains("parameter `default_text=1`: `text` is unknown; defaults are for `string`, "),
        "{text}"
    );
}

#[test]
fn several_files_become_one_output() {
    let b = "syntax = \"proto3\";\npackage b;\nimport \"a.proto\";\nmessage N {\n  a.v1.M m = 1;\n}\n";
    let folder = support::folder(&[("a.proto", TWO), ("b.proto", b)]);
    let response = answer(&request(folder.path(), &["b.proto", "a.proto"], ""));
    let expected = Builder::new()
        .generate(
            &["b.proto", "a.proto"].map(|name| folder.path().join(name)),
            &[folder.path()],
        )
        .unwrap();
    assert_eq!(response.file.len(), 1);
    assert_eq!(response.file[0].name(), "b.rs");
    assert_eq!(response.file[0].content(), expected.code);
}

#[test]
fn optional_fields_of_proto3_are_a_feature_of_the_plugin() {
    let folder = support::folder(&[("a.proto", TWO)]);
    let response = answer(&request(folder.path(), &["a.proto"], ""));
    assert_eq!(response.supported_features() & 1, 1);
}

#[test]
fn bad_input_is_told_to_protoc_with_file_and_line() {
    let folder = support::folder(&[("a.proto", &TWO.replace("optional uint32", "string"))]);
    let text = refusal(folder.path(), &request(folder.path(), &["a.proto"], ""));
    assert!(
        text.starts_with("\nerror: a.proto:4: no capacity for string field `n` of message `M`"),
        "{text}"
    );
}

#[test]
fn unknown_and_wrong_parameters_are_told_at_once() {
    let folder = support::folder(&[("a.proto", TWO)]);
    let text = refusal(
        folder.path(),
        &request(folder.path(), &["a.proto"], "frob,client=maybe,out_file"),
    );
    let lines: Vec<&str> = text.trim().lines().collect();
    assert!(
        lines[0].starts_with("error: parameter `frob`: there is no `frob`; there are proto_path, "),
        "{text}"
    );
    assert_eq!(
        lines[1],
        "error: parameter `client=maybe`: its value is true or false"
    );
    assert_eq!(
        lines[2],
        "error: parameter `out_file`: its value is missing: a file name"
    );
}

#[test]
fn file_that_lies_below_no_proto_path_is_told() {
    let folder = support::folder(&[("a.proto", TWO), ("other/b.proto", TWO)]);
    let mut request = request(folder.path(), &["a.proto"], "");
    request.parameter = Some(format!("proto_path={}/other", folder.path().display()));
    let text = refusal(folder.path(), &request);
    assert!(
        text.starts_with("\nerror: a.proto: no such file below other, so that no capacity file"),
        "{text}"
    );
    request.parameter = Some("proto_path=none".to_owned());
    assert!(refusal(folder.path(), &request).starts_with("\nerror: none: no such folder: "));
}

#[test]
fn request_without_what_it_asks_for_is_told() {
    let folder = support::folder(&[("a.proto", TWO)]);
    let mut request = request(folder.path(), &["a.proto"], "");
    request.file_to_generate.push("b.proto".to_owned());
    assert_eq!(
        refusal(folder.path(), &request),
        "\nerror: b.proto: protoc asks for it, but does not send it"
    );
}

#[test]
fn request_with_names_that_lead_nowhere_is_told() {
    let folder = support::folder(&[("a.proto", TWO)]);
    let mut request = request(folder.path(), &["a.proto"], "");
    request.proto_file[0].message_type.clear();
    let text = refusal(folder.path(), &request);
    assert!(
        text.starts_with("\nerror: protoc sends files that cannot be used: "),
        "{text}"
    );
}

#[test]
fn standard_input_that_is_no_request_is_an_error_without_output() {
    for garbage in [&b"\xff\xff\xff\xff\xff"[..], b"syntax = \"proto3\";", b"\x0a\x7f"] {
        let output = plugin(garbage);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.starts_with("error: standard input is not what protoc sends to a plugin ("),
            "{text}"
        );
    }
}

#[test]
fn empty_request_is_told_to_protoc() {
    let response = answer(&CodeGeneratorRequest::default());
    assert_eq!(
        response.error(),
        "\nerror: no .proto file was named: name at least one"
    );
}

#[test]
fn plugin_that_is_run_by_hand_says_how_it_is_run() {
    let output = Command::new(env!("CARGO_BIN_EXE_protoc-gen-rpc-nostd"))
        .arg("--help")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("protoc --rpc-nostd_out=FOLDER"));
}
