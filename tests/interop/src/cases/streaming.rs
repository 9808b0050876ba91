//! client_streaming, server_streaming, ping_pong, empty_stream.

use rpc_nostd::client::{Receiver, Sender};
use rpc_nostd::{Channel, MetadataEntry};

use super::{REQUEST_SIZES, RESPONSE_SIZES};
use crate::failure::{Failure, check, equal};
use crate::payload::{self, IN_REQUEST, IN_RESPONSE, RESPONSE_SCRATCH};
use crate::testing::{
    ResponseParameters, StreamingInputCallRequest, StreamingOutputCallRequest, StreamingOutputCallResponse,
    TestServiceClient,
};

pub(super) async fn client_streaming(channel: Channel<'_>) -> Result<(), Failure> {
    let mut upload = {
        let mut client = TestServiceClient::new(channel);
        let call = client.streaming_input_call().await;
        call.map_err(Failure::of("StreamingInputCall"))?
    };
    let mut sum = 0u32;
    for size in REQUEST_SIZES {
        let request = StreamingInputCallRequest::default();
        let mut writer = upload
            .send_large(&request, &IN_RESPONSE, size)
            .await
            .map_err(Failure::of("a request's beginning"))?;
        let written = payload::write_zeros(&mut writer).await;
        written.map_err(Failure::of("a request's payload"))?;
        writer.finish().await.map_err(Failure::of("a request's end"))?;
        sum = sum.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
    }
    let reply = upload.finish().await.map_err(Failure::of("the response"))?;
    let got = u32::try_from(reply.aggregated_payload_size).unwrap_or(u32::MAX);
    equal("aggregated size", got, sum)
}

pub(super) async fn server_streaming(channel: Channel<'_>) -> Result<(), Failure> {
    let mut receiver = {
        let mut client = TestServiceClient::new(channel);
        let request = request_for(&RESPONSE_SIZES);
        let call = client.streaming_output_call(&request).await;
        call.map_err(Failure::of("StreamingOutputCall"))?
    };
    for size in RESPONSE_SIZES {
        equal("octets of payload", next_reply(&mut receiver).await?, size)?;
    }
    end_of_replies(&mut receiver).await
}

pub(super) async fn ping_pong(channel: Channel<'_>) -> Result<(), Failure> {
    let (mut sender, mut receiver) = full_duplex(channel, &[]).await?;
    for (request_size, size) in REQUEST_SIZES.into_iter().zip(RESPONSE_SIZES) {
        send_turn(&mut sender, request_size, size).await?;
        equal("octets of payload", next_reply(&mut receiver).await?, size)?;
    }
    sender.finish().await.map_err(Failure::of("half-close"))?;
    end_of_replies(&mut receiver).await
}

pub(super) async fn empty_stream(channel: Channel<'_>) -> Result<(), Failure> {
    let (sender, mut receiver) = full_duplex(channel, &[]).await?;
    sender.finish().await.map_err(Failure::of("half-close"))?;
    end_of_replies(&mut receiver).await
}

pub(super) type Requests<'r> = Sender<'r, StreamingOutputCallRequest>;
pub(super) type Replies<'r> = Receiver<'r, StreamingOutputCallResponse>;

pub(super) async fn full_duplex<'r>(
    channel: Channel<'r>,
    entries: &[MetadataEntry<'_>],
) -> Result<(Requests<'r>, Replies<'r>), Failure> {
    let mut client = TestServiceClient::new(channel);
    let call = client.full_duplex_call().metadata(entries).await;
    call.map_err(Failure::of("FullDuplexCall"))
}

/// A request with `request_size` octets of payload that asks for one reply with `size` octets.
pub(super) async fn send_turn(
    sender: &mut Requests<'_>,
    request_size: usize,
    size: u32,
) -> Result<(), Failure> {
    let mut writer = {
        let request = request_for(&[size]);
        let writer = sender.send_large(&request, &IN_REQUEST, request_size).await;
        writer.map_err(Failure::of("a request's beginning"))?
    };
    let written = payload::write_zeros(&mut writer).await;
    written.map_err(Failure::of("a request's payload"))?;
    writer.finish().await.map_err(Failure::of("a request's end"))
}

/// The octets of payload in the next reply.
pub(super) async fn next_reply(receiver: &mut Replies<'_>) -> Result<u32, Failure> {
    let mut scratch = [0; RESPONSE_SCRATCH];
    let reader = receiver.next_large(&IN_RESPONSE, &mut scratch).await;
    let reader = reader.map_err(Failure::of("a reply"))?;
    let mut reader = reader.ok_or(Failure::new("the replies end too early"))?;
    let len = payload::read_zeros(&mut reader).await?;
    let rest: StreamingOutputCallResponse = reader.finish().map_err(Failure::of("a reply"))?;
    check(rest.payload().is_some(), "a reply has no payload")?;
    Ok(len)
}

/// There are no more, and the status is OK.
pub(super) async fn end_of_replies(receiver: &mut Replies<'_>) -> Result<(), Failure> {
    let mut scratch = [0; RESPONSE_SCRATCH];
    let reply = receiver.next_large(&IN_RESPONSE, &mut scratch).await;
    let reply = reply.map_err(Failure::of("the end of the replies"))?;
    check(reply.is_none(), "more replies than were asked for")
}

/// Asks for replies of these sizes.
pub(crate) fn request_for(sizes: &[u32]) -> StreamingOutputCallRequest {
    let mut request = StreamingOutputCallRequest::default();
    for size in sizes {
        let wanted = ResponseParameters {
            size: i32::try_from(*size).unwrap_or(i32::MAX),
            ..Default::default()
        };
        // The capacity is known: a size that found no room would show as a missing reply.
        let _ = request.response_parameters.push(wanted);
    }
    request
}
