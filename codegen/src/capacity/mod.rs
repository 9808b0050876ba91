//! Gives every string, `bytes`, repeated and map field its capacity, or says which have none; and tells which
//! methods have messages larger than memory.
//!
//! What is said of a field comes from the capacity file beside its `.proto`, or else from its options, or else from
//! defaults.

mod defaults;
mod file;
mod key;
mod methods;
mod options;
mod received;
mod setting;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use defaults::CapacityOf;
pub(crate) use defaults::Defaults;
#[cfg(feature = "cli")]
pub(crate) use key::Key;
pub(crate) use options::OPTIONS_NAME;
pub use options::OPTIONS_PROTO;
pub(crate) use settings::Settings;

use crate::error::Problem;
use crate::roles::Roles;
use crate::schema::{Field, File, Held, Message, Schema, join};
use key::problem;
use setting::{Kind, Part, Setting, Target, next_map_capacity};
use settings::Said;

/// The capacities of one run.
#[derive(Default)]
pub(crate) struct Capacities {
    /// By full path of the field, with `.elem`, `.key` or `.value` for its parts.
    pub(crate) by_path: BTreeMap<String, Capacity>,
    /// Full names of the methods whose messages are larger than memory.
    pub(crate) chunked: BTreeSet<String>,
    /// Full names of the messages that borrow, which cannot be decoded. Those that contain one are among them.
    pub(crate) borrowing: BTreeSet<String>,
    /// Full names of the messages that have the lifetime `'a`.
    pub(crate) with_lifetime: BTreeSet<String>,
    /// Full names of the messages of which nobody knows here how long they can be.
    pub(crate) unbounded: BTreeSet<String>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// Where it was said how a field or part is held; what follows from a default is not there.
    #[cfg(feature = "cli")]
    pub(crate) places: BTreeMap<String, crate::error::Place>,
}

/// How a field, or a part of it, is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Capacity {
    /// So many bytes at most.
    Bytes(u32),
    /// So many elements or entries at most.
    Elements(u32),
    /// A reference.
    Borrowed,
    /// By this type of the user's.
    Callback(String),
    /// Not at all.
    Skipped,
    /// A message, as its encoding in at most so many bytes.
    Encoded(u32),
}

impl Capacities {
    /// Applies `settings` to all fields, for output of `roles`.
    pub(crate) fn resolve(
        mut settings: Settings,
        schema: &Schema,
        roles: &Roles,
        problems: &mut Vec<Problem>,
    ) -> Self {
        problems.append(&mut settings.problems);
        let mut capacities = Self::default();
        let fallback = fallback_config(schema);
        let needed = schema.needed_types();
        for (file, of_file) in schema.files.iter().zip(&settings.defaults) {
            for message in &file.messages {
                let of_message = OfMessage {
                    settings: &settings,
                    file,
                    message,
                    of_file,
                    fallback: &fallback,
                    needed: needed.contains(message.full_name.as_str()),
                };
                for target in message.fields.iter().flat_map(|field| targets_in(message, field)) {
                    match of_message.capacity(&target) {
                        Ok(Some(capacity)) => drop(capacities.by_path.insert(target.path, capacity)),
                        Ok(None) => {}
                        Err(problem) => problems.push(*problem),
                    }
                }
            }
        }
        received::classify(schema, &mut capacities);
        received::check(schema, &capacities, roles, problems);
        capacities.chunked = settings.chunked;
        capacities.files = settings.files;
        #[cfg(feature = "cli")]
        {
            let said = settings.said.into_iter();
            capacities.places = said.map(|(path, said)| (path, said.place)).collect();
        }
        capacities
    }
}

/// One message and what there is to know about its fields.
struct OfMessage<'a> {
    settings: &'a Settings,
    file: &'a File,
    message: &'a Message,
    /// Defaults of the file.
    of_file: &'a Defaults,
    /// Where capacities go of messages whose file is not on disk.
    fallback: &'a Path,
    /// False in an imported message that nothing uses: it need not have capacities.
    needed: bool,
}

impl OfMessage<'_> {
    /// How `target` is held; `None` if there is nothing to be said of it.
    fn capacity(&self, target: &Target<'_>) -> Result<Option<Capacity>, Box<Problem>> {
        let said = self.settings.said.get(&target.path);
        if target.part != Part::Whole && target.field.held == Held::Elsewhere {
            return match said.filter(|said| said.exact) {
                Some(said) => Err(self.unheard(target, said)),
                None => Ok(None),
            };
        }
        if let Some(said) = said {
            return match checked(target, &said.setting) {
                Ok(capacity) => Ok(Some(capacity)),
                Err(text) if self.needed => Err(Box::new(problem(said.place.clone(), text))),
                Err(_) => Ok(None),
            };
        }
        let Some(kind) = target.kind() else {
            return Ok(None);
        };
        match self.settings.default(self.of_file, self.message, kind) {
            Some(number) => Ok(Some(capacity(kind, number))),
            None if self.needed && !self.settings.contested.contains(&target.path) => {
                Err(Box::new(missing(target, kind, self.file, self.fallback)))
            }
            None => Ok(None),
        }
    }

    fn unheard(&self, target: &Target<'_>, said: &Said) -> Box<Problem> {
        let whole = join(&self.message.full_name, &target.field.name);
        let of_whole = self.settings.said.get(&whole);
        let of_whole = of_whole.map(|said| format!("{} ({})", said.setting.written(), said.place));
        let text = format!(
            "nothing holds `{}`: of field `{whole}` it says {}; remove one of the two",
            target.path,
            of_whole.unwrap_or_default()
        );
        Box::new(problem(said.place.clone(), text))
    }
}

fn targets_in<'a>(message: &'a Message, field: &'a Field) -> impl Iterator<Item = Target<'a>> {
    Part::of(&field.shape).iter().map(move |&part| Target {
        path: format!("{}.{}{}", message.full_name, field.name, part.suffix()),
        part,
        message,
        field,
    })
}

/// # Errors
/// What to write instead.
fn checked(target: &Target<'_>, setting: &Setting) -> Result<Capacity, String> {
    if let (Setting::Capacity(number), Some(Kind::Map)) = (setting, target.kind())
        && let Some(next) = next_map_capacity(*number)
    {
        return Err(format!(
            "the capacity of map field `{}` is {number}; a map holds a power of two of entries, at least 2: \
             write {next}",
            target.path
        ));
    }
    Ok(match (setting, target.kind()) {
        (Setting::Capacity(number), Some(kind)) => capacity(kind, *number),
        (Setting::Capacity(number), None) => Capacity::Elements(*number),
        (Setting::Borrow, _) => Capacity::Borrowed,
        (Setting::Callback(of_type), _) => Capacity::Callback(of_type.clone()),
        (Setting::Skip, _) => Capacity::Skipped,
        (Setting::Encoded(bytes), _) => Capacity::Encoded(*bytes),
    })
}

fn capacity(kind: Kind, number: u32) -> Capacity {
    match kind {
        Kind::Repeated | Kind::Map => Capacity::Elements(number),
        _ => Capacity::Bytes(number),
    }
}

fn missing(target: &Target<'_>, kind: Kind, file: &File, fallback: &Path) -> Problem {
    let package = file.package.clone();
    let full_name = &target.message.full_name;
    let message = full_name.strip_prefix(&package).unwrap_or(full_name);
    let (what, example, unit) = kind.words();
    Problem::MissingCapacity {
        place: target.field.place.clone(),
        package,
        field: format!("{}{}", target.field.name, target.part.suffix()),
        message: message.trim_start_matches('.').to_owned(),
        what,
        config: file
            .path
            .as_ref()
            .map_or(fallback.to_owned(), |path| path.with_extension("toml")),
        line_to_add: format!("\"{}\" = {example} # {unit}", target.path),
    }
}

/// Where capacities of messages go whose file is not on disk.
pub(crate) fn fallback_config(schema: &Schema) -> PathBuf {
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
