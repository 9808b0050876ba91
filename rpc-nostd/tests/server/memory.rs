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
