//! Prints the `.proto` files as bytes, for server reflection.

use std::collections::BTreeSet;

use proc_macro2::Literal;
use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use syn::parse_quote;

use crate::builder::Input;

/// A `static` with the files that were asked for, and with those of their imports whose types they use.
///
/// Comments are left out, and what can be found without: options that other files define, and JSON names that follow from
/// the fields' names.
pub(super) fn descriptors(input: &Input) -> String {
    let files = kept_files(input);
    let (names, encoded): (Vec<&str>, Vec<Literal>) = files
        .iter()
        .map(|file| (file.name(), Literal::byte_string(&file.encode_to_vec())))
        .unzip();
    let count = files.len();
    let file: syn::File = parse_quote! {
        /// The `.proto` files of this code by name, each as an encoded `FileDescriptorProto` without comments. Imports come
        /// before the files that import them.
        #[allow(dead_code)]
        pub static FILE_DESCRIPTORS: [(&str, &[u8]); #count] = [#((#names, #encoded)),*];
    };
    prettyplease::unparse(&file)
}

fn kept_files(input: &Input) -> Vec<FileDescriptorProto> {
    let needed = input.schema.needed_types();
    // What an extension extends is known by name only here, so all files stay.
    let mut sent = input.sources.set.file.iter().zip(&input.sources.files);
    let keep_all = sent.any(|(file, source)| !source.is_import && has_extensions(file));
    let mut kept_names = BTreeSet::new();
    let mut kept = Vec::new();
    for (file, schema) in input.sources.set.file.iter().zip(&input.schema.files) {
        let messages = schema.messages.iter().map(|message| &message.full_name);
        let mut types = messages.chain(schema.enums.iter().map(|one| &one.full_name));
        // One that only passes on another's types is needed like that one.
        let keep = keep_all
            || !schema.is_import
            || types.any(|name| needed.contains(name.as_str()))
            || file.dependency.iter().any(|name| kept_names.contains(name));
        if keep {
            kept_names.insert(file.name().to_owned());
            kept.push(stripped(file, &kept_names));
        }
    }
    kept
}

fn stripped(file: &FileDescriptorProto, kept_names: &BTreeSet<String>) -> FileDescriptorProto {
    let mut stripped = file.clone();
    stripped.source_code_info = None;
    stripped.dependency.clear();
    let mut positions = Vec::new();
    for name in &file.dependency {
        let position = kept_names.contains(name).then(|| {
            stripped.dependency.push(name.clone());
            i32::try_from(stripped.dependency.len() - 1).unwrap_or(i32::MAX)
        });
        positions.push(position);
    }
    let moved = |old: &Vec<i32>| -> Vec<i32> {
        let new = |&index: &i32| *positions.get(usize::try_from(index).ok()?)?;
        old.iter().filter_map(new).collect()
    };
    stripped.public_dependency = moved(&file.public_dependency);
    stripped.weak_dependency = moved(&file.weak_dependency);
    drop_empty(&mut stripped.options);
    stripped.message_type.iter_mut().for_each(strip_message);
    stripped.enum_type.iter_mut().for_each(strip_enum);
    stripped.extension.iter_mut().for_each(strip_field);
    for service in &mut stripped.service {
        drop_empty(&mut service.options);
        for method in &mut service.method {
            drop_empty(&mut method.options);
        }
    }
    stripped
}

fn strip_message(message: &mut DescriptorProto) {
    drop_empty(&mut message.options);
    message.nested_type.iter_mut().for_each(strip_message);
    message.enum_type.iter_mut().for_each(strip_enum);
    message.field.iter_mut().for_each(strip_field);
    message.extension.iter_mut().for_each(strip_field);
    for oneof in &mut message.oneof_decl {
        drop_empty(&mut oneof.options);
    }
}

fn strip_enum(one: &mut EnumDescriptorProto) {
    drop_empty(&mut one.options);
    for value in &mut one.value {
        drop_empty(&mut value.options);
    }
}

fn strip_field(field: &mut FieldDescriptorProto) {
    drop_empty(&mut field.options);
    if field.json_name.as_deref() == Some(&json_name(field.name())) {
        field.json_name = None;
    }
}

/// Options that held nothing but what other files define.
fn drop_empty<O: Default + PartialEq>(options: &mut Option<O>) {
    if *options == Some(O::default()) {
        *options = None;
    }
}

/// The JSON name of a field that gives itself none. Spec: Protocol Buffers ProtoJSON format, "Field names".
fn json_name(name: &str) -> String {
    let mut json = String::new();
    let mut after_underscore = false;
    for letter in name.chars() {
        if letter == '_' {
            after_underscore = true;
        } else if std::mem::take(&mut after_underscore) {
            json.push(letter.to_ascii_uppercase());
        } else {
            json.push(letter);
        }
    }
    json
}

fn has_extensions(file: &FileDescriptorProto) -> bool {
    fn inside(message: &DescriptorProto) -> bool {
        !message.extension.is_empty() || message.nested_type.iter().any(inside)
    }
    !file.extension.is_empty() || file.message_type.iter().any(inside)
}
