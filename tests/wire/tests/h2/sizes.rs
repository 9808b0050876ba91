//! What a connection costs beside the memory that is lent to it.

use h2_lite::{Connection, Event, Stream};

#[test]
fn stream_and_connection_stay_small() {
    let (stream, connection, event) = (
        size_of::<Stream>(),
        size_of::<Connection<'_>>(),
        size_of::<Event<'_>>(),
    );
    println!("size_of: Stream {stream}, Connection {connection}, Event {event}");
    assert!(stream <= 48, "{stream}");
    assert!(connection <= 912, "{connection}");
    assert!(event <= 64, "{event}");
}
