//! What can be wrong with what is said of fields, in capacity files, options and defaults: where it is, and what to write.

mod support;

use rpc_nostd_codegen::{Builder, CapacityOf};

fn run_with(builder: &Builder, files: &[(&str, &str)]) -> Result<String, String> {
    let folder = support::folder(files);
    let (first, _) = files[0];
    let result = builder.generate(&[folder.path().join(first)], &[folder.path()]);
    result.map(|generated| generated.code).map_err(|error| {
        let text = error.to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    })
}

fn run(files: &[(&str, &str)]) -> Result<String, String> {
    run_with(&Builder::new(), files)
}

/// One field of each kind, all with capacities that the lines of a test come on top of.
const BODY: &str = "syntax = \"proto3\";\npackage a.v1;\nmessage M {\n  string s = 1;\n  uint32 n = 2;\n  repeated string r \
                    = 3;\n  map<string, M2> m = 4;\n  M2 in = 5;\n  oneof o {\n    string one = 6;\n    M2 two = 7;\n  \
                    }\n  repeated M2 many = 8;\n}\nmessage M2 {\n  bool b = 1;\n}\n";
const DEFAULTS: &str = "[default]\nstring = 8\nrepeated = 2\nmap = 2\nelem = 4\nkey = 4\n[capacity]\n";

#[test]
fn line_that_its_field_does_not_take_is_told_with_what_it_takes() {
    let write = "write a number, or one of { borrow = true }, { callback = \"crate::Type\" }, { skip = true } and \
                 { encoded = 64 }";
    let cases = [
        ("\"M.n\" = 4", "field `M.n` takes no capacity: it is a uint32".to_owned()),
        ("\"M.in\" = 4", "field `M.in` takes no capacity: it is a message `a.v1.M2`".into()),
        ("\"M.many.elem\" = 4", "field `M.many.elem` takes no capacity: it is a message `a.v1.M2`".into()),
        ("\"M.s.elem\" = 4", "no message has a field `M.s.elem`; write package.Message.field".into()),
        (
            "\"M.n\" = { borrow = true }",
            "field `M.n` cannot borrow: it is a uint32, and only `string` and `bytes` can".into(),
        ),
        (
            "\"M.r\" = { borrow = true }",
            "field `M.r` cannot borrow: it is a repeated string, and only `string` and `bytes` can; for its parts write \
             \"a.v1.M.r.elem\" = { borrow = true }"
                .into(),
        ),
        (
            "\"M.one\" = { callback = \"crate::X\" }",
            "field `M.one` cannot have a callback: it is a member of a oneof".into(),
        ),
        (
            "\"M.r.elem\" = { callback = \"crate::X\" }",
            "field `M.r.elem` is a part of a field, and `{ callback = \"crate::X\" }` is said of all of it: write \
             \"a.v1.M.r\" = { callback = \"crate::X\" }"
                .into(),
        ),
        (
            "\"M.m.key\" = { skip = true }",
            "field `M.m.key` is a part of a field, and `{ skip = true }` is said of all of it: write \"a.v1.M.m\" = { skip \
             = true }"
                .into(),
        ),
        (
            "\"M.s\" = { encoded = 4 }",
            "field `M.s` cannot be kept encoded: it is a string, and only messages can".into(),
        ),
        (
            "\"M.many\" = { encoded = 4 }",
            "field `M.many` cannot be kept encoded: it is a repeated message `a.v1.M2`, and only messages can; for its \
             parts write \"a.v1.M.many.elem\" = { encoded = 4 }"
                .into(),
        ),
        (
            "\"M.m\" = { encoded = 4 }",
            "field `M.m` cannot be kept encoded: it is a map<string, message `a.v1.M2`>, and only messages can; for its \
             parts write \"a.v1.M.m.value\" = { encoded = 4 }"
                .into(),
        ),
        ("\"M.s\" = {}", format!("nothing is said of `M.s`; {write}")),
        ("\"M.s\" = { skip = true, borrow = true }", format!("more than one thing is said of `M.s`; {write}")),
        ("\"M.s\" = { borow = true }", format!("`borow` of `M.s` is unknown here; {write}")),
        ("\"M.s\" = { borrow = 1 }", format!("`borrow` of `M.s` is of type integer; {write}")),
        ("\"M.s\" = { callback = true }", format!("`callback` of `M.s` is of type boolean; {write}")),
        ("\"M.in\" = { encoded = \"4\" }", format!("`encoded` of `M.in` is of type string; {write}")),
        (
            "\"M.s\" = { borrow = false }",
            format!("`borrow = false` says nothing of `M.s`; remove the line, or {write}"),
        ),
        ("\"M.in\" = { encoded = 0 }", "`encoded` of `M.in` is a number from 1 to 4294967295".into()),
        ("\"M.s\" = 1.5", "the capacity of `M.s` is of type float; write a number, or one of { borrow".into()),
        ("\"M.s\" = [4]", "the capacity of `M.s` is of type array; write a number, or one of { borrow".into()),
        (
            "\"M.s\" = { callback = \"LogSink\" }",
            "the callback of `M.s`: `LogSink` would be looked up in the module of the message; write it from a crate's \
             root: \"crate::LogSink\" or \"::other_crate::LogSink\""
                .into(),
        ),
        (
            "\"M.s\" = { callback = \"not a type\" }",
            "the callback of `M.s`: `not a type` is no path of a Rust type; write one, such as \"crate::LogSink\"".into(),
        ),
        (
            "\"M.s\" = { callback = \"::core::option::Option<crate::X>\" }",
            "the callback of `M.s`: `::core::option::Option<crate::X>` cannot be sent: micropb does not count the bytes of an \
             `Option`; write a type of yours that holds one"
                .into(),
        ),
        (
            "\"M.s\" = { callback = \"crate::X<'b>\" }",
            "the callback of `M.s`: `crate::X<'b>` has the lifetime `'b`; the message's is called `'a`: write that".into(),
        ),
    ];
    for (line, expected) in cases {
        let text = run(&[("a.proto", BODY), ("a.toml", &format!("{DEFAULTS}{line}\n"))]).expect_err(line);
        assert!(
            text.starts_with(&format!("error: a.toml:8: {expected}")),
            "{line}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "{line}: {text}");
    }
}

#[test]
fn line_for_a_part_of_a_field_that_is_not_there_is_told() {
    let lines = "\"M.r\" = { skip = true }\n\"M.r.elem\" = 4\n";
    let text = run(&[("a.proto", BODY), ("a.toml", &format!("{DEFAULTS}{lines}"))]).unwrap_err();
    assert_eq!(
        text,
        "error: a.toml:9: nothing holds `a.v1.M.r.elem`: of field `a.v1.M.r` it says { skip = true } (a.toml:8); remove one \
         of the two"
    );
    // A wildcard is meant for others.
    let lines = "\"M.r\" = { skip = true }\n\"M.*.elem\" = 4\n\"M.*.key\" = 4\n";
    run(&[("a.proto", BODY), ("a.toml", &format!("{DEFAULTS}{lines}"))]).unwrap();
}

#[test]
fn same_key_twice_is_told_with_the_first_line() {
    let cases = [
        (
            "\"M.s\" = 4\n# more\n\"M.s\" = 5\n",
            10,
            "duplicate key: it is on line 8 already",
        ),
        ("M.s = 4\nM.s = 5\n", 9, "duplicate key: it is on line 8 already"),
    ];
    for (lines, second, expected) in cases {
        let text = run(&[("a.proto", BODY), ("a.toml", &format!("{DEFAULTS}{lines}"))]).unwrap_err();
        let expected = format!(
            "error: a.toml:{second}: is not valid TOML: {expected}, and both count alike; remove one"
        );
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn all_that_is_no_toml_is_told_at_once() {
    let text = run(&[
        ("a.proto", BODY),
        ("a.toml", "[capacity]\nx = \n\"M.s\" = 4\n\"M.s\" = 4\ny = ?\n"),
    ])
    .unwrap_err();
    for line in [2, 4, 5] {
        assert!(
            text.contains(&format!("error: a.toml:{line}: is not valid TOML: ")),
            "{text}"
        );
    }
}

#[test]
fn default_that_cannot_be_is_told_with_the_line() {
    let cases = [
        (
            "strings = 4",
            "`strings` is unknown; defaults are for `string`, `bytes`, `repeated`, `map`, `elem`, `key`, `value`",
        ),
        (
            "map = 3",
            "the default of `map` is 3; a map holds a power of two of entries, at least 2: write 4",
        ),
        (
            "string = 0",
            "the default of `string` is a number from 1 to 4294967295",
        ),
        (
            "string = -1",
            "the default of `string` is a number from 1 to 4294967295",
        ),
        (
            "string = \"4\"",
            "the default of `string` is of type string; write a number",
        ),
        (
            "string = { borrow = true }",
            "the default of `string` is of type table; write a number",
        ),
    ];
    for (line, expected) in cases {
        let text = run(&[
            ("a.proto", "syntax = \"proto3\";\n"),
            ("a.toml", &format!("[default]\n{line}\n")),
        ])
        .unwrap_err();
        assert_eq!(text, format!("error: a.toml:2: {expected}"), "{line}");
    }
    let text = run(&[("a.proto", "syntax = \"proto3\";\n"), ("a.toml", "default = 4\n")]).unwrap_err();
    assert_eq!(
        text,
        "error: a.toml:1: `default` is of type integer; write a table: [default]"
    );
}

#[test]
fn default_of_the_builder_that_cannot_be_is_told() {
    let builder = Builder::new()
        .default_capacity(CapacityOf::Map, 3)
        .default_capacity(CapacityOf::Key, 0);
    let text = run_with(&builder, &[("a.proto", "syntax = \"proto3\";\n")]).unwrap_err();
    assert_eq!(
        text,
        "error: the default of `map` is 3; a map holds a power of two of entries, at least 2: write 4\n\
         error: the default of `key` is 0; write a number from 1"
    );
}

fn with_options(field: &str) -> String {
    format!(
        "syntax = \"proto3\";\npackage a.v1;\nimport \"rpc_nostd/options.proto\";\nmessage M {{\n  {field}\n}}\nmessage M2 \
         {{}}\n"
    )
}

#[test]
fn option_that_its_field_does_not_take_is_told_with_the_line() {
    let cases = [
        (
            "uint32 n = 1 [(rpc_nostd.field).capacity = 4];",
            "option of `a.v1.M.n`: it takes no capacity: it is a uint32",
        ),
        (
            "string s = 1 [(rpc_nostd.field).capacity = 0];",
            "option of `a.v1.M.s`: the number is 0; write one from 1",
        ),
        (
            "string s = 1 [(rpc_nostd.field) = { capacity: 4, skip: true }];",
            "option of `a.v1.M.s`: it says more than one thing; write one of `capacity`, `borrow`, `callback`, `skip` and \
             `encoded`",
        ),
        (
            "string s = 1 [(rpc_nostd.field).capacity = 4, (rpc_nostd.field).elem.capacity = 4];",
            "option of `a.v1.M.s.elem`: the field has no `elem`: it is a string; a repeated field has `elem`, a map `key` \
             and `value`",
        ),
        (
            "string s = 1 [(rpc_nostd.field).callback = \"X\"];",
            "option of `a.v1.M.s`: `X` would be looked up in the module of the message; ",
        ),
        (
            "M2 m = 1 [(rpc_nostd.field).borrow = true];",
            "option of `a.v1.M.m`: it cannot borrow: it is a message `a.v1.M2`, ",
        ),
        (
            "map<uint32, bool> m = 1 [(rpc_nostd.field).capacity = 3];",
            "the capacity of map field `a.v1.M.m` is 3; a map holds a power of two of entries, at least 2: write 4",
        ),
    ];
    for (field, expected) in cases {
        let text = run(&[("a.proto", &with_options(field))]).unwrap_err();
        assert!(
            text.starts_with(&format!("error: a.proto:5: {expected}")),
            "{field}: {text}"
        );
    }
}

#[test]
fn option_is_told_with_its_own_line() {
    let field = "repeated string s = 1 [\n    deprecated = false,\n    (rpc_nostd.field).capacity = 0,\n    \
                 (rpc_nostd.field).elem.encoded = 4\n  ];\n  bytes b = 2 [(rpc_nostd.field) = {\n    capacity: 4\n    key: \
                 { capacity: 4 }\n  }];";
    let text = run(&[("a.proto", &with_options(field))]).unwrap_err();
    for expected in [
        "error: a.proto:7: option of `a.v1.M.s`: the number is 0; write one from 1",
        "error: a.proto:8: option of `a.v1.M.s.elem`: it cannot be kept encoded",
        "error: a.proto:10: option of `a.v1.M.b.key`: the field has no `key`",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn option_of_the_wrong_type_is_told_with_the_line() {
    for option in [
        "(rpc_nostd.field).capacity = \"4\"",
        "(rpc_nostd.field).capacity = -4",
        "(rpc_nostd.field).capacity = 4294967296",
        "(rpc_nostd.field).borrow = 1",
        "(rpc_nostd.field).callback = 1",
        "(rpc_nostd.field).elem = 4",
        "(rpc_nostd.field).size = 4",
        "(rpc_nostd.message).default.string = 4",
        "(rpc_nostd.fields).capacity = 4",
    ] {
        let text = run(&[("a.proto", &with_options(&format!("string s = 1 [{option}];")))]).unwrap_err();
        assert!(text.starts_with("error: a.proto:5: "), "{option}: {text}");
    }
}

#[test]
fn default_by_an_option_that_cannot_be_is_told() {
    let file = "syntax = \"proto3\";\nimport \"rpc_nostd/options.proto\";\noption (rpc_nostd.file).default.map = \
                3;\nmessage M {\n  option (rpc_nostd.message).default.string = 0;\n}\n";
    let text = run(&[("a.proto", file)]).unwrap_err();
    assert_eq!(
        text,
        "error: a.proto:3: option `rpc_nostd.file`: the default of `map` is 3; a map holds a power of two of entries, at \
         least 2: write 4\n\
         error: a.proto:5: option `rpc_nostd.message`: the default of `string` is 0; write a number from 1"
    );
}

#[test]
fn options_need_their_file_to_be_imported() {
    let file = "syntax = \"proto3\";\nmessage M {\n  string s = 1 [(rpc_nostd.field).capacity = 4];\n}\n";
    let text = run(&[("a.proto", file)]).unwrap_err();
    assert!(text.starts_with("error: a.proto:3: "), "{text}");
}

#[test]
fn options_file_that_is_not_ours_is_told() {
    let file = with_options("string s = 1 [(rpc_nostd.field).capacity = 4];");
    let other = rpc_nostd_codegen::OPTIONS_PROTO.replace("71500", "71501");
    let text = run(&[("a.proto", &file), ("rpc_nostd/options.proto", &other)]).unwrap_err();
    assert_eq!(
        text,
        "error: rpc_nostd/options.proto:1: is not the options file of this version of rpc-nostd-codegen, but would be \
         taken for it by `import \"rpc_nostd/options.proto\"`; remove it, since none is needed here, or copy the one of \
         this version over it, which `rpc-nostd-codegen options` prints"
    );
    // A copy for protoc is what it is, whatever its comments.
    let copy = format!("// Copied.\n{}", rpc_nostd_codegen::OPTIONS_PROTO);
    run(&[("a.proto", &file), ("rpc_nostd/options.proto", &copy)]).unwrap();
}

#[test]
fn mistakes_in_several_places_are_told_in_one_run() {
    let body = "syntax = \"proto3\";\npackage a.v1;\nimport \"b.proto\";\nimport \
                \"rpc_nostd/options.proto\";\nmessage M {\n  string s = 1;\n  uint32 n = 2 [(rpc_nostd.field).capacity = \
                4];\n  b.B b = 3;\n  M again = 4;\n}\n";
    let text = run(&[
        ("a.proto", body),
        ("a.toml", "[capacity]\n\"M.x\" = 4\n"),
        (
            "b.proto",
            "syntax = \"proto3\";\npackage b;\nmessage B {\n  string s = 1;\n  bytes t = 2;\n}\n",
        ),
        ("b.toml", "[capacity]\n\"B.s\" = true\n[more]\n"),
    ])
    .unwrap_err();
    for expected in [
        "error: a.proto:5: message `a.v1.M` contains itself",
        "error: a.proto:7: option of `a.v1.M.n`: it takes no capacity",
        "error: a.toml:2: no field `M.x`",
        "error: b.toml:2: the capacity of `B.s` is of type boolean",
        "error: b.toml:3: `more` is unknown here",
        "error: a.proto:6: no capacity for string field `s`",
        "error: b.proto:5: no capacity for bytes field `t`",
        "To paste into b.toml (the numbers are examples):",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn lines_that_a_recursion_asks_for_are_all_that_was_missing() {
    let body = "syntax = \"proto3\";\npackage a.v1;\nimport \"google/protobuf/struct.proto\";\nmessage M {\n  \
                google.protobuf.Struct s = 1;\n  map<uint32, M> by_id = 2;\n}\n";
    let defaults = "[default]\nstring = 8\nrepeated = 2\nmap = 2\nkey = 4\n[capacity]\n";
    let text = run(&[("a.proto", body), ("a.toml", defaults)]).unwrap_err();
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            line.split_once("by a line in a.toml: ")
                .unwrap()
                .1
                .split_once(" keeps")
                .unwrap()
                .0
        })
        .collect();
    assert_eq!(
        lines,
        [
            "\"google.protobuf.Value.struct_value\" = { encoded = 64 }",
            "\"google.protobuf.ListValue.values.elem\" = { encoded = 64 }",
            "\"a.v1.M.by_id.value\" = { encoded = 64 }",
        ]
    );
    let code = run(&[
        ("a.proto", body),
        ("a.toml", &format!("{defaults}{}\n", lines.join("\n"))),
    ])
    .unwrap();
    assert!(
        code.contains("StructValue(::rpc_nostd::heapless::Vec<u8, 64>)"),
        "{code}"
    );
    // Who does not need it leaves it out, and then nothing of it is there.
    let skip = "\"M.s\" = { skip = true }\n\"M.by_id\" = { skip = true }\n";
    let code = run(&[("a.proto", body), ("a.toml", &format!("{defaults}{skip}"))]).unwrap();
    assert!(!code.contains("ListValue"), "{code}");
}
