//! One call of any method, over real TCP, async and blocking.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rpc_nostd::{Code, Method};
use rpc_nostd_interop_host::{Call, Sizes, serve_blocking};

static EMPTY_CALL: Method = Method::unary("/grpc.testing.TestService/EmptyCall");
static NO_CALL: Method = Method::unary("/");

/// A server that lives as long as the test.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || serve_blocking(&listener, Sizes::Host).unwrap());
    address
}

async fn outcomes(address: SocketAddr, method: &'static Method) -> Vec<Result<(), Code>> {
    let mut outcomes = Vec::new();
    for sizes in [Sizes::Host, Sizes::Device] {
        let call = Call {
            address,
            authority: "test.local",
            method,
            deadline: Duration::from_secs(20),
            stay: Duration::from_millis(10),
        };
        let mut report =
            |result: Result<_, rpc_nostd::Status>| outcomes.push(result.map_err(|status| status.code()));
        call.make(sizes, &mut report).await.unwrap();
        call.make_blocking(sizes, &mut report).unwrap();
    }
    outcomes
}

#[tokio::test]
async fn a_method_that_is_there_is_ok() {
    assert_eq!(outcomes(server(), &EMPTY_CALL).await, [Ok(()); 4]);
}

#[tokio::test]
async fn a_path_without_a_method_is_unimplemented() {
    assert_eq!(outcomes(server(), &NO_CALL).await, [Err(Code::UNIMPLEMENTED); 4]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(outcomes(closed, &EMPTY_CALL).await, [Err(Code::UNAVAILABLE); 4]);
}
