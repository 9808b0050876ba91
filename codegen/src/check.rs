//! Finds, before anything is generated, what cannot become fixed-size messages and stubs.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Problem;
use crate::render::names;
use crate::schema::{File, Message, Schema, Service};

/// Appends everything that is wrong with `schema`.
pub(crate) fn check(schema: &Schema, skip_streaming: bool, problems: &mut Vec<Problem>) {
    let needed = schema.needed_types();
    find_groups(schema, &needed, problems);
    find_cycles(schema, &needed, problems);
    if !skip_streaming {
        find_streaming(schema, problems);
    }
    for file in schema.files.iter().filter(|file| !file.is_import) {
        for service in &file.services {
            find_method_clashes(service, problems);
        }
    }
    find_client_clashes(schema, problems);
    find_value_clashes(schema, &needed, problems);
    find_oneof_clashes(schema, &needed, problems);
}

fn find_groups(schema: &Schema, needed: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    for (_, message) in schema
        .messages()
        .filter(|(_, message)| needed.contains(message.full_name.as_str()))
    {
        for field in message.fields.iter().filter(|field| field.shape.has_group()) {
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

fn find_streaming(schema: &Schema, problems: &mut Vec<Problem>) {
    for (service, method, kind) in schema.streaming_methods() {
        problems.push(Problem::Streaming {
            place: method.place.clone(),
            service: service.full_name.clone(),
            method: method.name.clone(),
            kind,
        });
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
        done: BTreeSet::new(),
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
    done: BTreeSet<&'a str>,
    /// Messages under way, each with the field that leads on.
    trail: Vec<(&'a Message, String)>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> CycleSearch<'a, '_> {
    fn visit(&mut self, message: &'a Message) {
        if self.done.contains(message.full_name.as_str()) {
            return;
        }
        if let Some(start) = self
            .trail
            .iter()
            .position(|(visited, _)| std::ptr::eq(*visited, message))
        {
            return self.report(start);
        }
        for field in &message.fields {
            let next = field
                .shape
                .message_name()
                .and_then(|name| self.messages.get(name).copied());
            if let Some(next) = next {
                self.trail.push((
                    message,
                    format!("{}.{} ({})", message.full_name, field.name, field.place),
                ));
                self.visit(next);
                self.trail.pop();
            }
        }
        self.done.insert(&message.full_name);
    }

    fn report(&mut self, start: usize) {
        let Some(((first, _), cycle)) = self.trail.get(start).zip(self.trail.get(start..)) else {
            return;
        };
        let mut steps: Vec<&str> = cycle.iter().map(|(_, step)| step.as_str()).collect();
        steps.push(&first.full_name);
        self.problems.push(Problem::Recursion {
            place: first.place.clone(),
            message: first.full_name.clone(),
            cycle: steps.join(" -> "),
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
                });
            }
        }
    }
}

fn last_name(full_name: &str) -> &str {
    full_name.rsplit_once('.').map_or(full_name, |(_, name)| name)
}

/// A package is one Rust module, so its messages, enums, sub-packages and stubs share one set of names.
fn find_client_clashes(schema: &Schema, problems: &mut Vec<Problem>) {
    for file in schema.files.iter().filter(|file| !file.is_import) {
        for service in &file.services {
            let client = names::client(&service.name);
            let module = names::service_module(&service.name);
            for (name, (other, place)) in taken_names(schema, file) {
                if name == client || name == module {
                    problems.push(Problem::NameClash {
                        place: service.place.clone(),
                        what: format!("the stub of service `{}`", service.full_name),
                        other: format!("{other} ({place})"),
                        name,
                    });
                }
            }
            let earlier = schema
                .files
                .iter()
                .filter(|other| !other.is_import && other.package == file.package);
            let earlier = earlier
                .flat_map(|file| &file.services)
                .take_while(|other| !std::ptr::eq(*other, service));
            for other in earlier.filter(|other| names::client(&other.name) == client) {
                problems.push(Problem::NameClash {
                    place: service.place.clone(),
                    what: format!("the stub of service `{}`", service.full_name),
                    other: format!("the stub of service `{}` ({})", other.full_name, other.place),
                    name: client.clone(),
                });
            }
        }
    }
}

/// Rust names that messages, enums and sub-packages take in the module of `file`'s package.
fn taken_names<'a>(schema: &'a Schema, file: &File) -> BTreeMap<String, (String, &'a crate::error::Place)> {
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
        let first = other.messages.first().map(|message| &message.place);
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
