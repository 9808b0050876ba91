//! Marks in Rust what the `.proto` marks as deprecated. Methods are marked where their functions are printed.

use std::collections::BTreeSet;

use syn::{Attribute, ImplItem, Item, parse_quote};

use super::messages::struct_path;
use super::names;
use crate::roles::Roles;
use crate::schema::{Message, Schema, Service, join};

/// Paths in Rust: `a::v1::M` of a type, `a::v1::M.field`, `a::v1::M_.Variant` whatever the oneof is called, and
/// `a::v1::Mode.Value`.
pub(super) fn paths(schema: &Schema, roles: &Roles) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (file, message) in schema.messages() {
        add_message(&file.package, message, &mut paths);
    }
    for file in &schema.files {
        for one in &file.enums {
            let path = struct_path(&file.package, &one.full_name);
            let own_name = one.full_name.rsplit('.').next().unwrap_or_default();
            let values = one.values.iter().filter(|value| value.deprecated);
            paths.extend(values.map(|value| format!("{path}.{}", names::enum_value(own_name, &value.name))));
            paths.extend(one.deprecated.then_some(path));
        }
        for service in file.services.iter().filter(|service| service.deprecated) {
            add_service(&file.package, service, roles, &mut paths);
        }
    }
    paths
}

fn add_message(package: &str, message: &Message, paths: &mut BTreeSet<String>) {
    let path = struct_path(package, &message.full_name);
    for field in message.fields.iter().filter(|field| field.deprecated) {
        paths.insert(if field.in_oneof {
            format!("{path}_.{}", names::oneof_variant(&field.name))
        } else {
            format!("{path}.{}", names::field(&field.name))
        });
    }
    paths.extend(message.deprecated.then_some(path));
}

fn add_service(package: &str, service: &Service, roles: &Roles, paths: &mut BTreeSet<String>) {
    let mut add = |name: String| paths.insert(struct_path(package, &join(package, &name)));
    if roles.has_client(service) {
        add(names::client(&service.name));
    }
    if roles.has_server(service) {
        add(names::server_trait(&service.name));
        add(names::server(&service.name));
    }
}

/// Marks what is named by `paths` among `items`, which lie in `module`.
pub(super) fn mark(items: &mut [Item], module: &str, paths: &BTreeSet<String>) {
    for item in items {
        match item {
            Item::Mod(item) => {
                if let Some((_, items)) = &mut item.content {
                    mark(items, &within(module, &item.ident), paths);
                }
            }
            Item::Struct(item) => {
                let path = within(module, &item.ident);
                for field in &mut item.fields {
                    let name = field.ident.as_ref().map(bare).unwrap_or_default();
                    mark_if(paths.contains(&format!("{path}.{name}")), &mut field.attrs);
                }
                mark_if(paths.contains(&path), &mut item.attrs);
            }
            Item::Enum(item) => {
                for variant in &mut item.variants {
                    let path = format!("{module}.{}", bare(&variant.ident));
                    mark_if(paths.contains(&path), &mut variant.attrs);
                }
            }
            Item::Trait(item) => mark_if(paths.contains(&within(module, &item.ident)), &mut item.attrs),
            Item::Impl(item) if item.trait_.is_none() => {
                if let syn::Type::Path(of) = &*item.self_ty
                    && let Some(of) = of.path.segments.last()
                {
                    mark_inherent(&mut item.items, &within(module, &of.ident), paths);
                }
            }
            _ => {}
        }
    }
}

/// Values of an enum, and functions that read an optional field.
fn mark_inherent(items: &mut [ImplItem], path: &str, paths: &BTreeSet<String>) {
    for item in items {
        let (ident, attrs) = match item {
            ImplItem::Const(item) => (&item.ident, &mut item.attrs),
            ImplItem::Fn(item) => (&item.sig.ident, &mut item.attrs),
            _ => continue,
        };
        mark_if(paths.contains(&format!("{path}.{}", bare(ident))), attrs);
    }
}

fn mark_if(is_deprecated: bool, attrs: &mut Vec<Attribute>) {
    if is_deprecated {
        attrs.push(parse_quote!(#[deprecated]));
    }
}

fn within(module: &str, ident: &syn::Ident) -> String {
    match module {
        "" => bare(ident),
        module => format!("{module}::{}", bare(ident)),
    }
}

fn bare(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}
