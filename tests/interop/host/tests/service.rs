//! What the service does beyond the cases of its client.

use rpc_nostd::{Channel, Code, Config, MetadataEntry, ReceivedMetadata, Resources, Status};
use rpc_nostd_interop::testing::{
    BoolValue, EchoStatus, ResponseParameters, SimpleRequest, StreamingInputCallRequest,
    StreamingOutputCallRequest, TestServiceClient,
};
use rpc_nostd_interop::{ECHO_INITIAL, ECHO_TRAILING};
use rpc_nostd_interop_host::{Sizes, serve};
use rpc_nostd_tests_host::{HostClock, TokioConnector};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Runs `calls` on a channel to a server with the device's memory.
async fn with_server(calls: impl AsyncFnOnce(Channel<'_>)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clock = HostClock::start();
    let mut resources = Resources::<2, 1024, 1024, 256, 512>::new();
    let config = Config::new("localhost");
    let (channel, runner) = Channel::new(&mut resources, TokioConnector { address }, &clock, config).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let calling = async {
        calls(channel).await;
        channel.shutdown();
        stop.send(()).unwrap();
    };
    let serving = serve(&listener, Sizes::Device, async { stopped.await.unwrap() });
    let (served, (), ()) = tokio::join!(serving, runner.run(), calling);
    served.unwrap();
}

fn request_for(sizes: &[i32]) -> StreamingOutputCallRequest {
    let mut request = StreamingOutputCallRequest::default();
    for size in sizes {
        let parameters = ResponseParameters {
            size: *size,
            ..Default::default()
        };
        request.response_parameters.push(parameters).unwrap();
    }
    request
}

/// The payload's octets of each reply to these requests, sent in one half-duplex call, and how that ended.
async fn half_duplex(
    channel: Channel<'_>,
    requests: &[StreamingOutputCallRequest],
) -> (Vec<usize>, Result<(), Status>) {
    let (mut sender, mut receiver) = TestServiceClient::new(channel).half_duplex_call().await.unwrap();
    for request in requests {
        sender.send(request).await.unwrap();
    }
    sender.finish().await.unwrap();
    let mut sizes = Vec::new();
    loop {
        match receiver.next().await {
            Ok(Some(reply)) => sizes.push(reply.payload().unwrap().body.len()),
            Ok(None) => return (sizes, Ok(())),
            Err(status) => return (sizes, Err(status)),
        }
    }
}

#[tokio::test]
async fn half_duplex_call_answers_all_requests_in_order() {
    with_server(async |channel| {
        let requests = [request_for(&[1, 0]), request_for(&[]), request_for(&[0, 1, 1])];
        let (sizes, end) = half_duplex(channel, &requests).await;
        assert_eq!((sizes, end), (vec![1, 0, 0, 1, 1], Ok(())));
    })
    .await;
}

#[tokio::test]
async fn half_duplex_call_refuses_more_replies_than_it_can_keep() {
    with_server(async |channel| {
        let eight = request_for(&[0; 8]);
        let (sizes, end) = half_duplex(channel, &[eight.clone(), eight.clone()]).await;
        assert_eq!((sizes.len(), end), (16, Ok(())));
        let (sizes, end) = half_duplex(channel, &[eight.clone(), eight, request_for(&[0])]).await;
        assert!(sizes.is_empty());
        assert_eq!(end.unwrap_err().code(), Code::RESOURCE_EXHAUSTED);
    })
    .await;
}

#[tokio::test]
async fn expected_compression_of_a_plain_message_is_an_invalid_argument() {
    with_server(async |channel| {
        let mut client = TestServiceClient::new(channel);
        let expecting = |value| SimpleRequest {
            expect_compressed: Some(BoolValue { value }),
            ..Default::default()
        };
        let request = expecting(false);
        client.unary_call(&request).await.unwrap();
        let request = expecting(true);
        let status = client.unary_call(&request).await.unwrap_err();
        assert_eq!(status.code(), Code::INVALID_ARGUMENT);
        let request = StreamingInputCallRequest {
            expect_compressed: Some(BoolValue { value: true }),
            ..Default::default()
        };
        let mut upload = client.streaming_input_call().await.unwrap();
        upload.send(&request).await.unwrap();
        let status = upload.finish().await.unwrap_err();
        assert_eq!(status.code(), Code::INVALID_ARGUMENT);
    })
    .await;
}

#[tokio::test]
async fn negative_sizes_are_invalid_arguments_and_negative_codes_unknown() {
    with_server(async |channel| {
        let mut client = TestServiceClient::new(channel);
        let request = SimpleRequest {
            response_size: -1,
            ..Default::default()
        };
        let status = client.unary_call(&request).await.unwrap_err();
        assert_eq!(status.code(), Code::INVALID_ARGUMENT);
        let request = request_for(&[-1]);
        let mut receiver = client.streaming_output_call(&request).await.unwrap();
        assert_eq!(receiver.next().await.unwrap_err().code(), Code::INVALID_ARGUMENT);
        drop(receiver);
        for (code, expected) in [
            (-1, Code::UNKNOWN),
            (17, Code::UNKNOWN),
            (16, Code::UNAUTHENTICATED),
        ] {
            let request = SimpleRequest {
                response_status: Some(EchoStatus {
                    code,
                    message: "text".try_into().unwrap(),
                }),
                ..Default::default()
            };
            let status = client.unary_call(&request).await.unwrap_err();
            assert_eq!((status.code(), status.message()), (expected, "text"), "{code}");
        }
    })
    .await;
}

#[tokio::test]
async fn repeated_metadata_come_back_in_order() {
    with_server(async |channel| {
        let entries = [
            MetadataEntry::ascii(ECHO_INITIAL, "b"),
            MetadataEntry::binary(ECHO_TRAILING, &[0, 255]),
            MetadataEntry::ascii(ECHO_INITIAL, "a"),
            MetadataEntry::ascii("x-other", "stays"),
            MetadataEntry::binary(ECHO_TRAILING, &[]),
        ];
        let mut memory = [0; 512];
        let mut received = ReceivedMetadata::new(&mut memory);
        let mut client = TestServiceClient::new(channel);
        let request = SimpleRequest::default();
        let call = client.unary_call(&request).metadata(&entries);
        call.receive_into(&mut received).await.unwrap();
        assert!(received.initial(ECHO_INITIAL).eq([b"b", b"a"]));
        assert!(received.trailing(ECHO_TRAILING).eq([&[0, 255][..], &[]]));
        let others = received.all_initial().chain(received.all_trailing());
        assert_eq!(others.filter(|(name, _)| *name == "x-other").count(), 0);
    })
    .await;
}

#[tokio::test]
async fn replies_wait_for_their_interval_and_come_all() {
    with_server(async |channel| {
        let mut request = request_for(&[1, 1]);
        for parameters in &mut request.response_parameters {
            parameters.interval_us = 1_500;
        }
        let mut client = TestServiceClient::new(channel);
        let mut receiver = client.streaming_output_call(&request).await.unwrap();
        for _ in 0..2 {
            assert!(receiver.next().await.unwrap().is_some());
        }
        assert_eq!(receiver.next().await, Ok(None));
    })
    .await;
}
