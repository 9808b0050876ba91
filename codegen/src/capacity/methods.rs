//! Applies the lines of `[method]`, and options, to the methods of all services.

use std::collections::BTreeSet;

use super::key::{Key, Line, Lines, problem};
use crate::error::Problem;
use crate::schema::{Schema, Service, join};

/// Full names of the methods that are chunked: by `lines`, or else by `options`.
pub(super) fn chunked(
    lines: &[Line<bool>],
    options: &BTreeSet<String>,
    schema: &Schema,
    problems: &mut Vec<Problem>,
) -> BTreeSet<String> {
    let mut lines = Lines::new(lines);
    let mut chunked = BTreeSet::new();
    for method in schema.services().flat_map(names_of) {
        match lines.strongest(&method, "method", |_| true) {
            Ok(Some(Line { value: true, .. })) => drop(chunked.insert(method)),
            Ok(None) if options.contains(&method) => drop(chunked.insert(method)),
            Ok(_) => {}
            Err(both) => problems.push(*both),
        }
    }
    for Line { key, .. } in lines.unused() {
        problems.push(problem(key.place.clone(), no_such_method(key, schema)));
    }
    chunked
}

fn names_of(service: &Service) -> impl Iterator<Item = String> {
    let methods = service.methods.iter();
    methods.map(|method| join(&service.full_name, &method.name))
}

fn no_such_method(key: &Key, schema: &Schema) -> String {
    let text = &key.text;
    if let Some(service) = schema
        .services()
        .find(|service| key.is_within(&service.full_name))
    {
        let names: Vec<String> = names_of(service).map(|name| format!("`{name}`")).collect();
        let name = &service.full_name;
        return match names.as_slice() {
            [] => format!("no method `{text}`; service `{name}` has none"),
            names => format!("no method `{text}`; service `{name}` has {}", names.join(", ")),
        };
    }
    let names: Vec<String> = schema
        .services()
        .map(|service| format!("`{}`", service.full_name))
        .collect();
    let services = match names.as_slice() {
        [] => "there are no services".to_owned(),
        names => format!("the services are {}", names.join(", ")),
    };
    format!(
        "no service has a method `{text}`; {services}; write package.Service.Method, or Service.Method for package \
         `{}`, and `*` for any one name",
        key.package
    )
}
