//! The cases of the interop test. Each gets a client of the service and says what the server did wrong.

use std::error::Error;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming, TimeoutExpired};

use crate::check::{self, Failure};
use crate::client::payload;
use crate::testing::test_service_client::TestServiceClient;
use crate::testing::unimplemented_service_client::UnimplementedServiceClient;
use crate::testing::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingOutputCallRequest, StreamingOutputCallResponse,
};
use crate::{ECHO_INITIAL, ECHO_TRAILING, LARGEST_MESSAGE};

pub(crate) async fn empty_unary(channel: &Channel) -> Result<(), Failure> {
    // The message has no field, and tonic fails without a reply: there is no more to see.
    stub(channel).empty_call(Empty {}).await?;
    Ok(())
}

pub(crate) async fn large_unary(channel: &Channel) -> Result<(), Failure> {
    let reply = stub(channel).unary_call(large_request()).await?.into_inner();
    check::equal("octets of payload", size(reply.payload), LARGE_RESPONSE)
}

pub(crate) async fn client_streaming(channel: &Channel) -> Result<(), Failure> {
    let requests = REQUEST_SIZES.map(|size| StreamingInputCallRequest {
        payload: Some(payload(size)),
        ..StreamingInputCallRequest::default()
    });
    let reply = stub(channel)
        .streaming_input_call(tokio_stream::iter(requests))
        .await?
        .into_inner();
    check::equal("aggregated size", reply.aggregated_payload_size, AGGREGATED_SIZE)
}

pub(crate) async fn server_streaming(channel: &Channel) -> Result<(), Failure> {
    let request = StreamingOutputCallRequest {
        response_parameters: RESPONSE_SIZES.into_iter().map(reply_of).collect(),
        ..StreamingOutputCallRequest::default()
    };
    let replies = stub(channel).streaming_output_call(request).await?.into_inner();
    check::equal(
        "sizes of the replies",
        sizes(replies).await?,
        RESPONSE_SIZES.to_vec(),
    )
}

pub(crate) async fn ping_pong(channel: &Channel) -> Result<(), Failure> {
    let mut turns = REQUEST_SIZES
        .into_iter()
        .zip(RESPONSE_SIZES)
        .map(|(out, back)| duplex_request(out, back));
    let (sender, requests) = mpsc::unbounded_channel();
    // A server may send its initial metadata with the first reply: without a request the call might never begin.
    turns.next().map(|first| sender.send(first));
    let requests = UnboundedReceiverStream::new(requests);
    let mut replies = stub(channel).full_duplex_call(requests).await?.into_inner();
    for expected in RESPONSE_SIZES {
        let reply = replies.message().await?;
        let reply = reply.ok_or_else(|| Failure::new("the stream ended before the reply"))?;
        check::equal("octets of payload", size(reply.payload), expected)?;
        // A call that has ended tells so when the next reply is awaited.
        turns.next().map(|next| sender.send(next));
    }
    drop(sender);
    check::equal(
        "sizes of the replies after the last turn",
        sizes(replies).await?,
        vec![],
    )
}

pub(crate) async fn empty_stream(channel: &Channel) -> Result<(), Failure> {
    let replies = stub(channel)
        .full_duplex_call(tokio_stream::empty())
        .await?
        .into_inner();
    check::equal("sizes of the replies", sizes(replies).await?, vec![])
}

pub(crate) async fn custom_metadata(channel: &Channel) -> Result<(), Failure> {
    let request = with_metadata(tokio_stream::once(large_request()));
    // tonic's unary call would merge the trailers into the initial metadata; as a stream they stay apart.
    let method = tonic_prost::ProstCodec::<SimpleRequest, SimpleResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/grpc.testing.TestService/UnaryCall");
    let mut raw = tonic::client::Grpc::new(channel.clone());
    raw.ready().await?;
    let (initial, mut replies, _) = raw.streaming(request, path, method).await?.into_parts();
    let reply = replies.message().await?;
    check::equal(
        "octets of payload",
        reply.map(|reply| size(reply.payload)),
        Some(LARGE_RESPONSE),
    )?;
    check::equal("a further reply", replies.message().await?.is_some(), false)?;
    check_metadata(initial, replies.trailers().await?)?;

    let request = with_metadata(tokio_stream::once(duplex_request(LARGE_REQUEST, LARGE_RESPONSE)));
    let (initial, mut replies, _) = stub(channel).full_duplex_call(request).await?.into_parts();
    let reply = replies.message().await?;
    check::equal(
        "octets of payload",
        reply.map(|reply| size(reply.payload)),
        Some(LARGE_RESPONSE),
    )?;
    check::equal("a further reply", replies.message().await?.is_some(), false)?;
    check_metadata(initial, replies.trailers().await?)
}

pub(crate) async fn status_code_and_message(channel: &Channel) -> Result<(), Failure> {
    let result = stub(channel).unary_call(failing_request(STATUS_MESSAGE)).await;
    check::code_and_message(result, Code::Unknown, STATUS_MESSAGE)?;

    let request = StreamingOutputCallRequest {
        response_status: Some(unknown(STATUS_MESSAGE)),
        ..StreamingOutputCallRequest::default()
    };
    let result = match stub(channel).full_duplex_call(tokio_stream::once(request)).await {
        Ok(replies) => replies.into_inner().message().await,
        Err(status) => Err(status),
    };
    check::code_and_message(result, Code::Unknown, STATUS_MESSAGE)
}

pub(crate) async fn special_status_message(channel: &Channel) -> Result<(), Failure> {
    let result = stub(channel).unary_call(failing_request(SPECIAL_MESSAGE)).await;
    check::code_and_message(result, Code::Unknown, SPECIAL_MESSAGE)
}

pub(crate) async fn unimplemented_method(channel: &Channel) -> Result<(), Failure> {
    let result = stub(channel).unimplemented_call(Empty {}).await;
    check::code(result, Code::Unimplemented)
}

pub(crate) async fn unimplemented_service(channel: &Channel) -> Result<(), Failure> {
    let mut stub = UnimplementedServiceClient::new(channel.clone());
    check::code(stub.unimplemented_call(Empty {}).await, Code::Unimplemented)
}

pub(crate) async fn cancel_after_begin(channel: &Channel) -> Result<(), Failure> {
    let (sender, requests) = mpsc::unbounded_channel();
    let mut request = Request::new(UnboundedReceiverStream::new(requests));
    let cancellation = request.cancellation_handle();
    let mut stub = stub(channel);
    let (result, ()) = tokio::join!(stub.streaming_input_call(request), async {
        cancellation.cancel()
    });
    drop(sender);
    check::code(result, Code::Cancelled)
}

pub(crate) async fn cancel_after_first_response(channel: &Channel) -> Result<(), Failure> {
    let (sender, requests) = mpsc::unbounded_channel();
    let mut request = Request::new(UnboundedReceiverStream::new(requests));
    let cancellation = request.cancellation_handle();
    // The receiver is in `request`.
    let _ = sender.send(duplex_request(REQUEST_SIZES[0], RESPONSE_SIZES[0]));
    let mut replies = stub(channel).full_duplex_call(request).await?.into_inner();
    let reply = replies.message().await?;
    check::equal(
        "octets of payload",
        reply.map(|reply| size(reply.payload)),
        Some(RESPONSE_SIZES[0]),
    )?;
    cancellation.cancel();
    check::code(replies.message().await, Code::Cancelled)
}

pub(crate) async fn timeout_on_sleeping_server(channel: &Channel) -> Result<(), Failure> {
    let (sender, requests) = mpsc::unbounded_channel();
    let mut request = Request::new(UnboundedReceiverStream::new(requests));
    request.set_timeout(DEADLINE);
    // The receiver is in `request`.
    let _ = sender.send(StreamingOutputCallRequest {
        payload: Some(payload(REQUEST_SIZES[0])),
        ..StreamingOutputCallRequest::default()
    });
    let mut stub = stub(channel);
    let call = async { stub.full_duplex_call(request).await?.into_inner().message().await };
    // tonic enforces the deadline only until the initial metadata has arrived.
    match tokio::time::timeout(DEADLINE, call).await {
        Err(_) => Ok(()),
        Ok(Err(status)) if has_timed_out(&status) => Ok(()),
        Ok(result) => check::code(result, Code::DeadlineExceeded),
    }
}

/// True if tonic's own clock ended the call. It calls that CANCELLED, so the code alone does not tell.
fn has_timed_out(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn stub(channel: &Channel) -> TestServiceClient<Channel> {
    TestServiceClient::new(channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
}

fn large_request() -> SimpleRequest {
    SimpleRequest {
        response_size: LARGE_RESPONSE,
        payload: Some(payload(LARGE_REQUEST)),
        ..SimpleRequest::default()
    }
}

fn duplex_request(request_size: usize, response_size: i32) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![reply_of(response_size)],
        payload: Some(payload(request_size)),
        ..StreamingOutputCallRequest::default()
    }
}

fn reply_of(size: i32) -> ResponseParameters {
    ResponseParameters {
        size,
        ..ResponseParameters::default()
    }
}

fn failing_request(message: &str) -> SimpleRequest {
    SimpleRequest {
        response_status: Some(unknown(message)),
        ..SimpleRequest::default()
    }
}

fn unknown(message: &str) -> EchoStatus {
    EchoStatus {
        code: Code::Unknown.into(),
        message: message.to_owned(),
    }
}

/// Octets of a reply's payload, as requests ask for them; -1 if there are more than anybody can ask for.
fn size(payload: Option<Payload>) -> i32 {
    i32::try_from(payload.map_or(0, |payload| payload.body.len())).unwrap_or(-1)
}

/// Sizes of all replies until the call has ended with OK.
async fn sizes(mut replies: Streaming<StreamingOutputCallResponse>) -> Result<Vec<i32>, Status> {
    let mut sizes = Vec::new();
    while let Some(reply) = replies.message().await? {
        sizes.push(size(reply.payload));
    }
    Ok(sizes)
}

fn with_metadata<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert(ECHO_INITIAL, MetadataValue::from_static(INITIAL_VALUE));
    metadata.insert_bin(ECHO_TRAILING, BinaryMetadataValue::from_bytes(&TRAILING_VALUE));
    request
}

/// Both fields came back, once each, and only where they belong.
fn check_metadata(initial: MetadataMap, trailing: Option<MetadataMap>) -> Result<(), Failure> {
    let trailing = trailing.unwrap_or_default();
    check::equal("initial metadata", text_values(&initial), vec![INITIAL_VALUE])?;
    check::equal(
        "trailers",
        binary_values(&trailing),
        vec![TRAILING_VALUE.to_vec()],
    )?;
    check::equal(
        "trailing field in the initial metadata",
        binary_values(&initial),
        vec![],
    )?;
    check::equal("initial field in the trailers", text_values(&trailing), vec![])
}

fn text_values(metadata: &MetadataMap) -> Vec<&str> {
    let values = metadata.get_all(ECHO_INITIAL).iter();
    values
        .map(|value| value.to_str().unwrap_or("(not ASCII)"))
        .collect()
}

fn binary_values(metadata: &MetadataMap) -> Vec<Vec<u8>> {
    let values = metadata.get_all_bin(ECHO_TRAILING).iter();
    values
        .map(|value| {
            value
                .to_bytes()
                .map_or_else(|_| b"(not base64)".to_vec(), |octets| octets.to_vec())
        })
        .collect()
}

const LARGE_REQUEST: usize = 271_828;
const LARGE_RESPONSE: i32 = 314_159;
const REQUEST_SIZES: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSE_SIZES: [i32; 4] = [31_415, 9, 2_653, 58_979];
const AGGREGATED_SIZE: i32 = 74_922;
const DEADLINE: Duration = Duration::from_millis(1);
const INITIAL_VALUE: &str = "test_initial_metadata_value";
const TRAILING_VALUE: [u8; 3] = [0xab; 3];
const STATUS_MESSAGE: &str = "test status message";
const SPECIAL_MESSAGE: &str =
    "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
