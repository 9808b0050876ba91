//! Runs cases, and large_unary over and over.

use clap::ValueEnum;
use tonic::transport::{Channel, Endpoint};

use crate::cases;
use crate::check::Failure;
use crate::testing::Payload;

/// What the client can do, by the official names.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Case {
    EmptyUnary,
    LargeUnary,
    ClientStreaming,
    ServerStreaming,
    PingPong,
    EmptyStream,
    CustomMetadata,
    StatusCodeAndMessage,
    SpecialStatusMessage,
    UnimplementedMethod,
    UnimplementedService,
    CancelAfterBegin,
    CancelAfterFirstResponse,
    TimeoutOnSleepingServer,
    RpcSoak,
    ChannelSoak,
}

/// How often the soaks call, and how much of that may fail.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// Calls in all.
    pub iterations: u32,
    /// Failures that still pass.
    pub max_failures: u32,
}

/// Runs one case against the server at `host` and `port`. It waits as long as the server does.
///
/// # Errors
/// What the server did wrong.
pub async fn run(case: Case, host: &str, port: u16, soak: Soak) -> Result<(), Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{host}:{port}"))?;
    if matches!(case, Case::ChannelSoak) {
        return channel_soak(&endpoint, soak).await;
    }
    let channel = endpoint.connect().await?;
    match case {
        Case::EmptyUnary => cases::empty_unary(&channel).await,
        Case::LargeUnary => cases::large_unary(&channel).await,
        Case::ClientStreaming => cases::client_streaming(&channel).await,
        Case::ServerStreaming => cases::server_streaming(&channel).await,
        Case::PingPong => cases::ping_pong(&channel).await,
        Case::EmptyStream => cases::empty_stream(&channel).await,
        Case::CustomMetadata => cases::custom_metadata(&channel).await,
        Case::StatusCodeAndMessage => cases::status_code_and_message(&channel).await,
        Case::SpecialStatusMessage => cases::special_status_message(&channel).await,
        Case::UnimplementedMethod => cases::unimplemented_method(&channel).await,
        Case::UnimplementedService => cases::unimplemented_service(&channel).await,
        Case::CancelAfterBegin => cases::cancel_after_begin(&channel).await,
        Case::CancelAfterFirstResponse => cases::cancel_after_first_response(&channel).await,
        Case::TimeoutOnSleepingServer => cases::timeout_on_sleeping_server(&channel).await,
        Case::RpcSoak => rpc_soak(&channel, soak).await,
        Case::ChannelSoak => channel_soak(&endpoint, soak).await,
    }
}

/// large_unary over and over on one channel.
async fn rpc_soak(channel: &Channel, soak: Soak) -> Result<(), Failure> {
    let mut tally = Tally::default();
    for iteration in 0..soak.iterations {
        tally.add(iteration, cases::large_unary(channel).await);
    }
    tally.judge(soak)
}

/// large_unary over and over, each time on a new channel.
async fn channel_soak(endpoint: &Endpoint, soak: Soak) -> Result<(), Failure> {
    let mut tally = Tally::default();
    for iteration in 0..soak.iterations {
        let result = match endpoint.connect().await {
            Ok(channel) => cases::large_unary(&channel).await,
            Err(error) => Err(error.into()),
        };
        tally.add(iteration, result);
    }
    tally.judge(soak)
}

/// `size` zeros.
pub(crate) fn payload(size: usize) -> Payload {
    Payload {
        body: vec![0; size],
        ..Payload::default()
    }
}

/// The failures of a soak.
#[derive(Debug, Default)]
struct Tally {
    failures: u32,
    first: Option<String>,
}

impl Tally {
    fn add(&mut self, iteration: u32, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.failures = self.failures.saturating_add(1);
            self.first
                .get_or_insert_with(|| format!("iteration {iteration}: {failure}"));
        }
    }

    fn judge(self, soak: Soak) -> Result<(), Failure> {
        let failures = self.failures;
        match self.first {
            Some(first) if failures > soak.max_failures => Err(Failure::new(format!(
                "{failures} of {} failed, first {first}",
                soak.iterations
            ))),
            _ => Ok(()),
        }
    }
}
