//! empty_unary, large_unary.

use rpc_nostd::client::Receiver;
use rpc_nostd::{Channel, MetadataEntry};

use super::{LARGE_REQUEST, LARGE_RESPONSE};
use crate::failure::{Failure, check, equal};
use crate::payload::{self, IN_REQUEST, IN_RESPONSE, RESPONSE_SCRATCH};
use crate::testing::{Empty, SimpleRequest, SimpleResponse, TestServiceClient};

pub(super) async fn empty_unary(channel: Channel<'_>) -> Result<(), Failure> {
    let mut client = TestServiceClient::new(channel);
    let reply = client.empty_call(&Empty::default()).await;
    reply.map(|_| ()).map_err(Failure::of("EmptyCall"))
}

pub(super) async fn large_unary(channel: Channel<'_>) -> Result<(), Failure> {
    large_call(channel, &[]).await.map(|_| ())
}

/// A call with large payloads, to its end.
pub(super) async fn large_call<'r>(
    channel: Channel<'r>,
    entries: &[MetadataEntry<'_>],
) -> Result<Receiver<'r, SimpleResponse>, Failure> {
    let (mut writer, mut receiver) = {
        let mut client = TestServiceClient::new(channel);
        let request = SimpleRequest {
            response_size: LARGE_RESPONSE.try_into().unwrap_or(i32::MAX),
            ..Default::default()
        };
        let call = client.unary_call(&request).metadata(entries);
        let call = call.with_large_field(&IN_REQUEST, LARGE_REQUEST).await;
        call.map_err(Failure::of("UnaryCall, its beginning"))?
    };
    let written = payload::write_zeros(&mut writer).await;
    written.map_err(Failure::of("UnaryCall, its payload"))?;
    let finished = writer.finish().await;
    finished.map_err(Failure::of("UnaryCall, the request's end"))?;
    equal(
        "octets of payload",
        one_response(&mut receiver).await?,
        LARGE_RESPONSE,
    )?;
    Ok(receiver)
}

/// The octets of payload in the only response.
async fn one_response(receiver: &mut Receiver<'_, SimpleResponse>) -> Result<u32, Failure> {
    let mut scratch = [0; RESPONSE_SCRATCH];
    let len = {
        let reader = receiver.next_large(&IN_RESPONSE, &mut scratch).await;
        let reader = reader.map_err(Failure::of("UnaryCall"))?;
        let mut reader = reader.ok_or(Failure::new("OK without a response"))?;
        let len = payload::read_zeros(&mut reader).await?;
        let rest: SimpleResponse = reader.finish().map_err(Failure::of("the response"))?;
        check(rest.payload().is_some(), "the response has no payload")?;
        len
    };
    let after = receiver.next().await.map_err(Failure::of("after the response"))?;
    check(after.is_none(), "two responses")?;
    Ok(len)
}
