//! Calls of [`Greenhouse`](crate::greenhouse::GreenhouseClient), one file for each kind.
//!
//! Each example says what it does, checks what comes back, and leaves the channel as it found it.

mod auth;
mod bidi;
pub mod blocking;
mod cancellation;
mod client_streaming;
mod deadline;
mod errors;
mod large;
mod server_streaming;
mod unary;

use rpc_nostd::Channel;
use rpc_nostd::heapless::String;

use crate::greenhouse::{GreenhouseClient, Reading, Window};
use crate::{Failed, Say};

/// A client on an async channel: copy it into each task that makes calls.
pub type Client<'r> = GreenhouseClient<Channel<'r>>;

/// One example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// One request, one response; metadata both ways.
    Unary,
    /// A call that fails: code, message, details.
    Errors,
    /// One request, many responses.
    ServerStreaming,
    /// Many requests, one response.
    ClientStreaming,
    /// Many requests, many responses.
    Bidi,
    /// A request and a response larger than memory.
    Large,
    /// A call that takes longer than it may.
    Deadline,
    /// A call that its caller does not want any more.
    Cancellation,
    /// A call that needs a token.
    Auth,
}

impl Example {
    /// All of them, in the order in which one reads them.
    pub const ALL: [Self; 9] = [
        Self::Unary,
        Self::Errors,
        Self::ServerStreaming,
        Self::ClientStreaming,
        Self::Bidi,
        Self::Large,
        Self::Deadline,
        Self::Cancellation,
        Self::Auth,
    ];

    /// Its name on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::Errors => "errors",
            Self::ServerStreaming => "server-streaming",
            Self::ClientStreaming => "client-streaming",
            Self::Bidi => "bidi",
            Self::Large => "large",
            Self::Deadline => "deadline",
            Self::Cancellation => "cancellation",
            Self::Auth => "auth",
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// A call failed that should not have, or what came back is not what should have.
    pub async fn run(self, client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
        match self {
            Self::Unary => unary::unary(client, say).await,
            Self::Errors => errors::errors(client, say).await,
            Self::ServerStreaming => server_streaming::server_streaming(client, say).await,
            Self::ClientStreaming => client_streaming::client_streaming(client, say).await,
            Self::Bidi => bidi::bidi(client, say).await,
            Self::Large => large::large(client, say).await,
            Self::Deadline => deadline::deadline(client, say).await,
            Self::Cancellation => cancellation::cancellation(client, say).await,
            Self::Auth => auth::auth(client, say).await,
        }
    }
}

/// Text of a message; empty where it is longer than the capacity in `greenhouse.toml`.
fn text<const N: usize>(text: &str) -> String<N> {
    String::try_from(text).unwrap_or_default()
}

/// A reading made on this side.
fn reading(centi_celsius: i32) -> Reading {
    Reading {
        bed: text("tomatoes"),
        centi_celsius,
        humidity_percent: 60,
    }
}

/// What to do, for people.
fn words(window: Window) -> &'static str {
    match window {
        Window::Open => "open the window",
        Window::Close => "close the window",
        _ => "leave the window as it is",
    }
}
