//! The client's cases, by their official names.
//!
//! Spec: gRPC `interop-test-descriptions.md`.

mod cancel;
pub(crate) mod metadata;
pub(crate) mod soak;
pub(crate) mod status;
pub(crate) mod streaming;
mod unary;

use core::pin::{Pin, pin};

use rpc_nostd::Channel;

use crate::failure::Failure;

pub use soak::{NewChannel, large_unary_beside};

/// A case of the interop test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// An empty request gets an empty response.
    EmptyUnary,
    /// Request and response are larger than any window.
    LargeUnary,
    /// Four requests, then their size.
    ClientStreaming,
    /// Four responses of given sizes.
    ServerStreaming,
    /// Four turns.
    PingPong,
    /// Nothing is sent, nothing comes.
    EmptyStream,
    /// Metadata come back, each where it belongs.
    CustomMetadata,
    /// A status comes as it was sent.
    StatusCodeAndMessage,
    /// Its text may be any Unicode.
    SpecialStatusMessage,
    /// A method that the server does not have.
    UnimplementedMethod,
    /// A service that the server does not have.
    UnimplementedService,
    /// A call is cancelled before anything was sent.
    CancelAfterBegin,
    /// A call is cancelled in its middle.
    CancelAfterFirstResponse,
    /// The server does not answer in time.
    TimeoutOnSleepingServer,
    /// Many large calls on one channel.
    RpcSoak,
    /// Many channels with a large call each.
    ChannelSoak,
}

impl Case {
    /// All of them, in the official order.
    pub const ALL: [Self; 16] = [
        Self::EmptyUnary,
        Self::LargeUnary,
        Self::ClientStreaming,
        Self::ServerStreaming,
        Self::PingPong,
        Self::EmptyStream,
        Self::CustomMetadata,
        Self::StatusCodeAndMessage,
        Self::SpecialStatusMessage,
        Self::UnimplementedMethod,
        Self::UnimplementedService,
        Self::CancelAfterBegin,
        Self::CancelAfterFirstResponse,
        Self::TimeoutOnSleepingServer,
        Self::RpcSoak,
        Self::ChannelSoak,
    ];

    /// The case of this official name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// The official name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmptyUnary => "empty_unary",
            Self::LargeUnary => "large_unary",
            Self::ClientStreaming => "client_streaming",
            Self::ServerStreaming => "server_streaming",
            Self::PingPong => "ping_pong",
            Self::EmptyStream => "empty_stream",
            Self::CustomMetadata => "custom_metadata",
            Self::StatusCodeAndMessage => "status_code_and_message",
            Self::SpecialStatusMessage => "special_status_message",
            Self::UnimplementedMethod => "unimplemented_method",
            Self::UnimplementedService => "unimplemented_service",
            Self::CancelAfterBegin => "cancel_after_begin",
            Self::CancelAfterFirstResponse => "cancel_after_first_response",
            Self::TimeoutOnSleepingServer => "timeout_on_sleeping_server",
            Self::RpcSoak => "rpc_soak",
            Self::ChannelSoak => "channel_soak",
        }
    }
}

/// What the cases work with.
#[derive(Debug)]
pub struct Bench<'r, N> {
    /// To the server. Its deadlines and credentials are the caller's choice.
    pub channel: Channel<'r>,
    /// Makes the channels of channel_soak.
    pub new_channel: N,
    /// Calls of a soak, at least 1.
    pub soak_iterations: u32,
}

impl<N: NewChannel> Bench<'_, N> {
    /// Runs a case.
    ///
    /// Cancel safety: dropping the future cancels the case's call.
    ///
    /// # Errors
    /// The first thing that was not as it should be.
    pub async fn run(&mut self, case: Case) -> Result<(), Failure> {
        let channel = self.channel;
        match case {
            Case::EmptyUnary => apart(pin!(unary::empty_unary(channel))).await,
            Case::LargeUnary => apart(pin!(unary::large_unary(channel))).await,
            Case::ClientStreaming => apart(pin!(streaming::client_streaming(channel))).await,
            Case::ServerStreaming => apart(pin!(streaming::server_streaming(channel))).await,
            Case::PingPong => apart(pin!(streaming::ping_pong(channel))).await,
            Case::EmptyStream => apart(pin!(streaming::empty_stream(channel))).await,
            Case::CustomMetadata => apart(pin!(metadata::custom_metadata(channel))).await,
            Case::StatusCodeAndMessage => apart(pin!(status::status_code_and_message(channel))).await,
            Case::SpecialStatusMessage => apart(pin!(status::special_status_message(channel))).await,
            Case::UnimplementedMethod => apart(pin!(status::unimplemented_method(channel))).await,
            Case::UnimplementedService => apart(pin!(status::unimplemented_service(channel))).await,
            Case::CancelAfterBegin => apart(pin!(cancel::cancel_after_begin(channel))).await,
            Case::CancelAfterFirstResponse => apart(pin!(cancel::cancel_after_first_response(channel))).await,
            Case::TimeoutOnSleepingServer => apart(pin!(cancel::timeout_on_sleeping_server(channel))).await,
            Case::RpcSoak => apart(pin!(soak::rpc_soak(channel, self.soak_iterations))).await,
            Case::ChannelSoak => {
                apart(pin!(soak::channel_soak(
                    &mut self.new_channel,
                    self.soak_iterations
                )))
                .await
            }
        }
    }
}

/// Awaits a case through a pointer: polled directly, all cases would share one stack frame, the sum of theirs, which no
/// small device has.
async fn apart(case: Pin<&mut dyn Future<Output = Result<(), Failure>>>) -> Result<(), Failure> {
    case.await
}

/// Octets of payload in the request of a large call, and in its response.
pub(crate) const LARGE_REQUEST: usize = 271_828;
pub(crate) const LARGE_RESPONSE: u32 = 314_159;
/// Octets of payload in each request of a stream, and in each response.
pub(crate) const REQUEST_SIZES: [usize; 4] = [27_182, 8, 1_828, 45_904];
pub(crate) const RESPONSE_SIZES: [u32; 4] = [31_415, 9, 2_653, 58_979];
