//! The server: `grpc.testing.TestService`, plaintext.

use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::{self, Server};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::LARGEST_MESSAGE;
use crate::echo::EchoLayer;
use crate::testing::test_service_server::{TestService, TestServiceServer};
use crate::testing::{
    BoolValue, EchoStatus, Empty, Payload, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse,
};

/// Answers calls on `listener` for as long as the future lives.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener) -> Result<(), transport::Error> {
    let service = TestServiceServer::new(Interop).max_decoding_message_size(LARGEST_MESSAGE);
    Server::builder()
        .layer(EchoLayer)
        .add_service(service)
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await
}

#[derive(Debug)]
struct Interop;

type Replies = Pin<Box<dyn Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send>>;
type ReplySender = mpsc::Sender<Result<StreamingOutputCallResponse, Status>>;

#[tonic::async_trait]
impl TestService for Interop {
    type StreamingOutputCallStream = Replies;
    type FullDuplexCallStream = Replies;
    type HalfDuplexCallStream = Replies;

    async fn empty_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        let request = request.into_inner();
        refuse_expected_compression(request.expect_compressed)?;
        end_with(request.response_status)?;
        let payload = sized_payload(request.response_size)?;
        Ok(Response::new(SimpleResponse {
            payload: Some(payload),
        }))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let mut requests = request.into_inner();
        let mut size = 0_usize;
        while let Some(request) = requests.message().await? {
            refuse_expected_compression(request.expect_compressed)?;
            size = size.saturating_add(request.payload.map_or(0, |payload| payload.body.len()));
        }
        let aggregated_payload_size = i32::try_from(size)
            .map_err(|_| Status::out_of_range("the upload is larger than its size field can say"))?;
        Ok(Response::new(StreamingInputCallResponse {
            aggregated_payload_size,
        }))
    }

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Replies>, Status> {
        let request = request.into_inner();
        Ok(replies(
            |sender| async move { send_replies(request, &sender).await },
        ))
    }

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let mut requests = request.into_inner();
        Ok(replies(|sender| async move {
            while let Some(request) = requests.message().await? {
                send_replies(request, &sender).await?;
            }
            Ok(())
        }))
    }

    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let requests = request.into_inner();
        Ok(replies(|sender| async move {
            let all: Vec<_> = requests.collect::<Result<_, _>>().await?;
            for request in all {
                send_replies(request, &sender).await?;
            }
            Ok(())
        }))
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        // The generated trait wants every method; the test wants this one to be missing.
        Err(Status::unimplemented(""))
    }
}

/// A response whose replies `produce` sends, in a task of its own. The stream ends with what `produce` returns.
fn replies<P, F>(produce: P) -> Response<Replies>
where
    P: FnOnce(ReplySender) -> F,
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let work = produce(sender.clone());
    tokio::spawn(async move {
        tokio::select! {
            result = work => if let Err(status) = result {
                // If nobody takes it, the client has gone.
                let _ = sender.send(Err(status)).await;
            },
            () = sender.closed() => {}
        }
    });
    Response::new(Box::pin(ReceiverStream::new(receiver)))
}

async fn send_replies(request: StreamingOutputCallRequest, sender: &ReplySender) -> Result<(), Status> {
    end_with(request.response_status)?;
    for wanted in request.response_parameters {
        let interval = u64::try_from(wanted.interval_us).unwrap_or(0);
        tokio::time::sleep(Duration::from_micros(interval)).await;
        let payload = Some(sized_payload(wanted.size)?);
        let reply = StreamingOutputCallResponse { payload };
        if sender.send(Ok(reply)).await.is_err() {
            return Err(Status::cancelled("the client has gone"));
        }
    }
    Ok(())
}

/// Compression is off, so tonic refuses a compressed message: every request that gets here came uncompressed.
fn refuse_expected_compression(expected: Option<BoolValue>) -> Result<(), Status> {
    match expected {
        Some(BoolValue { value: true }) => Err(Status::invalid_argument(
            "expect_compressed is set, but the message is not compressed",
        )),
        _ => Ok(()),
    }
}

fn end_with(status: Option<EchoStatus>) -> Result<(), Status> {
    match status {
        Some(status) if status.code != 0 => Err(Status::new(Code::from_i32(status.code), status.message)),
        _ => Ok(()),
    }
}

/// As many zeros as a request asks for.
fn sized_payload(size: i32) -> Result<Payload, Status> {
    match usize::try_from(size) {
        Ok(octets) if octets <= LARGEST_MESSAGE => Ok(crate::client::payload(octets)),
        _ => Err(Status::invalid_argument(format!(
            "a payload of {size} octets is asked; 0 to {LARGEST_MESSAGE} will do"
        ))),
    }
}
