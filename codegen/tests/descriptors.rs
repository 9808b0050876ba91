//! The `.proto` files as bytes in the output.

mod support;

use prost::Message;
use prost_types::FileDescriptorProto;
use rpc_nostd_codegen::Builder;

const A: &str = "syntax = \"proto3\";\npackage a;\nimport \"passes_on.proto\";\nimport \"options.proto\";\n\
                 import \"unused.proto\";\n// A comment.\nmessage M {\n  b.N inner_one = 1 [(weight) = 3];\n\
                 uint32 two = 2 [json_name = \"zwei\"];\n}\nservice S {\n  rpc Get(M) returns (M);\n}\n";
const FILES: [(&str, &str); 5] = [
    ("a.proto", A),
    (
        "passes_on.proto",
        "syntax = \"proto3\";\nimport public \"b.proto\";\n",
    ),
    ("b.proto", "syntax = \"proto3\";\npackage b;\nmessage N {}\n"),
    (
        "options.proto",
        "syntax = \"proto3\";\nimport \"google/protobuf/descriptor.proto\";\n\
         extend google.protobuf.FieldOptions {\n  uint32 weight = 50000;\n}\n",
    ),
    ("unused.proto", "syntax = \"proto3\";\nmessage Unused {}\n"),
];

/// Name and content of each file in the `static` of the output.
fn descriptors(code: &str) -> Vec<(String, FileDescriptorProto)> {
    let file = syn::parse_file(code).unwrap();
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Static(item) if item.ident == "FILE_DESCRIPTORS" => Some(&item.expr),
        _ => None,
    });
    let Some(syn::Expr::Array(array)) = found.map(|expr| &**expr) else {
        panic!("no array FILE_DESCRIPTORS")
    };
    let entries = array.elems.iter().map(|entry| {
        let syn::Expr::Tuple(entry) = entry else {
            panic!("no tuple")
        };
        let [name, bytes] = [0, 1].map(|index| match &entry.elems[index] {
            syn::Expr::Lit(literal) => &literal.lit,
            _ => panic!("no literal"),
        });
        let (syn::Lit::Str(name), syn::Lit::ByteStr(bytes)) = (name, bytes) else {
            panic!("other literals")
        };
        let file = FileDescriptorProto::decode(bytes.value().as_slice()).unwrap();
        (name.value(), file)
    });
    entries.collect()
}

fn generate(files: &[(&str, &str)]) -> String {
    let folder = support::folder(files);
    let builder = Builder::new().descriptors(true);
    let generated = builder.generate(&[folder.path().join(files[0].0)], &[folder.path()]);
    generated.unwrap().code
}

#[test]
fn descriptors_are_the_files_that_are_used_imports_first() {
    let found = descriptors(&generate(&FILES));
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b.proto", "passes_on.proto", "a.proto"]);
    for (name, file) in &found {
        assert_eq!(name, file.name());
        assert_eq!(file.source_code_info, None);
    }
    let a = &found[2].1;
    assert_eq!(a.dependency, ["passes_on.proto"]);
    assert_eq!(a.service[0].method[0].name(), "Get");
    assert_eq!(found[1].1.public_dependency, [0]);
}

#[test]
fn descriptors_build_a_pool_of_all_types() {
    let mut set = prost_types::FileDescriptorSet::default();
    set.file
        .extend(descriptors(&generate(&FILES)).into_iter().map(|(_, file)| file));
    let pool = protox::prost_reflect::DescriptorPool::from_file_descriptor_set(set).unwrap();
    let message = pool.get_message_by_name("a.M").unwrap();
    let names: Vec<String> = message
        .fields()
        .map(|field| field.json_name().to_owned())
        .collect();
    assert_eq!(names, ["innerOne", "zwei"]);
    assert!(pool.get_service_by_name("a.S").is_some());
}

#[test]
fn files_that_declare_options_have_all_imports() {
    let options = FILES[3];
    let names: Vec<String> = descriptors(&generate(&[options]))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["google/protobuf/descriptor.proto", "options.proto"]);
}

#[test]
fn without_being_asked_for_there_are_no_descriptors() {
    let folder = support::folder(&FILES);
    let generated = Builder::new().generate(&[folder.path().join("a.proto")], &[folder.path()]);
    assert!(!generated.unwrap().code.contains("FILE_DESCRIPTORS"));
}
