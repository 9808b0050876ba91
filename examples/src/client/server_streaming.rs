//! Server streaming: one request, responses until the server ends them.

use super::{Client, text};
use crate::greenhouse::WatchReadingsRequest;
use crate::{Celsius, Failed, Say, check};

pub(super) async fn server_streaming(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let request = WatchReadingsRequest {
        bed: text("basil"),
        count: 3,
        interval_ms: 20,
    };

    let mut readings = client.watch_readings(&request).await?;

    let mut count = 0;
    // None: the server has ended the call with OK. Any other end is an error.
    while let Some(reading) = readings.next().await? {
        count += 1;
        say(format_args!(
            "server-streaming: {} have {}",
            reading.bed,
            Celsius(reading.centi_celsius)
        ));
    }
    check(count == request.count, "not as many readings as were asked for")
}
