//! Rust names of stubs. Messages and fields get theirs from micropb-gen.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// The client struct of a service: `TelemetryClient`.
pub(crate) fn client(service: &str) -> String {
    format!("{}Client", service.to_upper_camel_case())
}

/// The module of a service's names and sizes: `telemetry_service`.
pub(crate) fn service_module(service: &str) -> String {
    format!("{}_service", service.to_snake_case())
}

/// The client's function for a method: `report`. One that cannot be called so gets a `_`.
pub(crate) fn function(method: &str) -> String {
    let name = method.to_snake_case();
    let taken = RESERVED_FUNCTIONS.contains(&name.as_str()) || is_keyword(&name);
    if taken { format!("{name}_") } else { name }
}

/// The method's description in the service's module: `REPORT`.
pub(crate) fn method_const(method: &str) -> String {
    let name = method.to_shouty_snake_case();
    if name == SERVICE_NAME {
        format!("{name}_")
    } else {
        name
    }
}

/// True if `name` cannot be written as it is. `gen` is a keyword since edition 2024.
pub(crate) fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<syn::Ident>(name).is_err()
}

/// The full name of the service in its module.
pub(crate) const SERVICE_NAME: &str = "SERVICE_NAME";

/// Functions that every client has.
const RESERVED_FUNCTIONS: [&str; 1] = ["new"];
