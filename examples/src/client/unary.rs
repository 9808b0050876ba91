//! Unary: one request, one response; and metadata beside both.

use rpc_nostd::{MetadataEntry, ReceivedMetadata};

use super::{Client, text};
use crate::greenhouse::GetReadingRequest;
use crate::{Celsius, Failed, Say, check};

pub(super) async fn unary(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let request = GetReadingRequest {
        bed: text("tomatoes"),
    };
    // What goes out beside the request, and memory for what comes back beside the response: both can be left out.
    let metadata = [MetadataEntry::ascii("x-gardener", "Ada")];
    let mut memory = [0; 128];
    let mut received = ReceivedMetadata::new(&mut memory);

    let reading = client
        .get_reading(&request)
        .metadata(&metadata)
        .receive_into(&mut received)
        .await?;

    let house = received.initial("x-greenhouse").next().unwrap_or_default();
    say(format_args!(
        "unary: {} have {}, says {}",
        reading.bed,
        Celsius(reading.centi_celsius),
        house.escape_ascii()
    ));
    check(reading.bed == "tomatoes", "that is another bed")?;
    check(house == b"north house", "the metadata did not arrive")
}
