//! Files that cannot be used: the error with file and line, exit code 1, and nothing left behind.
#![cfg(feature = "cli")]

mod support;

use std::path::Path;
use std::process::Command;

/// Runs `generate` on `a.proto` in `folder` and gives the error, once it is sure that nothing was written.
fn refusal(folder: &Path) -> String {
    refusal_of(folder, &["generate", "a.proto", "--out-dir", "out"])
}

fn refusal_of(folder: &Path, arguments: &[&str]) -> String {
    let before = everything_in(folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpc-nostd-codegen"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(everything_in(folder), before, "something was left behind");
    text
}

fn everything_in(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        names.push(path.display().to_string());
        if path.is_dir() {
            names.extend(everything_in(&path));
        }
    }
    names.sort();
    names
}

const HEAD: &str = "syntax = \"proto3\";\n";

fn text_of(files: &[(&str, &str)]) -> String {
    refusal(support::folder(files).path())
}

#[test]
fn broken_proto() {
    let text = text_of(&[("a.proto", "syntax = \"proto3\";\nmessage M {\n  uint32 = 1;\n}\n")]);
    assert!(text.starts_with("error: a.proto:3: expected "), "{text}");
}

#[test]
fn missing_import() {
    let text = text_of(&[("a.proto", &format!("{HEAD}\nimport \"none.proto\";\n"))]);
    assert_eq!(text, "error: a.proto:3: import 'none.proto' not found\n");
}

#[test]
fn two_services_of_one_name_in_one_file_and_in_two() {
    let text = text_of(&[("a.proto", &format!("{HEAD}service S {{}}\nservice S {{}}\n"))]);
    assert_eq!(text, "error: a.proto:3: name 'S' is defined twice\n");
    let a = format!("{HEAD}import \"b.proto\";\nservice S {{}}\n");
    let text = text_of(&[("a.proto", &a), ("b.proto", &format!("{HEAD}service S {{}}\n"))]);
    assert!(
        text.starts_with("error: a.proto:3: name 'S' is ") && text.contains("b.proto"),
        "{text}"
    );
}

#[test]
fn proto_that_is_not_utf8() {
    let folder = support::folder(&[]);
    std::fs::write(
        folder.path().join("a.proto"),
        b"syntax = \"proto3\";\n// caf\xe9\n",
    )
    .unwrap();
    assert_eq!(refusal(folder.path()), "error: a.proto:2: is not valid UTF-8\n");
}

#[test]
fn import_that_is_not_utf8() {
    let folder = support::folder(&[("a.proto", &format!("{HEAD}import \"b.proto\";\n"))]);
    std::fs::write(
        folder.path().join("b.proto"),
        b"syntax = \"proto3\";\n\n// caf\xe9\n",
    )
    .unwrap();
    assert_eq!(refusal(folder.path()), "error: b.proto:3: is not valid UTF-8\n");
}

#[test]
fn huge_files() {
    let folder = support::folder(&[("a.proto", &format!("{HEAD}import \"b.proto\";\n"))]);
    for name in ["b.proto", "a.proto", "a.toml"] {
        let path = folder.path().join(name);
        let before = std::fs::read(&path).unwrap_or_default();
        // It takes no disk: nothing is written into it.
        std::fs::File::create(&path)
            .unwrap()
            .set_len((16 << 20) + 1)
            .unwrap();
        std::fs::write(folder.path().join("b.toml"), "").unwrap();
        let text = refusal(folder.path());
        assert_eq!(
            text,
            format!(
                "error: {name}: has 16777217 bytes, and a file may have 16777216 (16 MiB): split it, or check that it \
                 is the right one\n"
            )
        );
        std::fs::write(&path, before).unwrap();
        if name == "b.proto" {
            std::fs::write(&path, HEAD).unwrap();
        }
    }
}

#[test]
fn brackets_that_are_nested_too_deep() {
    let value = |depth: usize| format!("{}{}", "{a:".repeat(depth), "}".repeat(depth));
    let proto = |depth| {
        format!(
            "{HEAD}import \"google/protobuf/descriptor.proto\";\nmessage O {{\n  O a = 1;\n}}\n\
             extend google.protobuf.FileOptions {{\n  O o = 50000;\n}}\noption (o) = {};\n",
            value(depth)
        )
    };
    for depth in [101, 100_000] {
        let text = text_of(&[("a.proto", &proto(depth))]);
        assert_eq!(
            text,
            "error: a.proto:9: more than 100 brackets are open here: declare what is inside beside it\n"
        );
    }
}

#[test]
fn messages_that_are_declared_in_each_other_too_deep() {
    for depth in [40, 50_000] {
        let messages = format!("{HEAD}{}{}\n", "message M {".repeat(depth), "}".repeat(depth));
        let text = text_of(&[("a.proto", &messages)]);
        assert!(text.starts_with("error: a.proto:2: "), "{text}");
    }
}

/// Each holds the next by a field.
fn chain(len: usize) -> String {
    let links = (1..len).map(|number| format!("message M{number} {{ M{} m = 1; }}\n", number + 1));
    format!("{HEAD}{}message M{len} {{}}\n", links.collect::<String>())
}

#[test]
fn messages_that_hold_each_other_too_deep() {
    let text = text_of(&[("a.proto", &chain(101))]);
    assert_eq!(
        text,
        "error: a.proto:2: message `M1` holds messages in messages, more than 100 deep, which decoders refuse; keep one \
         of them encoded by { encoded = 64 } in the capacity file, or in a field of type `bytes`\n"
    );
    let text = text_of(&[("a.proto", &chain(5_000))]);
    assert!(
        text.starts_with("error: a.proto:3: message `M2` holds messages in messages"),
        "{text}"
    );
}

#[test]
fn messages_that_hold_each_other_as_deep_as_they_may() {
    let folder = support::folder(&[("a.proto", &chain(100))]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpc-nostd-codegen"));
    let output = command
        .current_dir(folder.path())
        .args(["check", "a.proto"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn imports_that_are_nested_too_deep() {
    let folder = support::folder(&[("a.proto", &format!("{HEAD}import \"b1.proto\";\n"))]);
    for number in 1..20_000 {
        let text = format!("{HEAD}import \"b{}.proto\";\n", number + 1);
        std::fs::write(folder.path().join(format!("b{number}.proto")), text).unwrap();
    }
    assert_eq!(
        refusal(folder.path()),
        "error: b100.proto:1: more than 100 imports, one in the other, lead to this file\n"
    );
}

#[test]
fn import_cycle() {
    let a = format!("{HEAD}import \"b.proto\";\n");
    let b = format!("{HEAD}import \"a.proto\";\n");
    let text = text_of(&[("a.proto", &a), ("b.proto", &b)]);
    assert!(
        text.contains("import cycle detected: a.proto -> b.proto -> a.proto"),
        "{text}"
    );
    let text = text_of(&[("a.proto", &format!("{HEAD}import \"a.proto\";\n"))]);
    assert!(
        text.contains("import cycle detected: a.proto -> a.proto"),
        "{text}"
    );
}

#[test]
fn output_folder_that_cannot_be_made() {
    let folder = support::folder(&[("a.proto", HEAD), ("in-the-way", "")]);
    let text = refusal_of(folder.path(), &["generate", "a.proto", "-o", "in-the-way/out"]);
    assert!(
        text.starts_with("error: in-the-way/out/a.rs: cannot write: "),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn output_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = support::folder(&[("a.proto", HEAD), ("out/earlier.rs", "")]);
    let out = folder.path().join("out");
    std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser writes everywhere.
    if std::fs::write(out.join("probe"), "").is_ok() {
        eprintln!("not tested: this user may write into folders that are read-only");
        return;
    }
    let text = refusal(folder.path());
    assert!(text.starts_with("error: out/a.rs: cannot write: "), "{text}");
}

#[test]
fn folders_in_place_of_files() {
    let folder = support::folder(&[("a.proto/in-the-way", "")]);
    assert_eq!(refusal(folder.path()), "error: a.proto: no such file\n");
}
