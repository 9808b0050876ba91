//! The peers themselves: both must answer a third party's client as the service promises, or tests against them prove nothing.

use std::net::SocketAddr;
use std::time::Duration;

use rpc_nostd_tests::python::{self, PythonPeer};
use rpc_nostd_tests::server::Server;
use rpc_nostd_tests::telemetry::telemetry_client::TelemetryClient;
use rpc_nostd_tests::telemetry::{DiagnoseRequest, ReportRequest, SubscribeRequest};
use tokio_stream::StreamExt;
use tonic::metadata::{BinaryMetadataValue, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request};

async fn connect(address: SocketAddr) -> TelemetryClient<Channel> {
    TelemetryClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

async fn check_report(client: &mut TelemetryClient<Channel>) {
    let report = ReportRequest {
        sequence: 7,
        nonce: vec![1, 2, 255],
        ..ReportRequest::default()
    };
    let mut request = Request::new(report.clone());
    request
        .metadata_mut()
        .insert("x-telemetry-echo", MetadataValue::from_static("hello"));
    request.metadata_mut().insert_bin(
        "x-telemetry-echo-bin",
        BinaryMetadataValue::from_bytes(&[0xab, 0, 0xab]),
    );
    let reply = client.report(request).await.unwrap();
    assert_eq!(reply.metadata().get("x-telemetry-echo").unwrap(), "hello");
    // tonic's client merges the trailers into the response's metadata.
    let trailer = reply.metadata().get_bin("x-telemetry-echo-bin").unwrap();
    assert_eq!(trailer.to_bytes().unwrap().as_ref(), [0xab, 0, 0xab]);
    let reply = reply.into_inner();
    assert_eq!(
        (reply.sequence, reply.nonce, reply.total_reports),
        (7, vec![1, 2, 255], 1)
    );
    assert!(reply.received_unix_ms > 1_600_000_000_000);
    assert_eq!(client.report(report).await.unwrap().into_inner().total_reports, 2);
}

async fn check_diagnose(client: &mut TelemetryClient<Channel>) {
    let request = DiagnoseRequest {
        status_code: 9,
        status_message: "sensor not calibrated: 23 °C".to_owned(),
        status_details: vec![1, 2, 255],
        ..DiagnoseRequest::default()
    };
    let status = client.diagnose(request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "sensor not calibrated: 23 °C");
    assert_eq!(status.details(), [1, 2, 255]);

    let request = DiagnoseRequest {
        reply_size: 300,
        ..DiagnoseRequest::default()
    };
    assert_eq!(
        client.diagnose(request).await.unwrap().into_inner().payload,
        vec![0xa5; 300]
    );

    let mut request = Request::new(DiagnoseRequest {
        delay_ms: 60_000,
        ..DiagnoseRequest::default()
    });
    request.set_timeout(Duration::from_millis(50));
    let status = client.diagnose(request).await.unwrap_err();
    // tonic's client reports its own timer as CANCELLED.
    assert!(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{status}"
    );
}

/// After `stored` reports.
async fn check_streams(client: &mut TelemetryClient<Channel>, stored: u32) {
    let request = SubscribeRequest {
        count: 3,
        interval_ms: 1,
    };
    let readings = client.subscribe(request).await.unwrap().into_inner();
    let readings: Vec<u32> = readings
        .map(|reading| reading.unwrap().millivolts)
        .collect()
        .await;
    assert_eq!(readings, [3300, 3301, 3302]);

    let reports = || {
        tokio_stream::iter((0..4).map(|sequence| ReportRequest {
            sequence,
            ..Default::default()
        }))
    };
    let uploaded = client.upload(reports()).await.unwrap().into_inner();
    assert_eq!((uploaded.stored, uploaded.total_reports), (4, stored + 4));

    let replies = client.exchange(reports()).await.unwrap().into_inner();
    let replies: Vec<u32> = replies.map(|reply| reply.unwrap().sequence).collect().await;
    assert_eq!(replies, [0, 1, 2, 3]);
}

#[tokio::test]
async fn tonic_peer_answers_as_promised() {
    let server = Server::start().unwrap();
    let mut client = connect(server.address()).await;
    check_report(&mut client).await;
    check_diagnose(&mut client).await;
    assert_eq!(server.connections(), 1);
    let calls = server.calls();
    assert_eq!(calls.len(), 5);
    let asked: Vec<(&str, bool)> = calls
        .iter()
        .map(|call| (call.asked.as_str(), call.answered))
        .collect();
    assert_eq!(
        asked,
        [
            ("sequence=7 metadata=2", true),
            ("sequence=7 metadata=0", true),
            ("status=9 delay_ms=0", true),
            ("status=0 delay_ms=0", true),
            ("status=0 delay_ms=60000", false),
        ]
    );
    assert!(
        calls
            .windows(2)
            .all(|pair| pair[0].octets_received < pair[1].octets_received)
    );
    assert!(
        calls
            .windows(2)
            .all(|pair| pair[0].octets_sent < pair[1].octets_sent)
    );
    check_streams(&mut client, 2).await;
}

#[tokio::test]
async fn python_peer_answers_as_promised() {
    let Some(python) = python::interpreter() else {
        return;
    };
    let peer = PythonPeer::start(&python).unwrap();
    let mut client = connect(peer.address()).await;
    check_report(&mut client).await;
    check_diagnose(&mut client).await;
    check_streams(&mut client, 2).await;
}

#[tokio::test]
async fn tonic_peer_restart_keeps_port_and_forgets_reports() {
    let mut server = Server::start().unwrap();
    let address = server.address();
    let mut client = connect(address).await;
    assert_eq!(
        client
            .report(ReportRequest::default())
            .await
            .unwrap()
            .into_inner()
            .total_reports,
        1
    );
    server.restart().unwrap();
    assert_eq!(server.address(), address);
    let mut client = connect(address).await;
    assert_eq!(
        client
            .report(ReportRequest::default())
            .await
            .unwrap()
            .into_inner()
            .total_reports,
        1
    );
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn tonic_peer_stop_cuts_calls_under_way() {
    let mut server = Server::start().unwrap();
    let mut client = connect(server.address()).await;
    let call = tokio::spawn(async move {
        client
            .diagnose(DiagnoseRequest {
                delay_ms: 60_000,
                ..DiagnoseRequest::default()
            })
            .await
    });
    while server.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    server.stop();
    assert!(call.await.unwrap().is_err());
}
