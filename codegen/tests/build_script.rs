//! The library as a build.rs uses it.

mod support;

use std::process::Command;

use rpc_nostd_codegen::Builder;

const A: &str = "syntax = \"proto3\";\nimport \"b.proto\";\nmessage A {\n  B b = 1;\n}\n\
                 service S {\n  rpc Up(stream A) returns (A);\n}\n";
const B: &str =
    "syntax = \"proto3\";\nimport \"google/protobuf/empty.proto\";\nmessage B {\n  string text = 1;\n}\n";

/// Plays the build.rs when another test starts it: runs in a process of its own, where `OUT_DIR` is set as cargo sets it.
#[test]
fn build_script() {
    let Some(folder) = std::env::var_os("PROTO_FOLDER").map(std::path::PathBuf::from) else {
        return;
    };
    Builder::new()
        .compile(&[folder.join("a.proto")], &[folder])
        .unwrap();
}

#[test]
fn build_script_writes_to_out_dir_and_tells_cargo_its_inputs() {
    let folder = support::folder(&[
        ("a.proto", A),
        ("b.proto", B),
        ("b.toml", "[capacity]\n\"B.text\" = 4\n"),
    ]);
    let out_dir = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "build_script", "--nocapture"])
        .env("OUT_DIR", out_dir.path())
        .env("PROTO_FOLDER", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("cargo::"))
        .collect();
    let changed = |name: &str| format!("rerun-if-changed={}", folder.path().join(name).display());
    // The folder, because `a.toml` could appear in it.
    let folder = format!("rerun-if-changed={}", folder.path().display());
    let files = ["b.proto", "a.proto", "b.toml"].map(changed);
    assert_eq!(lines, [&files[..], &[folder]].concat());
    let names: Vec<_> = out_dir
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["a.rs"]);
}

#[test]
fn outside_of_a_build_script_the_output_folder_must_be_named() {
    assert!(
        std::env::var_os("OUT_DIR").is_none(),
        "this test cannot run in a build.rs"
    );
    let folder = support::folder(&[("b.proto", B)]);
    let error = Builder::new()
        .compile(&[folder.path().join("b.proto")], &[folder.path()])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no output folder: call `Builder::out_dir`"),
        "{error}"
    );
}

#[test]
fn without_include_folders_those_of_the_protos_serve() {
    let folder = support::folder(&[
        ("p/a.proto", A),
        ("p/b.proto", B),
        ("p/b.toml", "capacity.B.text = 4\n"),
    ]);
    let none: [&str; 0] = [];
    let generated = Builder::new()
        .generate(&[folder.path().join("p/a.proto")], &none)
        .unwrap();
    assert_eq!(generated.inputs.len(), 3);
}
