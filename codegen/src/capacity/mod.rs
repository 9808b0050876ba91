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

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use defaults::CapacityOf;
pub(crate) use defaults::Defaults;
pub(crate) use options::OPTIONS_NAME;
pub use options::OPTIONS_PROTO;
pub(crate) use setting::Setting;

use crate::error::{Place, Problem};
use crate::roles::Roles;
use crate::schema::{Field, File, Held, Message, Schema, join};
use crate::source::Sources;
use file::CapacityFiles;
use key::{Key, problem, strongest};
use options::Options;
use setting::{Kind, Part, Target, next_map_capacity};

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

/// What the input says of fields and methods, before it is known what of it is needed.
pub(crate) struct Settings {
    /// By full path of the field or part.
    said: BTreeMap<String, (Setting, Place)>,
    /// Full paths of which two lines of one strength speak.
    contested: BTreeSet<String>,
    /// For each file of the schema.
    defaults: Vec<Defaults>,
    /// For each message that says any, by full name.
    of_messages: BTreeMap<String, Defaults>,
    chunked: BTreeSet<String>,
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl Settings {
    /// Reads the capacity files beside the `.proto` files, and the options in them. Marks the fields of `schema` that are
    /// not held in their messages.
    pub(crate) fn read(sources: &Sources, schema: &mut Schema, run: &Defaults) -> Self {
        let mut problems: Vec<Problem> = run.faults().map(Problem::Usage).collect();
        let options = Options::read(sources, schema, &mut problems);
        let mut lines = CapacityFiles::default();
        let mut files = Vec::new();
        let mut beside = Vec::new();
        for file in &schema.files {
            let config = file.path.as_ref().map(|path| path.with_extension("toml"));
            let config = config.filter(|config| config.is_file() && !files.contains(config));
            beside.push(config.map_or_else(Defaults::default, |config| {
                let defaults = lines.read(&config, &file.package);
                files.push(config);
                defaults
            }));
        }
        problems.append(&mut lines.problems);

        let mut used = vec![false; lines.capacities.len()];
        let (mut said, mut contested) = (BTreeMap::new(), BTreeSet::new());
        let targets = targets_of(schema);
        for target in &targets {
            let fits = |setting: &Setting| target.refusal(setting).is_none();
            match strongest(&lines.capacities, &target.path, "field", fits, &mut used) {
                Ok(Some(line)) => {
                    said.insert(target.path.clone(), (line.value.clone(), line.key.place.clone()));
                }
                Ok(None) => {}
                Err(both) => {
                    problems.push(*both);
                    contested.insert(target.path.clone());
                }
            }
            let Some(option) = options.settings.get(&target.path) else {
                continue;
            };
            match target.refusal(option) {
                Some(why) => problems.push(Problem::Option {
                    place: target.field.place.clone(),
                    text: format!("option of `{}`: it {why}", target.path),
                }),
                None => {
                    let place = target.field.place.clone();
                    said.entry(target.path.clone()).or_insert((option.clone(), place));
                }
            }
        }
        let unheard = options
            .settings
            .keys()
            .filter(|path| targets.iter().all(|target| target.path != **path));
        problems.extend(unheard.map(|path| no_such_part(path, schema)));
        for (line, _) in lines.capacities.iter().zip(used).filter(|(_, used)| !used) {
            let text = no_such_field(&line.key, &line.value, schema, &targets);
            problems.push(problem(line.key.place.clone(), text));
        }
        let chunked = methods::chunked(&lines.methods, &options.chunked, schema, &mut problems);
        mark_held(schema, &said);
        Self {
            said,
            contested,
            defaults: defaults_of_files(schema, &beside, &options, run),
            of_messages: options.messages,
            chunked,
            files,
            problems,
        }
    }

    /// The number for a field of which nothing is said.
    fn default(&self, of_file: &Defaults, message: &Message, kind: Kind) -> Option<u32> {
        let mut name = message.full_name.as_str();
        loop {
            if let Some(number) = self.of_messages.get(name).and_then(|said| said.get(kind)) {
                return Some(number);
            }
            match name.rsplit_once('.') {
                Some((outer, _)) => name = outer,
                None => return of_file.get(kind),
            }
        }
    }
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
                let needed = needed.contains(message.full_name.as_str());
                for target in message.fields.iter().flat_map(|field| targets_in(message, field)) {
                    if target.part != Part::Whole && target.field.held == Held::Elsewhere {
                        continue;
                    }
                    let default = |kind| settings.default(of_file, message, kind);
                    match settings.said.get(&target.path) {
                        Some((setting, place)) => match checked(&target, setting) {
                            Ok(capacity) => drop(capacities.by_path.insert(target.path, capacity)),
                            Err(text) if needed => problems.push(problem(place.clone(), text)),
                            Err(_) => {}
                        },
                        None => match target.kind().map(|kind| (kind, default(kind))) {
                            Some((kind, Some(number))) => {
                                drop(capacities.by_path.insert(target.path, capacity(kind, number)));
                            }
                            Some((kind, None)) if needed && !settings.contested.contains(&target.path) => {
                                problems.push(missing(&target, kind, file, &fallback))
                            }
                            _ => {}
                        },
                    }
                }
            }
        }
        received::classify(schema, &mut capacities);
        received::check(schema, &capacities, roles, problems);
        capacities.chunked = settings.chunked;
        capacities.files = settings.files;
        capacities
    }
}

/// Defaults of each file: those beside it, those in it, those beside the files that were asked for, those of the run.
fn defaults_of_files(
    schema: &Schema,
    beside: &[Defaults],
    options: &Options,
    run: &Defaults,
) -> Vec<Defaults> {
    let asked = schema
        .files
        .iter()
        .zip(beside)
        .filter(|(file, _)| !file.is_import);
    let asked = asked.fold(Defaults::default(), |all, (_, one)| all.widened(one));
    let none = Defaults::default();
    let files = schema.files.iter().zip(beside);
    files
        .map(|(file, beside)| {
            let inside = options.files.get(&file.name).unwrap_or(&none);
            beside.or(inside).or(&asked).or(run)
        })
        .collect()
}

fn mark_held(schema: &mut Schema, said: &BTreeMap<String, (Setting, Place)>) {
    for message in schema.files.iter_mut().flat_map(|file| &mut file.messages) {
        for field in &mut message.fields {
            let path = join(&message.full_name, &field.name);
            for part in Part::of(&field.shape) {
                match said.get(&format!("{path}{}", part.suffix())) {
                    Some((Setting::Callback(_) | Setting::Skip, _)) => {
                        field.held = Held::Elsewhere;
                        break;
                    }
                    Some((Setting::Encoded(_), _)) => field.held = Held::Encoded,
                    _ => {}
                }
            }
        }
    }
}

fn targets_of(schema: &Schema) -> Vec<Target<'_>> {
    let messages = schema.messages().map(|(_, message)| message);
    let fields = messages.flat_map(|message| message.fields.iter().map(move |field| (message, field)));
    fields
        .flat_map(|(message, field)| targets_in(message, field))
        .collect()
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
    Ok(match (setting, target.kind()) {
        (Setting::Capacity(number), Some(Kind::Map)) if let Some(next) = next_map_capacity(*number) => {
            return Err(format!(
                "the capacity of map field `{}` is {number}; a map holds a power of two of entries, at least 2: \
                 write {next}",
                target.path
            ));
        }
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

fn no_such_field(key: &Key, setting: &Setting, schema: &Schema, targets: &[Target<'_>]) -> String {
    let text = &key.text;
    let named = targets.iter().filter(|target| key.names(&target.path));
    if let Some(why) = named.into_iter().find_map(|target| target.refusal(setting)) {
        return format!("field `{text}` {why}");
    }
    for (_, message) in schema.messages() {
        if key.is_within(&message.full_name) {
            return format!("no field `{text}`; {}", fields_with_capacity(message, targets));
        }
    }
    format!(
        "no message has a field `{text}`; write package.Message.field, or Message.field for package `{}`, \
         and `*` for any one name",
        key.package
    )
}

fn fields_with_capacity(message: &Message, targets: &[Target<'_>]) -> String {
    let of_message = targets
        .iter()
        .filter(|target| std::ptr::eq(target.message, message) && target.kind().is_some());
    let names: Vec<String> = of_message.map(|target| format!("`{}`", target.path)).collect();
    match names.as_slice() {
        [] => format!("message `{}` has none that takes a capacity", message.full_name),
        names => format!("message `{}` has {}", message.full_name, names.join(", ")),
    }
}

/// An option for a part that its field does not have.
fn no_such_part(path: &str, schema: &Schema) -> Problem {
    let (whole, part) = path.rsplit_once('.').unwrap_or((path, ""));
    let mut fields = schema.messages().flat_map(|(_, message)| {
        let fields = message.fields.iter();
        fields.filter(|field| join(&message.full_name, &field.name) == whole)
    });
    let field = fields.next();
    Problem::Option {
        place: field.map_or_else(|| Place::new(whole, None), |field| field.place.clone()),
        text: format!(
            "option of `{path}`: the field has no `{part}`: it is a {}; a repeated field has `elem`, a map `key` and \
             `value`",
            field.map(|field| field.shape.described()).unwrap_or_default()
        ),
    }
}
