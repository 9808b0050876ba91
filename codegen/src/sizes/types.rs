//! Reads the types of the output: what the compiler will see, and so what sizes follow from.

use std::collections::BTreeMap;

use syn::{Expr, GenericArgument, Item, Lit, PathArguments, PathSegment, Type};

/// The types of the output by path, as `telemetry::v1::Report_::Inner`.
pub(super) type Types = BTreeMap<String, Definition>;

/// A struct or an enum with what it holds.
pub(super) enum Definition {
    /// Fields by name; those of a tuple are called by their positions.
    Struct(Vec<Member>),
    /// Variants by name, each with one type.
    Enum(Vec<Member>),
}

pub(super) struct Member {
    pub(super) name: String,
    /// As it is written, without the paths of well-known containers.
    pub(super) text: String,
    pub(super) of: Rust,
}

/// A type, as far as sizes care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rust {
    /// A number or a `bool`, of this size in bytes.
    Number(u64),
    Bool,
    /// `heapless::String` or `heapless::Vec<u8, _>` with this capacity.
    Bytes(u64),
    List(Box<Rust>, u64),
    Map(Box<Rust>, Box<Rust>, u64),
    Option(Box<Rust>),
    /// `&str` or `&[u8]`.
    Borrowed,
    /// One of the output's own, by path.
    Local(String),
    /// One that only the user's crate knows.
    Foreign,
}

/// All types of the output.
///
/// # Errors
/// It is no Rust.
pub(super) fn read(code: &str) -> syn::Result<Types> {
    let file = syn::parse_file(code)?;
    let mut types = Types::new();
    read_items(&file.items, &[], &mut types);
    Ok(types)
}

fn read_items(items: &[Item], module: &[String], types: &mut Types) {
    for item in items {
        match item {
            Item::Mod(item) => {
                if let Some((_, inner)) = &item.content {
                    read_items(inner, &[module, &[plain(&item.ident)]].concat(), types);
                }
            }
            // What has type parameters is a stub.
            Item::Struct(item) if item.generics.type_params().next().is_none() => {
                let fields = item.fields.iter().enumerate().map(|(index, field)| {
                    let name = field.ident.as_ref().map_or_else(|| index.to_string(), plain);
                    member(name, &field.ty, module)
                });
                types.insert(path_of(module, &item.ident), Definition::Struct(fields.collect()));
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().filter_map(|variant| {
                    let field = variant.fields.iter().next()?;
                    Some(member(plain(&variant.ident), &field.ty, module))
                });
                types.insert(path_of(module, &item.ident), Definition::Enum(variants.collect()));
            }
            _ => {}
        }
    }
}

fn member(name: String, of: &Type, module: &[String]) -> Member {
    Member {
        name,
        text: text_of(of),
        of: rust(of, module),
    }
}

fn rust(of: &Type, module: &[String]) -> Rust {
    let path = match of {
        Type::Reference(_) => return Rust::Borrowed,
        Type::Path(of) => &of.path,
        _ => return Rust::Foreign,
    };
    let Some(last) = path.segments.last() else {
        return Rust::Foreign;
    };
    if path.leading_colon.is_some() {
        return container(last, module);
    }
    let name = last.ident.to_string();
    let size = match name.as_str() {
        _ if path.segments.len() > 1 => None,
        "bool" => return Rust::Bool,
        "i8" | "u8" => Some(1),
        "i16" | "u16" => Some(2),
        "i32" | "u32" | "f32" => Some(4),
        "i64" | "u64" | "f64" => Some(8),
        _ => None,
    };
    match size {
        Some(size) => Rust::Number(size),
        None => local(path, module),
    }
}

/// A type of a library.
fn container(last: &PathSegment, module: &[String]) -> Rust {
    let (types, numbers) = arguments(last);
    let inner: Vec<Rust> = types.iter().map(|of| rust(of, module)).collect();
    match (
        last.ident.to_string().as_str(),
        inner.as_slice(),
        numbers.as_slice(),
    ) {
        ("Option", [of], []) => Rust::Option(Box::new(of.clone())),
        ("String", [], [len]) => Rust::Bytes(*len),
        ("Vec", [Rust::Number(1)], [len]) => Rust::Bytes(*len),
        ("Vec", [of], [len]) => Rust::List(Box::new(of.clone()), *len),
        ("FnvIndexMap", [key, value], [len]) => {
            Rust::Map(Box::new(key.clone()), Box::new(value.clone()), *len)
        }
        _ => Rust::Foreign,
    }
}

fn arguments(segment: &PathSegment) -> (Vec<&Type>, Vec<u64>) {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return (Vec::new(), Vec::new());
    };
    let mut types = Vec::new();
    let mut numbers = Vec::new();
    for argument in &arguments.args {
        match argument {
            GenericArgument::Type(of) => types.push(of),
            GenericArgument::Const(Expr::Lit(literal)) => {
                if let Lit::Int(number) = &literal.lit {
                    numbers.extend(number.base10_parse::<u64>());
                }
            }
            _ => {}
        }
    }
    (types, numbers)
}

/// A path from `module` to a type of the output; `crate` leads out of it.
fn local(path: &syn::Path, module: &[String]) -> Rust {
    let mut steps: Vec<String> = module.to_vec();
    for segment in &path.segments {
        match segment.ident.to_string().as_str() {
            "crate" => return Rust::Foreign,
            "self" => {}
            "super" => drop(steps.pop()),
            _ => steps.push(plain(&segment.ident)),
        }
    }
    Rust::Local(steps.join("::"))
}

fn path_of(module: &[String], ident: &syn::Ident) -> String {
    [module, &[plain(ident)]].concat().join("::")
}

fn plain(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// Shorter than it stands in the output, without the ways to it: `Option<String<16>>`.
fn text_of(of: &Type) -> String {
    let text = quote::quote!(#of).to_string().replace(' ', "");
    let shorter = [
        "::rpc_nostd::heapless::index_map::",
        "::rpc_nostd::heapless::",
        "::core::option::",
    ]
    .iter()
    .fold(text, |text, path| text.replace(path, ""));
    shorter
        .replace("super::", "")
        .replace(",>", ">")
        .replace(',', ", ")
        .replace("&'a", "&'a ")
}
