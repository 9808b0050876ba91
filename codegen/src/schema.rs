//! What the checks and the stubs need to know of the `.proto` files, with the line of everything.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumOptions, EnumValueOptions, FieldDescriptorProto, FieldOptions,
    FileDescriptorProto, MessageOptions, MethodOptions, ServiceDescriptorProto, ServiceOptions,
};

use crate::error::Place;
use crate::source::{SourceFile, Sources};

/// All files, imports included.
pub(crate) struct Schema {
    pub(crate) files: Vec<File>,
}

/// One `.proto`.
pub(crate) struct File {
    pub(crate) name: String,
    /// `None` for the files of Google that protox carries inside.
    pub(crate) path: Option<PathBuf>,
    pub(crate) is_import: bool,
    pub(crate) package: String,
    /// Nested messages included, map entries not.
    pub(crate) messages: Vec<Message>,
    /// Nested enums included.
    pub(crate) enums: Vec<Enum>,
    pub(crate) services: Vec<Service>,
}

/// One message.
pub(crate) struct Message {
    /// With package and outer messages, no leading dot: `telemetry.v1.ReportRequest`.
    pub(crate) full_name: String,
    pub(crate) place: Place,
    pub(crate) fields: Vec<Field>,
    pub(crate) oneofs: Vec<Named>,
    pub(crate) deprecated: bool,
}

/// One enum.
pub(crate) struct Enum {
    pub(crate) full_name: String,
    pub(crate) place: Place,
    pub(crate) values: Vec<Named>,
    pub(crate) deprecated: bool,
}

/// A value of an enum, or a oneof.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) place: Place,
    /// Never true of a oneof.
    pub(crate) deprecated: bool,
}

/// One field, oneof members included.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) shape: Shape,
    /// True if it is a member of a oneof, `optional` fields not counted.
    pub(crate) in_oneof: bool,
    pub(crate) held: Held,
    pub(crate) deprecated: bool,
}

/// How a struct has what a field of it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Inside,
    /// A message, as its encoding: its type is needed to make or read it, but adds nothing to the struct.
    Encoded,
    /// By a type of the user's, or not at all.
    Elsewhere,
}

/// How often the field's value occurs.
pub(crate) enum Shape {
    Single(Value),
    Repeated(Value),
    Map { key: Value, value: Value },
}

/// What a value is, as far as sizes care.
pub(crate) enum Value {
    Text,
    Bytes,
    /// Full name, no leading dot.
    Message(String),
    /// Full name, no leading dot.
    Enum(String),
    Group,
    /// A number or a bool; the name is the one of the `.proto` language.
    Scalar(&'static str),
}

/// One service.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) full_name: String,
    pub(crate) place: Place,
    /// Lines of the comment, as they stand after the comment mark.
    pub(crate) comment: Vec<String>,
    pub(crate) methods: Vec<Method>,
    pub(crate) deprecated: bool,
}

/// One method.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) comment: Vec<String>,
    /// Full names, no leading dot.
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) kind: MethodKind,
    pub(crate) deprecated: bool,
}

/// Which side of a method sends a stream of messages where the other sends one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MethodKind {
    Unary,
    ServerStreaming,
    ClientStreaming,
    BidiStreaming,
}

impl Schema {
    pub(crate) fn new(sources: &Sources) -> Self {
        let files = sources.set.file.iter().zip(&sources.files);
        Self {
            files: files
                .map(|(proto, source)| FileReader::read(proto, source))
                .collect(),
        }
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = (&File, &Message)> {
        self.files
            .iter()
            .flat_map(|file| file.messages.iter().map(move |message| (file, message)))
    }

    /// Imported ones included.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Service> {
        self.files.iter().flat_map(|file| &file.services)
    }

    /// Names of the types that the asked-for files declare or need, directly or not.
    pub(crate) fn needed_types(&self) -> BTreeSet<&str> {
        let by_name: BTreeMap<&str, &Message> = self
            .messages()
            .map(|(_, message)| (message.full_name.as_str(), message))
            .collect();
        let mut needed = BTreeSet::new();
        let mut open: Vec<&str> = Vec::new();
        for file in self.files.iter().filter(|file| !file.is_import) {
            open.extend(file.messages.iter().map(|message| message.full_name.as_str()));
            open.extend(file.enums.iter().map(|one| one.full_name.as_str()));
            let methods = file.services.iter().flat_map(|service| &service.methods);
            open.extend(methods.flat_map(|method| [method.input.as_str(), method.output.as_str()]));
        }
        while let Some(name) = open.pop() {
            if !needed.insert(name) {
                continue;
            }
            let fields = by_name.get(name).into_iter().flat_map(|message| &message.fields);
            let fields = fields.filter(|field| field.held != Held::Elsewhere);
            open.extend(fields.flat_map(|field| field.shape.type_names()));
        }
        needed
    }
}

impl File {
    /// What messages call it.
    pub(crate) fn shown_path(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(|| PathBuf::from(&self.name))
    }
}

impl Field {
    /// Full name of the message that the struct holds because of this field, if it does.
    pub(crate) fn inner_message(&self) -> Option<&str> {
        let name = self.shape.message_name();
        name.filter(|_| self.held == Held::Inside)
    }
}

impl Service {
    pub(crate) fn in_package(&self, package: &str) -> bool {
        let parent = self
            .full_name
            .strip_suffix(self.name.as_str())
            .unwrap_or_default();
        parent.strip_suffix('.').unwrap_or(parent) == package
    }
}

impl MethodKind {
    fn new(client_streaming: bool, server_streaming: bool) -> Self {
        match (client_streaming, server_streaming) {
            (false, false) => Self::Unary,
            (false, true) => Self::ServerStreaming,
            (true, false) => Self::ClientStreaming,
            (true, true) => Self::BidiStreaming,
        }
    }
}

impl Shape {
    fn values(&self) -> impl Iterator<Item = &Value> {
        let (first, second) = match self {
            Shape::Single(value) | Shape::Repeated(value) => (value, None),
            Shape::Map { key, value } => (key, Some(value)),
        };
        std::iter::once(first).chain(second)
    }

    fn type_names(&self) -> impl Iterator<Item = &str> {
        self.values().filter_map(|value| match value {
            Value::Message(name) | Value::Enum(name) => Some(name.as_str()),
            _ => None,
        })
    }

    fn message_name(&self) -> Option<&str> {
        self.values().find_map(|value| match value {
            Value::Message(name) => Some(name.as_str()),
            _ => None,
        })
    }

    pub(crate) fn has_group(&self) -> bool {
        self.values().any(|value| matches!(value, Value::Group))
    }

    /// For messages: "repeated string".
    pub(crate) fn described(&self) -> String {
        match self {
            Shape::Single(of) => of.described(),
            Shape::Repeated(of) => format!("repeated {}", of.described()),
            Shape::Map { key, value } => format!("map<{}, {}>", key.described(), value.described()),
        }
    }
}

impl Value {
    /// For messages: "string", "message `a.v1.M`".
    pub(crate) fn described(&self) -> String {
        match self {
            Value::Text => "string".to_owned(),
            Value::Bytes => "bytes".to_owned(),
            Value::Message(name) => format!("message `{name}`"),
            Value::Enum(name) => format!("enum `{name}`"),
            Value::Group => "group".to_owned(),
            Value::Scalar(name) => (*name).to_owned(),
        }
    }
}

/// Walks one file descriptor and finds lines and comments by the descriptor's path.
struct FileReader<'a> {
    shown: PathBuf,
    locations: HashMap<&'a [i32], &'a prost_types::source_code_info::Location>,
    file: File,
}

impl<'a> FileReader<'a> {
    fn read(proto: &'a FileDescriptorProto, source: &SourceFile) -> File {
        let locations = proto.source_code_info.iter().flat_map(|info| &info.location);
        let mut reader = Self {
            shown: source.shown_path(),
            locations: locations
                .map(|location| (location.path.as_slice(), location))
                .collect(),
            file: File {
                name: source.name.clone(),
                path: source.path.clone(),
                is_import: source.is_import,
                package: proto.package().to_owned(),
                messages: Vec::new(),
                enums: Vec::new(),
                services: Vec::new(),
            },
        };
        let package = proto.package();
        for (index, message) in indexed(&proto.message_type) {
            reader.read_message(message, package, &[FILE_MESSAGE, index]);
        }
        for (index, one) in indexed(&proto.enum_type) {
            reader.read_enum(one, package, &[FILE_ENUM, index]);
        }
        for (index, service) in indexed(&proto.service) {
            reader.read_service(service, package, &[FILE_SERVICE, index]);
        }
        reader.file
    }

    fn read_message(&mut self, proto: &DescriptorProto, scope: &str, path: &[i32]) {
        let full_name = join(scope, proto.name());
        let fields = indexed(&proto.field)
            .map(|(index, field)| Field {
                name: field.name().to_owned(),
                place: self.place(&extend(path, MESSAGE_FIELD, index)),
                shape: shape_of(field, proto, &full_name),
                in_oneof: field.oneof_index.is_some() && !field.proto3_optional(),
                held: Held::Inside,
                deprecated: field.options.as_ref().is_some_and(FieldOptions::deprecated),
            })
            .collect();
        let is_real = |index| {
            let mut members = proto
                .field
                .iter()
                .filter(|field| field.oneof_index == Some(index));
            members.any(|field| !field.proto3_optional())
        };
        let oneofs = indexed(&proto.oneof_decl)
            .filter(|(index, _)| is_real(*index))
            .map(|(index, oneof)| Named {
                name: oneof.name().to_owned(),
                place: self.place(&extend(path, MESSAGE_ONEOF, index)),
                deprecated: false,
            })
            .collect();
        let place = self.place(path);
        self.file.messages.push(Message {
            full_name: full_name.clone(),
            place,
            fields,
            oneofs,
            deprecated: proto.options.as_ref().is_some_and(MessageOptions::deprecated),
        });
        for (index, nested) in indexed(&proto.nested_type) {
            if !is_map_entry(nested) {
                self.read_message(nested, &full_name, &extend(path, MESSAGE_NESTED, index));
            }
        }
        for (index, one) in indexed(&proto.enum_type) {
            self.read_enum(one, &full_name, &extend(path, MESSAGE_ENUM, index));
        }
    }

    fn read_enum(&mut self, proto: &EnumDescriptorProto, scope: &str, path: &[i32]) {
        let place = self.place(path);
        let values = indexed(&proto.value)
            .map(|(index, value)| Named {
                name: value.name().to_owned(),
                place: self.place(&extend(path, ENUM_VALUE, index)),
                deprecated: value.options.as_ref().is_some_and(EnumValueOptions::deprecated),
            })
            .collect();
        self.file.enums.push(Enum {
            full_name: join(scope, proto.name()),
            place,
            values,
            deprecated: proto.options.as_ref().is_some_and(EnumOptions::deprecated),
        });
    }

    fn read_service(&mut self, proto: &ServiceDescriptorProto, scope: &str, path: &[i32]) {
        let methods = indexed(&proto.method)
            .map(|(index, method)| {
                let path = extend(path, SERVICE_METHOD, index);
                Method {
                    name: method.name().to_owned(),
                    place: self.place(&path),
                    comment: self.comment(&path),
                    input: without_dot(method.input_type()),
                    output: without_dot(method.output_type()),
                    kind: MethodKind::new(method.client_streaming(), method.server_streaming()),
                    deprecated: method.options.as_ref().is_some_and(MethodOptions::deprecated),
                }
            })
            .collect();
        self.file.services.push(Service {
            name: proto.name().to_owned(),
            full_name: join(scope, proto.name()),
            place: self.place(path),
            comment: self.comment(path),
            methods,
            deprecated: proto.options.as_ref().is_some_and(ServiceOptions::deprecated),
        });
    }

    fn place(&self, path: &[i32]) -> Place {
        let line = self
            .locations
            .get(path)
            .and_then(|location| location.span.first());
        Place::new(&self.shown, line.and_then(|&line| u32::try_from(line + 1).ok()))
    }

    fn comment(&self, path: &[i32]) -> Vec<String> {
        let Some(location) = self.locations.get(path) else {
            return Vec::new();
        };
        let mut lines: Vec<String> = location.leading_comments().lines().map(str::to_owned).collect();
        if !lines.is_empty() && location.trailing_comments.is_some() {
            lines.push(String::new());
        }
        lines.extend(location.trailing_comments().lines().map(str::to_owned));
        lines
    }
}

fn shape_of(field: &FieldDescriptorProto, message: &DescriptorProto, full_name: &str) -> Shape {
    if let Some(entry) = map_entry_of(field, message, full_name)
        && let [key, value] = entry.field.as_slice()
    {
        return Shape::Map {
            key: value_of(key),
            value: value_of(value),
        };
    }
    match field.label() {
        Label::Repeated => Shape::Repeated(value_of(field)),
        Label::Optional | Label::Required => Shape::Single(value_of(field)),
    }
}

fn map_entry_of<'a>(
    field: &FieldDescriptorProto,
    message: &'a DescriptorProto,
    full_name: &str,
) -> Option<&'a DescriptorProto> {
    let type_name = without_dot(field.type_name());
    let entries = message.nested_type.iter().filter(|nested| is_map_entry(nested));
    entries
        .into_iter()
        .find(|entry| join(full_name, entry.name()) == type_name)
}

fn value_of(field: &FieldDescriptorProto) -> Value {
    match field.r#type() {
        Type::String => Value::Text,
        Type::Bytes => Value::Bytes,
        Type::Message => Value::Message(without_dot(field.type_name())),
        Type::Enum => Value::Enum(without_dot(field.type_name())),
        Type::Group => Value::Group,
        Type::Double => Value::Scalar("double"),
        Type::Float => Value::Scalar("float"),
        Type::Int64 => Value::Scalar("int64"),
        Type::Uint64 => Value::Scalar("uint64"),
        Type::Int32 => Value::Scalar("int32"),
        Type::Fixed64 => Value::Scalar("fixed64"),
        Type::Fixed32 => Value::Scalar("fixed32"),
        Type::Bool => Value::Scalar("bool"),
        Type::Uint32 => Value::Scalar("uint32"),
        Type::Sfixed32 => Value::Scalar("sfixed32"),
        Type::Sfixed64 => Value::Scalar("sfixed64"),
        Type::Sint32 => Value::Scalar("sint32"),
        Type::Sint64 => Value::Scalar("sint64"),
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(MessageOptions::map_entry)
}

/// Items with the index by which descriptor paths name them.
fn indexed<T>(items: &[T]) -> impl Iterator<Item = (i32, &T)> {
    (0..).zip(items)
}

fn extend(path: &[i32], field: i32, index: i32) -> Vec<i32> {
    [path, &[field, index]].concat()
}

pub(crate) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() {
        name.to_owned()
    } else {
        format!("{scope}.{name}")
    }
}

fn without_dot(name: &str) -> String {
    name.strip_prefix('.').unwrap_or(name).to_owned()
}

// Field numbers of descriptor.proto: the steps of a source-info path.
const FILE_MESSAGE: i32 = 4;
const FILE_ENUM: i32 = 5;
const FILE_SERVICE: i32 = 6;
const MESSAGE_FIELD: i32 = 2;
const MESSAGE_NESTED: i32 = 3;
const MESSAGE_ENUM: i32 = 4;
const MESSAGE_ONEOF: i32 = 8;
const SERVICE_METHOD: i32 = 2;
const ENUM_VALUE: i32 = 2;
