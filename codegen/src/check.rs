//! Finds, before anything is generated, what cannot become fixed-size messages and stubs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::capacity;
use crate::error::{Place, Problem};
use crate::limits::MAX_MESSAGE_DEPTH;
use crate::render::names;
use crate::roles::Roles;
use crate::schema::{Field, File, Held, Message, Schema, Service, Shape};

/// Appends everything that is wrong with `schema`, of which `roles` are generated.
pub(crate) fn check(schema: &Schema, roles: &Roles, problems: &mut Vec<Problem>) {
    roles.check(schema, problems);
    let needed = schema.needed_types();
    find_groups(schema, &needed, problems);
    find_cycles(schema, &needed, problems);
    for file in schema.files.iter().filter(|file| !file.is_import) {
        for service in &file.services {
            find_unnamed(service, problems);
            find_method_clashes(service, problems);
            find_service_clashes(schema, file, service, roles, problems);
        }
    }
    find_value_clashes(schema, &needed, problems);
    find_oneof_clashes(schema, &needed, problems);
    find_module_clashes(schema, &needed, problems);
}

fn find_groups(schema: &Schema, needed: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    for (_, message) in schema
        .messages()
        .filter(|(_, message)| needed.contains(message.full_name.as_str()))
    {
        let kept = message
            .fields
            .iter()
            .filter(|field| field.held != Held::Elsewhere);
        for field in kept.filter(|field| field.shape.has_group()) {
            problems.push(Problem::Unsupported {
                place: field.place.clone(),
                text: format!(
                    "field `{}` of message `{}` is a group (delimited encoding), which is not supported; \
                     declare a message and a field of its type",
                    field.name, message.full_name
                ),
            });
        }
    }
}

/// Follows message fields depth first. Each cycle is told once, from the message that comes first in the files.
fn find_cycles(schema: &Schema, needed: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let messages: BTreeMap<&str, &Message> = schema
        .messages()
        .map(|(_, message)| (message.full_name.as_str(), message))
        .collect();
    let mut search = CycleSearch {
        messages,
        fallback: capacity::fallback_config(schema),
        done: BTreeMap::new(),
        trail: Vec::new(),
        problems,
    };
    for (_, message) in schema
        .messages()
        .filter(|(_, message)| needed.contains(message.full_name.as_str()))
    {
        search.visit(message);
    }
}

struct CycleSearch<'a, 'p> {
    messages: BTreeMap<&'a str, &'a Message>,
    /// Where capacities go of messages whose file is not on disk.
    fallback: PathBuf,
    /// How many messages are in each other, each from this one on.
    done: BTreeMap<&'a str, usize>,
    /// Messages under way, each with the field that leads on.
    trail: Vec<(&'a Message, &'a Field)>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> CycleSearch<'a, '_> {
    /// How many messages are in each other from `message` on.
    fn visit(&mut self, message: &'a Message) -> usize {
        if let Some(depth) = self.done.get(message.full_name.as_str()) {
            return *depth;
        }
        if let Some(start) = self
            .trail
            .iter()
            .position(|(visited, _)| std::ptr::eq(*visited, message))
        {
            self.report(start);
            return 0;
        }
        let mut depth = 1;
        // Deeper than this it is refused from another message on.
        if self.trail.len() <= MAX_MESSAGE_DEPTH {
            for field in &message.fields {
                let next = field
                    .inner_message()
                    .and_then(|name| self.messages.get(name).copied());
                if let Some(next) = next {
                    self.trail.push((message, field));
                    depth = depth.max(1 + self.visit(next));
                    self.trail.pop();
                }
            }
        }
        if depth == MAX_MESSAGE_DEPTH + 1 {
            self.problems.push(Problem::Unsupported {
                place: message.place.clone(),
                text: format!(
                    "message `{}` holds messages in messages, more than {MAX_MESSAGE_DEPTH} deep, which decoders refuse; \
                     keep one of them encoded by {{ encoded = 64 }} in the capacity file, or in a field of type `bytes`",
                    message.full_name
                ),
            });
        }
        self.done.insert(&message.full_name, depth);
        depth
    }

    fn report(&mut self, start: usize) {
        let cycle = self.trail.get(start..).unwrap_or_default();
        let ([(first, _), ..], [.., (last, back)]) = (cycle, cycle) else {
            return;
        };
        let mut steps: Vec<String> = cycle
            .iter()
            .map(|(message, field)| format!("{}.{} ({})", message.full_name, field.name, field.place))
            .collect();
        steps.push(first.full_name.clone());
        let part = match back.shape {
            Shape::Single(_) => "",
            Shape::Repeated(_) => ".elem",
            Shape::Map { .. } => ".value",
        };
        let is_on_disk = back.place.file.is_file();
        self.problems.push(Problem::Recursion {
            place: first.place.clone(),
            message: first.full_name.clone(),
            cycle: steps.join(" -> "),
            config: if is_on_disk {
                back.place.file.with_extension("toml")
            } else {
                self.fallback.clone()
            },
            line_to_add: format!("\"{}.{}{part}\" = {{ encoded = 64 }}", last.full_name, back.name),
        });
    }
}

fn find_unnamed(service: &Service, problems: &mut Vec<Problem>) {
    if !names::has_name(&service.name) {
        problems.push(Problem::NoName {
            place: service.place.clone(),
            what: format!("service `{}`", service.full_name),
        });
    }
    for method in service
        .methods
        .iter()
        .filter(|method| !names::has_name(&method.name))
    {
        problems.push(Problem::NoName {
            place: method.place.clone(),
            what: format!("method `{}` of service `{}`", method.name, service.full_name),
        });
    }
}

fn find_method_clashes(service: &Service, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for method in &service.methods {
        let constants = names::MethodConstants::new(&method.name);
        let function = names::function(&method.name);
        for name in [
            function,
            constants.method,
            constants.request_size,
            constants.response_size,
        ] {
            match seen.get(&name) {
                Some(&other) => {
                    problems.push(Problem::NameClash {
                        place: method.place.clone(),
                        what: format!("method `{}` of service `{}`", method.name, service.full_name),
                        other: format!("method `{other}`"),
                        name,
                        instead: "",
                    });
                    break;
                }
                None => drop(seen.insert(name, &method.name)),
            }
        }
    }
}

fn find_value_clashes(schema: &Schema, needed: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let enums = schema.files.iter().flat_map(|file| &file.enums);
    for one in enums.filter(|one| needed.contains(one.full_name.as_str())) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for value in &one.values {
            let name = names::enum_value(last_name(&one.full_name), &value.name);
            if let Some(other) = seen.insert(name.clone(), &value.name) {
                problems.push(Problem::NameClash {
                    place: value.place.clone(),
                    what: format!("value `{}` of enum `{}`", value.name, one.full_name),
                    other: format!("value `{other}`"),
                    name,
                    instead: "",
                });
            }
        }
    }
}

/// The enum of a oneof lies in the module of its message's inner types.
fn find_oneof_clashes(schema: &Schema, needed: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    for (file, message) in schema
        .messages()
        .filter(|(_, message)| needed.contains(message.full_name.as_str()))
    {
        for oneof in &message.oneofs {
            let name = names::oneof(&oneof.name);
            let inner = crate::schema::join(&message.full_name, &name);
            let messages = file
                .messages
                .iter()
                .map(|message| (&message.full_name, &message.place));
            let mut types = messages.chain(file.enums.iter().map(|one| (&one.full_name, &one.place)));
            if let Some((other, place)) = types.find(|(other, _)| **other == inner) {
                problems.push(Problem::NameClash {
                    place: oneof.place.clone(),
                    what: format!("oneof `{}` of message `{}`", oneof.name, message.full_name),
                    other: format!("type `{other}` ({place})"),
                    name,
                    instead: "",
                });
            }
        }
    }
}

/// What is inside a message lies in a module, whose name may be the one of a type beside the message.
fn find_module_clashes(schema: &Schema, needed: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let messages = schema.messages();
    let mut types: BTreeMap<&str, &Place> = messages
        .map(|(_, message)| (message.full_name.as_str(), &message.place))
        .collect();
    let enums = schema.files.iter().flat_map(|file| &file.enums);
    types.extend(enums.map(|one| (one.full_name.as_str(), &one.place)));
    let has_types = |name: &str| {
        let inside = format!("{name}.");
        types.keys().any(|other| other.starts_with(&inside))
    };
    for (_, message) in schema
        .messages()
        .filter(|(_, message)| needed.contains(message.full_name.as_str()))
        .filter(|(_, message)| !message.oneofs.is_empty() || has_types(&message.full_name))
    {
        let (scope, own_name) = message
            .full_name
            .rsplit_once('.')
            .unwrap_or(("", &message.full_name));
        let name = names::inner_module(own_name);
        let full_name = crate::schema::join(scope, &name);
        let Some(place) = types.get(full_name.as_str()) else {
            continue;
        };
        problems.push(Problem::NameClash {
            place: message.place.clone(),
            what: format!("the module of what is inside message `{}`", message.full_name),
            other: format!("type `{full_name}` ({place})"),
            instead: if name == own_name { CAPITAL_FIRST } else { "" },
            name,
        });
    }
}

fn last_name(full_name: &str) -> &str {
    full_name.rsplit_once('.').map_or(full_name, |(_, name)| name)
}

/// A package is one Rust module, so its messages, enums, sub-packages and what services become share one set
/// of names.
fn find_service_clashes(
    schema: &Schema,
    file: &File,
    service: &Service,
    roles: &Roles,
    problems: &mut Vec<Problem>,
) {
    let mut clash = |part: &Part, other: String| {
        problems.push(Problem::NameClash {
            place: service.place.clone(),
            what: part.of(service),
            other,
            name: part.name.clone(),
            instead: part.instead,
        });
    };
    let parts = parts_of(service, roles);
    let taken = taken_names(schema, file);
    for part in &parts {
        if let Some((other, place)) = taken.get(&part.name) {
            clash(part, format!("{other} ({place})"));
        }
    }
    let in_package = schema
        .files
        .iter()
        .filter(|other| !other.is_import && other.package == file.package);
    let earlier = in_package
        .flat_map(|file| &file.services)
        .take_while(|other| !std::ptr::eq(*other, service));
    for other in earlier {
        let theirs = parts_of(other, roles);
        let pairs = parts
            .iter()
            .flat_map(|part| theirs.iter().map(move |their| (part, their)));
        // They often have several names in common, and one says enough.
        if let Some((part, their)) = pairs.into_iter().find(|(part, their)| part.name == their.name) {
            clash(part, format!("{} ({})", their.of(other), other.place));
        }
    }
}

/// Something that a service becomes in its package's module.
struct Part {
    /// "client", ...
    what: &'static str,
    name: String,
    /// How to do without.
    instead: &'static str,
}

impl Part {
    fn of(&self, service: &Service) -> String {
        format!("the {} of service `{}`", self.what, service.full_name)
    }
}

fn parts_of(service: &Service, roles: &Roles) -> Vec<Part> {
    let part = |what, name, instead| Part { what, name, instead };
    let mut parts = Vec::new();
    if roles.has_client(service) {
        parts.push(part("client", names::client(&service.name), NO_CLIENT));
    }
    if roles.has_server(service) {
        parts.push(part("trait", names::server_trait(&service.name), NO_SERVER));
        parts.push(part("server", names::server(&service.name), NO_SERVER));
    }
    parts.push(part("module", names::service_module(&service.name), ""));
    parts
}

/// Rust names that messages, enums and sub-packages take in the module of `file`'s package.
fn taken_names<'a>(schema: &'a Schema, file: &File) -> BTreeMap<String, (String, &'a Place)> {
    let mut taken = BTreeMap::new();
    for other in &schema.files {
        let child = match file.package.as_str() {
            "" => Some(other.package.as_str()),
            package => other
                .package
                .strip_prefix(package)
                .and_then(|rest| rest.strip_prefix('.')),
        };
        let module = child
            .and_then(|child| child.split('.').next())
            .filter(|module| !module.is_empty());
        let messages = other.messages.first().map(|message| &message.place);
        let first = messages
            .or(other.enums.first().map(|one| &one.place))
            .or(other.services.first().map(|service| &service.place));
        if let Some((module, place)) = module.zip(first) {
            taken.insert(module.to_owned(), (format!("package `{}`", other.package), place));
        }
        let messages = other
            .messages
            .iter()
            .map(|message| (&message.full_name, &message.place, "message"));
        let enums = other.enums.iter().map(|one| (&one.full_name, &one.place, "enum"));
        for (full_name, place, kind) in messages.chain(enums) {
            let (scope, name) = full_name.rsplit_once('.').unwrap_or(("", full_name));
            if scope == file.package {
                taken.insert(name.to_owned(), (format!("{kind} `{full_name}`"), place));
            }
        }
    }
    taken
}

const NO_CLIENT: &str = ", or leave the clients out by `Builder::client(false)` (command: `--no-client`)";
const NO_SERVER: &str = ", or leave the servers out by `Builder::server(false)` (command: `--no-server`)";
const CAPITAL_FIRST: &str = ": a message's name begins with a capital letter";
