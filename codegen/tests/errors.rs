//! Every error: what it says, and where.

mod support;

use rpc_nostd_codegen::{Builder, Error, Problem};

/// Runs over these files, the first of which is the `.proto` that is asked for.
fn run(files: &[(&str, &str)]) -> Result<String, (Error, String)> {
    run_with(&Builder::new(), files)
}

fn run_with(builder: &Builder, files: &[(&str, &str)]) -> Result<String, (Error, String)> {
    let folder = support::folder(files);
    let (first, _) = files[0];
    match builder.generate(&[folder.path().join(first)], &[folder.path()]) {
        Ok(generated) => Ok(generated.code),
        Err(error) => {
            let text = error
                .to_string()
                .replace(&format!("{}/", folder.path().display()), "");
            Err((error, text))
        }
    }
}

/// The error's text, with paths relative to the folder of the files.
fn text_of(files: &[(&str, &str)]) -> String {
    run(files).expect_err("this input is bad").1
}

const HEAD: &str = "syntax = \"proto3\";\npackage a.v1;\n";

fn proto(body: &str) -> String {
    format!("{HEAD}{body}")
}

#[test]
fn broken_proto_is_told_with_its_line() {
    let text = text_of(&[("a.proto", &proto("message M {\n  uint32 = 1;\n}\n"))]);
    assert!(text.starts_with("error: a.proto:4: expected "), "{text}");
}

#[test]
fn edition_is_told_with_what_to_write_instead() {
    let text = text_of(&[("a.proto", "\n\nedition = \"2023\";\npackage a.v1;\n")]);
    assert_eq!(
        text,
        "error: a.proto:3: editions are not supported; write `syntax = \"proto3\";` instead, with `optional` where a field \
         that is absent must differ from one that is 0, or `syntax = \"proto2\";`, and leave out `option features`"
    );
}

#[test]
fn unknown_type_is_told_with_its_line() {
    let text = text_of(&[("a.proto", &proto("message M {\n  Missing m = 1;\n}\n"))]);
    assert_eq!(text, "error: a.proto:4: name 'Missing' is not defined");
}

#[test]
fn missing_import_is_told_with_its_line() {
    let text = text_of(&[("a.proto", &proto("import \"b/missing.proto\";\n"))]);
    assert_eq!(text, "error: a.proto:3: import 'b/missing.proto' not found");
}

#[test]
fn error_in_an_import_is_told_with_the_import_s_line() {
    let text = text_of(&[
        ("a.proto", &proto("import \"b.proto\";\n")),
        ("b.proto", "syntax = \"proto3\";\nmessage {}\n"),
    ]);
    assert!(text.starts_with("error: b.proto:2: expected "), "{text}");
}

#[test]
fn import_cycle_is_spelled() {
    let text = text_of(&[
        ("a.proto", &proto("import \"b.proto\";\n")),
        ("b.proto", "syntax = \"proto3\";\nimport \"a.proto\";\n"),
    ]);
    assert!(
        text.contains("import cycle detected: a.proto -> b.proto -> a.proto"),
        "{text}"
    );
}

#[test]
fn proto_that_is_not_utf8_is_told_with_its_line() {
    let folder = support::folder(&[]);
    std::fs::write(
        folder.path().join("a.proto"),
        b"syntax = \"proto3\";\n\n// caf\xe9\n",
    )
    .unwrap();
    let error = Builder::new()
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap_err();
    assert!(
        error.to_string().ends_with("a.proto:3: is not valid UTF-8"),
        "{error}"
    );
}

#[test]
fn proto_that_does_not_exist_is_named() {
    let folder = support::folder(&[]);
    let error = Builder::new()
        .generate(&[folder.path().join("none.proto")], &[folder.path()])
        .unwrap_err();
    assert!(error.to_string().ends_with("none.proto: no such file"), "{error}");
}

#[test]
fn proto_outside_of_the_include_folders_is_told() {
    let folder = support::folder(&[("a.proto", HEAD), ("other/b.proto", HEAD)]);
    let error = Builder::new()
        .generate(&[folder.path().join("a.proto")], &[folder.path().join("other")])
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("a.proto' is not in any include path"), "{text}");
    assert!(text.ends_with("name its folder as an include path"), "{text}");
}

#[test]
fn include_folder_that_does_not_exist_is_told() {
    let folder = support::folder(&[("a.proto", HEAD)]);
    let error = Builder::new()
        .generate(&[folder.path().join("a.proto")], &[folder.path().join("none")])
        .unwrap_err();
    assert!(error.to_string().contains("none: no such folder"), "{error}");
}

#[test]
fn two_services_of_one_name_are_told_with_the_line() {
    let text = text_of(&[("a.proto", &proto("service S {}\nservice S {}\n"))]);
    assert_eq!(text, "error: a.proto:4: name 'a.v1.S' is defined twice");
}

#[test]
fn no_proto_is_a_usage_error() {
    let none: [&str; 0] = [];
    let error = Builder::new().generate(&none, &none).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: no .proto file was named: name at least one"
    );
    let error = Builder::new().out_dir("x").compile(&none, &none).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: no .proto file was named: name at least one"
    );
}

#[test]
fn all_missing_capacities_are_told_at_once_with_the_lines_to_add() {
    let body = "message M {\n  string name = 1;\n  repeated bytes parts = 2;\n  uint32 n = 3;\n  Inner inner = 4;\n  \
                message Inner {\n    map<string, string> labels = 1;\n  }\n}\n";
    let text = text_of(&[
        ("a.proto", &proto(body)),
        ("a.toml", "[capacity]\n\"M.parts\" = 3\n"),
    ]);
    assert_eq!(
        text,
        "error: a.proto:4: no capacity for string field `name` of message `M` in package `a.v1`; \
         add to a.toml: \"a.v1.M.name\" = 32 # bytes of UTF-8\n\
         error: a.proto:5: no capacity for the bytes of repeated field `parts.elem` of message `M` in package `a.v1`; \
         add to a.toml: \"a.v1.M.parts.elem\" = 64 # bytes in each element\n\
         error: a.proto:9: no capacity for map field `labels` of message `M.Inner` in package `a.v1`; \
         add to a.toml: \"a.v1.M.Inner.labels\" = 8 # entries, a power of two\n\
         error: a.proto:9: no capacity for the keys of map field `labels.key` of message `M.Inner` in package `a.v1`; \
         add to a.toml: \"a.v1.M.Inner.labels.key\" = 16 # bytes of UTF-8 in each key\n\
         error: a.proto:9: no capacity for the values of map field `labels.value` of message `M.Inner` in package `a.v1`; \
         add to a.toml: \"a.v1.M.Inner.labels.value\" = 32 # bytes of UTF-8 in each value\n\
         \n\
         To paste into a.toml (the numbers are examples):\n\
         \n\
         [capacity]\n\
         \"a.v1.M.name\" = 32 # bytes of UTF-8\n\
         \"a.v1.M.parts.elem\" = 64 # bytes in each element\n\
         \"a.v1.M.Inner.labels\" = 8 # entries, a power of two\n\
         \"a.v1.M.Inner.labels.key\" = 16 # bytes of UTF-8 in each key\n\
         \"a.v1.M.Inner.labels.value\" = 32 # bytes of UTF-8 in each value\n"
    );
}

#[test]
fn pasted_lines_are_all_that_was_missing() {
    let body = proto(
        "message M {\n  string a = 1;\n  repeated string b = 2;\n  map<string, bytes> c = 3;\n  bytes d = 4;\n}\n",
    );
    let (_, text) = run(&[("a.proto", &body)]).unwrap_err();
    let (_, pasted) = text.split_once("examples):\n\n").unwrap();
    run(&[("a.proto", &body), ("a.toml", pasted)]).unwrap();
}

#[test]
fn missing_capacity_is_told_in_its_parts() {
    let (error, _) = run(&[("a.proto", &proto("message M {\n  bytes b = 1;\n}\n"))]).unwrap_err();
    let [
        Problem::MissingCapacity {
            place,
            package,
            message,
            field,
            line_to_add,
            ..
        },
    ] = error.problems()
    else {
        panic!("{error}")
    };
    assert_eq!(place.line, Some(4));
    assert_eq!(
        (package.as_str(), message.as_str(), field.as_str()),
        ("a.v1", "M", "b")
    );
    assert_eq!(line_to_add, "\"a.v1.M.b\" = 64 # bytes");
}

#[test]
fn missing_capacity_of_a_message_that_is_not_on_disk_goes_beside_the_asked_for_file() {
    let body =
        proto("import \"google/protobuf/any.proto\";\nmessage M {\n  google.protobuf.Any any = 1;\n}\n");
    let text = text_of(&[("a.proto", &body)]);
    assert!(
        text.contains("add to a.toml: \"google.protobuf.Any.type_url\" = 32"),
        "{text}"
    );
    let capacities = "[capacity]\n\"google.protobuf.Any.*\" = 32\n";
    run(&[("a.proto", &body), ("a.toml", capacities)]).unwrap();
}

#[test]
fn capacity_for_a_field_that_does_not_exist_is_an_error() {
    let body = proto("message M {\n  bytes b = 1;\n  uint32 n = 2;\n}\n");
    let capacities =
        "[capacity]\n\"a.v1.M.b\" = 4\n\"a.v1.M.bb\" = 4\n\"M.n\" = 4\n\"N.b\" = 4\n\"x.*.b\" = 4\n";
    let text = text_of(&[("a.proto", &body), ("a.toml", capacities)]);
    assert_eq!(
        text,
        "error: a.toml:3: no field `a.v1.M.bb`; message `a.v1.M` has `a.v1.M.b`\n\
         error: a.toml:4: field `M.n` takes no capacity: it is a uint32\n\
         error: a.toml:5: no message has a field `N.b`; write package.Message.field, or Message.field for package \
         `a.v1`, and `*` for any one name\n\
         error: a.toml:6: no message has a field `x.*.b`; write package.Message.field, or Message.field for package \
         `a.v1`, and `*` for any one name"
    );
}

#[test]
fn missing_capacities_and_bad_lines_are_told_in_one_run() {
    let body = proto("message M {\n  bytes b = 1;\n}\n");
    let text = text_of(&[("a.proto", &body), ("a.toml", "[capacity]\n\"M.c\" = 4\n")]);
    assert!(
        text.contains("`b` of message `M`") && text.contains("no field `M.c`"),
        "{text}"
    );
}

#[test]
fn two_capacities_of_one_strength_contradict_each_other() {
    let body = proto("message M {\n  bytes b = 1;\n}\n");
    let text = text_of(&[
        ("a.proto", &body),
        ("a.toml", "[capacity]\n\"M.b\" = 4\n\"a.v1.M.b\" = 5\n"),
    ]);
    assert_eq!(
        text,
        "error: a.toml:3: `a.v1.M.b` names the same field as `M.b` in a.toml:2, and neither is more exact: remove one"
    );
}

#[test]
fn capacity_file_that_is_no_table_of_numbers_is_told_with_the_line() {
    let body = proto("message M {\n  bytes b = 1;\n}\n");
    let cases = [
        (
            "[capacity]\n\"M.b\" = \"4\"\n",
            "a.toml:2: the capacity of `M.b` is of type string; write a number",
        ),
        (
            "[capacity]\n\"M.b\" = 0\n",
            "a.toml:2: the capacity of `M.b` is a number from 1 to 4294967295",
        ),
        (
            "[capacity]\n\"M.b\" = -4\n",
            "a.toml:2: the capacity of `M.b` is a number from 1 to 4294967295",
        ),
        (
            "[capacity]\n\"M.b\" = 4294967296\n",
            "a.toml:2: the capacity of `M.b` is a number from 1 to 4294967295",
        ),
        ("[capacity]\n\"M.b*\" = 4\n", "a.toml:2: `M.b*` is no path"),
        ("[capacity]\n\"M..b\" = 4\n", "a.toml:2: `M..b` is no path"),
        (
            "\n[capacities]\n",
            "a.toml:2: `capacities` is unknown here; a capacity file has the tables [capacity], [default] and [method]",
        ),
        (
            "capacity = 4\n",
            "a.toml:1: `capacity` is of type integer; write a table: [capacity]",
        ),
        (
            "[capacity]\n\"M.b\" = 4\n\"M.b\" = 5\n",
            "a.toml:3: is not valid TOML: duplicate key",
        ),
        ("[capacity\n", "a.toml:1: is not valid TOML: "),
    ];
    for (capacities, expected) in cases {
        let text = text_of(&[("a.proto", &body), ("a.toml", capacities)]);
        assert!(
            text.starts_with(&format!("error: {expected}")) || text.contains(&format!("\nerror: {expected}")),
            "{capacities}: {text}"
        );
    }
}

#[test]
fn capacity_file_that_is_not_utf8_is_told_with_its_line() {
    let folder = support::folder(&[("a.proto", HEAD)]);
    std::fs::write(folder.path().join("a.toml"), b"[capacity]\n# caf\xe9\n").unwrap();
    let error = Builder::new()
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap_err();
    assert!(
        error.to_string().ends_with("a.toml:2: is not valid UTF-8"),
        "{error}"
    );
}

#[test]
fn capacity_of_a_map_is_a_power_of_two() {
    let body = proto("message M {\n  map<uint32, bool> m = 1;\n}\n");
    for (number, next) in [(1, 2), (5, 8), (4294967295_u32, 2147483648_u32)] {
        let text = text_of(&[
            ("a.proto", &body),
            ("a.toml", &format!("[capacity]\n\"M.m\" = {number}\n")),
        ]);
        assert_eq!(
            text,
            format!(
                "error: a.toml:2: the capacity of map field `a.v1.M.m` is {number}; a map holds a power of two of \
                 entries, at least 2: write {next}"
            )
        );
    }
}

#[test]
fn imported_message_that_nobody_needs_needs_nothing() {
    let body = proto("import \"b.proto\";\nmessage M {\n  b.Used used = 1;\n}\n");
    let other = "syntax = \"proto3\";\npackage b;\nmessage Used {\n  bytes b = 1;\n}\nmessage Unused {\n  \
                 bytes c = 1;\n  map<uint32, bool> m = 2;\n  Unused again = 3;\n}\n\
                 service S {\n  rpc Up(stream Unused) returns (Unused);\n}\n";
    let capacities = "[capacity]\n\"Used.b\" = 3\n\"Unused.m\" = 3\n";
    let code = run(&[("a.proto", &body), ("b.proto", other), ("b.toml", capacities)]).unwrap();
    assert!(code.contains("struct Used") && !code.contains("Unused"), "{code}");
}

#[test]
fn recursion_is_told_with_the_cycle() {
    let body = "message A {\n  B b = 1;\n}\nmessage B {\n  oneof x {\n    C c = 1;\n  }\n}\nmessage C {\n  \
                repeated A a = 1;\n}\n";
    let text = text_of(&[("a.proto", &proto(body)), ("a.toml", "[capacity]\n\"C.a\" = 2\n")]);
    assert!(
        text.starts_with(
            "error: a.proto:3: message `a.v1.A` contains itself (a.v1.A.b (a.proto:4) -> a.v1.B.c (a.proto:8) -> \
             a.v1.C.a (a.proto:12) -> a.v1.A), so it has no fixed size; break the cycle at one of these fields, for \
             example by a line in a.toml: \"a.v1.C.a.elem\" = { encoded = 64 } "
        ),
        "{text}"
    );
    assert_eq!(text.matches("contains itself").count(), 1, "{text}");
}

#[test]
fn recursion_through_a_map_is_told() {
    let body = "message A {\n  map<uint32, A> a = 1;\n}\n";
    let text = text_of(&[("a.proto", &proto(body)), ("a.toml", "[capacity]\n\"A.a\" = 2\n")]);
    assert!(text.contains("(a.v1.A.a (a.proto:4) -> a.v1.A)"), "{text}");
}

/// Two services, of which the second has no methods, and the package's one message.
const SERVICES: &str = "message M {\n  bytes b = 1;\n}\nservice S {\n  rpc Up(stream M) returns (M);\n  \
                        rpc Down(M) returns (stream M);\n}\nservice Empty {}\n";

#[test]
fn method_line_that_says_nothing_we_can_use_is_told_with_the_line() {
    let body = proto(SERVICES);
    let write = "write \"package.Service.Method\" = { chunked = true }";
    let cases = [
        ("\"S.Up\" = true", format!("`S.Up` is unknown here; {write}")),
        ("\"S.Up.chunked\" = true", format!("`S.Up.chunked` is unknown here; {write}")),
        ("chunked = true", format!("`chunked` is unknown here; {write}")),
        ("\"S.Up\".chunky = true", format!("`chunky` is unknown here; {write}")),
        ("\"S.Up\" = {}", format!("nothing is said of method `S.Up`; {write}")),
        ("S.Up.chunked = 1", "`chunked` of method `S.Up` is of type integer; write true or false".into()),
        ("\"S.U*\".chunked = true", "`S.U*` is no path: names are separated by single dots".into()),
        (
            "\"S.Upp\".chunked = true",
            "no method `S.Upp`; service `a.v1.S` has `a.v1.S.Up`, `a.v1.S.Down`".into(),
        ),
        (
            "\"a.v1.Empty.Up\".chunked = true",
            "no method `a.v1.Empty.Up`; service `a.v1.Empty` has none".into(),
        ),
        (
            "\"M.b\".chunked = true",
            "no service has a method `M.b`; the services are `a.v1.S`, `a.v1.Empty`; write package.Service.Method, or \
             Service.Method for package `a.v1`, and `*` for any one name"
                .into(),
        ),
    ];
    for (line, expected) in cases {
        let capacities = format!("capacity.M.b = 4\n[method]\n{line}\n");
        let text = text_of(&[("a.proto", &body), ("a.toml", &capacities)]);
        assert!(
            text.starts_with(&format!("error: a.toml:3: {expected}")),
            "{line}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "{line}: {text}");
    }
}

#[test]
fn methods_that_are_no_table_are_told() {
    let text = text_of(&[("a.proto", HEAD), ("a.toml", "method = 4\n")]);
    assert_eq!(
        text,
        "error: a.toml:1: `method` is of type integer; write a table: [method]"
    );
}

#[test]
fn method_line_where_there_are_no_services_is_told() {
    let text = text_of(&[("a.proto", HEAD), ("a.toml", "method.S.Up.chunked = true\n")]);
    assert!(
        text.starts_with("error: a.toml:1: no service has a method `S.Up`; there are no services; write "),
        "{text}"
    );
}

#[test]
fn two_method_lines_of_one_strength_contradict_each_other() {
    let capacities = "capacity.M.b = 4\n[method]\n\"S.*\".chunked = true\n\"*.Up\".chunked = false\n";
    let text = text_of(&[("a.proto", &proto(SERVICES)), ("a.toml", capacities)]);
    assert_eq!(
        text,
        "error: a.toml:4: `*.Up` names the same method as `S.*` in a.toml:3, and neither is more exact: remove one"
    );
}

#[test]
fn bad_method_lines_are_told_though_no_server_is_generated() {
    let files = [
        ("a.proto", &*proto(SERVICES)),
        ("a.toml", "capacity.M.b = 4\nmethod.S.Upp.chunked = true\n"),
    ];
    let (_, text) = run_with(&Builder::new().server(false), &files).unwrap_err();
    assert!(text.starts_with("error: a.toml:2: no method `S.Upp`"), "{text}");
}

#[test]
fn line_for_a_method_of_an_imported_service_fits() {
    let body = proto("import \"b.proto\";\nmessage M {\n  b.Used used = 1;\n}\n");
    let other =
        "syntax = \"proto3\";\npackage b;\nmessage Used {}\nservice S {\n  rpc Up(Used) returns (Used);\n}\n";
    let lines = "[method]\n\"S.Up\".chunked = true\n";
    run(&[("a.proto", &body), ("b.proto", other), ("b.toml", lines)]).unwrap();
}

#[test]
fn service_or_method_without_a_letter_first_is_told() {
    let body = "message M {}\nservice _ {\n  rpc _1(M) returns (M);\n  rpc Fine(M) returns (M);\n}\n";
    let text = text_of(&[("a.proto", &proto(body))]);
    assert_eq!(
        text,
        "error: a.proto:4: service `a.v1._` has no name in Rust, where names begin with a letter; rename it in the \
         .proto, so that a letter comes first\n\
         error: a.proto:5: method `_1` of service `a.v1._` has no name in Rust, where names begin with a letter; \
         rename it in the .proto, so that a letter comes first"
    );
}

#[test]
fn methods_that_would_get_one_name_are_told() {
    let body = "message M {}\nservice S {\n  rpc GetIt(M) returns (M);\n  rpc Get_It(M) returns (M);\n}\n";
    let text = text_of(&[("a.proto", &proto(body))]);
    assert_eq!(
        text,
        "error: a.proto:6: method `Get_It` of service `a.v1.S` and method `GetIt` both become `get_it` in Rust; \
         rename one of them in the .proto"
    );
}

#[test]
fn sizes_of_one_method_and_another_method_clash() {
    let body =
        "message M {}\nservice S {\n  rpc Get(M) returns (M);\n  rpc GetRequestMaxSize(M) returns (M);\n}\n";
    let text = text_of(&[("a.proto", &proto(body))]);
    assert!(
        text.contains("`GetRequestMaxSize`") && text.contains("`GET_REQUEST_MAX_SIZE`"),
        "{text}"
    );
}

#[test]
fn client_and_message_of_one_name_are_told() {
    let text = text_of(&[("a.proto", &proto("message SClient {}\nservice S {}\n"))]);
    assert_eq!(
        text,
        "error: a.proto:4: the client of service `a.v1.S` and message `a.v1.SClient` (a.proto:3) both become `SClient` \
         in Rust; rename one of them in the .proto, or leave the clients out by `Builder::client(false)` (command: \
         `--no-client`)"
    );
}

#[test]
fn server_and_message_of_one_name_are_told() {
    let body = "message SServer {}\nenum some_name {\n  ZERO = 0;\n}\nmessage SomeName {}\nservice S {}\n\
                service someName {}\n";
    let text = text_of(&[("a.proto", &proto(body))]);
    assert_eq!(
        text,
        "error: a.proto:8: the server of service `a.v1.S` and message `a.v1.SServer` (a.proto:3) both become `SServer` \
         in Rust; rename one of them in the .proto, or leave the servers out by `Builder::server(false)` (command: \
         `--no-server`)\n\
         error: a.proto:9: the trait of service `a.v1.someName` and message `a.v1.SomeName` (a.proto:7) both become \
         `SomeName` in Rust; rename one of them in the .proto, or leave the servers out by `Builder::server(false)` \
         (command: `--no-server`)"
    );
}

#[test]
fn what_is_not_generated_clashes_with_nothing() {
    let clients = proto("message SClient {}\nservice S {}\n");
    let servers = proto("message SServer {}\nmessage Name {}\nservice S {}\nservice name {}\n");
    let without = Builder::new().client(false);
    assert!(run_with(&without, &[("a.proto", &clients)]).is_ok());
    assert!(run_with(&without, &[("a.proto", &servers)]).is_err());
    let without = Builder::new().server(false);
    assert!(run_with(&without, &[("a.proto", &clients)]).is_err());
    assert!(run_with(&without, &[("a.proto", &servers)]).is_ok());
}

#[test]
fn module_and_sub_package_of_one_name_are_told() {
    let body = proto(
        "import \"b.proto\";\nservice S {\n  rpc Get(a.v1.s_service.M) returns (a.v1.s_service.M);\n}\n",
    );
    let other = "syntax = \"proto3\";\npackage a.v1.s_service;\nmessage M {}\n";
    let text = text_of(&[("a.proto", &body), ("b.proto", other)]);
    assert!(
        text.starts_with(
            "error: a.proto:4: the module of service `a.v1.S` and package `a.v1.s_service` (b.proto:3)"
        ),
        "{text}"
    );
    assert!(
        text.ends_with("both become `s_service` in Rust; rename one of them in the .proto"),
        "{text}"
    );
}

#[test]
fn sub_package_without_messages_takes_its_name_too() {
    let body = proto("import \"b.proto\";\nmessage N {\n  a.v1.s_service.E e = 1;\n}\nservice S {}\n");
    let other = "syntax = \"proto3\";\npackage a.v1.s_service;\nenum E {\n  ZERO = 0;\n}\n";
    let text = text_of(&[("a.proto", &body), ("b.proto", other)]);
    assert!(
        text.contains("package `a.v1.s_service` (b.proto:3) both become `s_service`"),
        "{text}"
    );
}

#[test]
fn services_whose_code_would_get_one_name_are_told() {
    let text = text_of(&[("a.proto", &proto("service FooBar {}\nservice foo_bar {}\n"))]);
    assert!(
        text.starts_with(
            "error: a.proto:4: the client of service `a.v1.foo_bar` and the client of service `a.v1.FooBar` \
             (a.proto:3) both become `FooBarClient` in Rust; "
        ),
        "{text}"
    );
    assert_eq!(text.matches("error:").count(), 1, "{text}");
    let text = text_of(&[("a.proto", &proto("service Foo {}\nservice FooServer {}\n"))]);
    assert!(
        text.starts_with(
            "error: a.proto:4: the trait of service `a.v1.FooServer` and the server of service `a.v1.Foo` \
             (a.proto:3) both become `FooServer` in Rust; "
        ),
        "{text}"
    );
}

#[test]
fn enum_values_that_would_get_one_name_are_told() {
    let text = text_of(&[("a.proto", &proto("enum Mode {\n  MODE_OFF = 0;\n  OFF = 1;\n}\n"))]);
    assert!(
        text.starts_with("error: a.proto:5: value `OFF` of enum `a.v1.Mode` and value `MODE_OFF` "),
        "{text}"
    );
    assert!(text.contains("both become `Off`"), "{text}");
}

#[test]
fn oneof_and_inner_type_of_one_name_are_told() {
    let body = "message M {\n  oneof choice {\n    Choice one = 1;\n  }\n  message Choice {}\n}\n";
    let text = text_of(&[("a.proto", &proto(body))]);
    assert!(
        text.starts_with("error: a.proto:4: oneof `choice` of message `a.v1.M` and type "),
        "{text}"
    );
    assert!(
        text.contains("`a.v1.M.Choice` (a.proto:7) both become `Choice` in Rust"),
        "{text}"
    );
}

#[test]
fn module_of_a_message_and_a_type_of_its_name_are_told() {
    let body = "message lower {\n  message Inner {}\n}\nmessage Up {\n  oneof one {\n    bool a = 1;\n  }\n}\n\
                message Up_ {}\nmessage fine {}\n";
    let text = text_of(&[("a.proto", &proto(body))]);
    assert_eq!(
        text,
        "error: a.proto:3: the module of what is inside message `a.v1.lower` and type `a.v1.lower` (a.proto:3) both become \
         `lower` in Rust; rename one of them in the .proto: a message's name begins with a capital letter\n\
         error: a.proto:6: the module of what is inside message `a.v1.Up` and type `a.v1.Up_` (a.proto:11) both become \
         `Up_` in Rust; rename one of them in the .proto"
    );
}

#[test]
fn group_is_told_with_what_to_write_instead() {
    let body = "syntax = \"proto2\";\npackage a.v1;\nmessage M {\n  optional group G = 1 {}\n}\n";
    let text = text_of(&[("a.proto", body)]);
    assert!(
        text.starts_with("error: a.proto:4: field `g` of message `a.v1.M` is a group"),
        "{text}"
    );
}

#[test]
fn debug_text_is_the_text_for_people() {
    let (error, _) = run(&[("a.proto", "bad")]).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("\n{error}"));
}
