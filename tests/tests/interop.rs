//! Our clients, as they run on a device, against gRPC implementations that are not ours, over TCP.
//!
//! Every test runs against tonic and against Python's grpcio.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rpc_nostd::blocking::{Client, Polled, Timed, Transport};
use rpc_nostd::heapless::{String as Text, Vec as Octets};
use rpc_nostd::{
    Channel, Code, Config, ConnectivityState, MetadataEntry, ReceivedMetadata, Resources, Status,
};
use rpc_nostd_tests::device::{DiagnoseReply, DiagnoseRequest, ReportRequest, TelemetryClient};
use rpc_nostd_tests::host::{HostClock, ImpatientSocket, ReadySocket, TokioConnector};
use rpc_nostd_tests::python::{self, PythonPeer};
use rpc_nostd_tests::server::Server;

/// Two calls at once, 512 octets of payload: what the demo's firmware has.
type DeviceResources<'r> = Resources<'r, 2, 576, 1024, 256>;

enum Peer {
    Tonic(Server),
    Python(PythonPeer),
}

impl Peer {
    /// All peers that run here.
    fn all() -> Vec<Self> {
        let mut peers = vec![Self::Tonic(Server::start().unwrap())];
        peers.extend(python::interpreter().map(|python| Self::Python(PythonPeer::start(&python).unwrap())));
        peers
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Tonic(server) => server.address(),
            Self::Python(peer) => peer.address(),
        }
    }
}

/// Runs `calls` on a channel to each peer, with the Runner beside it, until both have ended.
fn on_every_peer<F: Future<Output = ()>>(calls: impl Fn(Channel<'static>) -> F) {
    for peer in Peer::all() {
        on_channel(peer.address(), &calls);
    }
}

fn on_channel<F: Future<Output = ()>>(address: SocketAddr, calls: impl Fn(Channel<'static>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Resources live in a static on a device.
    let resources: &'static mut DeviceResources<'static> = Box::leak(Box::new(Resources::new()));
    let clock: &'static HostClock = Box::leak(Box::new(HostClock::start()));
    let (channel, runner) = Channel::new(
        resources,
        TokioConnector { address },
        clock,
        Config::new("localhost"),
    )
    .unwrap();
    runtime.block_on(async {
        tokio::join!(runner.run(), async {
            calls(channel).await;
            channel.shutdown();
        });
    });
}

fn measurement(sequence: u32) -> ReportRequest {
    ReportRequest {
        device_id: Text::try_from("pump-17").unwrap(),
        sequence,
        millivolts: 3300,
        temperature_centi: -512,
        samples: Octets::from_slice(&[0, 1, 127, 128, 16_384, u32::MAX]).unwrap(),
        nonce: Octets::from_slice(&[0, 255, 1, 254]).unwrap(),
    }
}

fn failing() -> DiagnoseRequest {
    DiagnoseRequest {
        status_code: 9,
        status_message: Text::try_from(ERROR_MESSAGE).unwrap(),
        status_details: Octets::from_slice(&[1, 2, 255]).unwrap(),
        ..Default::default()
    }
}

fn check_error(status: &Status, received: &ReceivedMetadata<'_>) {
    assert_eq!(status.code(), Code::FAILED_PRECONDITION);
    assert_eq!(status.message(), ERROR_MESSAGE);
    assert!(!status.is_local());
    assert_eq!(received.status_details(), Some(&[1, 2, 255][..]));
}

fn check_payload(reply: &DiagnoseReply, len: usize) {
    assert!(reply.payload.iter().all(|octet| *octet == 0xa5));
    assert_eq!(reply.payload.len(), len);
}

#[test]
fn report_reply_and_metadata_come_back() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        let metadata = [
            MetadataEntry::ascii("x-telemetry-echo", "pump 17"),
            MetadataEntry::binary("x-telemetry-echo-bin", &[0xab, 0, 0xab]),
        ];
        let mut memory = [0; 192];
        let mut received = ReceivedMetadata::new(&mut memory);
        let request = measurement(41);
        let call = client
            .report(&request)
            .metadata(&metadata)
            .receive_into(&mut received);
        let reply = call.await.unwrap();
        assert_eq!((reply.sequence, reply.total_reports), (41, 1));
        assert_eq!(reply.nonce, request.nonce);
        assert_eq!(reply.note, "stored as number 1");
        assert!(reply.received_unix_ms > 1_600_000_000_000);
        assert!(received.initial("x-telemetry-echo").eq([b"pump 17"]));
        assert!(received.trailing("x-telemetry-echo-bin").eq([[0xab, 0, 0xab]]));
        assert!(!received.overflowed());
    });
}

#[test]
fn repeated_metadata_comes_back_in_order() {
    on_every_peer(|channel| async move {
        let metadata = ["first", "second"].map(|value| MetadataEntry::ascii("x-telemetry-echo", value));
        let mut memory = [0; 192];
        let mut received = ReceivedMetadata::new(&mut memory);
        let request = measurement(0);
        let mut client = TelemetryClient::new(channel);
        client
            .report(&request)
            .metadata(&metadata)
            .receive_into(&mut received)
            .await
            .unwrap();
        assert!(
            received
                .initial("x-telemetry-echo")
                .eq([&b"first"[..], b"second"])
        );
    });
}

#[test]
fn error_status_has_code_message_and_details() {
    on_every_peer(|channel| async move {
        let mut memory = [0; 64];
        let mut received = ReceivedMetadata::new(&mut memory);
        let mut client = TelemetryClient::new(channel);
        let status = client
            .diagnose(&failing())
            .receive_into(&mut received)
            .await
            .unwrap_err();
        check_error(&status, &received);
    });
}

#[test]
fn every_status_code_arrives_as_sent() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        for status_code in 1..=16 {
            let request = DiagnoseRequest {
                status_code,
                ..Default::default()
            };
            let status = client.diagnose(&request).await.unwrap_err();
            assert_eq!(u32::from(status.code().as_u8()), status_code);
        }
    });
}

#[test]
fn deadline_expires_and_the_channel_goes_on() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        let request = DiagnoseRequest {
            delay_ms: 60_000,
            ..Default::default()
        };
        for _ in 0..3 {
            let status = client
                .diagnose(&request)
                .deadline(Duration::from_millis(40))
                .await
                .unwrap_err();
            assert_eq!(status.code(), Code::DEADLINE_EXCEEDED);
        }
        client.report(&measurement(0)).await.unwrap();
    });
}

#[test]
fn dropped_calls_free_their_slots() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        let request = DiagnoseRequest {
            delay_ms: 60_000,
            ..Default::default()
        };
        client.report(&measurement(0)).await.unwrap();
        for _ in 0..5 {
            let call = std::future::IntoFuture::into_future(client.diagnose(&request));
            assert!(
                tokio::time::timeout(Duration::from_millis(10), call)
                    .await
                    .is_err()
            );
        }
        client.report(&measurement(1)).await.unwrap();
    });
}

#[test]
fn reply_of_any_size_up_to_the_limit_arrives() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        for reply_size in [0, 1, 127, 128, 255, 256, 511, 512] {
            let request = DiagnoseRequest {
                reply_size,
                ..Default::default()
            };
            check_payload(&client.diagnose(&request).await.unwrap(), reply_size as usize);
        }
    });
}

#[test]
fn reply_over_the_limit_is_refused_and_the_channel_goes_on() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        for reply_size in [600, 16_384, 100_000] {
            let request = DiagnoseRequest {
                reply_size,
                ..Default::default()
            };
            let status = client.diagnose(&request).await.unwrap_err();
            assert_eq!(status.code(), Code::RESOURCE_EXHAUSTED, "{status:?}");
            client.report(&measurement(0)).await.unwrap();
        }
    });
}

#[test]
fn many_calls_in_turn_keep_windows_and_tables_in_step() {
    on_every_peer(|channel| async move {
        let mut client = TelemetryClient::new(channel);
        for sequence in 0..300 {
            let reply = client.report(&measurement(sequence)).await.unwrap();
            assert_eq!((reply.sequence, reply.total_reports), (sequence, sequence + 1));
            let request = DiagnoseRequest {
                reply_size: 500,
                ..Default::default()
            };
            check_payload(&client.diagnose(&request).await.unwrap(), 500);
        }
    });
}

#[test]
fn calls_beyond_the_slots_wait_for_their_turn() {
    on_every_peer(|channel| async move {
        let call = |sequence| async move {
            let request = measurement(sequence);
            TelemetryClient::new(channel)
                .report(&request)
                .await
                .unwrap()
                .sequence
        };
        let answers = tokio::join!(
            call(0),
            call(1),
            call(2),
            call(3),
            call(4),
            call(5),
            call(6),
            call(7)
        );
        assert_eq!(answers, (0, 1, 2, 3, 4, 5, 6, 7));
    });
}

#[test]
fn server_restart_is_survived_between_two_calls() {
    let mut server = Server::start().unwrap();
    let address = server.address();
    let server = std::cell::RefCell::new(&mut server);
    on_channel(address, |channel| {
        let server = &server;
        async move {
            let mut client = TelemetryClient::new(channel);
            assert_eq!(client.report(&measurement(0)).await.unwrap().total_reports, 1);
            assert_eq!(client.report(&measurement(1)).await.unwrap().total_reports, 2);
            server.borrow_mut().restart().unwrap();
            let answered = loop {
                match client.report(&measurement(2)).wait_for_ready().await {
                    Ok(reply) => break reply.total_reports,
                    // The call that met the dying connection.
                    Err(status) => assert_eq!(status.code(), Code::UNAVAILABLE),
                }
            };
            assert_eq!(answered, 1);
        }
    });
    assert_eq!(server.borrow().connections(), 2);
}

#[test]
fn nobody_listens_fails_fast_unless_the_call_waits() {
    let mut server = Server::start().unwrap();
    let address = server.address();
    server.stop();
    on_channel(address, |channel| async move {
        let mut client = TelemetryClient::new(channel);
        let status = client.report(&measurement(0)).await.unwrap_err();
        assert_eq!(status.code(), Code::UNAVAILABLE);
        assert_eq!(channel.state(), ConnectivityState::TransientFailure);
        let request = measurement(0);
        let waiting = client
            .report(&request)
            .wait_for_ready()
            .deadline(Duration::from_millis(30));
        assert_eq!(waiting.await.unwrap_err().code(), Code::DEADLINE_EXCEEDED);
    });
}

/// The same steps with the client for firmware without an executor.
fn blocking_steps<T: Transport>(connect: impl Fn(SocketAddr) -> io::Result<T>) {
    for peer in Peer::all() {
        let clock = HostClock::start();
        let mut resources = DeviceResources::new();
        let transport = connect(peer.address()).unwrap();
        let client = Client::new(&mut resources, transport, &clock, Config::new("localhost")).unwrap();
        let mut client = TelemetryClient::new(client);

        let metadata = [MetadataEntry::binary("x-telemetry-echo-bin", &[1, 2, 3, 4])];
        let mut memory = [0; 128];
        let mut received = ReceivedMetadata::new(&mut memory);
        let request = measurement(7);
        let call = client
            .report(&request)
            .metadata(&metadata)
            .receive_into(&mut received);
        let reply = call.call().unwrap();
        assert_eq!((reply.sequence, reply.total_reports), (7, 1));
        assert!(received.trailing("x-telemetry-echo-bin").eq([[1, 2, 3, 4]]));

        let mut memory = [0; 64];
        let mut received = ReceivedMetadata::new(&mut memory);
        let status = client
            .diagnose(&failing())
            .receive_into(&mut received)
            .call()
            .unwrap_err();
        check_error(&status, &received);

        let request = DiagnoseRequest {
            delay_ms: 60_000,
            ..Default::default()
        };
        let status = client
            .diagnose(&request)
            .deadline(Duration::from_millis(40))
            .call()
            .unwrap_err();
        assert_eq!(status.code(), Code::DEADLINE_EXCEEDED);

        for sequence in 0..50 {
            let request = DiagnoseRequest {
                reply_size: 512,
                ..Default::default()
            };
            check_payload(&client.diagnose(&request).call().unwrap(), 512);
            assert_eq!(
                client
                    .report(&measurement(sequence))
                    .call()
                    .unwrap()
                    .total_reports,
                sequence + 2
            );
        }
    }
}

#[test]
fn blocking_client_over_a_transport_that_says_when_it_is_ready() {
    blocking_steps(|address| ReadySocket::connect(address).map(Polled));
}

#[test]
fn blocking_client_over_a_transport_that_times_out() {
    blocking_steps(|address| ImpatientSocket::connect(address).map(Timed));
}

const ERROR_MESSAGE: &str = "sensor not calibrated: 23 °C\n100 % of \"it\"";
