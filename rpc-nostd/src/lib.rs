//! gRPC for microcontrollers: no `std`, no allocator, no `unsafe`; HTTP/2 on the wire.
//!
//! A client is a [`Channel`] (async, shared by tasks) or a [`blocking::Client`], over any `embedded-io`
//! transport. All memory is a [`Resources`] whose type says how much there is. The calls are made by stubs
//! that `rpc-nostd-codegen` generates from `.proto` files. Every call ends: by its answer, or by its deadline,
//! which is 20 seconds unless said otherwise.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        clippy::arithmetic_side_effects
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod client;
mod codec;
mod credit;
mod deadline;
mod driver;
mod endpoint;
mod fields;
mod framing;
mod large;
mod limits;
mod link;
mod metadata;
mod method;
mod percent;
mod pump;
#[cfg(feature = "server")]
pub mod server;
mod slot;
mod status;
mod suggest;
pub mod time;
pub mod transport;
mod turns;

pub use client::{Backoff, CallCredentials, Channel, Config, ConnectivityState, Resources, Runner, blocking};
pub use codec::Borrowing;
#[doc(hidden)]
pub use fields::{decode_bool, decode_map_entry, decode_tag, skip_field};
pub use h2_lite::ConfigError;
#[cfg(feature = "heapless")]
pub use heapless;
pub use limits::{Budget, Budgets, Timeouts};
pub use metadata::{MAX_BINARY_VALUE, MetadataEntry, MetadataValue, ReceivedMetadata};
pub use method::{Method, MethodKind};
pub use micropb;
pub use status::{Code, Status};
pub use suggest::{recv_for, send_for};
#[cfg(feature = "embassy-time")]
pub use time::EmbassyTimer;
#[cfg(all(feature = "embassy-net", feature = "server"))]
pub use transport::embassy::TcpAcceptor;
#[cfg(feature = "embassy-net")]
pub use transport::embassy::TcpConnector;
