//! Random messages of any type, within its capacities.

use std::collections::HashMap;

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, OneofDescriptor, Value,
};

use crate::capacities;

/// Messages of type `message`, which belongs to `suite`. No NaN is in them: it is not equal to itself.
pub fn message(suite: &'static str, message: &MessageDescriptor) -> BoxedStrategy<DynamicMessage> {
    let is_real = |field: &FieldDescriptor| {
        field
            .containing_oneof()
            .is_some_and(|oneof| !oneof.is_synthetic())
    };
    let plain = message
        .fields()
        .filter(|field| !is_real(field))
        .map(|field| single(suite, &field));
    let oneofs = message
        .oneofs()
        .filter(|oneof| !oneof.is_synthetic())
        .map(|oneof| choice(suite, &oneof));
    let fields: Vec<BoxedStrategy<Option<Set>>> = plain.chain(oneofs).collect();
    let message = message.clone();
    fields
        .prop_map(move |fields| {
            let mut built = DynamicMessage::new(message.clone());
            for (field, value) in fields.into_iter().flatten() {
                built.set_field(&field, value);
            }
            built
        })
        .boxed()
}

/// A field that holds more than its capacity allows, by one element or octet, for each of its parts that has one.
pub fn too_large(suite: &str, field: &FieldDescriptor) -> Vec<Value> {
    let limit = |part| capacities::of(suite, field, part);
    let mut values = Vec::new();
    if let Kind::Message(entry) = field.kind()
        && field.is_map()
    {
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        if let Some(entries) = distinct(&key.kind(), limit(None) + 1) {
            values.push(Value::Map(
                entries
                    .into_iter()
                    .map(|key| (key, Value::default_value_for_field(&value)))
                    .collect(),
            ));
        }
        if matches!(key.kind(), Kind::String) {
            let long = MapKey::String("x".repeat(limit(Some("key")) + 1));
            values.push(Value::Map(HashMap::from([(
                long,
                Value::default_value_for_field(&value),
            )])));
        }
        if let Some(long) = long_value(&value.kind(), || limit(Some("value"))) {
            values.push(Value::Map(HashMap::from([(
                MapKey::default_value(&key.kind()),
                long,
            )])));
        }
    } else if field.is_list() {
        let element = Value::default_value(&field.kind());
        values.push(Value::List(vec![element; limit(None) + 1]));
        values.extend(long_value(&field.kind(), || limit(Some("elem"))).map(|long| Value::List(vec![long])));
    } else {
        values.extend(long_value(&field.kind(), || limit(None)));
    }
    values
}

type Set = (FieldDescriptor, Value);

fn single(suite: &'static str, field: &FieldDescriptor) -> BoxedStrategy<Option<Set>> {
    let must = field.cardinality() == prost_reflect::Cardinality::Required;
    let named = field.clone();
    let value = any_of_field(suite, field).prop_map(move |value| (named.clone(), value));
    if must {
        value.prop_map(Some).boxed()
    } else {
        proptest::option::of(value).boxed()
    }
}

fn choice(suite: &'static str, oneof: &OneofDescriptor) -> BoxedStrategy<Option<Set>> {
    let members: Vec<BoxedStrategy<Set>> = oneof
        .fields()
        .map(|field| {
            let named = field.clone();
            any_of_field(suite, &field)
                .prop_map(move |value| (named.clone(), value))
                .boxed()
        })
        .collect();
    proptest::option::of(proptest::strategy::Union::new(members)).boxed()
}

fn any_of_field(suite: &'static str, field: &FieldDescriptor) -> BoxedStrategy<Value> {
    let limit = |part: Option<&str>| capacities::of(suite, field, part);
    if let Kind::Message(entry) = field.kind()
        && field.is_map()
    {
        let key = any_key(&entry.map_entry_key_field().kind(), || limit(Some("key")));
        let value = any_value(suite, &entry.map_entry_value_field().kind(), || {
            limit(Some("value"))
        });
        return hash_map(key, value, 0..=limit(None)).prop_map(Value::Map).boxed();
    }
    if field.is_list() {
        let value = any_value(suite, &field.kind(), || limit(Some("elem")));
        return vec(value, 0..=limit(None)).prop_map(Value::List).boxed();
    }
    any_value(suite, &field.kind(), || limit(None))
}

fn any_key(kind: &Kind, limit: impl Fn() -> usize) -> BoxedStrategy<MapKey> {
    match kind {
        Kind::Bool => any::<bool>().prop_map(MapKey::Bool).boxed(),
        Kind::String => text(limit()).prop_map(MapKey::String).boxed(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => signed32().prop_map(MapKey::I32).boxed(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => signed64().prop_map(MapKey::I64).boxed(),
        Kind::Uint32 | Kind::Fixed32 => unsigned32().prop_map(MapKey::U32).boxed(),
        Kind::Uint64 | Kind::Fixed64 => unsigned64().prop_map(MapKey::U64).boxed(),
        other => panic!("no key of a map is a {other:?}"),
    }
}

fn any_value(suite: &'static str, kind: &Kind, limit: impl Fn() -> usize) -> BoxedStrategy<Value> {
    match kind {
        Kind::Double => any::<f64>()
            .prop_filter("NaN", |value| !value.is_nan())
            .prop_map(Value::F64)
            .boxed(),
        Kind::Float => any::<f32>()
            .prop_filter("NaN", |value| !value.is_nan())
            .prop_map(Value::F32)
            .boxed(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => signed32().prop_map(Value::I32).boxed(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => signed64().prop_map(Value::I64).boxed(),
        Kind::Uint32 | Kind::Fixed32 => unsigned32().prop_map(Value::U32).boxed(),
        Kind::Uint64 | Kind::Fixed64 => unsigned64().prop_map(Value::U64).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::String => text(limit()).prop_map(Value::String).boxed(),
        Kind::Bytes => vec(any::<u8>(), 0..=limit())
            .prop_map(|octets| Value::Bytes(octets.into()))
            .boxed(),
        Kind::Message(inner) => message(suite, inner).prop_map(Value::Message).boxed(),
        // Enums are open: any number may come.
        Kind::Enum(one) => {
            let known: Vec<i32> = one.values().map(|value| value.number()).collect();
            prop_oneof![4 => proptest::sample::select(known), 1 => signed32()]
                .prop_map(Value::EnumNumber)
                .boxed()
        }
    }
}

/// Strings of at most `limit` octets of UTF-8.
fn text(limit: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..=limit).prop_map(move |chars| {
        let mut text = String::new();
        for one in chars {
            if text.len() + one.len_utf8() <= limit {
                text.push(one);
            }
        }
        text
    })
}

fn signed32() -> impl Strategy<Value = i32> {
    prop_oneof![
        Just(0),
        Just(-1),
        Just(i32::MIN),
        Just(i32::MAX),
        -200..200,
        any::<i32>()
    ]
}

fn signed64() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(-1),
        Just(i64::MIN),
        Just(i64::MAX),
        -200..200_i64,
        any::<i64>()
    ]
}

fn unsigned32() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), 0..300_u32, any::<u32>()]
}

fn unsigned64() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), 0..300_u64, any::<u64>()]
}

/// `count` different keys; `None` if there are not so many.
fn distinct(kind: &Kind, count: usize) -> Option<Vec<MapKey>> {
    let numbers = 0..u32::try_from(count).ok()?;
    let key = |number: u32| match kind {
        Kind::Bool => None,
        Kind::String => Some(MapKey::String(char::from_u32('a' as u32 + number)?.into())),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Some(MapKey::I32(i32::try_from(number).ok()?)),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Some(MapKey::I64(number.into())),
        Kind::Uint32 | Kind::Fixed32 => Some(MapKey::U32(number)),
        _ => Some(MapKey::U64(number.into())),
    };
    numbers.map(key).collect()
}

fn long_value(kind: &Kind, limit: impl Fn() -> usize) -> Option<Value> {
    match kind {
        Kind::String => Some(Value::String("x".repeat(limit() + 1))),
        Kind::Bytes => Some(Value::Bytes(vec![1; limit() + 1].into())),
        _ => None,
    }
}
