//! Messages as our generator makes them: they decode any octets without a panic, agree with prost, and what they encode
//! reads back.

use micropb::{MessageDecode, MessageEncode, PbEncoder};
use prost::Message;

use crate::pieces::one_in;
use crate::proto::fuzz::v1 as ours;
use crate::reference::fuzz::v1 as theirs;

/// The octets of a message of every kind of field.
pub fn generated_decoders(data: &[u8]) {
    let mut message = ours::Everything::default();
    let decoded = message.decode_from_bytes(data);
    let mut octets = [0; MAX_SIZE];
    let encoded = encode(&message, &mut octets);
    if decoded.is_err() {
        return;
    }
    let mut again = ours::Everything::default();
    again
        .decode_from_bytes(encoded)
        .expect("our own octets are valid");
    let mut octets_again = [0; MAX_SIZE];
    assert_eq!(encoded, encode(&again, &mut octets_again));
    if !one_in(4, data) {
        return;
    }
    if let Ok(expected) = theirs::Everything::decode(data) {
        let found = theirs::Everything::decode(encoded).expect("our own octets are valid to others");
        // Compared as octets, because a NaN is not equal to itself.
        assert_eq!(found.encode_to_vec(), expected.encode_to_vec());
    }
}

fn encode<'b>(message: &ours::Everything, octets: &'b mut [u8; MAX_SIZE]) -> &'b [u8] {
    let len = message.compute_size();
    message
        .encode(&mut PbEncoder::new(&mut octets[..len]))
        .expect("a message is as long as it says, and never longer than the maximum");
    &octets[..len]
}

const MAX_SIZE: usize = match <ours::Everything as MessageEncode>::MAX_SIZE {
    Ok(octets) => octets,
    Err(_) => panic!("every field has a capacity"),
};
