//! An error status: its code for the program, its message for people, its details for programs that want to know more.

use rpc_nostd::micropb::MessageDecode;
use rpc_nostd::{Code, ReceivedMetadata};

use super::{Client, text};
use crate::google::rpc;
use crate::greenhouse::{GetReadingRequest, KnownBeds};
use crate::{Failed, Say, check};

pub(super) async fn errors(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let request = GetReadingRequest { bed: text("bananas") };
    let mut memory = [0; 256];
    let mut received = ReceivedMetadata::new(&mut memory);

    let result = client.get_reading(&request).receive_into(&mut received).await;

    let Err(status) = result else {
        return Err(Failed::Check("there are bananas"));
    };
    // By convention details are a google.rpc.Status, with messages inside.
    let beds = known_beds(received.status_details().unwrap_or_default());
    let beds = beds.ok_or(Failed::Check("the details do not say which beds there are"))?;
    say(format_args!("errors: {status}; there are: {:?}", beds.beds));
    check(status.code() == Code::NOT_FOUND, "another code than NOT_FOUND")?;
    check(beds.beds.len() == 2, "the greenhouse has two beds")
}

fn known_beds(details: &[u8]) -> Option<KnownBeds> {
    let mut status = rpc::Status::default();
    status.decode_from_bytes(details).ok()?;
    let any = status.details.first()?;
    if !any.type_url.ends_with("/greenhouse.v1.KnownBeds") {
        return None;
    }
    let mut beds = KnownBeds::default();
    beds.decode_from_bytes(&any.value).ok()?;
    Some(beds)
}
