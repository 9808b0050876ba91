//! Gives every string, `bytes`, repeated and map field its capacity, or says which have none; and tells which
//! methods have messages larger than memory.

mod file;
mod methods;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::schema::{Field, File, Message, Schema, Shape, Value};
use file::{CapacityFiles, Key, Line, problem, strongest};

/// The capacities of one run.
#[derive(Default)]
pub(crate) struct Capacities {
    /// By full path of the field, with `.elem`, `.key` or `.value` for its parts.
    pub(crate) by_path: BTreeMap<String, Capacity>,
    /// Full names of the methods whose messages are larger than memory.
    pub(crate) chunked: BTreeSet<String>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
}

/// How much one container holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capacity {
    Bytes(u32),
    Elements(u32),
}

/// One container that needs a capacity.
struct Slot<'a> {
    path: String,
    kind: SlotKind,
    file: &'a File,
    message: &'a Message,
    field: &'a Field,
    /// False in an imported message that nothing uses: it need not have a capacity.
    needed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SlotKind {
    Text,
    Bytes,
    Repeated,
    Map,
    ElementText,
    ElementBytes,
    KeyText,
    ValueText,
    ValueBytes,
}

impl Capacities {
    /// Reads the capacity files beside the `.proto` files and applies them.
    pub(crate) fn resolve(schema: &Schema, problems: &mut Vec<Problem>) -> Self {
        let mut files = CapacityFiles::default();
        let mut capacities = Self::default();
        for file in &schema.files {
            if let Some(config) = file.path.as_ref().map(|path| path.with_extension("toml"))
                && config.is_file()
                && !capacities.files.contains(&config)
            {
                files.read(&config, &file.package);
                capacities.files.push(config);
            }
        }
        problems.append(&mut files.problems);

        let fallback = fallback_config(schema);
        let needed = schema.needed_types();
        let slots = slots_of(schema, &needed);
        let mut used = vec![false; files.capacities.len()];
        for slot in &slots {
            match strongest(&files.capacities, &slot.path, "field", &mut used) {
                Ok(Some(line)) => capacities.set(slot, line, problems),
                Ok(None) if slot.needed => problems.push(slot.missing(&fallback)),
                Ok(None) => {}
                Err(both) => problems.push(*both),
            }
        }
        for (Line { key, .. }, _) in files.capacities.iter().zip(used).filter(|(_, used)| !used) {
            problems.push(problem(key.place.clone(), no_such_field(key, schema, &slots)));
        }
        capacities.chunked = methods::chunked(&files.methods, schema, problems);
        capacities
    }

    fn set(&mut self, slot: &Slot<'_>, line: &Line<u32>, problems: &mut Vec<Problem>) {
        let number = line.value;
        let capacity = match slot.kind {
            SlotKind::Map if !number.is_power_of_two() || number < 2 => {
                let next = number.max(2).checked_next_power_of_two().unwrap_or(1 << 31);
                let text = format!(
                    "the capacity of map field `{}` is {number}; a map holds a power of two of entries, at least 2: \
                     write {next}",
                    slot.path
                );
                if slot.needed {
                    problems.push(problem(line.key.place.clone(), text));
                }
                Capacity::Elements(next)
            }
            SlotKind::Repeated | SlotKind::Map => Capacity::Elements(number),
            _ => Capacity::Bytes(number),
        };
        self.by_path.insert(slot.path.clone(), capacity);
    }
}

fn slots_of<'a>(schema: &'a Schema, needed: &BTreeSet<&str>) -> Vec<Slot<'a>> {
    let mut slots = Vec::new();
    for (file, message) in schema.messages() {
        let needed = needed.contains(message.full_name.as_str());
        for field in &message.fields {
            for (kind, suffix) in slot_kinds(&field.shape) {
                let path = format!("{}.{}{suffix}", message.full_name, field.name);
                slots.push(Slot {
                    path,
                    kind,
                    file,
                    message,
                    field,
                    needed,
                });
            }
        }
    }
    slots
}

fn slot_kinds(shape: &Shape) -> Vec<(SlotKind, &'static str)> {
    let mut kinds = Vec::new();
    match shape {
        Shape::Single(Value::Text) => kinds.push((SlotKind::Text, "")),
        Shape::Single(Value::Bytes) => kinds.push((SlotKind::Bytes, "")),
        Shape::Single(_) => {}
        Shape::Repeated(value) => {
            kinds.push((SlotKind::Repeated, ""));
            match value {
                Value::Text => kinds.push((SlotKind::ElementText, ".elem")),
                Value::Bytes => kinds.push((SlotKind::ElementBytes, ".elem")),
                _ => {}
            }
        }
        Shape::Map { key, value } => {
            kinds.push((SlotKind::Map, ""));
            if matches!(key, Value::Text) {
                kinds.push((SlotKind::KeyText, ".key"));
            }
            match value {
                Value::Text => kinds.push((SlotKind::ValueText, ".value")),
                Value::Bytes => kinds.push((SlotKind::ValueBytes, ".value")),
                _ => {}
            }
        }
    }
    kinds
}

impl Slot<'_> {
    fn missing(&self, fallback: &Path) -> Problem {
        let package = self.file.package.clone();
        let in_package = self
            .path
            .strip_prefix(&package)
            .map(|rest| rest.trim_start_matches('.'));
        let message = self
            .message
            .full_name
            .strip_prefix(&package)
            .unwrap_or(&self.message.full_name);
        let message = message.trim_start_matches('.').to_owned();
        let field = in_package
            .and_then(|path| path.strip_prefix(&format!("{message}.")))
            .unwrap_or(&self.field.name);
        let (what, example, unit) = self.kind.words();
        Problem::MissingCapacity {
            place: self.field.place.clone(),
            package,
            field: field.to_owned(),
            message,
            what,
            config: self
                .file
                .path
                .as_ref()
                .map_or(fallback.to_owned(), |path| path.with_extension("toml")),
            line_to_add: format!("\"{}\" = {example} # {unit}", self.path),
        }
    }
}

impl SlotKind {
    /// What it is called, a number for an example, and the number's unit.
    fn words(self) -> (&'static str, u32, &'static str) {
        match self {
            SlotKind::Text => ("string field", 32, "bytes of UTF-8"),
            SlotKind::Bytes => ("bytes field", 64, "bytes"),
            SlotKind::Repeated => ("repeated field", 8, "elements"),
            SlotKind::Map => ("map field", 8, "entries, a power of two"),
            SlotKind::ElementText => (
                "the strings of repeated field",
                32,
                "bytes of UTF-8 in each element",
            ),
            SlotKind::ElementBytes => ("the bytes of repeated field", 64, "bytes in each element"),
            SlotKind::KeyText => ("the keys of map field", 16, "bytes of UTF-8 in each key"),
            SlotKind::ValueText => ("the values of map field", 32, "bytes of UTF-8 in each value"),
            SlotKind::ValueBytes => ("the values of map field", 64, "bytes in each value"),
        }
    }
}

/// Where capacities of messages go whose file is not on disk.
fn fallback_config(schema: &Schema) -> PathBuf {
    let path = schema
        .files
        .iter()
        .filter(|file| !file.is_import)
        .find_map(|file| file.path.as_ref());
    path.map_or_else(
        || PathBuf::from("capacities.toml"),
        |path| path.with_extension("toml"),
    )
}

fn no_such_field(key: &Key, schema: &Schema, slots: &[Slot<'_>]) -> String {
    let text = &key.text;
    for (_, message) in schema.messages() {
        for field in &message.fields {
            if key.names(&format!("{}.{}", message.full_name, field.name)) {
                return format!(
                    "field `{text}` takes no capacity: it is a {}",
                    describe(&field.shape)
                );
            }
        }
        if key.is_within(&message.full_name) {
            return format!("no field `{text}`; {}", fields_with_capacity(message, slots));
        }
    }
    format!(
        "no message has a field `{text}`; write package.Message.field, or Message.field for package `{}`, \
         and `*` for any one name",
        key.package
    )
}

fn fields_with_capacity(message: &Message, slots: &[Slot<'_>]) -> String {
    let of_message = slots.iter().filter(|slot| std::ptr::eq(slot.message, message));
    let names: Vec<String> = of_message.map(|slot| format!("`{}`", slot.path)).collect();
    match names.as_slice() {
        [] => format!("message `{}` has none that takes a capacity", message.full_name),
        names => format!("message `{}` has {}", message.full_name, names.join(", ")),
    }
}

fn describe(shape: &Shape) -> String {
    let value = |value: &Value| match value {
        Value::Text => "string".to_owned(),
        Value::Bytes => "bytes".to_owned(),
        Value::Message(name) => format!("message `{name}`"),
        Value::Enum(name) => format!("enum `{name}`"),
        Value::Group => "group".to_owned(),
        Value::Scalar(name) => (*name).to_owned(),
    };
    match shape {
        Shape::Single(of) => value(of),
        Shape::Repeated(of) => format!("repeated {}", value(of)),
        Shape::Map { key, value: of } => format!("map<{}, {}>", value(key), value(of)),
    }
}
