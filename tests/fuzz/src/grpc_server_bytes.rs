//! A gRPC server against any octets: it comes to an end with each client, and then serves the next as if nothing had been.

use h2_lite::Role;
use rpc_nostd::server::{BlockingServer, Context, Receiver, Sender, ServerConfig, ServerResources};
use rpc_nostd::{Code, MetadataEntry, Status};

use crate::line::{Line, Time};
use crate::pieces::one_in;
use crate::proto::fuzz::v1::{Blob, Echo, EchoServer};
use crate::wire::{CLIENT_GREETING, Wire};

/// Two octets choose the cuts and how the client leaves; the rest are instructions, see `wire.rs`.
pub fn grpc_server_bytes(data: &[u8]) {
    let Some(([cuts, bits], script)) = data.split_first_chunk() else {
        return;
    };
    let greeting = if bits & 1 == 0 { CLIENT_GREETING } else { &[] };
    let wire = Wire::build(script, &REQUESTS, greeting);
    let time = Time::default();
    let mut resources = ServerResources::<1, STREAMS, 261, 400, 64, 64>::new();
    let service = EchoServer::new(Service);
    let config = ServerConfig::new();
    let mut server = BlockingServer::<_, STREAMS>::new(&mut resources, &service, &time, &config)
        .expect("memory that is enough");
    let mut line = Line::new(Role::Server, &wire, &time, *cuts, u32::from(bits >> 4));
    let mut turns = 0_u32;
    // The client leaves, or the server shuts down.
    let stays = bits & 2 == 0;
    server.serve(&mut line, &mut || {
        turns += 1;
        assert!(turns < MAX_TURNS, "it is busy without end");
        stays || turns < 64
    });
    if one_in(4, data) {
        let wire = Wire::build(&[], &[&[]], GOOD_CLIENT);
        let mut line = Line::new(Role::Server, &wire, &time, 0, 2);
        server.serve(&mut line, &mut || true);
        assert_eq!(line.sent.answered(), STREAMS, "a place is lost");
    }
}

struct Service;

impl Echo for Service {
    async fn unary(&self, cx: &mut Context<'_>, request: Blob) -> Result<Blob, Status> {
        let text = cx.metadata().initial("x").next();
        if text.is_some() {
            cx.add_trailing(MetadataEntry::ascii("y", "z"))?;
        }
        Ok(request)
    }

    async fn stream(
        &self,
        _: &mut Context<'_>,
        request: Blob,
        replies: &mut Sender<'_, Blob>,
    ) -> Result<(), Status> {
        for octet in &request.data {
            let mut reply = Blob::default();
            let _ = reply.data.push(*octet);
            replies.send(&reply).await?;
        }
        Ok(())
    }

    async fn collect(&self, _: &mut Context<'_>, requests: &mut Receiver<'_, Blob>) -> Result<Blob, Status> {
        let mut all = Blob::default();
        while let Some(request) = requests.next().await? {
            if all.data.extend_from_slice(&request.data).is_err() {
                return Err(Status::with_text(
                    Code::OUT_OF_RANGE,
                    " more than \u{e4} blob holds ",
                ));
            }
        }
        Ok(all)
    }

    async fn chat(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Blob>,
        replies: &mut Sender<'_, Blob>,
    ) -> Result<(), Status> {
        while let Some(request) = requests.next().await? {
            replies.send(&request).await?;
        }
        Ok(())
    }
}

const STREAMS: usize = 2;

const MAX_TURNS: u32 = 100_000;

/// Header blocks of clients, good ones first.
const REQUESTS: [&[u8]; 16] = [
    b"\x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers",
    b"\x83\x86\x04\x14/fuzz.v1.Echo/Stream\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers",
    b"\x83\x86\x04\x15/fuzz.v1.Echo/Collect\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers",
    b"\x83\x86\x04\x12/fuzz.v1.Echo/Chat\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers",
    b"\x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc\x00\x0cgrpc-timeout\x021S\x00\x01x\x01y",
    b"\x83\x86\x04\x12/fuzz.v1.Echo/Chat\x01\x01a\x0f\x10\x10application/grpc\x00\x0cgrpc-timeout\x04999m",
    b"\x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc\x00\x05x-bin\x04q6ur\x00\x05x-bin\x01%",
    b"\x83\x86\x44\x13/fuzz.v1.Echo/Unary\x41\x01a\x5f\x10application/grpc\x40\x02te\x08trailers",
    b"\x83\x86\xbe\xbf\xc0\xc1",
    b"\x00\x01x\x01y",
    b"",
    // Not gRPC, or not ours.
    b"\x83\x86\x84\x01\x01a",
    b"\x82\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc",
    b"\x83\x86\x04\x11/fuzz.v1.Echo/Nix\x01\x01a\x0f\x10\x10application/grpc",
    b"\x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x09text/html",
    b"\x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc\x00\x0cgrpc-timeout\x011\x00\x0dgrpc-encoding\x04gzip",
];

/// A client with as many unary calls at once as there are places.
const GOOD_CLIENT: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0\
    \0\0\x3a\x01\x04\0\0\0\x01\
    \x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers\
    \0\0\x3a\x01\x04\0\0\0\x03\
    \x83\x86\x04\x13/fuzz.v1.Echo/Unary\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers\
    \0\0\x08\0\x01\0\0\0\x03\0\0\0\0\x03\x0a\x01a\
    \0\0\x08\0\x01\0\0\0\x01\0\0\0\0\x03\x0a\x01b";
