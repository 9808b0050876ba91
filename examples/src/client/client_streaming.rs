//! Client streaming: requests until the client ends them, then one response.

use super::{Client, reading};
use crate::{Celsius, Failed, Say, check};

pub(super) async fn client_streaming(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let mut upload = client.record_readings().await?;

    // A server that is slower than this makes `send` wait: nothing piles up.
    for centi_celsius in [2150, -310, 2745] {
        upload.send(&reading(centi_celsius)).await?;
    }
    let summary = upload.finish().await?;

    say(format_args!(
        "client-streaming: {} readings, from {} to {}",
        summary.readings,
        Celsius(summary.lowest_centi_celsius),
        Celsius(summary.highest_centi_celsius)
    ));
    check(summary.readings == 3, "the server missed a reading")?;
    check(summary.lowest_centi_celsius == -310, "another lowest temperature")?;
    check(
        summary.highest_centi_celsius == 2745,
        "another highest temperature",
    )
}
