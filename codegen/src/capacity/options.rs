//! What the `.proto` files say themselves, by the options of our options file.

use std::collections::{BTreeMap, BTreeSet};

use protox::prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

use super::defaults::{CapacityOf, Defaults};
use super::setting::{Setting, check_callback};
use crate::error::Problem;
use crate::schema::{Schema, join};
use crate::source::Sources;

/// The options file, `rpc_nostd/options.proto`, by which a `.proto` says itself what its fields hold. No copy is needed
/// here; protoc needs one in a folder that it is given by `-I`.
pub const OPTIONS_PROTO: &str = include_str!("../../proto/rpc_nostd/options.proto");

/// The name by which it is imported.
pub(crate) const OPTIONS_NAME: &str = "rpc_nostd/options.proto";

/// What the options of all files say.
#[derive(Default)]
pub(super) struct Options {
    /// By full path of the field or part.
    pub(super) settings: BTreeMap<String, Setting>,
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
            let found = reader
                .pool
                .get_file_by_name(&file.name)
                .map(|file| file.options());
            let place = crate::error::Place::new(file.shown_path(), None);
            if let Some(defaults) = reader.defaults(found, "rpc_nostd.file", &place, problems) {
                options.files.insert(file.name.clone(), defaults);
            }
        }
        for (_, message) in schema.messages() {
            let Some(found) = reader.pool.get_message_by_name(&message.full_name) else {
                continue;
            };
            let of_message = Some(found.options());
            if let Some(defaults) = reader.defaults(of_message, "rpc_nostd.message", &message.place, problems)
            {
                options.messages.insert(message.full_name.clone(), defaults);
            }
            for field in &message.fields {
                let path = join(&message.full_name, &field.name);
                let said = found.get_field_by_name(&field.name);
                let said = said.and_then(|field| reader.extension(&field.options(), "rpc_nostd.field"));
                for (part, setting) in said.map(|said| settings(&said)).unwrap_or_default() {
                    match setting {
                        Ok(setting) => drop(options.settings.insert(format!("{path}{part}"), setting)),
                        Err(text) => problems.push(Problem::Option {
                            place: field.place.clone(),
                            text: format!("option of `{path}{part}`: {text}"),
                        }),
                    }
                }
            }
        }
        let services = reader.pool.services().collect::<Vec<_>>();
        let methods = services.iter().flat_map(|service| service.methods());
        let chunked = methods.filter(|method| reader.is_chunked(method));
        options.chunked = chunked.map(|method| method.full_name().to_owned()).collect();
        options
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

    fn defaults(
        &self,
        options: Option<DynamicMessage>,
        name: &str,
        place: &crate::error::Place,
        problems: &mut Vec<Problem>,
    ) -> Option<Defaults> {
        let said = self.extension(&options?, name)?;
        let said = part(&said, "default")?;
        let mut defaults = Defaults::default();
        for of in CapacityOf::ALL {
            if let Some(capacity) = number(&said, of.name()) {
                defaults.set(of, capacity);
            }
        }
        problems.extend(defaults.faults().map(|text| Problem::Option {
            place: place.clone(),
            text: format!("option `{name}`: {text}"),
        }));
        Some(defaults)
    }
}

type Said = (&'static str, Result<Setting, String>);

/// What is said of a field and of its parts.
fn settings(said: &DynamicMessage) -> Vec<Said> {
    let mut all: Vec<Said> = setting(said).into_iter().map(|setting| ("", setting)).collect();
    for (name, suffix) in [("elem", ".elem"), ("key", ".key"), ("value", ".value")] {
        let of_part = part(said, name).and_then(|said| setting(&said));
        all.extend(of_part.map(|setting| (suffix, setting)));
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
