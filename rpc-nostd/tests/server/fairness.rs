//! Calls share the send buffer of their connection.

use rpc_nostd::Status;
use rpc_nostd::server::{Call, ServerConfig, Service};

use crate::bench::serving_in;
use crate::service::{Custom, STREAM, UNARY, echo};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::request;

/// Serves UNARY as an echo; other calls get messages of so many octets without end.
fn endless(octets: usize) -> impl Service {
    Custom(async move |call: &mut Call<'_>| -> Result<(), Status> {
        if call.method() == &UNARY {
            return echo(call).await;
        }
        let (_, _, mut replies) = call.split::<Blob, Blob>();
        loop {
            replies.send(&Blob(vec![7; octets])).await?;
        }
    })
}

#[test]
fn endless_replies_share_the_connection() {
    for octets in [1, 30, 200, 1_000, 100_000] {
        for slow in [None, Some(100)] {
            serving_in::<4, 300, 512>(endless(octets), ServerConfig::new(), async |bench| {
                let mut wire = bench.open_with(&[(4, 1_000_000)]).await;
                wire.socket.set_capacity(slow);
                for stream in [1, 3, 5, 7] {
                    wire.send(&frames::headers(stream, &request(STREAM.path()), true));
                }
                for _ in 0..3_000 {
                    bench.settle().await;
                    wire.read();
                }
                let shares: Vec<usize> = wire
                    .answers()
                    .iter()
                    .map(|(_, answer)| answer.content.len())
                    .collect();
                assert_eq!(
                    shares.iter().sum::<usize>(),
                    65_535,
                    "{octets} {slow:?} {shares:?}"
                );
                let least = *shares.iter().min().unwrap();
                assert!(
                    shares.len() == 4 && least > 65_535 / 8,
                    "{octets} octets, {slow:?}: {shares:?}"
                );
            });
        }
    }
}

#[test]
fn headers_and_trailers_find_room_beside_endless_replies() {
    for octets in [1, 30, 200, 1_000, 100_000] {
        for slow in [1, 20, 40, 300] {
            serving_in::<4, 300, 512>(endless(octets), ServerConfig::new(), async |bench| {
                let mut wire = bench.open_with(&[(4, 1_000_000)]).await;
                wire.socket.set_capacity(Some(slow));
                for stream in [1, 3, 5] {
                    wire.send(&frames::headers(stream, &request(STREAM.path()), true));
                }
                bench.settle().await;
                wire.call(7, UNARY.path(), &[b"small"]);
                let mut turns = 0;
                let is_end = |frame: &frames::Frame| (frame.stream, frame.flags & 1) == (7, 1);
                while !wire.frames.iter().any(is_end) {
                    turns += slow;
                    assert!(
                        turns < 10_000,
                        "{octets} octets: no answer after as many octets as {turns}"
                    );
                    bench.settle().await;
                    wire.read();
                }
            });
        }
    }
}
