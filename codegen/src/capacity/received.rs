//! Which messages borrow, and so can be sent but not received: a handler, or a caller, gets a message as a value of its
//! own, and by then the receive buffer has taken what came next.

use std::collections::{BTreeMap, BTreeSet};

use super::setting::Part;
use super::{Capacities, Capacity};
use crate::error::Problem;
use crate::roles::Roles;
use crate::schema::{Field, Message, Method, Schema, Service, join};

/// Finds the messages that borrow, that have a lifetime, that have no greatest length.
pub(super) fn classify(schema: &Schema, capacities: &mut Capacities) {
    capacities.borrowing = closed(schema, |message| {
        held(message, capacities).any(|(_, capacity)| *capacity == Capacity::Borrowed)
    });
    capacities.with_lifetime = closed(schema, |message| {
        held(message, capacities).any(|(_, capacity)| match capacity {
            Capacity::Borrowed => true,
            Capacity::Callback(of_type) => has_lifetime(of_type),
            _ => false,
        })
    });
    capacities.unbounded = closed(schema, |message| {
        held(message, capacities)
            .any(|(_, capacity)| matches!(capacity, Capacity::Borrowed | Capacity::Callback(_)))
    });
}

/// Finds the methods by which a generated side would receive a message that borrows.
pub(super) fn check(schema: &Schema, capacities: &Capacities, roles: &Roles, problems: &mut Vec<Problem>) {
    let asked = schema.files.iter().filter(|file| !file.is_import);
    for service in asked.flat_map(|file| &file.services) {
        for method in &service.methods {
            let sides = [
                (roles.has_server(service), &method.input, "server", NO_SERVER),
                (roles.has_client(service), &method.output, "client", NO_CLIENT),
            ];
            for (is_generated, message, side, instead) in sides {
                if is_generated && capacities.borrowing.contains(message) {
                    let lender = lender(schema, capacities, message);
                    problems.push(refused(service, method, message, &lender, [side, instead]));
                }
            }
        }
    }
}

fn refused(
    service: &Service,
    method: &Method,
    message: &str,
    lender: &str,
    [side, instead]: [&str; 2],
) -> Problem {
    Problem::Unsupported {
        place: method.place.clone(),
        text: format!(
            "method `{}` of service `{}`: its {side} receives message `{message}`, which borrows ({lender}), and only \
             what is sent can: a received message outlives the bytes it came in; give the field a capacity, or \
             {{ callback = \"crate::Type\" }} to see its bytes as they pass, or leave the {side}s out by {instead}",
            method.name, service.full_name
        ),
    }
}

/// The first field found that makes `name` borrow, with its place.
fn lender(schema: &Schema, capacities: &Capacities, name: &str) -> String {
    let messages = by_name(schema);
    let mut open = vec![name];
    let mut seen = BTreeSet::new();
    while let Some(message) = open.pop().and_then(|name| messages.get(name)) {
        let borrowed = held(message, capacities).find(|(_, capacity)| **capacity == Capacity::Borrowed);
        if let Some((field, _)) = borrowed {
            return format!("`{}.{}`, {}", message.full_name, field.name, field.place);
        }
        let inner = message.fields.iter().filter_map(Field::inner_message);
        open.extend(inner.filter(|name| capacities.borrowing.contains(*name) && seen.insert(*name)));
    }
    String::new()
}

/// What is said of the fields of `message` and their parts.
fn held<'a>(
    message: &'a Message,
    capacities: &'a Capacities,
) -> impl Iterator<Item = (&'a Field, &'a Capacity)> {
    message.fields.iter().flat_map(move |field| {
        let path = join(&message.full_name, &field.name);
        let parts = Part::of(&field.shape).iter();
        parts.filter_map(move |part| {
            let capacity = capacities.by_path.get(&format!("{path}{}", part.suffix()))?;
            Some((field, capacity))
        })
    })
}

/// Full names of the messages of which `is` holds, and of those that contain one.
fn closed(schema: &Schema, is: impl Fn(&Message) -> bool) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let messages = by_name(schema);
    for message in messages.values().filter(|message| is(message)) {
        found.insert(message.full_name.clone());
    }
    while !found.is_empty() {
        let contains = |message: &&&Message| {
            let mut inner = message.fields.iter().filter_map(Field::inner_message);
            !found.contains(&message.full_name) && inner.any(|name| found.contains(name))
        };
        let more: Vec<String> = messages
            .values()
            .filter(contains)
            .map(|message| message.full_name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    found
}

fn by_name(schema: &Schema) -> BTreeMap<&str, &Message> {
    let messages = schema.messages();
    messages
        .map(|(_, message)| (message.full_name.as_str(), message))
        .collect()
}

fn has_lifetime(of_type: &str) -> bool {
    of_type.replace("'static", "").contains('\'')
}

const NO_SERVER: &str = "`Builder::server(false)` or `Builder::server_for` (command: `--no-server`)";
const NO_CLIENT: &str = "`Builder::client(false)` or `Builder::client_for` (command: `--no-client`)";
