//! Prints the checked input as Rust: messages by micropb-gen, clients and servers by us, one file.

mod client;
mod defmt;
mod deprecated;
mod descriptors;
mod docs;
mod lifetimes;
mod messages;
pub(crate) mod names;
mod resources;
mod rules;
mod server;
mod service;
mod tidy;

use std::cell::RefCell;
use std::fmt::Arguments;
use std::path::Path;

use micropb_gen::Generator;

use crate::builder::Input;
use crate::error::{Error, Place, Problem};
use crate::roles::Roles;
use crate::schema::Schema;

/// What the output holds beside messages and stubs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// The feature of the including crate that turns the derives of `defmt::Format` on.
    pub(crate) defmt_feature: Option<String>,
    /// Whether the `.proto` files are in the output as bytes.
    pub(crate) descriptors: bool,
}

/// The output and what is worth saying about it.
pub(crate) struct Rendered {
    pub(crate) code: String,
    pub(crate) warnings: Vec<String>,
}

/// Prints everything. The input has been checked, so errors are constructs that micropb-gen refuses.
pub(crate) fn render(input: &Input, roles: &Roles, options: &Options) -> Result<Rendered, Error> {
    let raw = run_micropb(input, roles)?;
    let mut warnings = WARNINGS.take();
    // Configured paths in files that are skipped are no news.
    warnings.retain(|warning| !warning.starts_with("Unused configuration path"));
    let borrowing = messages::borrowing_structs(&input.schema, &input.capacities);
    let wishes = tidy::Wishes {
        borrowing,
        deprecated: deprecated::paths(&input.schema, roles),
        defmt_feature: options.defmt_feature.clone(),
    };
    let mut code = tidied(&raw, &wishes)?;
    if options.descriptors {
        code.push_str(&descriptors::descriptors(input));
    }
    Ok(Rendered {
        code: format!("{}\n\n{code}", header(&input.schema)),
        warnings,
    })
}

fn tidied(raw: &str, wishes: &tidy::Wishes) -> Result<String, Error> {
    tidy::tidy(raw, wishes).map_err(|error| {
        let text = "the message generator printed code that cannot be parsed";
        Problem::Usage(format!("{text} ({error}); please report this with the .proto")).into()
    })
}

/// micropb-gen reads the descriptor set from a file and writes to one.
fn run_micropb(input: &Input, roles: &Roles) -> Result<String, Error> {
    let Input {
        sources,
        schema,
        capacities,
    } = input;
    let folder = tempfile::tempdir().map_err(|source| io("write", &std::env::temp_dir(), source))?;
    let (set, out) = (folder.path().join("set.bin"), folder.path().join("out.rs"));
    std::fs::write(&set, messages::descriptors(sources, capacities))
        .map_err(|source| io("write", &set, source))?;

    let mut generator = Generator::with_warning_callback(|warning: Arguments<'_>| {
        WARNINGS.with_borrow_mut(|warnings| warnings.push(warning.to_string()));
    });
    messages::configure(&mut generator, schema, capacities);
    let services = schema
        .files
        .iter()
        .filter(|file| !file.is_import)
        .flat_map(|file| file.services.iter().cloned());
    generator.add_service_generator(service::Services {
        services: services.collect(),
        chunked: capacities.chunked.clone(),
        with_lifetime: capacities.with_lifetime.clone(),
        unbounded: capacities.unbounded.clone(),
        roles: roles.clone(),
    });
    WARNINGS.take();
    generator
        .compile_fdset_file(&set, &out)
        .map_err(|error| refused(&error, schema))?;
    std::fs::read_to_string(&out).map_err(|source| io("read", &out, source))
}

fn refused(error: &micropb_gen::Error, schema: &Schema) -> Error {
    use micropb_gen::Error as E;
    let (package, name, field, text) = match error {
        E::Field {
            package,
            message,
            field,
            text,
        } => (package, message.as_str(), Some(field), text),
        E::Message {
            package,
            message,
            text,
        } => (package, message.as_str(), None, text),
        E::Package { package, text } => (package, "", None, text),
        other => return Problem::Usage(format!("the message generator failed: {other}")).into(),
    };
    // micropb-gen names a nested message without the messages around it.
    let in_package = schema.messages().filter(|(file, _)| file.package == *package);
    let message = in_package
        .map(|(_, message)| message)
        .find(|message| message.full_name.rsplit('.').next() == Some(name));
    let found = message.and_then(|message| message.fields.iter().find(|one| Some(&one.name) == field));
    let place = found
        .map(|field| &field.place)
        .or(message.map(|message| &message.place))
        .cloned();
    let first_file = || schema.files.last().map_or("", |file| &file.name);
    let shown_name = message.map_or(package, |message| &message.full_name);
    let of = field
        .map(|field| format!("field `{field}` of "))
        .unwrap_or_default();
    Problem::Unsupported {
        place: place.unwrap_or_else(|| Place::new(first_file(), None)),
        text: format!("{of}`{}`: {text}", shown_name),
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

#[cfg(test)]
mod tests {
    use micropb_gen::Error as Refusal;

    use super::{refused, tidied};
    use crate::schema::Schema;
    use crate::source::Sources;

    fn text_of(refusal: &Refusal) -> String {
        let folder = tempfile::tempdir().unwrap();
        let proto = folder.path().join("a.proto");
        std::fs::write(
            &proto,
            "syntax = \"proto3\";\npackage a;\nmessage M {\n  message N {\n    bool x = 1;\n  }\n}\n",
        )
        .unwrap();
        let sources = Sources::load(&[proto], &[folder.path().to_owned()]).unwrap();
        let text = refused(refusal, &Schema::new(&sources)).to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn refused_field_is_told_with_its_line() {
        let [package, message, field, text] = ["a", "N", "x", "why"].map(str::to_owned);
        let refusal = Refusal::Field {
            package,
            message,
            field,
            text,
        };
        assert_eq!(text_of(&refusal), "error: a.proto:5: field `x` of `a.M.N`: why");
    }

    #[test]
    fn refused_message_is_told_with_its_line() {
        let [package, message, text] = ["a", "M", "why"].map(str::to_owned);
        assert_eq!(
            text_of(&Refusal::Message {
                package,
                message,
                text
            }),
            "error: a.proto:3: `a.M`: why"
        );
    }

    #[test]
    fn refused_package_is_told_with_the_file() {
        let [package, text] = ["a", "why"].map(str::to_owned);
        assert_eq!(
            text_of(&Refusal::Package { package, text }),
            "error: a.proto: `a`: why"
        );
    }

    #[test]
    fn other_refusal_is_told() {
        let text = text_of(&Refusal::Protoc("why".to_owned()));
        assert_eq!(text, "error: the message generator failed: protoc failed: why");
    }

    #[test]
    fn code_that_is_none_is_told() {
        let text = tidied("pub struct {", &Default::default())
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("error: the message generator printed code that cannot be parsed ("),
            "{text}"
        );
    }
}
