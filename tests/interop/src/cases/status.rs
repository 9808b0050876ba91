//! status_code_and_message, special_status_message, unimplemented_method, unimplemented_service.

use rpc_nostd::{Channel, Code, Status};

use super::streaming;
use crate::failure::{Failure, check};
use crate::testing::{
    EchoStatus, Empty, SimpleRequest, StreamingOutputCallRequest, TestServiceClient,
    UnimplementedServiceClient,
};

pub(super) async fn status_code_and_message(channel: Channel<'_>) -> Result<(), Failure> {
    unary_status(channel, MESSAGE).await?;
    let (mut sender, mut receiver) = streaming::full_duplex(channel, &[]).await?;
    {
        let request = StreamingOutputCallRequest {
            response_status: Some(echo(MESSAGE)),
            ..Default::default()
        };
        sender.send(&request).await.map_err(Failure::of("the request"))?;
    }
    // The server may have ended the call already; how it did is for the replies to say.
    let _ = sender.finish().await;
    check_status(receiver.next().await.map(|_| ()), MESSAGE)
}

pub(super) async fn special_status_message(channel: Channel<'_>) -> Result<(), Failure> {
    unary_status(channel, SPECIAL_MESSAGE).await
}

pub(super) async fn unimplemented_method(channel: Channel<'_>) -> Result<(), Failure> {
    let mut client = TestServiceClient::new(channel);
    let result = client.unimplemented_call(&Empty::default()).await;
    check_unimplemented(result.map(|_| ()))
}

pub(super) async fn unimplemented_service(channel: Channel<'_>) -> Result<(), Failure> {
    let mut client = UnimplementedServiceClient::new(channel);
    let result = client.unimplemented_call(&Empty::default()).await;
    check_unimplemented(result.map(|_| ()))
}

/// UnaryCall ends as it is asked to.
async fn unary_status(channel: Channel<'_>, message: &str) -> Result<(), Failure> {
    let mut client = TestServiceClient::new(channel);
    let request = SimpleRequest {
        response_status: Some(echo(message)),
        ..Default::default()
    };
    let result = client.unary_call(&request).await;
    check_status(result.map(|_| ()), message)
}

pub(crate) fn echo(message: &str) -> EchoStatus {
    EchoStatus {
        code: i32::from(Code::UNKNOWN.as_u8()),
        message: message.try_into().unwrap_or_default(),
    }
}

/// The server, and not this side, ended the call so.
pub(crate) fn check_status(result: Result<(), Status>, message: &str) -> Result<(), Failure> {
    let Err(status) = result else {
        return Err(Failure::new("OK, where the server was asked for an error"));
    };
    let failure = Failure::of("not the status that was asked for");
    if status.code() != Code::UNKNOWN || status.message() != message || status.is_local() {
        return Err(failure(status));
    }
    Ok(())
}

pub(crate) fn check_unimplemented(result: Result<(), Status>) -> Result<(), Failure> {
    match result {
        Ok(()) => Err(Failure::new("OK, where the server has no such method")),
        Err(status) if status.code() == Code::UNIMPLEMENTED => {
            check(!status.is_local(), "UNIMPLEMENTED, but the server did not say so")
        }
        Err(status) => Err(Failure::of("not UNIMPLEMENTED")(status)),
    }
}

pub(crate) const MESSAGE: &str = "test status message";
pub(crate) const SPECIAL_MESSAGE: &str =
    "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
