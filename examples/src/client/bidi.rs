//! Bidirectional streaming: requests and responses in any order that both sides agree upon; here one for one.

use super::{Client, reading, words};
use crate::greenhouse::Window;
use crate::{Celsius, Failed, Say, check};

pub(super) async fn bidi(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    // Two halves, which two tasks could use as well.
    let (mut readings, mut advice) = client.advise().await?;

    for (centi_celsius, expected) in [(2150, Window::Leave), (2980, Window::Open), (1490, Window::Close)] {
        readings.send(&reading(centi_celsius)).await?;
        let answer = advice.next().await?;
        let answer = answer.ok_or(Failed::Check("the server ended the call early"))?;
        say(format_args!(
            "bidi: at {}: {}",
            Celsius(centi_celsius),
            words(answer.window)
        ));
        check(answer.window == expected, "that is bad advice")?;
    }
    // No more requests; the server sees that, and ends the responses too.
    readings.finish().await?;
    check(advice.next().await?.is_none(), "advice for nothing")
}
