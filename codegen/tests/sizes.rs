//! What `sizes` says, against what the compiler says.
#![cfg(feature = "cli")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use heck::ToSnakeCase;
use rpc_nostd_codegen::{Builder, MessageSizes, Sizes};
use support::user::{SINKS, UserCrate};

/// What the layout of structs and oneofs depends on, in one file.
const SHAPES: &str = r#"
syntax = "proto3";
package shapes.v1;
message Empty {}
message Flag { bool on = 1; }
message Mixed { uint32 a = 1; bool b = 2; uint64 c = 3; bool d = 4; float e = 5; }
message Maybe { optional bool a = 1; optional uint32 b = 2; optional uint64 c = 3; Flag d = 4; Empty e = 5; Mixed f = 6; }
message Texts { optional string a = 1; bytes b = 2; repeated bool c = 3; repeated Flag d = 4; repeated Mixed e = 5; }
message Maps { map<bool, uint64> a = 1; map<string, Flag> b = 2; map<uint32, bytes> c = 3; Mode d = 4; }
message Numbers { oneof number { uint32 a = 1; uint64 b = 2; bool c = 3; } bool d = 4; }
message Texting { oneof text { string a = 1; bytes b = 2; Mode c = 3; } }
message Single { oneof only { bool a = 1; } oneof other { Mixed b = 2; } }
message Signals { oneof signal { Empty a = 1; Flag b = 2; Empty c = 3; } }
message Spare { oneof spare { Maybe a = 1; uint32 b = 2; } }
message Spares { oneof one { Spare a = 1; Flag b = 2; Numbers c = 3; } Spare two = 2000; repeated Spare three = 20000; }
message Optional { Texting a = 1; Numbers b = 2; Spares c = 4; Single d = 5; Signals e = 6; Maps f = 7; }
message Unpacked { repeated sint32 a = 1; repeated fixed64 b = 2; repeated Mode c = 3; sint64 d = 4; int32 e = 536870911; }
message Nothing { oneof nothing { Empty a = 1; Empty b = 2; } }
enum Mode { MODE_OFF = 0; }
service Shapes {
  rpc Get(Maps) returns (Optional);
  rpc Watch(Empty) returns (stream Spares);
}
"#;
const SHAPE_CAPACITIES: &str =
    "[default]\nstring = 5\nbytes = 9\nrepeated = 3\nmap = 4\nkey = 7\nvalue = 3\nelem = 3\n";

/// Every figure as an assertion of a user's crate.
fn assertions(case: &str, sizes: &Sizes, code: &str) -> String {
    let mut text = String::new();
    for message in &sizes.messages {
        let path = typed(case, message, code);
        if let Some(ram) = message.ram {
            let relation = if ram.is_exact { "==" } else { "<=" };
            text.push_str(&format!(
                "const _: () = assert!(core::mem::size_of::<{path}>() {relation} {});\n",
                ram.bytes
            ));
        }
        let max = message
            .encoded_max
            .map_or("Err(_)".to_owned(), |max| format!("Ok({max})"));
        text.push_str(&format!(
            "const _: () = assert!(matches!(<{path} as rpc_nostd::micropb::MessageEncode>::MAX_SIZE, {max}));\n"
        ));
    }
    for service in &sizes.services {
        let (package, name) = service.name.rsplit_once('.').unwrap_or(("", &service.name));
        let packages = package.split('.').filter(|part| !part.is_empty());
        let module: Vec<String> = packages.map(|part| format!("r#{part}")).collect();
        let module = [
            &[case.to_owned()],
            module.as_slice(),
            &[format!("{}_service", name.to_snake_case())],
        ]
        .concat();
        let module = module.join("::");
        for (constant, value) in [
            ("CLIENT_RECV", service.client.recv),
            ("CLIENT_SEND", service.client.send),
            ("SERVER_RECV", service.server.recv),
            ("SERVER_SEND", service.server.send),
        ] {
            text.push_str(&format!(
                "const _: () = assert!({module}::{constant} == {value});\n"
            ));
        }
    }
    text
}

fn typed(case: &str, message: &MessageSizes, code: &str) -> String {
    let name = message.name.rsplit('.').next().unwrap();
    let lifetime = if code.contains(&format!("pub struct {name}<'a>")) {
        "<'static>"
    } else {
        ""
    };
    let path = message.rust_path.replace("::", "::r#");
    format!("{case}::r#{path}{lifetime}").replace("r#_", "_")
}

/// All golden cases, the corpus and the shapes, with their figures for pointers of `pointer_width` bits.
fn user_crate(name: &str, pointer_width: u32) -> UserCrate {
    let shapes = support::folder(&[("shapes.proto", SHAPES), ("shapes.toml", SHAPE_CAPACITIES)]);
    let mut cases: Vec<(String, Vec<PathBuf>, Vec<PathBuf>)> = support::suites();
    for case in support::golden_cases() {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        cases.push((name, vec![case.join("in.proto")], vec![case]));
    }
    let folder = shapes.path().to_owned();
    cases.push((
        "shapes".to_owned(),
        vec![folder.join("shapes.proto")],
        vec![folder],
    ));

    let mut files = Vec::new();
    let mut library = "//! Figures.\n#![no_std]\n#![allow(deprecated)]\n".to_owned();
    for (case, protos, includes) in cases {
        let code = Builder::new().generate(&protos, &includes).unwrap().code;
        let sizes = Builder::new().sizes(&protos, &includes, pointer_width).unwrap();
        assert!(!sizes.messages.is_empty() || case == "none", "{case}");
        library.push_str(&format!(
            "/// Case.\npub mod {case} {{ include!(\"{case}.rs\"); }}\n"
        ));
        library.push_str(&assertions(&case, &sizes, &code));
        files.push((format!("src/{case}.rs"), code));
    }
    files.push(("src/lib.rs".to_owned(), format!("{library}{SINKS}")));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    UserCrate::new(name, &files)
}

#[test]
fn figures_are_those_of_the_compiler_on_the_host() {
    user_crate("sizes", usize::BITS).cargo(&["check", "--lib"]);
}

#[test]
fn figures_are_those_of_the_compiler_on_a_cortex_m3() {
    let target = "thumbv7m-none-eabi";
    let libdir = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .unwrap();
    if !Path::new(String::from_utf8(libdir.stdout).unwrap().trim()).is_dir() {
        eprintln!("not tested: `rustup target add {target}` installs what is missing");
        return;
    }
    user_crate("sizes", 32).cargo(&["check", "--lib", "--target", target]);
}

fn sizes_of(proto: &str, capacities: &str) -> Sizes {
    let folder = support::folder(&[("a.proto", proto), ("a.toml", capacities)]);
    Builder::new()
        .sizes(&[folder.path().join("a.proto")], &[folder.path()], 32)
        .unwrap()
}

const SERVICE: &str = "syntax = \"proto3\";\npackage a.v1;\nmessage M {\n  string text = 1;\n  uint32 n = 2;\n  \
                       oneof one {\n    bool x = 3;\n    bytes y = 4;\n  }\n}\nservice S {\n  \
                       rpc Get(M) returns (M);\n  rpc Put(stream M) returns (M);\n}\n";
const CAPACITIES: &str = "[capacity]\n\"M.text\" = 300\n\"M.y\" = 8\n[method]\n\"S.Put\".chunked = true\n";

#[test]
fn table_says_what_costs_most() {
    let text = sizes_of(SERVICE, CAPACITIES).to_string();
    assert_eq!(
        text,
        "message  encoded max  RAM  costliest field\n\
         a.v1.M           319  324  text: 304 (String<300>)\n\
         \n\
         Bytes; RAM on a machine of 32 bits.\n\
         \n\
         service a.v1.S  request max  response max\n\
         \x20 Get                   319           319\n\
         \x20 Put                   319           319  in parts\n\
         \x20 a client's buffers: RECV 324, SEND 728\n\
         \x20 a server's buffers: RECV 324, SEND 717\n"
    );
}

#[test]
fn json_has_the_same_figures() {
    let sizes = sizes_of(SERVICE, CAPACITIES);
    let json: serde_json::Value = serde_json::from_str(&sizes.to_json()).unwrap();
    let message = &json["messages"][0];
    assert_eq!(message["name"], "a.v1.M");
    assert_eq!(message["encoded_max"], 319);
    assert_eq!(message["ram"], 324);
    assert_eq!(message["costliest_field"], "text");
    let names: Vec<_> = message["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["name"])
        .collect();
    assert_eq!(names, ["text", "n", "x", "y"]);
    assert_eq!(message["fields"][2]["oneof"], "one");
    assert_eq!(json["services"][0]["methods"][1]["chunked"], true);
    assert_eq!(json["services"][0]["client"]["recv"], 324);
}

#[test]
fn what_is_not_known_is_null() {
    let proto = "syntax = \"proto3\";\nmessage M {\n  string text = 1;\n  bytes other = 2;\n}\n";
    let capacities =
        "[capacity]\n\"M.text\" = { borrow = true }\n\"M.other\" = { callback = \"crate::T\" }\n";
    let json: serde_json::Value = serde_json::from_str(&sizes_of(proto, capacities).to_json()).unwrap();
    let message = &json["messages"][0];
    assert!(
        message["encoded_max"].is_null() && message["ram"].is_null(),
        "{message}"
    );
    assert_eq!(message["fields"][0]["ram"], 8);
}

#[test]
fn pointers_have_32_or_64_bits() {
    let folder = support::folder(&[("a.proto", "syntax = \"proto3\";\n")]);
    let error = Builder::new()
        .sizes(&[folder.path().join("a.proto")], &[folder.path()], 16)
        .unwrap_err();
    assert_eq!(error.to_string(), "error: a pointer has 32 or 64 bits, not 16");
}
