//! What a server's task takes: futures are easily stored twice.

use rpc_nostd::Status;
use rpc_nostd::server::{Call, Server, ServerConfig, ServerResources};

use crate::net::Net;
use crate::service::Custom;
use crate::support::VirtualTimer;

/// Octets that the handler below keeps across an await.
const KEPT: usize = 8_192;

#[test]
fn the_servers_task_stores_each_handler_once() {
    let handler = Custom(async |call: &mut Call<'_>| -> Result<(), Status> {
        let kept = [1u8; KEPT];
        let (_, mut requests, _) = call.split::<crate::support::Blob, crate::support::Blob>();
        requests.only().await?;
        std::hint::black_box(&kept);
        Ok(())
    });
    let timer = VirtualTimer::default();
    let mut memory = ServerResources::<'_, 1, 2, 300, 512>::new();
    let (_, runner) = Server::new(
        &mut memory,
        [Net::default()],
        &handler,
        &timer,
        &ServerConfig::new(),
    )
    .expect("large enough");
    let task = size_of_val(&runner.run());
    println!(
        "a server of two calls takes {task} octets, {} beside its handlers",
        task - 2 * KEPT
    );
    // 64-bit host; a 32-bit target takes about two thirds.
    assert!(task < 2 * KEPT + 6_000, "{task}");
}

/// Octets of a server's memory beside the buffers that the type's parameters name, and HPACK's 4,096 for a connection.
fn overhead<const CONNECTIONS: usize, const STREAMS: usize>() -> usize {
    let buffers = CONNECTIONS * (STREAMS * (300 + 128 + 128) + 512 + 256 + 4_096);
    size_of::<ServerResources<'_, CONNECTIONS, STREAMS, 300, 512>>() - buffers
}

#[test]
fn a_servers_memory_takes_little_beside_its_buffers() {
    let one = overhead::<1, 1>();
    let stream = (overhead::<1, 5>() - one) / 4;
    let connection = overhead::<2, 1>() - one;
    println!(
        "beside its buffers a connection takes {} octets, and {stream} for each call",
        connection - stream
    );
    // 64-bit host; a 32-bit target takes about two thirds.
    assert!(stream <= 300, "a call takes {stream}");
    assert!(
        connection - stream <= 1_350,
        "a connection takes {}",
        connection - stream
    );
    assert!(one <= connection + 16, "there is nothing else");
}
