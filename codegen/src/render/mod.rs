//! Prints the checked input as Rust: messages by micropb-gen, stubs by us, one file.

mod client;
mod docs;
pub(crate) mod names;
mod tidy;

use std::cell::RefCell;
use std::fmt::Arguments;
use std::path::Path;

use micropb_gen::config::OptionalRepr;
use micropb_gen::{Config, Generator};

use crate::capacity::{Capacities, Capacity};
use crate::error::{Error, Place, Problem};
use crate::schema::Schema;
use crate::source::Sources;

/// The output and what is worth saying about it.
pub(crate) struct Rendered {
    pub(crate) code: String,
    pub(crate) warnings: Vec<String>,
}

/// Prints everything. The input has been checked, so errors are constructs that micropb-gen refuses.
pub(crate) fn render(sources: &Sources, schema: &Schema, capacities: &Capacities) -> Result<Rendered, Error> {
    let raw = run_micropb(sources, schema, capacities)?;
    let mut warnings = WARNINGS.take();
    // Configured paths in files that are skipped are no news.
    warnings.retain(|warning| !warning.starts_with("Unused configuration path"));
    let code = tidy::tidy(&raw).map_err(|error| {
        Problem::Usage(format!(
            "the message generator printed code that cannot be parsed ({error}); please report this"
        ))
    })?;
    Ok(Rendered {
        code: format!("{}\n\n{code}", header(schema)),
        warnings,
    })
}

/// micropb-gen reads the descriptor set from a file and writes to one.
fn run_micropb(sources: &Sources, schema: &Schema, capacities: &Capacities) -> Result<String, Error> {
    let folder = tempfile::tempdir().map_err(|source| io("write", &std::env::temp_dir(), source))?;
    let (set, out) = (folder.path().join("set.bin"), folder.path().join("out.rs"));
    std::fs::write(&set, &sources.encoded).map_err(|source| io("write", &set, source))?;

    let mut generator = Generator::with_warning_callback(|warning: Arguments<'_>| {
        WARNINGS.with_borrow_mut(|warnings| warnings.push(warning.to_string()));
    });
    configure(&mut generator, schema, capacities);
    let services = schema
        .files
        .iter()
        .filter(|file| !file.is_import)
        .flat_map(|file| file.services.iter().cloned());
    generator.add_service_generator(client::ClientGenerator {
        services: services.collect(),
    });
    WARNINGS.take();
    generator
        .compile_fdset_file(&set, &out)
        .map_err(|error| refused(&error, schema))?;
    std::fs::read_to_string(&out).map_err(|source| io("read", &out, source))
}

fn configure(generator: &mut Generator, schema: &Schema, capacities: &Capacities) {
    generator.suffixed_package_names(false);
    // `Option` instead of presence bits: a field that was written is never silently left out.
    // No accessors: the fields are public.
    let defaults = Config::new()
        .string_type("::rpc_nostd::heapless::String<$N>")
        .bytes_type("::rpc_nostd::heapless::Vec<u8, $N>")
        .vec_type("::rpc_nostd::heapless::Vec<$T, $N>")
        .map_type("::rpc_nostd::heapless::index_map::FnvIndexMap<$K, $V, $N>")
        .optional_repr(OptionalRepr::Option)
        .no_accessors(true);
    generator.configure(".", defaults);
    for (path, capacity) in &capacities.by_path {
        let config = match *capacity {
            Capacity::Bytes(bytes) => Config::new().max_bytes(bytes),
            Capacity::Elements(elements) => Config::new().max_len(elements),
        };
        generator.configure(&format!(".{path}"), config);
    }
    for name in unneeded_types(schema) {
        generator.configure(&format!(".{name}"), Config::new().skip(true));
    }
}

/// Top-level types of imported files of which nothing is used.
fn unneeded_types(schema: &Schema) -> Vec<&str> {
    let needed = schema.needed_types();
    let is_used = |name: &str| {
        needed.iter().any(|other| {
            other
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let mut names = Vec::new();
    for file in schema.files.iter().filter(|file| file.is_import) {
        let messages = file.messages.iter().map(|message| message.full_name.as_str());
        let all = messages.chain(file.enums.iter().map(|one| one.full_name.as_str()));
        let is_top_level = |name: &&str| name.rsplit_once('.').map_or("", |(scope, _)| scope) == file.package;
        names.extend(all.filter(is_top_level).filter(|name| !is_used(name)));
    }
    names
}

fn refused(error: &micropb_gen::Error, schema: &Schema) -> Error {
    use micropb_gen::Error as E;
    let (name, field, text) = match error {
        E::Field {
            package,
            message,
            field,
            text,
        } => (crate::schema::join(package, message), Some(field), text),
        E::Message {
            package,
            message,
            text,
        } => (crate::schema::join(package, message), None, text),
        E::Package { package, text } => (package.clone(), None, text),
        other => return Problem::Usage(format!("the message generator failed: {other}")).into(),
    };
    let message = schema.messages().map(|(_, message)| message).find(|message| {
        // micropb-gen names a nested message without the messages around it.
        message.full_name == name || message.full_name.ends_with(&format!(".{name}"))
    });
    let found = message.and_then(|message| message.fields.iter().find(|one| Some(&one.name) == field));
    let place = found
        .map(|field| &field.place)
        .or(message.map(|message| &message.place))
        .cloned();
    let first_file = || schema.files.last().map_or("", |file| &file.name);
    let of = field
        .map(|field| format!("field `{field}` of "))
        .unwrap_or_default();
    Problem::Unsupported {
        place: place.unwrap_or_else(|| Place::new(first_file(), None)),
        text: format!("{of}`{name}`: {text}"),
    }
    .into()
}

fn header(schema: &Schema) -> String {
    let protos: Vec<&str> = schema
        .files
        .iter()
        .filter(|file| !file.is_import)
        .map(|file| file.name.as_str())
        .collect();
    format!(
        "// @generated by rpc-nostd-codegen from {}.\n\
         // Do not edit: change the .proto, or the capacities in the .toml beside it, and generate again.",
        protos.join(", ")
    )
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Problem::Io {
        action,
        path: path.to_owned(),
        source,
    }
    .into()
}

thread_local! {
    /// micropb-gen takes a plain function for its warnings, which can only leave them here.
    static WARNINGS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}
