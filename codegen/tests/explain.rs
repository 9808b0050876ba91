//! What `explain` says of each kind of declaration.
#![cfg(feature = "cli")]

mod support;

use std::process::Command;

const PROTO: &str = "syntax = \"proto3\";\npackage a.v1;\nmessage Report {\n  string device = 1;\n  repeated string tags = 2;\n  \
                     oneof value {\n    uint32 number = 3;\n    Mode mode = 4;\n  }\n  bytes old = 5;\n}\n\
                     enum Mode {\n  MODE_OFF = 0;\n}\nmessage Reply {}\nservice Reports {\n  \
                     rpc SendAll(stream Report) returns (Reply);\n}\n";
const CAPACITIES: &str = "[capacity]\n\"Report.device\" = 32\n\"Report.*.elem\" = 6\n\"Report.old\" = { skip = true }\n\
                          [default]\nrepeated = 3\n";

fn explain(name: &str) -> String {
    let folder = support::folder(&[("a.proto", PROTO), ("a.toml", CAPACITIES)]);
    let output = Command::new(env!("CARGO_BIN_EXE_rpc-nostd-codegen"))
        .args(["explain", name, "a.proto"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    if output.status.success() {
        assert!(output.stderr.is_empty());
        text(output.stdout)
    } else {
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        text(output.stderr)
    }
}

#[test]
fn message_is_explained_with_its_fields() {
    assert_eq!(
        explain("a.v1.Report"),
        "message a.v1.Report (a.proto:3)\n\
         \x20 Rust: struct a::v1::Report\n\
         \x20 encoded: at most 69 bytes\n\
         \x20 RAM: 84; most of it for `tags`: 40\n\
         \x20 field device: String<32>, encoded 34, RAM 36; 32 bytes (a.toml:2)\n\
         \x20 field tags: Vec<String<6>, 3>, encoded 24, RAM 40; 3 elements (a default)\n\
         \x20 field number: u32, encoded 6, RAM 4\n\
         \x20 field mode: Mode, encoded 11, RAM 4\n\
         \x20 field old: left out\n"
    );
}

#[test]
fn field_is_explained_with_its_capacities_and_where_they_come_from() {
    assert_eq!(
        explain("Report.tags"),
        "field a.v1.Report.tags (a.proto:5)\n\
         \x20 declared: repeated string\n\
         \x20 Rust: Vec<String<6>, 3>\n\
         \x20 encoded: at most 24 bytes, of the message's 69\n\
         \x20 RAM: 40, of the message's 84\n\
         \x20 capacity: 3 elements (a default)\n\
         \x20 capacity of each elem: 6 bytes (a.toml:3)\n"
    );
    assert!(explain("Report.mode").contains("\n  Rust: Mode, in the oneof `value`\n"));
    let old = explain("old");
    assert!(
        old.contains("\n  Rust: left out\n") && old.contains("(a.toml:4)"),
        "{old}"
    );
}

#[test]
fn service_method_and_enum_are_explained() {
    assert_eq!(
        explain("Reports"),
        "service a.v1.Reports (a.proto:16)\n\
         \x20 Rust: ReportsClient, ReportsServer with the trait Reports, module reports_service\n\
         \x20 a client's buffers: RECV 261, SEND 488 (reports_service::ClientResources)\n\
         \x20 a server's buffers: RECV 261, SEND 398 (reports_service::ServerResources)\n\
         \x20 method SendAll\n"
    );
    assert_eq!(
        explain("Reports.SendAll"),
        "method a.v1.Reports.SendAll (a.proto:17)\n\
         \x20 path: /a.v1.Reports/SendAll\n\
         \x20 Rust: function `send_all` of client and trait, reports_service::SEND_ALL\n\
         \x20 request: stream a.v1.Report, encoded at most 69 bytes, RAM 84\n\
         \x20 response: a.v1.Reply, encoded at most 0 bytes, RAM 0\n"
    );
    assert!(explain("Mode").starts_with("enum a.v1.Mode (a.proto:12)\n"));
}

#[test]
fn key_of_a_capacity_file_is_explained_by_what_it_names() {
    assert_eq!(
        explain("Report.*"),
        "key Report.* names\n\
         \x20 a.v1.Report.device: 32 bytes (a.toml:2)\n\
         \x20 a.v1.Report.old: left out (a.toml:4)\n\
         \x20 a.v1.Report.tags: 3 elements (a default)\n"
    );
}

#[test]
fn name_that_nothing_has_is_an_error() {
    for name in ["a.v1.Reporter", "eport", "Report.none", ""] {
        let text = explain(name);
        assert!(
            text.starts_with(&format!(
                "error: nothing in these files is called `{name}`; write "
            )),
            "{text}"
        );
    }
}
