//! The fuzz targets: each is a function over octets that panics if a promise is broken.
//!
//! Each file here is one target with its oracles; `cargo-fuzz/` wraps them for libFuzzer, and `tests/replay.rs` runs the
//! committed inputs through them on any compiler. `cargo xtask fuzz` drives both.
#![forbid(unsafe_code)]

mod calls;
mod client_bytes;
mod end_to_end;
mod endpoint;
mod fields;
mod frame_decoder;
mod generated_decoders;
mod grpc_client_bytes;
mod grpc_server_bytes;
mod hpack_decoder;
mod large_field;
mod line;
mod message_framing;
mod pieces;
mod sent;
mod server_bytes;
mod text;
mod wire;

/// Modules of rpc-nostd that are not public: parsers that are best fuzzed without a connection around them.
#[allow(
    dead_code,
    unexpected_cfgs,
    unreachable_pub,
    unused_imports,
    reason = "the targets use a part of what is there"
)]
#[path = "../../../rpc-nostd/src"]
mod internals {
    pub(crate) mod codec;
    pub(crate) mod credit;
    pub(crate) mod deadline;
    pub(crate) mod framing;
    pub(crate) mod large;
    pub(crate) mod link;
    pub(crate) mod metadata;
    pub(crate) mod percent;
    pub(crate) mod slot;
    pub(crate) mod status;
    pub(crate) mod turns;
}

/// The messages of `fuzz.proto` as firmware has them.
#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/fuzz.rs"));
}

/// The same as prost has them.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, reason = "generated")]
mod reference {
    include!(concat!(env!("OUT_DIR"), "/reference.rs"));
}

// Where those modules look for each other.
use internals::{codec, credit, framing, large, link, metadata, percent, slot, status, turns};

pub use client_bytes::client_bytes;
pub use end_to_end::end_to_end;
pub use frame_decoder::frame_decoder;
pub use generated_decoders::generated_decoders;
pub use grpc_client_bytes::grpc_client_bytes;
pub use grpc_server_bytes::grpc_server_bytes;
pub use hpack_decoder::hpack_decoder;
pub use large_field::large_field;
pub use message_framing::message_framing;
pub use server_bytes::server_bytes;
pub use text::text;

/// A target: takes an input, panics if a promise is broken.
pub type Target = fn(&[u8]);

/// Every target by name, cheap ones first.
pub const TARGETS: [(&str, Target); 11] = [
    ("text", text),
    ("message_framing", message_framing),
    ("frame_decoder", frame_decoder),
    ("large_field", large_field),
    ("hpack_decoder", hpack_decoder),
    ("generated_decoders", generated_decoders),
    ("server_bytes", server_bytes),
    ("client_bytes", client_bytes),
    ("end_to_end", end_to_end),
    ("grpc_server_bytes", grpc_server_bytes),
    ("grpc_client_bytes", grpc_client_bytes),
];
