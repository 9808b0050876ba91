//! The peer's client against the peer's server: what they say about others counts only if they agree with each other.

use std::net::Ipv4Addr;

use clap::ValueEnum;
use rpc_nostd_interop_tonic::{Case, Soak, run, serve};
use tokio::net::TcpListener;

#[tokio::test]
async fn every_case_passes_between_the_peers_own_client_and_server() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener));
    let soak = Soak {
        iterations: 3,
        max_failures: 0,
    };
    for case in Case::value_variants() {
        if let Err(failure) = run(*case, "127.0.0.1", port, soak).await {
            panic!("{case:?}: {failure}");
        }
    }
}
