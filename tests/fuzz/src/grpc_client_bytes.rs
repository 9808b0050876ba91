//! A gRPC client against any octets: every call ends, and on the next connection calls succeed as if nothing had been.

use h2_lite::Role;
use rpc_nostd::blocking::Client;
use rpc_nostd::client::{BidiStreaming, ClientStreaming, ServerStreaming, Unary};
use rpc_nostd::{Code, Config, Method, ReceivedMetadata, Resources, Status};

use crate::line::{Line, Time};
use crate::pieces::one_in;
use crate::proto::fuzz::v1::Blob;
use crate::wire::{SERVER_GREETING, Wire};

/// Three octets choose the cuts, how the server leaves, and the calls; the rest are instructions, see `wire.rs`.
pub fn grpc_client_bytes(data: &[u8]) {
    let Some(([cuts, bits, calls], script)) = data.split_first_chunk() else {
        return;
    };
    let greeting = if bits & 1 == 0 { SERVER_GREETING } else { &[] };
    let wire = Wire::build(script, &RESPONSES, greeting);
    let good = Wire::build(&[WAIT], &[&[]], SERVER_GREETING).and(GOOD_ANSWER);
    let time = Time::default();
    let mut resources = Resources::<2, 261, 400, 64, 64, 64>::new();
    // A server that stays is left at the deadline.
    let patience = if bits & 2 == 0 {
        u32::from(bits >> 4)
    } else {
        u32::MAX
    };
    let line = Line::new(Role::Client, &wire, &time, *cuts, patience);
    let mut client =
        Client::new(&mut resources, line, &time, Config::new("a")).expect("memory that is enough");
    for call in 0..MAX_CALLS {
        let result = match calls >> (2 * call) & 3 {
            0 => unary(&mut client),
            1 => stream(&mut client),
            2 => collect(&mut client),
            _ => chat(&mut client),
        };
        assert!(result.is_ok_and(|()| true) || result.is_err_and(|status| status.code() != Code::OK));
        let _ = client.poll();
        if !client.is_connected() {
            break;
        }
    }
    if one_in(4, data) {
        let _ = client.reconnect(Line::new(Role::Client, &good, &time, 0, u32::MAX));
        let request = blob(b"a");
        let answer = Unary::<_, _, Blob>::new(&mut client, &UNARY, &request).call();
        assert_eq!(answer, Ok(request));
    }
}

fn unary(client: &mut Client<'_, Line<'_>>) -> Result<(), Status> {
    let mut memory = [0; 48];
    let mut received = ReceivedMetadata::new(&mut memory);
    let request = blob(b"unary");
    let call = Unary::<_, _, Blob>::new(client, &UNARY, &request);
    let result = call.receive_into(&mut received).call();
    // What was received can be looked at.
    let values = received.all_initial().chain(received.all_trailing());
    let octets: usize = values.map(|(name, value)| name.len() + value.len()).sum();
    assert!(octets <= 48);
    result.map(drop)
}

fn stream(client: &mut Client<'_, Line<'_>>) -> Result<(), Status> {
    let request = blob(b"stream");
    let mut answers = ServerStreaming::<_, _, Blob>::new(client, &STREAM, &request).call()?;
    let mut count = 0;
    while answers.next()?.is_some() {
        count += 1;
        assert!(count < 5_000, "more messages than octets");
    }
    assert_eq!(answers.next(), Ok(None), "an end stays what it was");
    Ok(())
}

fn collect(client: &mut Client<'_, Line<'_>>) -> Result<(), Status> {
    let mut upload = ClientStreaming::<_, Blob, Blob>::new(client, &COLLECT).call()?;
    upload.send(&blob(b"one"))?;
    upload.send(&blob(&[7; 64]))?;
    upload.finish().map(drop)
}

fn chat(client: &mut Client<'_, Line<'_>>) -> Result<(), Status> {
    let mut exchange = BidiStreaming::<_, Blob, Blob>::new(client, &CHAT).call()?;
    exchange.send(&blob(&[7; 60]))?;
    let _ = exchange.next()?;
    exchange.finish_sending()?;
    while exchange.next()?.is_some() {}
    Ok(())
}

fn blob(octets: &[u8]) -> Blob {
    let mut blob = Blob::default();
    blob.data.extend_from_slice(octets).expect("a short text");
    blob
}

static UNARY: Method = Method::unary("/fuzz.v1.Echo/Unary");
static STREAM: Method = Method::server_streaming("/fuzz.v1.Echo/Stream");
static COLLECT: Method = Method::client_streaming("/fuzz.v1.Echo/Collect");
static CHAT: Method = Method::bidi_streaming("/fuzz.v1.Echo/Chat");

const MAX_CALLS: usize = 3;

/// The instruction to wait for a request.
const WAIT: u8 = 0x77;

/// Header blocks of servers, good ones first.
const RESPONSES: [&[u8]; 16] = [
    b"\x88\x5f\x10application/grpc",
    b"\x00\x0bgrpc-status\x010",
    b"\x88\x0f\x10\x10application/grpc\x00\x0bgrpc-status\x010",
    b"\x00\x0bgrpc-status\x015\x00\x0cgrpc-message\x06a%20%41",
    b"\x88\x0f\x10\x10application/grpc\x00\x01x\x01y\x00\x05x-bin\x04q6ur",
    b"\x88\x0f\x10\x16application/grpc+proto\x00\x0bgrpc-status\x0214",
    b"\x00\x0bgrpc-status\x010\x00\x17grpc-status-details-bin\x03q6w\x00\x05z-bin\x01=",
    b"\x08\x03100",
    b"\x8d\x0f\x10\x09text/html",
    b"\x08\x03503",
    b"\x88\x0f\x10\x09text/html",
    b"\x88\x0f\x10\x10application/grpc\x00\x0dgrpc-encoding\x04gzip",
    b"",
    b"\x88\x88",
    b"\xff\xff\xff\xff\x0f",
    b"\x00\x0bgrpc-status\x02xx",
];

/// To the first request of a connection.
const GOOD_ANSWER: &[u8] = b"\0\0\x13\x01\x04\0\0\0\x01\x88\x5f\x10application/grpc\
    \0\0\x08\0\0\0\0\0\x01\0\0\0\0\x03\x0a\x01a\
    \0\0\x0f\x01\x05\0\0\0\x01\x00\x0bgrpc-status\x010";
