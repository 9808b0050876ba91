//! Which of several capacities counts.

mod support;

use rpc_nostd_codegen::{Builder, CapacityOf};

const MAIN: &str = "syntax = \"proto3\";\npackage a;\nimport \"b.proto\";\nmessage M {\n  string s = 1;\n  bytes b = 2;\n  \
                    repeated string r = 3;\n  map<string, bytes> m = 4;\n  b.B other = 5;\n  message Inner {\n    string s \
                    = 1;\n  }\n}\n";
const OTHER: &str = "syntax = \"proto3\";\npackage b;\nmessage B {\n  string s = 1;\n}\n";

fn code(builder: &Builder, files: &[(&str, &str)]) -> String {
    let folder = support::folder(files);
    let generated = builder.generate(&[folder.path().join("a.proto")], &[folder.path()]);
    generated.unwrap().code
}

/// Type of field `name` in the struct `of`.
fn type_of(code: &str, of: &str, name: &str) -> String {
    let from = code.split_once(&format!("pub struct {of} {{")).unwrap().1;
    let from = from.split_once(&format!("pub {name}: ")).unwrap().1;
    let text: String = from.split_once("\n").unwrap().0.to_owned();
    text.trim_end_matches(',').replace("::rpc_nostd::heapless::", "")
}

#[test]
fn defaults_of_the_builder_are_for_each_kind() {
    let builder = CapacityOf::ALL
        .into_iter()
        .zip(1..)
        .fold(Builder::new(), |builder, (of, n)| {
            builder.default_capacity(of, 1 << n)
        });
    let code = code(&builder, &[("a.proto", MAIN), ("b.proto", OTHER)]);
    assert_eq!(type_of(&code, "M", "s"), "String<2>");
    assert_eq!(type_of(&code, "M", "b"), "Vec<u8, 4>");
    assert_eq!(type_of(&code, "M", "r"), "Vec<String<32>, 8>");
    let compact: String = code.split_whitespace().collect();
    let map = "::rpc_nostd::heapless::index_map::FnvIndexMap<::rpc_nostd::heapless::String<64>,\
               ::rpc_nostd::heapless::Vec<u8,128>,16,>";
    assert!(compact.contains(map), "{code}");
}

/// Adds one after the other, each stronger than those before.
#[test]
fn nearer_and_more_exact_capacities_count() {
    let all = "[default]\nbytes = 1\nrepeated = 1\nmap = 2\nelem = 1\nkey = 1\nvalue = 1\n";
    let of_m = |main: &str, toml: &str| {
        let files = [("a.proto", main), ("b.proto", OTHER), ("a.toml", toml)];
        let code = code(&Builder::new().default_capacity(CapacityOf::String, 10), &files);
        ["M", "Inner", "B"].map(|of| type_of(&code, of, "s").replace("String", ""))
    };
    assert_eq!(of_m(MAIN, all), ["<10>", "<10>", "<10>"]);
    let import = "import \"b.proto\";\nimport \"rpc_nostd/options.proto\";\n";
    let file = format!("{import}option (rpc_nostd.file).default.string = 11;\n");
    let in_file = MAIN.replace("import \"b.proto\";\n", &file);
    assert_eq!(of_m(&in_file, all), ["<11>", "<11>", "<10>"]);
    let beside = format!("{all}string = 12\n");
    assert_eq!(of_m(&in_file, &beside), ["<12>", "<12>", "<12>"]);
    let option = "message M {\n  option (rpc_nostd.message).default.string = 13;\n";
    let in_message = in_file.replace("message M {\n", option);
    assert_eq!(of_m(&in_message, &beside), ["<13>", "<13>", "<12>"]);
    let on_field = in_message.replacen(
        "string s = 1;",
        "string s = 1 [(rpc_nostd.field).capacity = 14];",
        1,
    );
    assert_eq!(of_m(&on_field, &beside), ["<14>", "<13>", "<12>"]);
    let wildcard = format!("{beside}[capacity]\n\"*.s\" = 15\n");
    assert_eq!(of_m(&on_field, &wildcard), ["<15>", "<13>", "<12>"]);
    let exact = format!("{wildcard}\"a.M.s\" = 16\n");
    assert_eq!(of_m(&on_field, &exact), ["<16>", "<13>", "<12>"]);
}

#[test]
fn file_of_an_import_has_defaults_of_its_own() {
    let all = "[default]\nstring = 9\nbytes = 1\nrepeated = 1\nmap = 2\nelem = 1\nkey = 1\nvalue = 1\n";
    let files = [
        ("a.proto", MAIN),
        ("a.toml", all),
        ("b.proto", OTHER),
        ("b.toml", "default.string = 3\n"),
    ];
    let code = code(&Builder::new(), &files);
    assert_eq!(type_of(&code, "M", "s"), "String<9>");
    assert_eq!(type_of(&code, "B", "s"), "String<3>");
}

#[test]
fn of_two_files_that_were_asked_for_the_larger_default_is_for_their_imports() {
    let other = "syntax = \"proto3\";\npackage c;\nmessage C {\n  string s = 1;\n}\n";
    let folder = support::folder(&[
        (
            "a.proto",
            "syntax = \"proto3\";\npackage a;\nimport \"b.proto\";\nmessage M {\n  b.B b = 1;\n  string s = 2;\n}\n",
        ),
        ("a.toml", "default.string = 4\n"),
        ("b.proto", OTHER),
        ("c.proto", other),
        ("c.toml", "default.string = 5\n"),
    ]);
    let protos = ["a.proto", "c.proto"].map(|name| folder.path().join(name));
    let code = Builder::new().generate(&protos, &[folder.path()]).unwrap().code;
    assert_eq!(
        ["M", "B", "C"].map(|of| type_of(&code, of, "s")),
        ["String<4>", "String<5>", "String<5>"]
    );
}

#[test]
fn method_line_is_stronger_than_the_option() {
    let proto = "syntax = \"proto3\";\nimport \"rpc_nostd/options.proto\";\nmessage M {}\nservice S {\n  rpc Up(M) returns \
                 (M) {\n    option (rpc_nostd.method).chunked = true;\n  }\n}\n";
    let chunked = |toml: &str| {
        let code = code(&Builder::new(), &[("a.proto", proto), ("a.toml", toml)]);
        code.contains("Its messages can be larger than memory")
    };
    assert!(chunked(""));
    assert!(!chunked("method.S.Up.chunked = false\n"));
}
