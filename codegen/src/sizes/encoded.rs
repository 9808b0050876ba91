//! How many bytes messages take at most when they are encoded: what `MAX_SIZE` of the generated code is.

use std::collections::BTreeMap;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::names;
use super::types::{Definition, Member, Rust, Types};

/// The messages of all files by the paths of their Rust types.
pub(super) struct Messages<'a> {
    by_path: BTreeMap<String, Declared<'a>>,
    types: &'a Types,
    known: BTreeMap<String, Option<u64>>,
}

struct Declared<'a> {
    proto: &'a DescriptorProto,
    packs: bool,
}

/// A field with the type that holds it.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) field: &'a FieldDescriptorProto,
    pub(super) member: &'a Member,
}

impl<'a> Messages<'a> {
    pub(super) fn new(files: &'a [FileDescriptorProto], types: &'a Types) -> Self {
        let mut by_path = BTreeMap::new();
        for file in files {
            let packs = !matches!(file.syntax(), "" | "proto2");
            let module = names::package(file.package());
            for message in &file.message_type {
                collect(message, &module, packs, &mut by_path);
            }
        }
        Self {
            by_path,
            types,
            known: BTreeMap::new(),
        }
    }

    /// The greatest length of the message whose type is at `path`; `None` if it has none.
    pub(super) fn max(&mut self, path: &str) -> Option<u64> {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let max = self.sum(path);
        self.known.insert(path.to_owned(), max);
        max
    }

    fn sum(&mut self, path: &str) -> Option<u64> {
        let mut sum = 0_u64;
        for (_, fields) in self.groups(path) {
            // Of a oneof, one is there.
            let mut largest = 0;
            for held in fields {
                largest = largest.max(self.field_max(path, held)?);
            }
            sum = sum.saturating_add(largest);
        }
        Some(sum)
    }

    /// The fields of the message at `path` by the members of its struct: one each, or those of a oneof.
    pub(super) fn groups(&self, path: &str) -> Vec<(&'a Member, Vec<Held<'a>>)> {
        let (Some(declared), Some(Definition::Struct(members))) =
            (self.by_path.get(path), self.types.get(path))
        else {
            return Vec::new();
        };
        let groups = members.iter().map(|member| {
            let of_oneof = || {
                declared
                    .proto
                    .oneof_decl
                    .iter()
                    .position(|oneof| names::is_field(&member.name, oneof.name()))
            };
            let field = declared
                .proto
                .field
                .iter()
                .find(|field| !in_oneof(field) && names::is_field(&member.name, field.name()));
            let held = match field {
                Some(field) => vec![Held { field, member }],
                None => {
                    of_oneof().map_or_else(Vec::new, |index| self.variants(declared.proto, index, member))
                }
            };
            (member, held)
        });
        groups.collect()
    }

    fn variants(&self, message: &'a DescriptorProto, oneof: usize, member: &'a Member) -> Vec<Held<'a>> {
        let Rust::Option(of) = &member.of else {
            return Vec::new();
        };
        let Rust::Local(path) = &**of else {
            return Vec::new();
        };
        let Some(Definition::Enum(variants)) = self.types.get(path) else {
            return Vec::new();
        };
        let index = i32::try_from(oneof).unwrap_or(i32::MAX);
        let fields = message
            .field
            .iter()
            .filter(|field| in_oneof(field) && field.oneof_index == Some(index));
        fields
            .filter_map(|field| {
                let mut variants = variants.iter();
                let member = variants.find(|variant| names::is_variant(&variant.name, field.name()))?;
                Some(Held { field, member })
            })
            .collect()
    }

    /// What `held`, a field of the message at `path`, takes at most.
    pub(super) fn field_max(&mut self, path: &str, held: Held<'_>) -> Option<u64> {
        let field = held.field;
        let tag = varint_len(u64::from(field.number().unsigned_abs()) << 3);
        let rust = match &held.member.of {
            Rust::Option(of) => of,
            of => of,
        };
        match rust {
            Rust::Map(key, value, len) => {
                let declared = self.by_path.get(path)?;
                let entry = declared.proto.nested_type.iter().find(|entry| {
                    let is_entry = entry.options.as_ref().is_some_and(|options| options.map_entry());
                    is_entry && field.type_name().rsplit('.').next() == Some(entry.name())
                })?;
                let [key_field, value_field] = entry.field.as_slice() else {
                    return None;
                };
                let key = self.value_max(key_field.r#type(), key)?;
                let value = self.value_max(value_field.r#type(), value)?;
                // Two tags of a byte.
                let pair = key.saturating_add(value).saturating_add(2);
                Some(record_len(pair).saturating_add(tag).saturating_mul(*len))
            }
            Rust::List(of, len) => {
                let one = self.value_max(field.r#type(), of)?;
                if self.by_path.get(path)?.is_packed(field) {
                    Some(record_len(one.saturating_mul(*len)).saturating_add(tag))
                } else {
                    Some(one.saturating_add(tag).saturating_mul(*len))
                }
            }
            of => Some(self.value_max(field.r#type(), of)?.saturating_add(tag)),
        }
    }

    fn value_max(&mut self, declared: Type, rust: &Rust) -> Option<u64> {
        Some(match (declared, rust) {
            (_, Rust::Bytes(len)) => record_len(*len),
            (Type::Message, Rust::Local(path)) => record_len(self.max(path)?),
            (Type::String | Type::Bytes | Type::Message | Type::Group, _) | (_, Rust::Foreign) => {
                return None;
            }
            (Type::Bool, _) => 1,
            (Type::Float | Type::Fixed32 | Type::Sfixed32, _) => 4,
            (Type::Double | Type::Fixed64 | Type::Sfixed64, _) => 8,
            (Type::Uint32 | Type::Sint32, _) => 5,
            // A negative number is ten bytes long, whatever its type.
            (Type::Int32 | Type::Int64 | Type::Uint64 | Type::Sint64 | Type::Enum, _) => 10,
        })
    }
}

impl Declared<'_> {
    fn is_packed(&self, field: &FieldDescriptorProto) -> bool {
        let packable = !matches!(
            field.r#type(),
            Type::String | Type::Bytes | Type::Message | Type::Group
        );
        let asked_for = field.options.as_ref().is_some_and(|options| options.packed());
        packable && field.label() == Label::Repeated && (asked_for || self.packs)
    }
}

fn collect<'a>(
    message: &'a DescriptorProto,
    module: &str,
    packs: bool,
    by_path: &mut BTreeMap<String, Declared<'a>>,
) {
    let inner = names::inside(module, message.name());
    for nested in &message.nested_type {
        collect(nested, &inner, packs, by_path);
    }
    let declared = Declared {
        proto: message,
        packs,
    };
    by_path.insert(names::type_in(module, message.name()), declared);
}

fn in_oneof(field: &FieldDescriptorProto) -> bool {
    field.oneof_index.is_some() && !field.proto3_optional()
}

/// A length and as many bytes.
fn record_len(len: u64) -> u64 {
    len.saturating_add(varint_len(len))
}

fn varint_len(number: u64) -> u64 {
    let bits = u64::from(u64::BITS - number.leading_zeros());
    bits.div_ceil(7).max(1)
}
