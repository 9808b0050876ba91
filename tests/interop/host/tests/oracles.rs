//! A case can fail: against a server that is wrong in one way, the cases that look there do.

use rpc_nostd::server::{Context, Receiver, Sender, Server, ServerConfig, ServerResources};
use rpc_nostd::{Code, MetadataEntry, Status};
use rpc_nostd_interop::testing::{
    Empty, SimpleRequest, SimpleResponse, StreamingInputCallRequest, StreamingInputCallResponse,
    StreamingOutputCallRequest, StreamingOutputCallResponse, TestService, TestServiceServer,
};
use rpc_nostd_interop::{Case, ECHO_INITIAL, ECHO_TRAILING};
use rpc_nostd_interop_host::{Sizes, run};
use rpc_nostd_tests_host::{HostClock, TokioAcceptor};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// In what a server is wrong. All else is as in the official server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// Each payload is an octet too short, each sum too small.
    ShortPayload,
    /// A payload ends with a one.
    DirtyPayload,
    /// Each request for replies gets one more.
    ExtraReply,
    /// The replies end too early.
    NoReplies,
    /// The status text has lost its last octet.
    CutStatus,
    /// The status code is another.
    OtherCode,
    /// OK instead of what was asked for, or where there is no method.
    NoStatus,
    /// No metadata come back.
    NoEcho,
    /// What should be in the headers is in the trailers.
    MisplacedEcho,
}

struct Faulty(Fault);

impl Faulty {
    async fn send<M: rpc_nostd::micropb::MessageEncode + Default>(
        &self,
        replies: &mut Sender<'_, M>,
        size: i32,
    ) -> Result<(), Status> {
        let mut payload = vec![0; usize::try_from(size).unwrap()];
        match self.0 {
            Fault::ShortPayload => drop(payload.pop()),
            Fault::DirtyPayload => payload.iter_mut().last().into_iter().for_each(|octet| *octet = 1),
            _ => {}
        }
        let mut writer = replies.send_large(&M::default(), &[1, 2], payload.len()).await?;
        writer.write(&payload).await?;
        writer.finish().await
    }

    fn end_with(&self, code: i32, message: &str) -> Result<(), Status> {
        let code = Code::from_u32(u32::try_from(code).unwrap());
        match self.0 {
            Fault::NoStatus => Ok(()),
            Fault::OtherCode => Err(Status::with_text(Code::INTERNAL, message)),
            Fault::CutStatus => Err(Status::with_text(code, &message[..message.len() - 1])),
            _ => Err(Status::with_text(code, message)),
        }
    }

    fn echo(&self, context: &Context<'_>) -> Result<(), Status> {
        for value in context.metadata().initial(ECHO_INITIAL) {
            let entry = MetadataEntry::ascii(ECHO_INITIAL, str::from_utf8(value).unwrap());
            match self.0 {
                Fault::NoEcho => {}
                Fault::MisplacedEcho => context.add_trailing(entry)?,
                _ => context.add_initial(entry)?,
            }
        }
        for value in context.metadata().initial(ECHO_TRAILING) {
            if self.0 != Fault::NoEcho {
                context.add_trailing(MetadataEntry::binary(ECHO_TRAILING, value))?;
            }
        }
        Ok(())
    }

    async fn answer(
        &self,
        request: &StreamingOutputCallRequest,
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        if let Some(status) = request.response_status() {
            return self.end_with(status.code, &status.message);
        }
        let wanted = &request.response_parameters;
        if self.0 == Fault::NoReplies && !wanted.is_empty() {
            return Ok(());
        }
        for parameters in wanted {
            self.send(replies, parameters.size).await?;
        }
        if self.0 == Fault::ExtraReply {
            self.send(replies, 1).await?;
        }
        Ok(())
    }
}

/// A request, and the octets of its payload.
async fn next<M>(requests: &mut Receiver<'_, M>, path: &[u32]) -> Result<Option<(M, i32)>, Status>
where
    M: rpc_nostd::micropb::MessageDecode + Default,
{
    let mut scratch = [0; 256];
    let Some(mut reader) = requests.next_large(path, &mut scratch).await? else {
        return Ok(None);
    };
    let mut len = 0;
    loop {
        match reader.read(&mut [0; 1024]).await? {
            0 => return Ok(Some((reader.finish()?, len))),
            read => len += i32::try_from(read).unwrap(),
        }
    }
}

impl TestService for Faulty {
    async fn empty_call(&self, _: &mut Context<'_>, _: Empty) -> Result<Empty, Status> {
        match self.0 {
            Fault::NoReplies => Err(Status::new(Code::INTERNAL, "no reply")),
            _ => Ok(Empty::default()),
        }
    }

    async fn unary_call(
        &self,
        context: &mut Context<'_>,
        requests: &mut Receiver<'_, SimpleRequest>,
        replies: &mut Sender<'_, SimpleResponse>,
    ) -> Result<(), Status> {
        self.echo(context)?;
        let (request, _) = next(requests, &[3, 2]).await?.unwrap();
        if let Some(status) = request.response_status() {
            self.end_with(status.code, &status.message)?;
        }
        self.send(replies, request.response_size).await
    }

    async fn streaming_output_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingOutputCallRequest>,
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        let (request, _) = next(requests, &[3, 2]).await?.unwrap();
        self.answer(&request, replies).await
    }

    async fn streaming_input_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingInputCallRequest>,
        replies: &mut Sender<'_, StreamingInputCallResponse>,
    ) -> Result<(), Status> {
        let mut reply = StreamingInputCallResponse::default();
        while let Some((_, len)) = next(requests, &[1, 2]).await? {
            reply.aggregated_payload_size += len - i32::from(self.0 == Fault::ShortPayload);
        }
        replies.send(&reply).await
    }

    async fn full_duplex_call(
        &self,
        context: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingOutputCallRequest>,
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        self.echo(context)?;
        if self.0 == Fault::ExtraReply {
            self.send(replies, 1).await?;
        }
        while let Some((request, _)) = next(requests, &[3, 2]).await? {
            self.answer(&request, replies).await?;
            if self.0 == Fault::NoReplies {
                break;
            }
        }
        Ok(())
    }

    async fn unimplemented_call(&self, _: &mut Context<'_>, _: Empty) -> Result<Empty, Status> {
        match self.0 {
            Fault::NoStatus => Ok(Empty::default()),
            Fault::OtherCode => Err(Status::new(Code::INTERNAL, "")),
            _ => Err(Status::new(Code::UNIMPLEMENTED, "")),
        }
    }
}

/// The cases that fail against a server with this fault.
async fn failing(fault: Fault) -> Vec<&'static str> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clock = HostClock::start();
    let service = TestServiceServer::new(Faulty(fault));
    let mut resources = Box::new(ServerResources::<2, 4, 4096, 4096, 256>::new());
    let acceptors = [TokioAcceptor { listener: &listener }; 2];
    let config = ServerConfig::new();
    let (server, runner) = Server::new(&mut resources, acceptors, &service, &clock, &config).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut failing = Vec::new();
    let cases = async {
        let report = |case: Case, result: Result<(), _>| {
            if result.is_err() {
                failing.push(case.name());
            }
        };
        run(address, Sizes::Host, &Case::ALL, 1, report).await.unwrap();
        stop.send(()).unwrap();
    };
    let stopping = async {
        stopped.await.unwrap();
        server.shut_down();
    };
    tokio::join!(Box::pin(runner.run()), stopping, cases);
    failing
}

#[tokio::test]
async fn none_fails_against_a_sound_server() {
    assert_eq!(failing(Fault::None).await, [""; 0]);
}

#[tokio::test]
async fn payloads_are_counted_and_looked_at() {
    let with_replies = [
        "large_unary",
        "server_streaming",
        "ping_pong",
        "custom_metadata",
        "cancel_after_first_response",
        "rpc_soak",
        "channel_soak",
    ];
    assert_eq!(failing(Fault::DirtyPayload).await, with_replies);
    let mut with_sizes = with_replies.to_vec();
    with_sizes.insert(1, "client_streaming");
    assert_eq!(failing(Fault::ShortPayload).await, with_sizes);
}

#[tokio::test]
async fn replies_are_counted() {
    let one_more = failing(Fault::ExtraReply).await;
    for case in [
        "server_streaming",
        "ping_pong",
        "empty_stream",
        "custom_metadata",
        "status_code_and_message",
    ] {
        assert!(one_more.contains(&case), "{case}");
    }
    let none = failing(Fault::NoReplies).await;
    for case in [
        "empty_unary",
        "server_streaming",
        "ping_pong",
        "custom_metadata",
        "cancel_after_first_response",
    ] {
        assert!(none.contains(&case), "{case}");
    }
}

#[tokio::test]
async fn statuses_are_compared_whole() {
    let texts = ["status_code_and_message", "special_status_message"];
    assert_eq!(failing(Fault::CutStatus).await, texts);
    let codes = [texts[0], texts[1], "unimplemented_method"];
    assert_eq!(failing(Fault::OtherCode).await, codes);
    assert_eq!(failing(Fault::NoStatus).await, codes);
}

#[tokio::test]
async fn metadata_are_looked_for_in_their_place() {
    assert_eq!(failing(Fault::NoEcho).await, ["custom_metadata"]);
    assert_eq!(failing(Fault::MisplacedEcho).await, ["custom_metadata"]);
}
