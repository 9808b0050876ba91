//! A deadline: every call has one, of 20 seconds unless it says otherwise. The server knows it too, and stops.

use core::time::Duration;

use rpc_nostd::Code;

use super::{Client, text};
use crate::greenhouse::WatchReadingsRequest;
use crate::{Failed, Say, check};

pub(super) async fn deadline(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let request = WatchReadingsRequest {
        bed: text("basil"),
        count: 1_000,
        interval_ms: 100,
    };

    let call = client
        .watch_readings(&request)
        .deadline(Duration::from_millis(450));
    let mut readings = call.await?;

    let mut count = 0;
    let status = loop {
        match readings.next().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => return Err(Failed::Check("the call ended well")),
            Err(status) => break status,
        }
    };
    say(format_args!("deadline: {count} readings, then {status}"));
    check(
        status.code() == Code::DEADLINE_EXCEEDED,
        "another code than DEADLINE_EXCEEDED",
    )
}
