//! Says of one declaration what it becomes in Rust, what it costs, and where its capacity comes from.

use std::fmt::Write;
use std::path::Path;

use crate::builder::{Builder, Input, load};
use crate::capacity::{Capacity, Key};
use crate::error::{Error, Place, Problem};
use crate::render::names;
use crate::schema::{Field, Message, Method, MethodKind, Service, join};
use crate::sizes::{self, FieldSizes, MessageSizes, Sizes, encoded, ram};

impl Builder {
    /// What is to be said of the message, field, enum, service or method called `name`, or of the fields that a key of a
    /// capacity file names: what it becomes in Rust, which capacity applies and where that was said, how long it is when
    /// encoded, and what it takes of the memory of a machine with pointers of 32 bits.
    ///
    /// `name` is a full name, or the end of one: `telemetry.v1.ReportRequest.device_id`, `ReportRequest.device_id`. Files
    /// are looked up as for [`compile`](Self::compile); nothing is written.
    ///
    /// # Errors
    /// [`Error`] lists everything that is wrong with the input, or says that nothing has this name.
    pub fn explain(
        &self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
        name: &str,
    ) -> Result<String, Error> {
        let input = self.read(load(protos, includes)?)?;
        let generated = self.render(&input)?;
        let sizes = sizes::measure(&input, &generated, 32)?;
        let explainer = Explainer {
            input: &input,
            sizes: &sizes,
        };
        let texts = explainer.explain(name);
        if texts.is_empty() {
            return Err(Problem::Usage(format!(
                "nothing in these files is called `{name}`; write the name of a message, field, enum, service or method, \
                 with its package or without, or a key of a capacity file, in which `*` stands for any one name"
            ))
            .into());
        }
        Ok(texts.join("\n"))
    }
}

struct Explainer<'a> {
    input: &'a Input,
    sizes: &'a Sizes,
}

impl Explainer<'_> {
    fn explain(&self, name: &str) -> Vec<String> {
        let is_it = |full_name: &str| {
            let rest = full_name.strip_suffix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let schema = &self.input.schema;
        let mut texts = Vec::new();
        for (_, message) in schema.messages() {
            if is_it(&message.full_name) {
                texts.push(self.message(message));
            }
            let fields = message.fields.iter();
            let fields = fields.filter(|field| is_it(&join(&message.full_name, &field.name)));
            texts.extend(fields.map(|field| self.field(message, field)));
        }
        for one in schema.files.iter().flat_map(|file| &file.enums) {
            if is_it(&one.full_name) {
                texts.push(format!(
                    "enum {} ({})\n  Rust: a struct around an `i32`, with a constant for each value\n  \
                     encoded: at most 10 bytes\n  RAM: 4 bytes\n",
                    one.full_name, one.place
                ));
            }
        }
        for service in schema.services() {
            if is_it(&service.full_name) {
                texts.push(self.service(service));
            }
            let methods = service.methods.iter();
            let methods = methods.filter(|method| is_it(&join(&service.full_name, &method.name)));
            texts.extend(methods.map(|method| self.method(service, method)));
        }
        if texts.is_empty() {
            texts.extend(self.key(name));
        }
        texts
    }

    fn message(&self, message: &Message) -> String {
        let mut text = format!("message {} ({})\n", message.full_name, message.place);
        let Some(sizes) = self.sizes_of(message) else {
            text.push_str("  not generated: nothing that was asked for uses it\n");
            return text;
        };
        let _ = writeln!(text, "  Rust: struct {}", sizes.rust_path);
        let _ = writeln!(text, "  encoded: {}", at_most(sizes.encoded_max));
        let _ = writeln!(text, "  RAM: {}", in_memory(sizes));
        for field in &message.fields {
            let _ = match sizes.fields.iter().find(|one| one.name == field.name) {
                Some(one) => writeln!(text, "  field {}", self.one_line(message, one)),
                None => writeln!(text, "  field {}: left out", field.name),
            };
        }
        text
    }

    fn one_line(&self, message: &Message, field: &FieldSizes) -> String {
        let capacity = self.capacity_of(&join(&message.full_name, &field.name));
        let capacity = capacity.map_or_else(String::new, |said| format!("; {said}"));
        format!(
            "{}: {}, encoded {}, RAM {}{capacity}",
            field.name,
            field.rust_type,
            encoded(field.encoded_max),
            ram(field.ram)
        )
    }

    fn field(&self, message: &Message, field: &Field) -> String {
        let path = join(&message.full_name, &field.name);
        let mut text = format!("field {path} ({})\n", field.place);
        let _ = writeln!(text, "  declared: {}", field.shape.described());
        let sizes = self.sizes_of(message);
        let own = sizes.and_then(|sizes| sizes.fields.iter().find(|one| one.name == field.name));
        match (sizes, own) {
            (Some(sizes), Some(own)) => {
                let _ = match &own.oneof {
                    Some(oneof) => writeln!(text, "  Rust: {}, in the oneof `{oneof}`", own.rust_type),
                    None => writeln!(text, "  Rust: {}", own.rust_type),
                };
                let _ = writeln!(
                    text,
                    "  encoded: {}, of the message's {}",
                    at_most(own.encoded_max),
                    encoded(sizes.encoded_max)
                );
                let _ = writeln!(
                    text,
                    "  RAM: {}, of the message's {}",
                    ram(own.ram),
                    ram(sizes.ram)
                );
            }
            _ => text.push_str("  Rust: left out\n"),
        }
        for suffix in ["", ".elem", ".key", ".value"] {
            if let Some(said) = self.capacity_of(&format!("{path}{suffix}")) {
                let of = suffix.trim_start_matches('.');
                let of = if of.is_empty() {
                    String::new()
                } else {
                    format!(" of each {of}")
                };
                let _ = writeln!(text, "  capacity{of}: {said}");
            }
        }
        text
    }

    fn service(&self, service: &Service) -> String {
        let mut text = format!("service {} ({})\n", service.full_name, service.place);
        let (client, server) = (names::client(&service.name), names::server(&service.name));
        let handlers = names::server_trait(&service.name);
        let module = names::service_module(&service.name);
        let _ = writeln!(
            text,
            "  Rust: {client}, {server} with the trait {handlers}, module {module}"
        );
        if let Some(sizes) = self
            .sizes
            .services
            .iter()
            .find(|one| one.name == service.full_name)
        {
            let (client, server) = (sizes.client, sizes.server);
            let _ = writeln!(
                text,
                "  a client's buffers: RECV {}, SEND {} ({module}::ClientResources)",
                client.recv, client.send
            );
            let _ = writeln!(
                text,
                "  a server's buffers: RECV {}, SEND {} ({module}::ServerResources)",
                server.recv, server.send
            );
        }
        for method in &service.methods {
            let _ = writeln!(text, "  method {}", method.name);
        }
        text
    }

    fn method(&self, service: &Service, method: &Method) -> String {
        let name = join(&service.full_name, &method.name);
        let mut text = format!("method {name} ({})\n", method.place);
        let (request, response) = match method.kind {
            MethodKind::Unary => ("", ""),
            MethodKind::ServerStreaming => ("", "stream "),
            MethodKind::ClientStreaming => ("stream ", ""),
            MethodKind::BidiStreaming => ("stream ", "stream "),
        };
        let _ = writeln!(text, "  path: /{}/{}", service.full_name, method.name);
        let constant = names::MethodConstants::new(&method.name).method;
        let (function, module) = (
            names::function(&method.name),
            names::service_module(&service.name),
        );
        let _ = writeln!(
            text,
            "  Rust: function `{function}` of client and trait, {module}::{constant}"
        );
        for (what, stream, of) in [
            ("request", request, &method.input),
            ("response", response, &method.output),
        ] {
            let sizes = self.sizes.messages.iter().find(|one| one.name == *of);
            if let Some(sizes) = sizes {
                let encoded = at_most(sizes.encoded_max);
                let _ = writeln!(
                    text,
                    "  {what}: {stream}{of}, encoded {encoded}, RAM {}",
                    ram(sizes.ram)
                );
            }
        }
        if self.input.capacities.chunked.contains(&name) {
            text.push_str("  its messages are passed in parts: buffers need not hold them\n");
        }
        text
    }

    /// What a key of a capacity file names.
    fn key(&self, key: &str) -> Option<String> {
        let fits = |path: &str| {
            self.input.schema.files.iter().any(|file| {
                let key = Key {
                    place: Place::new("", None),
                    text: key.to_owned(),
                    package: file.package.clone(),
                };
                key.names(path)
            })
        };
        let named = self.input.capacities.by_path.keys().filter(|path| fits(path));
        let lines: Vec<String> = named
            .filter_map(|path| Some(format!("  {path}: {}\n", self.capacity_of(path)?)))
            .collect();
        (!lines.is_empty()).then(|| format!("key {key} names\n{}", lines.concat()))
    }

    /// What applies to a field or part, and where that was said.
    fn capacity_of(&self, path: &str) -> Option<String> {
        let capacities = &self.input.capacities;
        let said = match capacities.by_path.get(path)? {
            Capacity::Bytes(bytes) => format!("{bytes} bytes"),
            Capacity::Elements(elements) => format!("{elements} elements"),
            Capacity::Borrowed => "borrowed".to_owned(),
            Capacity::Callback(of_type) => format!("by {of_type}"),
            Capacity::Skipped => "left out".to_owned(),
            Capacity::Encoded(bytes) => format!("kept encoded, {bytes} bytes"),
        };
        Some(match capacities.places.get(path) {
            Some(place) => format!("{said} ({place})"),
            None => format!("{said} (a default)"),
        })
    }

    fn sizes_of(&self, message: &Message) -> Option<&MessageSizes> {
        let mut sizes = self.sizes.messages.iter();
        sizes.find(|one| one.name == message.full_name)
    }
}

fn at_most(max: Option<u64>) -> String {
    match max {
        Some(max) => format!("at most {max} bytes"),
        None => "no limit".to_owned(),
    }
}

fn in_memory(sizes: &MessageSizes) -> String {
    let costliest = sizes.costliest();
    let costliest = costliest.map_or_else(String::new, |field| {
        format!("; most of it for `{}`: {}", field.name, ram(field.ram))
    });
    format!("{}{costliest}", ram(sizes.ram))
}
