//! The server: `grpc.testing.TestService`, for any timer. There is no UnimplementedService.
//!
//! Spec: gRPC `interop-test-descriptions.md`, "Server".

mod echo;
mod payload;

use core::future::poll_fn;
use core::task::Poll;

use rpc_nostd::heapless;
use rpc_nostd::server::{Context, Intercepted, Receiver, Sender, Service};
use rpc_nostd::time::Timer;
use rpc_nostd::{Code, Status};

use crate::payload::{IN_REQUEST, IN_RESPONSE};
use crate::testing::{
    BoolValue, EchoStatus, Empty, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse, TestService,
    TestServiceServer,
};

pub use echo::Echo;

/// What [`service`] makes.
pub type InteropService<'t> = Intercepted<Echo, TestServiceServer<Interop<'t>>>;

/// The whole service, for a `Server`; `timer` paces the replies that ask for it.
pub fn service(timer: &dyn Timer) -> InteropService<'_> {
    TestServiceServer::new(Interop { timer }).intercept(Echo)
}

/// The handlers, without the echo of metadata.
#[derive(Clone, Copy)]
pub struct Interop<'t> {
    timer: &'t dyn Timer,
}

impl TestService for Interop<'_> {
    async fn empty_call(&self, _: &mut Context<'_>, _: Empty) -> Result<Empty, Status> {
        Ok(Empty::default())
    }

    async fn unary_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, SimpleRequest>,
        replies: &mut Sender<'_, SimpleResponse>,
    ) -> Result<(), Status> {
        let size = {
            let request: SimpleRequest = payload::only(requests, &IN_REQUEST).await?;
            refuse_expected_compression(request.expect_compressed())?;
            end_with(request.response_status())?;
            size_of(request.response_size)?
        };
        payload::send(replies, &SimpleResponse::default(), size).await
    }

    async fn streaming_output_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingOutputCallRequest>,
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        let wanted = {
            let request = payload::only(requests, &IN_REQUEST).await?;
            wanted_by(&request)?
        };
        self.send_all(&wanted, replies).await
    }

    async fn streaming_input_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingInputCallRequest>,
        replies: &mut Sender<'_, StreamingInputCallResponse>,
    ) -> Result<(), Status> {
        let mut sum = 0u32;
        while let Some((request, len)) = payload::next(requests, &IN_RESPONSE).await? {
            let request: StreamingInputCallRequest = request;
            refuse_expected_compression(request.expect_compressed())?;
            sum = sum.saturating_add(len);
        }
        let reply = StreamingInputCallResponse {
            aggregated_payload_size: i32::try_from(sum).map_err(|_| TOO_MANY_OCTETS)?,
        };
        replies.send(&reply).await
    }

    async fn full_duplex_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingOutputCallRequest>,
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        while let Some(wanted) = next_wanted(requests).await? {
            self.send_all(&wanted, replies).await?;
        }
        Ok(())
    }

    async fn half_duplex_call(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, StreamingOutputCallRequest>,
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        let mut kept = heapless::Vec::<Reply, KEPT_REPLIES>::new();
        while let Some(wanted) = next_wanted(requests).await? {
            kept.extend_from_slice(&wanted).map_err(|_| TOO_MANY_REPLIES)?;
        }
        self.send_all(&kept, replies).await
    }
}

impl Interop<'_> {
    async fn send_all(
        &self,
        wanted: &[Reply],
        replies: &mut Sender<'_, StreamingOutputCallResponse>,
    ) -> Result<(), Status> {
        for reply in wanted {
            if reply.pause_ms > 0 {
                self.sleep(reply.pause_ms).await;
            }
            payload::send(replies, &StreamingOutputCallResponse::default(), reply.size).await?;
        }
        Ok(())
    }

    async fn sleep(&self, ms: u32) {
        let due = self.timer.now().saturating_add_millis(u64::from(ms));
        poll_fn(|cx| {
            if self.timer.now() >= due {
                return Poll::Ready(());
            }
            self.timer.wake_at(due, cx.waker());
            Poll::Pending
        })
        .await;
    }
}

impl core::fmt::Debug for Interop<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Interop").finish_non_exhaustive()
    }
}

/// A reply that is to be sent. A request takes several times as much memory.
#[derive(Clone, Copy, Debug)]
struct Reply {
    /// Octets of payload.
    size: u32,
    pause_ms: u32,
}

/// The replies that one request can ask for: `response_parameters` has the same capacity.
type Wanted = heapless::Vec<Reply, 8>;

/// What the next request asks for.
async fn next_wanted(
    requests: &mut Receiver<'_, StreamingOutputCallRequest>,
) -> Result<Option<Wanted>, Status> {
    match payload::next(requests, &IN_REQUEST).await? {
        Some((request, _)) => wanted_by(&request).map(Some),
        None => Ok(None),
    }
}

/// What a request asks for: replies, or an end.
fn wanted_by(request: &StreamingOutputCallRequest) -> Result<Wanted, Status> {
    end_with(request.response_status())?;
    let mut wanted = Wanted::new();
    for parameters in &request.response_parameters {
        let reply = Reply {
            size: size_of(parameters.size)?,
            pause_ms: u32::try_from(parameters.interval_us).unwrap_or(0).div_ceil(1_000),
        };
        wanted.push(reply).map_err(|_| TOO_MANY_REPLIES)?;
    }
    Ok(wanted)
}

/// Compressed messages are refused before a handler sees them: every one that gets here came uncompressed.
fn refuse_expected_compression(expected: Option<&BoolValue>) -> Result<(), Status> {
    match expected {
        Some(expected) if expected.value => Err(NOT_COMPRESSED),
        _ => Ok(()),
    }
}

fn end_with(status: Option<&EchoStatus>) -> Result<(), Status> {
    match status {
        Some(status) if status.code != 0 => {
            // A negative one is no code either.
            let code = Code::from_u32(u32::try_from(status.code).unwrap_or(u32::MAX));
            Err(Status::with_text(code, &status.message))
        }
        _ => Ok(()),
    }
}

/// As many octets as a request asks for.
fn size_of(size: i32) -> Result<u32, Status> {
    u32::try_from(size).map_err(|_| NEGATIVE_SIZE)
}

/// Replies that a HalfDuplexCall can ask for.
const KEPT_REPLIES: usize = 16;

const TOO_MANY_REPLIES: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "a HalfDuplexCall asks for more replies than this server keeps: 16",
);
const TOO_MANY_OCTETS: Status = Status::new(
    Code::OUT_OF_RANGE,
    "the payloads together are longer than their sum's field can say",
);
const NOT_COMPRESSED: Status = Status::new(
    Code::INVALID_ARGUMENT,
    "expect_compressed is set, but the message is not compressed",
);
const NEGATIVE_SIZE: Status = Status::new(
    Code::INVALID_ARGUMENT,
    "a payload of less than no octets is asked for",
);
