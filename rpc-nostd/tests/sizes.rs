//! How much memory a client takes: printed, and bounded so that it cannot grow unseen.

use rpc_nostd::server::ServerResources;
use rpc_nostd::{Channel, Resources, Status};

/// Octets beside the buffers that the type's parameters name.
fn overhead<const STREAMS: usize, const RECV: usize, const SEND: usize, const TABLE: usize>() -> usize {
    let buffers = STREAMS * (RECV + 128) + SEND + TABLE + 256;
    size_of::<Resources<'_, STREAMS, RECV, SEND, TABLE>>() - buffers
}

/// What a `ConstStaticCell` asks of its content.
#[test]
fn a_servers_memory_can_lie_in_a_static() {
    fn is_send<T: Send>() {}
    is_send::<ServerResources<'static, 2, 2, 512, 512>>();
}

#[test]
fn resources_take_little_beside_their_buffers() {
    let one = overhead::<1, 300, 512, 256>();
    let five = overhead::<5, 300, 512, 256>();
    let stream = (five - one) / 4;
    println!(
        "beside its buffers a client takes {} octets, and {stream} for each stream",
        one - stream
    );
    println!(
        "Channel {}, Status {}",
        size_of::<Channel<'_>>(),
        size_of::<Status>()
    );
    // 64-bit host; a 32-bit target takes about two thirds.
    assert!(stream <= 224, "a stream takes {stream}");
    assert!(one - stream <= 2_050, "a client takes {}", one - stream);
    assert!(size_of::<Status>() <= 128);
}

/// Also where the provider of credentials is bound to its task.
#[test]
fn a_clients_memory_can_lie_in_a_static() {
    fn is_send<T: Send>() {}
    is_send::<Resources<'static, 4, 300, 512, 256>>();
}
