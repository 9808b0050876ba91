//! The client: calls, as generated stubs make them, and the connection that they share.
//!
//! A call is a builder that a stub returns: options, then `.await` on a [`Channel`] or `.call()` on a
//! [`blocking::Client`].
//!
//! | method | builder | gives |
//! |---|---|---|
//! | unary | [`Unary`] | the response |
//! | server streaming | [`ServerStreaming`] | a [`Receiver`] |
//! | client streaming | [`ClientStreaming`] | an [`Upload`] |
//! | streaming both ways | [`BidiStreaming`] | a [`Sender`] and a [`Receiver`] |
//! | any with one request larger than memory | [`LargeRequest`] | a [`LargeWriter`] and a [`Receiver`] |
//!
//! ```
//! use core::time::Duration;
//! use rpc_nostd::client::{BidiStreaming, Receiver, Sender};
//! use rpc_nostd::micropb::{MessageDecode, MessageEncode};
//! use rpc_nostd::{Channel, Method, Status};
//!
//! static TALK: Method = Method::bidi_streaming("/chat.Chat/Talk"); // a stub has it
//!
//! async fn talk<M>(mut channel: Channel<'_>, word: &M) -> Result<u32, Status>
//! where
//!     M: MessageEncode + MessageDecode + Default,
//! {
//!     let call = BidiStreaming::new(&mut channel, &TALK).deadline(Duration::from_secs(300));
//!     let (mut sender, mut receiver): (Sender<'_, M>, Receiver<'_, M>) = call.await?;
//!     sender.send(word).await?;
//!     sender.finish().await?;
//!     let mut answers = 0;
//!     while let Some(_answer) = receiver.next().await? {
//!         answers += 1;
//!     }
//!     Ok(answers)
//! }
//! ```
//!
//! # How calls end
//!
//! Each by its status, or by its deadline, which counts from the first poll to the last message: a stream that is to
//! last longer than the default says so. Dropping a call, or a part of it that is not done, cancels it: RST_STREAM with
//! CANCEL. A status that was told is told again by every later call.

pub mod blocking;
mod builder;
mod channel;
mod config;
mod connectivity;
mod credentials;
mod events;
mod handle;
mod large;
mod open;
mod opening;
mod resets;
mod resources;
mod response;
mod runner;
mod session;
mod single;
mod stream;
mod streaming;
mod unary;
mod waiters;

pub use builder::{
    BidiStreaming, BidiStreamingKind, CallBuilder, ClientStreaming, ClientStreamingKind, LargeRequest,
    LargeRequestKind, ServerStreaming, ServerStreamingKind, Unary, UnaryKind,
};
pub use channel::Channel;
pub use config::Config;
pub use connectivity::{Backoff, ConnectivityState};
pub use credentials::CallCredentials;
pub use large::{LargeReader, LargeWriter};
pub use open::Open;
pub use resources::Resources;
pub use runner::Runner;
pub use streaming::{Receiver, Sender, Upload};
pub use unary::UnaryFuture;
