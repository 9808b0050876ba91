//! Tells micropb-gen how to print messages: which containers, with which capacities, and what to leave out.

use std::collections::BTreeSet;

use micropb_gen::config::{CustomField, OptionalRepr};
use micropb_gen::{Config, Generator};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};
use protox::prost::Message as _;

use super::names;
use crate::capacity::{Capacities, Capacity};
use crate::schema::{Schema, join};
use crate::source::Sources;

pub(super) fn configure(generator: &mut Generator, schema: &Schema, capacities: &Capacities) {
    generator.suffixed_package_names(false);
    // `Option` instead of presence bits: a field that was written is never silently left out.
    // No accessors: the fields are public.
    let defaults = Config::new()
        .string_type("::rpc_nostd::heapless::String<$N>")
        .bytes_type("::rpc_nostd::heapless::Vec<u8, $N>")
        .vec_type("::rpc_nostd::heapless::Vec<$T, $N>")
        .map_type("::rpc_nostd::heapless::index_map::FnvIndexMap<$K, $V, $N>")
        .optional_repr(OptionalRepr::Option)
        .no_accessors(true);
    generator.configure(".", defaults);
    for (path, capacity) in &capacities.by_path {
        let config = match capacity {
            Capacity::Bytes(bytes) | Capacity::Encoded(bytes) => Config::new().max_bytes(*bytes),
            Capacity::Elements(elements) => Config::new().max_len(*elements),
            Capacity::Borrowed => Config::new().string_type("&'a str").bytes_type("&'a [u8]"),
            Capacity::Callback(of_type) => Config::new().custom_field(CustomField::from_type(of_type)),
            Capacity::Skipped => Config::new().skip(true),
        };
        generator.configure(&format!(".{path}"), config);
    }
    for name in unneeded_types(schema) {
        generator.configure(&format!(".{name}"), Config::new().skip(true));
    }
}

/// The descriptor set for micropb-gen. In it, a message that is kept encoded is declared as what it is then: `bytes`; on
/// the wire the two are the same. A value that is named as its enum has that name twice, of which one is left.
pub(super) fn descriptors(sources: &Sources, capacities: &Capacities) -> Vec<u8> {
    let encoded: BTreeSet<&str> = capacities
        .by_path
        .iter()
        .filter(|(_, capacity)| matches!(capacity, Capacity::Encoded(_)))
        .map(|(path, _)| path.as_str())
        .collect();
    let mut set: FileDescriptorSet = sources.set.clone();
    for file in &mut set.file {
        let package = file.package().to_owned();
        rename_values(&mut file.enum_type);
        for message in &mut file.message_type {
            declare_bytes(message, &package, &encoded);
        }
    }
    set.encode_to_vec()
}

fn rename_values(enums: &mut [EnumDescriptorProto]) {
    for one in enums {
        let name = one.name().to_owned();
        for value in &mut one.value {
            if names::is_enum_itself(&name, value.name()) {
                value.name = Some(format!("{0}_{0}", value.name()));
            }
        }
    }
}

fn declare_bytes(message: &mut DescriptorProto, scope: &str, encoded: &BTreeSet<&str>) {
    let full_name = join(scope, message.name());
    for field in &mut message.field {
        let path = join(&full_name, field.name());
        let is_repeated = field.label() == Label::Repeated;
        if encoded.contains(path.as_str()) || is_repeated && encoded.contains(format!("{path}.elem").as_str())
        {
            field.set_type(Type::Bytes);
            field.type_name = None;
            // A message field says whether it is there; `bytes` of proto3 would not.
            let says_it = is_repeated || field.oneof_index.is_some();
            field.proto3_optional = (!says_it).then_some(true).or(field.proto3_optional);
        }
        let entry = field.type_name().rsplit('.').next().unwrap_or_default();
        let entries = message.nested_type.iter_mut();
        let mut entries =
            entries.filter(|nested| nested.options.as_ref().is_some_and(|options| options.map_entry()));
        if encoded.contains(format!("{path}.value").as_str())
            && let Some(entry) = entries.find(|nested| nested.name() == entry)
            && let Some(value) = entry.field.get_mut(1)
        {
            value.set_type(Type::Bytes);
            value.type_name = None;
        }
    }
    rename_values(&mut message.enum_type);
    for nested in &mut message.nested_type {
        declare_bytes(nested, &full_name, encoded);
    }
}

/// Top-level types of imported files of which nothing is used.
fn unneeded_types(schema: &Schema) -> Vec<&str> {
    let needed = schema.needed_types();
    let is_used = |name: &str| {
        needed.iter().any(|other| {
            other
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let mut names = Vec::new();
    for file in schema.files.iter().filter(|file| file.is_import) {
        let messages = file.messages.iter().map(|message| message.full_name.as_str());
        let all = messages.chain(file.enums.iter().map(|one| one.full_name.as_str()));
        let is_top_level = |name: &&str| name.rsplit_once('.').map_or("", |(scope, _)| scope) == file.package;
        names.extend(all.filter(is_top_level).filter(|name| !is_used(name)));
    }
    names
}

/// Paths of the structs that cannot be decoded, as [`tidy`](super::tidy) walks to them: `a::v1::Outer_::Inner`.
pub(super) fn borrowing_structs(schema: &Schema, capacities: &Capacities) -> BTreeSet<String> {
    let messages = schema
        .messages()
        .filter(|(_, message)| capacities.borrowing.contains(&message.full_name));
    messages
        .map(|(file, message)| struct_path(&file.package, &message.full_name))
        .collect()
}

/// Follows micropb-gen, without the `r#` of raw names.
pub(super) fn struct_path(package: &str, full_name: &str) -> String {
    let is_kept = |name: &str| ["super", "crate", "self", "Self", "extern"].contains(&name);
    let packages = package.split('.').filter(|name| !name.is_empty());
    let mut path: Vec<String> = packages
        .map(|name| {
            if is_kept(name) || name.starts_with(char::is_uppercase) {
                format!("{name}_")
            } else {
                name.to_owned()
            }
        })
        .collect();
    let in_package = full_name.strip_prefix(package).unwrap_or(full_name);
    let mut names = in_package.trim_start_matches('.').rsplit('.');
    let own = names.next().unwrap_or_default();
    let mut outer: Vec<String> = names.map(|name| format!("{name}_")).collect();
    outer.reverse();
    path.append(&mut outer);
    path.push(if is_kept(own) || own == "_" {
        format!("_{own}")
    } else {
        own.to_owned()
    });
    path.join("::")
}

#[cfg(test)]
mod tests {
    use super::struct_path;

    #[test]
    fn struct_lies_where_the_message_generator_puts_it() {
        assert_eq!(struct_path("", "M"), "M");
        assert_eq!(struct_path("a.Self.V1", "a.Self.V1.M"), "a::Self_::V1_::M");
        assert_eq!(struct_path("a", "a.Outer.mid.Inner"), "a::Outer_::mid_::Inner");
        assert_eq!(struct_path("a", "a.Self"), "a::_Self");
    }
}
