//! What the `.proto` files say themselves, by the options of our options file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use prost_types::FileDescriptorProto;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MethodDescriptor};

use super::defaults::{CapacityOf, Defaults};
use super::setting::{Setting, check_callback};
use crate::error::{Place, Problem};
use crate::schema::{File, Schema};
use crate::source::Sources;

/// The options file, `rpc_nostd/options.proto`, by which a `.proto` says itself what its fields hold. No copy is needed
/// here; protoc needs one in a folder that it is given by `-I`.
pub const OPTIONS_PROTO: &str = include_str!("../../proto/rpc_nostd/options.proto");

/// The name by which it is imported.
pub(crate) const OPTIONS_NAME: &str = "rpc_nostd/options.proto";

/// What the options of all files say.
#[derive(Default)]
pub(super) struct Options {
    /// By full path of the field or part, with the place of the option.
    pub(super) settings: BTreeMap<String, (Setting, Place)>,
    /// By full name of the message.
    pub(super) messages: BTreeMap<String, Defaults>,
    /// By import name of the file.
    pub(super) files: BTreeMap<String, Defaults>,
    /// Full names of methods.
    pub(super) chunked: BTreeSet<String>,
}

impl Options {
    pub(super) fn read(sources: &Sources, schema: &Schema, problems: &mut Vec<Problem>) -> Self {
        let mut options = Self::default();
        if !sources.files.iter().any(|file| file.name == OPTIONS_NAME) {
            return options;
        }
        // The plain descriptors have lost the options that they do not know.
        let Ok(pool) = DescriptorPool::decode(sources.encoded.as_slice()) else {
            return options;
        };
        let reader = Reader { pool };
        for file in &schema.files {
            options.read_file(&reader, file, problems);
        }
        let services = reader.pool.services().collect::<Vec<_>>();
        let methods = services.iter().flat_map(|service| service.methods());
        let chunked = methods.filter(|method| reader.is_chunked(method));
        options.chunked = chunked.map(|method| method.full_name().to_owned()).collect();
        options
    }

    fn read_file(&mut self, reader: &Reader, file: &File, problems: &mut Vec<Problem>) {
        let Some(found) = reader.pool.get_file_by_name(&file.name) else {
            return;
        };
        let places = Places {
            shown: file.shown_path(),
            file: found.file_descriptor_proto(),
        };
        let of_file = reader.extension(&found.options(), "rpc_nostd.file");
        let place = || places.of(&[FILE_OPTIONS], &[SCOPE_DEFAULT]);
        if let Some(defaults) = defaults(of_file, "rpc_nostd.file", place, problems) {
            self.files.insert(file.name.clone(), defaults);
        }
        for message in &file.messages {
            let Some(found) = reader.pool.get_message_by_name(&message.full_name) else {
                continue;
            };
            let of_message = reader.extension(&found.options(), "rpc_nostd.message");
            let place = || places.of(&[found.path(), &[MESSAGE_OPTIONS]].concat(), &[SCOPE_DEFAULT]);
            if let Some(defaults) = defaults(of_message, "rpc_nostd.message", place, problems) {
                self.messages.insert(message.full_name.clone(), defaults);
            }
            for field in found.fields() {
                self.read_field(reader, &places, &field, problems);
            }
        }
    }

    fn read_field(
        &mut self,
        reader: &Reader,
        places: &Places<'_>,
        field: &FieldDescriptor,
        problems: &mut Vec<Problem>,
    ) {
        let said = reader.extension(&field.options(), "rpc_nostd.field");
        for (part, number, setting) in said.map(|said| settings(&said)).unwrap_or_default() {
            let path = format!("{}{part}", field.full_name());
            let sub: &[i32] = if part.is_empty() { &[] } else { &[number] };
            let place = places.of(&[field.path(), &[FIELD_OPTIONS]].concat(), sub);
            match setting {
                Ok(setting) => drop(self.settings.insert(path, (setting, place))),
                Err(text) => problems.push(Problem::Option {
                    place,
                    text: format!("option of `{path}`: {text}"),
                }),
            }
        }
    }
}

/// Finds the lines of options.
struct Places<'a> {
    shown: PathBuf,
    file: &'a FileDescriptorProto,
}

impl Places<'_> {
    /// Of what is said by the option at the descriptor's path `options`, or of `sub` in it, if that stands apart.
    fn of(&self, options: &[i32], sub: &[i32]) -> Place {
        let whole = [options, &[EXTENSION]].concat();
        let exact = [whole.as_slice(), sub].concat();
        let locations = self.file.source_code_info.iter().flat_map(|info| &info.location);
        let locations = locations.filter(|location| location.path.starts_with(&whole));
        // The first of the most exact.
        let found = locations
            .rev()
            .max_by_key(|location| location.path.starts_with(&exact));
        let line = found.and_then(|location| location.span.first());
        Place::new(&self.shown, line.and_then(|&line| u32::try_from(line + 1).ok()))
    }
}

struct Reader {
    pool: DescriptorPool,
}

impl Reader {
    fn extension(&self, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
        let extension = self.pool.get_extension_by_name(name)?;
        let value = options
            .has_extension(&extension)
            .then(|| options.get_extension(&extension));
        value?.as_message().cloned()
    }

    fn is_chunked(&self, method: &MethodDescriptor) -> bool {
        let said = self.extension(&method.options(), "rpc_nostd.method");
        said.is_some_and(|said| flag(&said, "chunked"))
    }
}

/// The defaults that the option `name` says; their faults are told with `place`.
fn defaults(
    said: Option<DynamicMessage>,
    name: &str,
    place: impl Fn() -> Place,
    problems: &mut Vec<Problem>,
) -> Option<Defaults> {
    let said = part(&said?, "default")?;
    let mut defaults = Defaults::default();
    for of in CapacityOf::ALL {
        if let Some(capacity) = number(&said, of.name()) {
            defaults.set(of, capacity);
        }
    }
    problems.extend(defaults.faults().map(|text| Problem::Option {
        place: place(),
        text: format!("option `{name}`: {text}"),
    }));
    Some(defaults)
}

/// A part's suffix, its number in the option, and what is said of it.
type Said = (&'static str, i32, Result<Setting, String>);

/// What is said of a field and of its parts.
fn settings(said: &DynamicMessage) -> Vec<Said> {
    let mut all: Vec<Said> = setting(said)
        .into_iter()
        .map(|setting| ("", 0, setting))
        .collect();
    for (name, suffix, field) in [("elem", ".elem", 6), ("key", ".key", 7), ("value", ".value", 8)] {
        let of_part = part(said, name).and_then(|said| setting(&said));
        all.extend(of_part.map(|setting| (suffix, field, setting)));
    }
    all
}

fn setting(said: &DynamicMessage) -> Option<Result<Setting, String>> {
    let callback = text(said, "callback");
    let found: Vec<Setting> = [
        number(said, "capacity").map(Setting::Capacity),
        flag(said, "borrow").then_some(Setting::Borrow),
        callback.map(Setting::Callback),
        flag(said, "skip").then_some(Setting::Skip),
        number(said, "encoded").map(Setting::Encoded),
    ]
    .into_iter()
    .flatten()
    .collect();
    match found.as_slice() {
        [] => None,
        [Setting::Capacity(0) | Setting::Encoded(0)] => {
            Some(Err("the number is 0; write one from 1".to_owned()))
        }
        [Setting::Callback(of_type)] => Some(check_callback(of_type).map(|()| Setting::Callback(of_type.clone()))),
        [one] => Some(Ok(one.clone())),
        _ => Some(Err(
            "it says more than one thing; write one of `capacity`, `borrow`, `callback`, `skip` and `encoded`"
                .to_owned(),
        )),
    }
}

fn number(said: &DynamicMessage, name: &str) -> Option<u32> {
    let has = said.has_field_by_name(name).then(|| said.get_field_by_name(name));
    has??.as_u32()
}

fn flag(said: &DynamicMessage, name: &str) -> bool {
    said.get_field_by_name(name)
        .is_some_and(|value| value.as_bool() == Some(true))
}

fn text(said: &DynamicMessage, name: &str) -> Option<String> {
    let has = said.has_field_by_name(name).then(|| said.get_field_by_name(name));
    has??.as_str().map(str::to_owned)
}

fn part(said: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let has = said.has_field_by_name(name).then(|| said.get_field_by_name(name));
    has??.as_message().cloned()
}

/// Number of our extensions.
const EXTENSION: i32 = 71500;

// Field numbers of descriptor.proto and of the options file: the steps of a source-info path.
const FILE_OPTIONS: i32 = 8;
const MESSAGE_OPTIONS: i32 = 7;
const FIELD_OPTIONS: i32 = 8;
const SCOPE_DEFAULT: i32 = 1;
