//! custom_metadata.

use rpc_nostd::{Channel, MetadataEntry, ReceivedMetadata};

use super::streaming::{self, end_of_replies, next_reply, send_turn};
use super::{LARGE_REQUEST, LARGE_RESPONSE, unary};
use crate::failure::{Failure, check, equal};
use crate::{ECHO_INITIAL, ECHO_TRAILING};

pub(super) async fn custom_metadata(channel: Channel<'_>) -> Result<(), Failure> {
    {
        let receiver = unary::large_call(channel, &ENTRIES).await?;
        let mut memory = [0; MEMORY];
        let mut received = ReceivedMetadata::new(&mut memory);
        receiver.metadata(&mut received);
        check_echo(&received)?;
    }
    let (mut sender, mut receiver) = streaming::full_duplex(channel, &ENTRIES).await?;
    send_turn(&mut sender, LARGE_REQUEST, LARGE_RESPONSE).await?;
    equal(
        "octets of payload",
        next_reply(&mut receiver).await?,
        LARGE_RESPONSE,
    )?;
    sender.finish().await.map_err(Failure::of("half-close"))?;
    end_of_replies(&mut receiver).await?;
    let mut memory = [0; MEMORY];
    let mut received = ReceivedMetadata::new(&mut memory);
    receiver.metadata(&mut received);
    check_echo(&received)
}

/// Both fields came back, once each, and only where they belong.
pub(crate) fn check_echo(received: &ReceivedMetadata<'_>) -> Result<(), Failure> {
    let initial = received.initial(ECHO_INITIAL);
    check(
        initial.eq([INITIAL_VALUE.as_bytes()]),
        "the initial metadata lacks what should come back in it",
    )?;
    let trailing = received.trailing(ECHO_TRAILING);
    check(
        trailing.eq([TRAILING_VALUE.as_slice()]),
        "the trailers lack what should come back in them",
    )?;
    let strayed = received
        .trailing(ECHO_INITIAL)
        .chain(received.initial(ECHO_TRAILING));
    check(strayed.count() == 0, "metadata come back in the wrong place")
}

pub(crate) const ENTRIES: [MetadataEntry<'static>; 2] = [
    MetadataEntry::ascii(ECHO_INITIAL, INITIAL_VALUE),
    MetadataEntry::binary(ECHO_TRAILING, &TRAILING_VALUE),
];
const INITIAL_VALUE: &str = "test_initial_metadata_value";
const TRAILING_VALUE: [u8; 3] = [0xab; 3];
/// Octets for both, and for what proxies add.
pub(crate) const MEMORY: usize = 256;
