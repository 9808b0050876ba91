//! Reads what the input says of fields and methods: the capacity files beside the `.proto` files, and the options in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::defaults::Defaults;
use super::file::CapacityFiles;
use super::key::{Key, Line, Lines, problem};
use super::methods;
use super::options::Options;
use super::setting::{Kind, Part, Setting, Target};
use super::targets_in;
use crate::error::{Place, Problem};
use crate::schema::{Held, Message, Schema, join};
use crate::source::Sources;

/// What is said of one field or part.
pub(super) struct Said {
    pub(super) setting: Setting,
    pub(super) place: Place,
    /// True if it is said of nothing else, by a key without wildcards or by an option.
    pub(super) exact: bool,
}

impl Said {
    fn by_line(line: &Line<Setting>) -> Self {
        Self {
            setting: line.value.clone(),
            place: line.key.place.clone(),
            exact: line.key.wildcards() == 0,
        }
    }
}

/// What the input says of fields and methods, before it is known what of it is needed.
pub(crate) struct Settings {
    /// By full path of the field or part.
    pub(super) said: BTreeMap<String, Said>,
    /// Full paths of which two lines of one strength speak.
    pub(super) contested: BTreeSet<String>,
    /// For each file of the schema.
    pub(super) defaults: Vec<Defaults>,
    /// For each message that says any, by full name.
    of_messages: BTreeMap<String, Defaults>,
    pub(super) chunked: BTreeSet<String>,
    pub(super) files: Vec<PathBuf>,
    pub(super) problems: Vec<Problem>,
}

impl Settings {
    /// Reads the capacity files beside the `.proto` files, and the options in them. Marks the fields of `schema` that are
    /// not held in their messages.
    pub(crate) fn read(sources: &Sources, schema: &mut Schema, run: &Defaults) -> Self {
        let mut problems: Vec<Problem> = run.faults().map(Problem::Usage).collect();
        let options = Options::read(sources, schema, &mut problems);
        let mut lines = CapacityFiles::default();
        let (files, beside) = read_files(schema, &mut lines);
        problems.append(&mut lines.problems);

        let mut capacities = Lines::new(&lines.capacities);
        let (mut said, mut contested) = (BTreeMap::new(), BTreeSet::new());
        let targets = targets_of(schema);
        for target in &targets {
            let fits = |setting: &Setting| target.refusal(setting).is_none();
            match capacities.strongest(&target.path, "field", fits) {
                Ok(Some(line)) => {
                    said.insert(target.path.clone(), Said::by_line(line));
                }
                Ok(None) => {}
                Err(both) => {
                    problems.push(*both);
                    contested.insert(target.path.clone());
                }
            }
            let Some((option, place)) = options.settings.get(&target.path) else {
                continue;
            };
            match target.refusal(option) {
                Some(why) => problems.push(Problem::Option {
                    place: place.clone(),
                    text: format!("option of `{}`: it {why}", target.path),
                }),
                None => drop(said.entry(target.path.clone()).or_insert_with(|| Said {
                    setting: option.clone(),
                    place: place.clone(),
                    exact: true,
                })),
            }
        }
        problems.append(&mut unheard(&options, &targets));
        for line in capacities.unused() {
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
    pub(super) fn default(&self, of_file: &Defaults, message: &Message, kind: Kind) -> Option<u32> {
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

/// The capacity files that there are, and for each `.proto` the defaults beside it.
fn read_files(schema: &Schema, lines: &mut CapacityFiles) -> (Vec<PathBuf>, Vec<Defaults>) {
    let (mut files, mut beside) = (Vec::new(), Vec::new());
    for file in &schema.files {
        let config = file.path.as_ref().map(|path| path.with_extension("toml"));
        let config = config.filter(|config| config.is_file() && !files.contains(config));
        beside.push(config.map_or_else(Defaults::default, |config| {
            let defaults = lines.read(&config, &file.package);
            files.push(config);
            defaults
        }));
    }
    (files, beside)
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

fn mark_held(schema: &mut Schema, said: &BTreeMap<String, Said>) {
    for message in schema.files.iter_mut().flat_map(|file| &mut file.messages) {
        for field in &mut message.fields {
            let path = join(&message.full_name, &field.name);
            for part in Part::of(&field.shape) {
                match said
                    .get(&format!("{path}{}", part.suffix()))
                    .map(|said| &said.setting)
                {
                    Some(Setting::Callback(_) | Setting::Skip) => {
                        field.held = Held::Elsewhere;
                        break;
                    }
                    Some(Setting::Encoded(_)) => field.held = Held::Encoded,
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

/// Options for parts that their fields do not have.
fn unheard(options: &Options, targets: &[Target<'_>]) -> Vec<Problem> {
    let by_path: BTreeMap<&str, &Target<'_>> = targets
        .iter()
        .map(|target| (target.path.as_str(), target))
        .collect();
    let unheard = options.settings.iter();
    let unheard = unheard.filter(|(path, _)| !by_path.contains_key(path.as_str()));
    let told = unheard.map(|(path, (_, place))| {
        let (whole, part) = path.rsplit_once('.').unwrap_or((path, ""));
        let described = by_path.get(whole).map(|target| target.field.shape.described());
        Problem::Option {
            place: place.clone(),
            text: format!(
                "option of `{path}`: the field has no `{part}`: it is a {}; a repeated field has `elem`, a map `key` and \
                 `value`",
                described.unwrap_or_default()
            ),
        }
    });
    told.collect()
}
