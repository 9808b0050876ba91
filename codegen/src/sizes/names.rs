//! Where in the output the type of a message is: the rules of micropb-gen, repeated.

use convert_case::{Case, Casing};

/// The module of a package: `a.b` is `a::b`.
pub(super) fn package(name: &str) -> String {
    let mut names = name.split('.').filter(|name| !name.is_empty());
    let mut path = String::new();
    for name in &mut names {
        path = inside(&path, name);
    }
    path
}

/// The path of a message's full name, of which `package` is the beginning.
pub(super) fn path_of(package_name: &str, full_name: &str) -> String {
    let rest = full_name.strip_prefix(package_name).unwrap_or(full_name);
    let rest = rest.trim_start_matches('.');
    let mut module = package(package_name);
    let mut steps = rest.split('.').peekable();
    while let Some(step) = steps.next() {
        if steps.peek().is_none() {
            return type_in(&module, step);
        }
        module = inside(&module, step);
    }
    module
}

/// The module of a package or of a message's inner types, in `module`.
pub(super) fn inside(module: &str, name: &str) -> String {
    let suffixed = name.starts_with(char::is_uppercase)
        || matches!(name, "super" | "crate" | "self" | "Self" | "extern");
    let name = if suffixed {
        format!("{name}_")
    } else {
        name.to_owned()
    };
    join(module, &name)
}

/// The type of a message in `module`.
pub(super) fn type_in(module: &str, name: &str) -> String {
    join(module, &sanitized(name))
}

/// Whether `member` of a struct is that of the field or oneof `name`.
pub(super) fn is_field(member: &str, name: &str) -> bool {
    member == sanitized(name)
}

/// Whether `variant` of a oneof is that of the field `name`.
pub(super) fn is_variant(variant: &str, name: &str) -> bool {
    variant == sanitized(&name.to_case(Case::Pascal))
}

fn sanitized(name: &str) -> String {
    match name {
        "_" | "super" | "crate" | "self" | "Self" | "extern" => format!("_{name}"),
        name if name.starts_with(char::is_numeric) => format!("_{name}"),
        name => name.to_owned(),
    }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}::{name}")
    }
}
