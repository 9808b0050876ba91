//! The cases on the blocking client: the same calls as those of [`Case`], without an executor.
//!
//! A call of this client is one value, which is gone when it is cancelled: that such a call ended with CANCELLED
//! nobody can be told, only that the connection lives on.

use core::time::Duration;

use rpc_nostd::blocking::{Client, Exchange, LargeReader, Receiver, Transport};
use rpc_nostd::{Code, MetadataEntry, ReceivedMetadata, Status};

use crate::cases::metadata::{self, ENTRIES};
use crate::cases::streaming::request_for;
use crate::cases::{Case, LARGE_REQUEST, LARGE_RESPONSE, REQUEST_SIZES, RESPONSE_SIZES, soak, status};
use crate::failure::{Failure, check, check_code, equal};
use crate::payload::{CHUNK, IN_REQUEST, IN_RESPONSE, RESPONSE_SCRATCH, ZEROS};
use crate::testing::{
    Empty, SimpleRequest, SimpleResponse, StreamingInputCallRequest, StreamingOutputCallRequest,
    StreamingOutputCallResponse, TestServiceClient, UnimplementedServiceClient,
};

/// Runs a case. For channel_soak it is one iteration: call it that often, each time with a new client.
///
/// # Errors
/// The first thing that was not as it should be.
pub fn run<T: Transport>(case: Case, client: Client<'_, T>, soak_iterations: u32) -> Result<(), Failure> {
    if case == Case::UnimplementedService {
        let mut client = UnimplementedServiceClient::new(client);
        let result = client.unimplemented_call(&Empty::default()).call();
        return status::check_unimplemented(result.map(|_| ()));
    }
    let mut stub = TestServiceClient::new(client);
    let stub = &mut stub;
    match case {
        Case::EmptyUnary => empty_unary(stub),
        Case::LargeUnary | Case::ChannelSoak => large_unary(stub),
        Case::ClientStreaming => client_streaming(stub),
        Case::ServerStreaming => server_streaming(stub),
        Case::PingPong => ping_pong(stub),
        Case::EmptyStream => empty_stream(stub),
        Case::CustomMetadata => custom_metadata(stub),
        Case::StatusCodeAndMessage => status_code_and_message(stub),
        Case::SpecialStatusMessage => unary_status(stub, status::SPECIAL_MESSAGE),
        Case::UnimplementedMethod | Case::UnimplementedService => unimplemented_method(stub),
        Case::CancelAfterBegin => cancel_after_begin(stub),
        Case::CancelAfterFirstResponse => cancel_after_first_response(stub),
        Case::TimeoutOnSleepingServer => check_code(sleep_of_server(stub), Code::DEADLINE_EXCEEDED),
        Case::RpcSoak => rpc_soak(stub, soak_iterations),
    }
}

type Stub<'r, T> = TestServiceClient<Client<'r, T>>;
type Duplex<'a> = Exchange<'a, StreamingOutputCallRequest, StreamingOutputCallResponse>;

fn empty_unary<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let reply = stub.empty_call(&Empty::default()).call();
    reply.map(|_| ()).map_err(Failure::of("EmptyCall"))
}

fn large_unary<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    large_call(stub, &large_request(), &[]).map(|_| ())
}

fn rpc_soak<T: Transport>(stub: &mut Stub<'_, T>, iterations: u32) -> Result<(), Failure> {
    check(iterations > 0, soak::NOTHING)?;
    for _ in 0..iterations {
        large_unary(stub)?;
    }
    Ok(())
}

fn large_request() -> SimpleRequest {
    SimpleRequest {
        response_size: LARGE_RESPONSE.try_into().unwrap_or(i32::MAX),
        ..Default::default()
    }
}

/// A call with large payloads, to its end.
fn large_call<'a, T: Transport>(
    stub: &'a mut Stub<'_, T>,
    request: &'a SimpleRequest,
    entries: &'a [MetadataEntry<'a>],
) -> Result<Receiver<'a, SimpleResponse>, Failure> {
    let call = stub.unary_call(request).metadata(entries);
    let call = call.with_large_field(&IN_REQUEST, LARGE_REQUEST).call();
    let mut writer = call.map_err(Failure::of("UnaryCall, its beginning"))?;
    let written = write_zeros(writer.remaining(), |piece| writer.write(piece));
    written.map_err(Failure::of("UnaryCall, its payload"))?;
    let mut receiver = writer
        .finish()
        .map_err(Failure::of("UnaryCall, the request's end"))?;
    let mut scratch = [0; RESPONSE_SCRATCH];
    let reader = receiver.next_large(&IN_RESPONSE, &mut scratch);
    let reader = reader.map_err(Failure::of("UnaryCall"))?;
    let mut reader = reader.ok_or(Failure::new("OK without a response"))?;
    equal("octets of payload", read_zeros(&mut reader)?, LARGE_RESPONSE)?;
    let rest: SimpleResponse = reader.finish().map_err(Failure::of("the response"))?;
    check(rest.payload().is_some(), "the response has no payload")?;
    let after = receiver.next().map_err(Failure::of("after the response"))?;
    check(after.is_none(), "two responses")?;
    Ok(receiver)
}

fn client_streaming<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let call = stub.streaming_input_call().call();
    let mut upload = call.map_err(Failure::of("StreamingInputCall"))?;
    let mut sum = 0u32;
    for size in REQUEST_SIZES {
        let request = StreamingInputCallRequest::default();
        let writer = upload.send_large(&request, &IN_RESPONSE, size);
        let mut writer = writer.map_err(Failure::of("a request's beginning"))?;
        let written = write_zeros(size, |piece| writer.write(piece)).and_then(|()| writer.finish());
        written.map_err(Failure::of("a request's payload"))?;
        sum = sum.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
    }
    let reply = upload.finish().map_err(Failure::of("the response"))?;
    let got = u32::try_from(reply.aggregated_payload_size).unwrap_or(u32::MAX);
    equal("aggregated size", got, sum)
}

fn server_streaming<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let request = request_for(&RESPONSE_SIZES);
    let call = stub.streaming_output_call(&request).call();
    let mut receiver = call.map_err(Failure::of("StreamingOutputCall"))?;
    for size in RESPONSE_SIZES {
        let mut scratch = [0; RESPONSE_SCRATCH];
        let reply = receiver.next_large(&IN_RESPONSE, &mut scratch);
        equal("octets of payload", payload_of(reply)?, size)?;
    }
    check_end(receiver.next())
}

fn ping_pong<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let mut call = full_duplex(stub, &[])?;
    for (request_size, size) in REQUEST_SIZES.into_iter().zip(RESPONSE_SIZES) {
        turn(&mut call, request_size, size)?;
    }
    call.finish_sending().map_err(Failure::of("half-close"))?;
    check_end(call.next())
}

fn empty_stream<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let mut call = full_duplex(stub, &[])?;
    call.finish_sending().map_err(Failure::of("half-close"))?;
    check_end(call.next())
}

fn custom_metadata<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let mut memory = [0; metadata::MEMORY];
    let mut received = ReceivedMetadata::new(&mut memory);
    large_call(stub, &large_request(), &ENTRIES)?.metadata(&mut received);
    metadata::check_echo(&received)?;
    let mut call = full_duplex(stub, &ENTRIES)?;
    turn(&mut call, LARGE_REQUEST, LARGE_RESPONSE)?;
    call.finish_sending().map_err(Failure::of("half-close"))?;
    check_end(call.next())?;
    call.metadata(&mut received);
    metadata::check_echo(&received)
}

fn status_code_and_message<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    unary_status(stub, status::MESSAGE)?;
    let mut call = full_duplex(stub, &[])?;
    let request = StreamingOutputCallRequest {
        response_status: Some(status::echo(status::MESSAGE)),
        ..Default::default()
    };
    call.send(&request).map_err(Failure::of("the request"))?;
    // The server may have ended the call already; how it did is for the replies to say.
    let _ = call.finish_sending();
    status::check_status(call.next().map(|_| ()), status::MESSAGE)
}

/// UnaryCall ends as it is asked to.
fn unary_status<T: Transport>(stub: &mut Stub<'_, T>, message: &str) -> Result<(), Failure> {
    let request = SimpleRequest {
        response_status: Some(status::echo(message)),
        ..Default::default()
    };
    let result = stub.unary_call(&request).call();
    status::check_status(result.map(|_| ()), message)
}

fn unimplemented_method<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let result = stub.unimplemented_call(&Empty::default()).call();
    status::check_unimplemented(result.map(|_| ()))
}

fn cancel_after_begin<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let upload = stub.streaming_input_call().call();
    drop(upload.map_err(Failure::of("StreamingInputCall"))?);
    empty_unary(stub)
}

fn cancel_after_first_response<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Failure> {
    let mut call = full_duplex(stub, &[])?;
    let [request_size, ..] = REQUEST_SIZES;
    let [size, ..] = RESPONSE_SIZES;
    turn(&mut call, request_size, size)?;
    drop(call);
    empty_unary(stub)
}

/// Sends a request that asks for no reply, and waits for one.
fn sleep_of_server<T: Transport>(stub: &mut Stub<'_, T>) -> Result<(), Status> {
    let call = stub.full_duplex_call().deadline(Duration::from_millis(1));
    let mut call = call.call()?;
    let [request_size, ..] = REQUEST_SIZES;
    let mut writer = call.send_large(&StreamingOutputCallRequest::default(), &IN_REQUEST, request_size)?;
    write_zeros(request_size, |piece| writer.write(piece))?;
    writer.finish()?;
    call.next().map(|_| ())
}

fn full_duplex<'a, T: Transport>(
    stub: &'a mut Stub<'_, T>,
    entries: &'a [MetadataEntry<'a>],
) -> Result<Duplex<'a>, Failure> {
    let call = stub.full_duplex_call().metadata(entries).call();
    call.map_err(Failure::of("FullDuplexCall"))
}

/// A request with `request_size` octets of payload, and a reply with `size` octets.
fn turn(call: &mut Duplex<'_>, request_size: usize, size: u32) -> Result<(), Failure> {
    let writer = call.send_large(&request_for(&[size]), &IN_REQUEST, request_size);
    let mut writer = writer.map_err(Failure::of("a request's beginning"))?;
    let written = write_zeros(request_size, |piece| writer.write(piece)).and_then(|()| writer.finish());
    written.map_err(Failure::of("a request's payload"))?;
    let mut scratch = [0; RESPONSE_SCRATCH];
    let reply = call.next_large(&IN_RESPONSE, &mut scratch);
    equal("octets of payload", payload_of(reply)?, size)
}

fn payload_of(reply: Result<Option<LargeReader<'_>>, Status>) -> Result<u32, Failure> {
    let reader = reply.map_err(Failure::of("a reply"))?;
    let mut reader = reader.ok_or(Failure::new("the replies end too early"))?;
    let len = read_zeros(&mut reader)?;
    let rest: StreamingOutputCallResponse = reader.finish().map_err(Failure::of("a reply"))?;
    check(rest.payload().is_some(), "a reply has no payload")?;
    Ok(len)
}

fn check_end(reply: Result<Option<StreamingOutputCallResponse>, Status>) -> Result<(), Failure> {
    let reply = reply.map_err(Failure::of("the end of the replies"))?;
    check(reply.is_none(), "more replies than were asked for")
}

fn write_zeros(mut left: usize, mut write: impl FnMut(&[u8]) -> Result<(), Status>) -> Result<(), Status> {
    while left > 0 {
        let piece = ZEROS.get(..left.min(ZEROS.len())).unwrap_or_default();
        write(piece)?;
        left = left.saturating_sub(piece.len());
    }
    Ok(())
}

fn read_zeros(reader: &mut LargeReader<'_>) -> Result<u32, Failure> {
    let mut chunk = [0; CHUNK];
    let mut len = 0u32;
    loop {
        let read = reader.read(&mut chunk).map_err(Failure::of("inside a reply"))?;
        if read == 0 {
            return Ok(len);
        }
        let zeros = chunk.iter().take(read).all(|octet| *octet == 0);
        check(zeros, "a payload is not all zeros")?;
        len = len.saturating_add(u32::try_from(read).unwrap_or(u32::MAX));
    }
}
