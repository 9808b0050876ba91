//! Every example against the server over TCP, in all pairings of executor and no executor.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use rpc_nostd_examples::client::{Example, blocking as blocking_examples};
use rpc_nostd_examples_host::{asynch, blocking};

/// Serves on a free port until the test program ends.
fn start(without_executor: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        if without_executor {
            return blocking::serve(&listener, quiet).unwrap();
        }
        listener.set_nonblocking(true).unwrap();
        executor().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            asynch::serve(listener, quiet).await.unwrap();
        });
    });
    address
}

fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn quiet(_: fmt::Arguments<'_>) {}

#[test]
fn async_client_examples_pass_against_async_server() {
    let address = start(false);
    executor()
        .block_on(asynch::call(address, &Example::ALL, quiet))
        .unwrap();
}

#[test]
fn async_client_examples_pass_against_blocking_server() {
    let address = start(true);
    executor()
        .block_on(asynch::call(address, &Example::ALL, quiet))
        .unwrap();
}

#[test]
fn blocking_client_examples_pass_against_async_server() {
    blocking::call(start(false), &blocking_examples::EXAMPLES, quiet).unwrap();
}

#[test]
fn blocking_client_examples_pass_against_blocking_server() {
    blocking::call(start(true), &blocking_examples::EXAMPLES, quiet).unwrap();
}

#[test]
fn clients_are_served_at_once() {
    let address = start(false);
    executor().block_on(async {
        let calls =
            [(); 4].map(|()| asynch::call(address, &[Example::ServerStreaming, Example::Large], quiet));
        let [a, b, c, d] = calls;
        let results: (_, _, _, _) = tokio::join!(a, b, c, d);
        assert!(results.0.is_ok() && results.1.is_ok() && results.2.is_ok() && results.3.is_ok());
    });
}

#[test]
fn an_example_without_a_server_says_which_and_why() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let result = executor().block_on(asynch::call(address, &[Example::Unary], quiet));
    let text = format!("{:#}", result.unwrap_err());
    assert!(text.starts_with("unary: the call failed: UNAVAILABLE"), "{text}");
}
