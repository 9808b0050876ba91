//! cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server.

use core::time::Duration;

use rpc_nostd::client::{BidiStreaming, Receiver, Sender};
use rpc_nostd::{Channel, Code, Status};

use super::streaming::{self, next_reply, send_turn};
use super::{REQUEST_SIZES, RESPONSE_SIZES, unary};
use crate::failure::{Failure, check_code, equal};
use crate::payload::{self, IN_REQUEST};
use crate::testing::{
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest, TestServiceClient,
    test_service_service,
};

pub(super) async fn cancel_after_begin(channel: Channel<'_>) -> Result<(), Failure> {
    {
        let mut client = TestServiceClient::new(channel);
        let upload = client.streaming_input_call().await;
        // To drop it is to cancel it: then there is nobody left to be told.
        drop(upload.map_err(Failure::of("StreamingInputCall"))?);
    }
    let mut other = channel;
    // The same method in two halves: the one that is left says how the call ended.
    let call: Result<
        (
            Sender<'_, StreamingInputCallRequest>,
            Receiver<'_, StreamingInputCallResponse>,
        ),
        _,
    > = BidiStreaming::new(&mut other, &test_service_service::STREAMING_INPUT_CALL).await;
    let (sender, mut receiver) = call.map_err(Failure::of("StreamingInputCall"))?;
    drop(sender);
    check_code(receiver.next().await.map(|_| ()), Code::CANCELLED)?;
    drop(receiver);
    // A cancelled call takes nothing with it.
    unary::empty_unary(channel).await
}

pub(super) async fn cancel_after_first_response(channel: Channel<'_>) -> Result<(), Failure> {
    let (mut sender, mut receiver) = streaming::full_duplex(channel, &[]).await?;
    let [request_size, ..] = REQUEST_SIZES;
    let [size, ..] = RESPONSE_SIZES;
    send_turn(&mut sender, request_size, size).await?;
    equal("octets of payload", next_reply(&mut receiver).await?, size)?;
    drop(sender);
    check_code(receiver.next().await.map(|_| ()), Code::CANCELLED)
}

pub(super) async fn timeout_on_sleeping_server(channel: Channel<'_>) -> Result<(), Failure> {
    // It may end in any of its steps.
    check_code(sleep_of_server(channel).await, Code::DEADLINE_EXCEEDED)
}

/// Sends a request that asks for no reply, and waits for one.
async fn sleep_of_server(channel: Channel<'_>) -> Result<(), Status> {
    let mut client = TestServiceClient::new(channel);
    let call = client.full_duplex_call().deadline(Duration::from_millis(1));
    let (mut sender, mut receiver) = call.await?;
    let [request_size, ..] = REQUEST_SIZES;
    {
        let request = StreamingOutputCallRequest::default();
        let mut writer = sender.send_large(&request, &IN_REQUEST, request_size).await?;
        payload::write_zeros(&mut writer).await?;
        writer.finish().await?;
    }
    receiver.next().await.map(|_| ())
}
