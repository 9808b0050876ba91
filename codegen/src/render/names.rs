//! Rust names: those of stubs are made here, those of messages and their parts by micropb-gen. Where two
//! declarations can get one name from it, the rule is repeated here to find that out.

use convert_case::{Case, Casing};
use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// The client struct of a service: `TelemetryClient`.
pub(crate) fn client(service: &str) -> String {
    format!("{}Client", service.to_upper_camel_case())
}

/// The trait that a server's handlers implement: `Telemetry`.
pub(crate) fn server_trait(service: &str) -> String {
    let name = service.to_upper_camel_case();
    if is_keyword(&name) {
        format!("{name}_")
    } else {
        name
    }
}

/// The struct that serves an implementation of the trait: `TelemetryServer`.
pub(crate) fn server(service: &str) -> String {
    format!("{}Server", service.to_upper_camel_case())
}

/// The module of a service's names and sizes: `telemetry_service`.
pub(crate) fn service_module(service: &str) -> String {
    format!("{}_service", service.to_snake_case())
}

/// True if a service or method of this name can be named in Rust: not `_` or `_1`.
pub(crate) fn has_name(name: &str) -> bool {
    name.to_snake_case()
        .starts_with(|first: char| first.is_ascii_alphabetic())
}

/// The function of a method, on the client and in the trait: `report`. One that cannot be called so gets a `_`.
pub(crate) fn function(method: &str) -> String {
    let name = method.to_snake_case();
    let taken = RESERVED_FUNCTIONS.contains(&name.as_str()) || is_keyword(&name);
    if taken { format!("{name}_") } else { name }
}

/// What the service's module says about a method.
pub(crate) struct MethodConstants {
    /// Its description: `REPORT`.
    pub(crate) method: String,
    /// Sizes: `REPORT_REQUEST_MAX_SIZE`.
    pub(crate) request_size: String,
    pub(crate) response_size: String,
}

impl MethodConstants {
    pub(crate) fn new(method: &str) -> Self {
        let name = method.to_shouty_snake_case();
        Self {
            request_size: format!("{name}_REQUEST_MAX_SIZE"),
            response_size: format!("{name}_RESPONSE_MAX_SIZE"),
            method: if RESERVED_CONSTANTS.contains(&name.as_str()) {
                format!("{name}_")
            } else {
                name
            },
        }
    }
}

/// The constant of an enum's value: `MODE_FAST` of `Mode` becomes `Fast`.
pub(crate) fn enum_value(one: &str, value: &str) -> String {
    let name = value.to_case(Case::Pascal);
    sanitized(match name.strip_prefix(one) {
        Some("") | None => name,
        Some(rest) => rest.to_owned(),
    })
}

/// True if a value has the name of its enum, of which micropb-gen would leave nothing.
pub(crate) fn is_enum_itself(one: &str, value: &str) -> bool {
    value.to_case(Case::Pascal) == one
}

/// The enum of a oneof: `choice` becomes `Choice`.
pub(crate) fn oneof(name: &str) -> String {
    name.to_case(Case::Pascal)
}

/// The variant of a field in a oneof: `side_choice` becomes `SideChoice`.
pub(crate) fn oneof_variant(name: &str) -> String {
    sanitized(name.to_case(Case::Pascal))
}

/// The field of a struct, without `r#`.
pub(crate) fn field(name: &str) -> String {
    sanitized(name.to_owned())
}

/// What cannot be raw, or begins with a digit, gets a `_`.
fn sanitized(name: String) -> String {
    let is_odd = ["_", "super", "crate", "self", "Self", "extern"].contains(&name.as_str())
        || name.starts_with(char::is_numeric);
    if is_odd { format!("_{name}") } else { name }
}

/// The module of what is declared inside a message: `Inner` of `Outer` lies in `Outer_`.
pub(crate) fn inner_module(message: &str) -> String {
    let is_kept = ["super", "crate", "self", "extern"].contains(&message);
    if is_kept || message.starts_with(char::is_uppercase) {
        format!("{message}_")
    } else {
        message.to_owned()
    }
}

/// True if `name` cannot be written as it is. `gen` is a keyword since edition 2024.
pub(crate) fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<syn::Ident>(name).is_err()
}

/// The full name of the service in its module.
pub(crate) const SERVICE_NAME: &str = "SERVICE_NAME";

/// All methods of the service, in its module.
pub(crate) const METHODS: &str = "METHODS";

/// How much memory a client or a server of the service needs, in its module.
pub(crate) const CLIENT_RECV: &str = "CLIENT_RECV";
pub(crate) const CLIENT_SEND: &str = "CLIENT_SEND";
pub(crate) const SERVER_RECV: &str = "SERVER_RECV";
pub(crate) const SERVER_SEND: &str = "SERVER_SEND";

/// Constants that a service's module can have beside those of its methods.
const RESERVED_CONSTANTS: [&str; 6] = [
    SERVICE_NAME,
    METHODS,
    CLIENT_RECV,
    CLIENT_SEND,
    SERVER_RECV,
    SERVER_SEND,
];

/// Functions that every client has.
const RESERVED_FUNCTIONS: [&str; 1] = ["new"];

#[cfg(test)]
mod tests {
    use super::MethodConstants;

    #[test]
    fn constant_of_a_method_that_is_named_as_one_of_the_service_gets_an_underscore() {
        for (method, constant) in [
            ("ClientRecv", "CLIENT_RECV_"),
            ("server_send", "SERVER_SEND_"),
            ("Methods", "METHODS_"),
            ("ServiceName", "SERVICE_NAME_"),
            ("Client", "CLIENT"),
        ] {
            assert_eq!(MethodConstants::new(method).method, constant);
        }
    }
}
