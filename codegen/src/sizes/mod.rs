//! What messages and services cost: bytes on the wire, and memory.

mod encoded;
mod json;
mod layout;
mod names;
mod table;
mod types;

use std::path::Path;

use crate::builder::{Builder, Generated, Input, load};
use crate::error::{Error, Problem};
use crate::schema::{Schema, Service, join};
use encoded::Messages;
use layout::Layouts;
pub(crate) use table::{encoded, ram};
use types::Types;

/// What the messages and services of one run cost. Made by [`Builder::sizes`].
///
/// Its `Display` text is a table; [`to_json`](Self::to_json) has the same figures for programs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sizes {
    /// All messages of the output, in the order of the files.
    pub messages: Vec<MessageSizes>,
    /// The services that were asked for.
    pub services: Vec<ServiceSizes>,
    /// Bits of a pointer of the machine that the memory is meant for: 32 or 64.
    pub pointer_width: u32,
}

/// One message.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MessageSizes {
    /// Full name.
    pub name: String,
    /// Path of its struct in the output.
    pub rust_path: String,
    /// Bytes of its greatest encoding: its `MAX_SIZE`. `None` if it has no greatest.
    pub encoded_max: Option<u64>,
    /// The struct in memory. `None` if it holds what only the user's crate knows.
    pub ram: Option<Ram>,
    /// Its fields, oneof members included, in the order of the `.proto`; those that are left out are not among them.
    pub fields: Vec<FieldSizes>,
}

/// One field.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FieldSizes {
    /// As in the `.proto`.
    pub name: String,
    /// The oneof of which it is a member.
    pub oneof: Option<String>,
    /// Its Rust type, in short.
    pub rust_type: String,
    /// Bytes of its greatest encoding, with its tag. `None` if it has no greatest.
    pub encoded_max: Option<u64>,
    /// In memory. `None` if only the user's crate knows.
    pub ram: Option<Ram>,
}

/// Bytes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ram {
    /// How many.
    pub bytes: u64,
    /// False if it can be less: the compiler finds smaller layouts for some oneofs.
    pub is_exact: bool,
}

/// One service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceSizes {
    /// Full name.
    pub name: String,
    /// In the order of the `.proto`.
    pub methods: Vec<MethodSizes>,
    /// The buffers of a client that calls this service alone: the constants `CLIENT_RECV` and `CLIENT_SEND`.
    pub client: Buffers,
    /// The buffers of a server of this service alone: the constants `SERVER_RECV` and `SERVER_SEND`.
    pub server: Buffers,
}

/// One method.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MethodSizes {
    /// As in the `.proto`.
    pub name: String,
    /// Bytes of the greatest request. `None` if there is no greatest.
    pub request_max: Option<u64>,
    /// Bytes of the greatest response. `None` if there is no greatest.
    pub response_max: Option<u64>,
    /// True if messages are passed in parts, so that buffers need not hold them.
    pub chunked: bool,
}

/// Octets of buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Buffers {
    /// `RECV` of `Resources` or `ServerResources`, for each call at once.
    pub recv: u64,
    /// `SEND` of these, for each connection.
    pub send: u64,
}

impl Builder {
    /// What the messages and services of `protos` cost on a machine with pointers of `pointer_width` bits, 32 or 64.
    /// Files are looked up as for [`compile`](Self::compile); nothing is written.
    ///
    /// # Errors
    /// [`Error`] lists everything that is wrong with the input.
    pub fn sizes(
        &self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
        pointer_width: u32,
    ) -> Result<Sizes, Error> {
        let input = self.read(load(protos, includes)?)?;
        let generated = self.render(&input)?;
        measure(&input, &generated, pointer_width)
    }
}

/// What `generated`, the output for `input`, costs.
pub(crate) fn measure(input: &Input, generated: &Generated, pointer_width: u32) -> Result<Sizes, Error> {
    if ![32, 64].contains(&pointer_width) {
        return Err(Problem::Usage(format!("a pointer has 32 or 64 bits, not {pointer_width}")).into());
    }
    let types = types::read(&generated.code).map_err(|error| {
        Problem::Usage(format!("the output cannot be read ({error}); please report this"))
    })?;
    let mut messages = Messages::new(&input.sources.set.file, &types);
    let services = service_sizes(input, &mut messages);
    Ok(Sizes {
        messages: message_sizes(&input.schema, &types, &mut messages, u64::from(pointer_width) / 8),
        services,
        pointer_width,
    })
}

fn message_sizes(
    schema: &Schema,
    types: &Types,
    messages: &mut Messages<'_>,
    word: u64,
) -> Vec<MessageSizes> {
    let mut layouts = Layouts::new(types, word);
    let mut sizes = Vec::new();
    for (file, message) in schema.messages() {
        let path = names::path_of(&file.package, &message.full_name);
        if !types.contains_key(&path) {
            continue;
        }
        let mut fields = Vec::new();
        for (member, group) in messages.groups(&path) {
            let is_oneof = group
                .first()
                .is_some_and(|held| !std::ptr::eq(held.member, member));
            for held in group {
                fields.push(FieldSizes {
                    name: held.field.name().to_owned(),
                    oneof: is_oneof.then(|| member.name.clone()),
                    rust_type: held.member.text.clone(),
                    encoded_max: messages.field_max(&path, held),
                    ram: layouts.of(&held.member.of).map(Ram::from),
                });
            }
        }
        let position = |field: &FieldSizes| message.fields.iter().position(|one| one.name == field.name);
        fields.sort_by_key(position);
        sizes.push(MessageSizes {
            name: message.full_name.clone(),
            encoded_max: messages.max(&path),
            ram: layouts.named(&path).map(Ram::from),
            rust_path: path,
            fields,
        });
    }
    sizes
}

fn service_sizes(input: &Input, messages: &mut Messages<'_>) -> Vec<ServiceSizes> {
    let schema = &input.schema;
    let mut max = |name: &str| {
        let found = schema.messages().find(|(_, message)| message.full_name == name);
        found.and_then(|(file, _)| messages.max(&names::path_of(&file.package, name)))
    };
    let mut sizes = Vec::new();
    for file in schema.files.iter().filter(|file| !file.is_import) {
        for service in &file.services {
            let methods = service.methods.iter().map(|method| MethodSizes {
                name: method.name.clone(),
                request_max: max(&method.input),
                response_max: max(&method.output),
                chunked: input
                    .capacities
                    .chunked
                    .contains(&join(&service.full_name, &method.name)),
            });
            let methods: Vec<MethodSizes> = methods.collect();
            sizes.push(ServiceSizes {
                name: service.full_name.clone(),
                client: client_buffers(service, &methods),
                server: server_buffers(&methods),
                methods,
            });
        }
    }
    sizes
}

fn client_buffers(service: &Service, methods: &[MethodSizes]) -> Buffers {
    let path_len = |method: &MethodSizes| service.full_name.len() + method.name.len() + 2;
    let longest_path = methods.iter().map(path_len).max().unwrap_or(0) as u64;
    Buffers {
        recv: recv(largest(methods, |method| method.response_max)),
        send: send(longest_path, largest(methods, |method| method.request_max)),
    }
}

fn server_buffers(methods: &[MethodSizes]) -> Buffers {
    Buffers {
        recv: recv(largest(methods, |method| method.request_max)),
        send: send(0, largest(methods, |method| method.response_max)),
    }
}

fn largest(methods: &[MethodSizes], of: fn(&MethodSizes) -> Option<u64>) -> u64 {
    let whole = methods.iter().filter(|method| !method.chunked);
    whole.filter_map(of).max().unwrap_or(0)
}

/// What `rpc_nostd::recv_for` is.
fn recv(largest: u64) -> u64 {
    largest.saturating_add(5).max(261)
}

/// What `rpc_nostd::send_for` is.
fn send(longest_path: u64, largest: u64) -> u64 {
    384 + longest_path + largest.saturating_add(14).min(1024)
}

impl MessageSizes {
    /// The field that takes most memory; of several, the first.
    pub fn costliest(&self) -> Option<&FieldSizes> {
        let bytes = |field: &FieldSizes| field.ram.map_or(0, |ram| ram.bytes);
        self.fields.iter().rev().max_by_key(|field| bytes(field))
    }
}

impl From<layout::Layout> for Ram {
    fn from(layout: layout::Layout) -> Self {
        Self {
            bytes: layout.size,
            is_exact: layout.is_exact,
        }
    }
}
