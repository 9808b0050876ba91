//! Cancellation: dropping a call, or what a call gave, cancels it. The server's handler is dropped as well.

use rpc_nostd::ReceivedMetadata;

use super::{Client, text};
use crate::greenhouse::{GetReadingRequest, WatchReadingsRequest};
use crate::{Failed, Say, check};

pub(super) async fn cancellation(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let request = WatchReadingsRequest {
        bed: text("basil"),
        count: 1_000,
        interval_ms: 20,
    };
    let mut readings = client.watch_readings(&request).await?;
    check(readings.next().await?.is_some(), "no reading came")?;
    check(
        watchers(client).await? == *b"1",
        "the server does not see the watcher",
    )?;

    drop(readings);

    // The news travels with the next octets; the server may take up the next call before it has dropped this one.
    for _ in 0..20 {
        if watchers(client).await? == *b"0" {
            say(format_args!(
                "cancellation: dropped, and the server has stopped too"
            ));
            return Ok(());
        }
    }
    Err(Failed::Check("the server still sends readings to nobody"))
}

/// How many calls of WatchReadings the server has under way, which it says in trailing metadata.
async fn watchers(client: &mut Client<'_>) -> Result<[u8; 1], Failed> {
    let request = GetReadingRequest { bed: text("basil") };
    let mut memory = [0; 128];
    let mut received = ReceivedMetadata::new(&mut memory);
    client.get_reading(&request).receive_into(&mut received).await?;
    let watchers = received.trailing("x-watchers").next();
    let digit = watchers.and_then(|digits| digits.try_into().ok());
    digit.ok_or(Failed::Check("the metadata did not arrive"))
}
