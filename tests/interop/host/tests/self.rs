//! Our client against our server, over real TCP: all cases, in both sizes on either side.

use rpc_nostd_interop::Case;
use rpc_nostd_interop_host::{Sizes, run, run_blocking, serve, serve_blocking};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

async fn all_cases_pass(client: Sizes, server: Sizes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut passed = 0;
    let cases = async {
        let report = |case: Case, result| {
            assert_eq!(result, Ok(()), "{}", case.name());
            passed += 1;
        };
        run(address, client, &Case::ALL, ITERATIONS, report)
            .await
            .unwrap();
        stop.send(()).unwrap();
    };
    let serving = serve(&listener, server, async { stopped.await.unwrap() });
    // The server returns too: it waits for no client that has gone.
    let (served, ()) = tokio::join!(serving, cases);
    served.unwrap();
    assert_eq!(passed, Case::ALL.len());
}

#[tokio::test]
async fn host_against_host() {
    all_cases_pass(Sizes::Host, Sizes::Host).await;
}

#[tokio::test]
async fn host_client_against_device_sizes() {
    all_cases_pass(Sizes::Host, Sizes::Device).await;
}

#[tokio::test]
async fn device_sizes_against_host_server() {
    all_cases_pass(Sizes::Device, Sizes::Host).await;
}

#[tokio::test]
async fn device_sizes_against_device_sizes() {
    all_cases_pass(Sizes::Device, Sizes::Device).await;
}

#[tokio::test]
async fn blocking_client_of_host_sizes() {
    all_cases_pass_blocking(Sizes::Host).await;
}

#[tokio::test]
async fn blocking_client_of_device_sizes() {
    all_cases_pass_blocking(Sizes::Device).await;
}

async fn all_cases_pass_blocking(sizes: Sizes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cases = tokio::task::spawn_blocking(move || {
        let mut passed = 0;
        let report = |case: Case, result| {
            assert_eq!(result, Ok(()), "{}", case.name());
            passed += 1;
        };
        run_blocking(address, sizes, &Case::ALL, ITERATIONS, report);
        passed
    });
    let mut passed = 0;
    let stop = async { passed = cases.await.unwrap() };
    serve(&listener, Sizes::Host, stop).await.unwrap();
    assert_eq!(passed, Case::ALL.len());
}

#[tokio::test]
async fn blocking_servers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // They live as long as the test.
    std::thread::spawn(move || serve_blocking(&listener, Sizes::Host).unwrap());
    let mut passed = 0;
    let report = |case: Case, result| {
        assert_eq!(result, Ok(()), "{}", case.name());
        passed += 1;
    };
    run(address, Sizes::Host, &Case::ALL, ITERATIONS, report)
        .await
        .unwrap();
    assert_eq!(passed, Case::ALL.len());
}

/// More than the server has slots and connections: one that was not given back would be missed.
const ITERATIONS: u32 = 10;
