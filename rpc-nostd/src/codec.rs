//! Messages of any type, as the core sees them: a length, and octets on demand.
//!
//! The core is compiled once for all message types; only these few functions are not.

use micropb::{DecodeError, MessageDecode, MessageEncode, PbEncoder, PbWrite};

use crate::framing::PREFIX_LEN;
use crate::status::{Code, Status};

/// A request that is written piece by piece, straight into the send buffer.
pub(crate) trait Outgoing {
    /// Octets of the message, without its prefix.
    fn message_len(&self) -> usize;

    /// Fills `to` with the octets of the message from `skip` on. `to` never reaches past the end.
    fn write_from(&self, skip: usize, to: &mut [u8]);
}

impl<M: MessageEncode> Outgoing for M {
    fn message_len(&self) -> usize {
        self.compute_size()
    }

    fn write_from(&self, skip: usize, to: &mut [u8]) {
        // The message stays with the caller and is encoded once for each DATA frame: no buffer of its size.
        let mut encoder = PbEncoder::new(Window { skip, to });
        // Err means that the window is full: the rest of the message goes into a later frame.
        self.encode(&mut encoder).unwrap_or_default();
    }
}

/// A message type with a lifetime: its fields borrow what is sent. Generated code implements it.
///
/// A stream of such messages has one type, and so one lifetime, from its first message to its last. This is how each of them
/// borrows for itself: from a buffer that holds something else when the next is sent.
pub trait Borrowing {
    /// The same message, borrowing for `'b`.
    type At<'b>: MessageEncode;
}

/// A message with its prefix, as it goes out.
#[derive(Clone, Copy)]
pub(crate) struct Framed<'m> {
    pub(crate) message: &'m dyn Outgoing,
    /// Says the length of what is sent in all, which may be more than `message`.
    pub(crate) prefix: [u8; PREFIX_LEN],
    /// END_STREAM comes with the last octet of `message`.
    pub(crate) end: bool,
}

/// Fills `to` with a piece of prefix and message, `skip` octets from the start of the prefix.
pub(crate) fn write_framed(message: &dyn Outgoing, prefix: [u8; PREFIX_LEN], skip: usize, to: &mut [u8]) {
    let head = prefix.get(skip..).unwrap_or_default();
    let head_len = head.len().min(to.len());
    let (first, rest) = to.split_at_mut_checked(head_len).unwrap_or_default();
    for (to, from) in first.iter_mut().zip(head) {
        *to = *from;
    }
    if !rest.is_empty() {
        message.write_from(skip.saturating_sub(PREFIX_LEN), rest);
    }
}

/// Why a message could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeFault {
    /// A field of the generated type is too small for what arrived.
    Capacity,
    /// The octets are no such message.
    Malformed,
}

/// Decodes a whole message.
///
/// # Errors
/// What is wrong with it; each side has its own words for that.
pub(crate) fn decode_message<M: MessageDecode>(octets: &[u8], message: &mut M) -> Result<(), DecodeFault> {
    message.decode_from_bytes(octets).map_err(|error| match error {
        DecodeError::Capacity => DecodeFault::Capacity,
        _ => DecodeFault::Malformed,
    })
}

/// Decodes a whole response.
///
/// # Errors
/// [`response_fault`] says it.
pub(crate) fn decode<M: MessageDecode>(octets: &[u8], message: &mut M) -> Result<(), Status> {
    decode_message(octets, message).map_err(response_fault)
}

/// `RESOURCE_EXHAUSTED` if a field of the generated type is too small for what arrived; `INTERNAL` if the octets are no
/// such response.
pub(crate) fn response_fault(fault: DecodeFault) -> Status {
    match fault {
        DecodeFault::Capacity => Status::new(
            Code::RESOURCE_EXHAUSTED,
            "a field of the response is longer than its capacity: raise it in the capacity file beside the .proto",
        ),
        // Spec: grpc-response-parse
        DecodeFault::Malformed => Status::new(
            Code::INTERNAL,
            "the response is not a valid protobuf message of its type",
        ),
    }
}

/// Drops `skip` octets, then fills `to`, then refuses.
struct Window<'a> {
    skip: usize,
    to: &'a mut [u8],
}

impl PbWrite for Window<'_> {
    type Error = ();

    fn pb_write(&mut self, data: &[u8]) -> Result<(), ()> {
        let wanted = data.get(self.skip..).unwrap_or_default();
        self.skip = self.skip.saturating_sub(data.len());
        let fits = wanted.len().min(self.to.len());
        let (first, rest) = core::mem::take(&mut self.to)
            .split_at_mut_checked(fits)
            .unwrap_or_default();
        for (to, from) in first.iter_mut().zip(wanted) {
            *to = *from;
        }
        self.to = rest;
        if wanted.len() > fits { Err(()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing;

    struct Octets(Vec<u8>);

    impl MessageEncode for Octets {
        const MAX_SIZE: Result<usize, &'static str> = Err("any");

        fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
            encoder.encode_varint32(8)?;
            encoder.encode_bytes(&self.0)
        }

        fn compute_size(&self) -> usize {
            1 + micropb::size::sizeof_len_record(self.0.len())
        }
    }

    #[test]
    fn every_split_of_a_message_gives_the_same_octets() {
        let message = Octets((0..40).collect());
        let prefix = framing::prefix(message.message_len()).unwrap();
        let mut whole = vec![0; message.message_len() + PREFIX_LEN];
        write_framed(&message, prefix, 0, &mut whole);
        assert_eq!(&whole[..7], &[0, 0, 0, 0, 42, 8, 40]);
        for size in 1..=whole.len() {
            let mut pieces = Vec::new();
            while pieces.len() < whole.len() {
                let mut piece = vec![0xee; size.min(whole.len() - pieces.len())];
                write_framed(&message, prefix, pieces.len(), &mut piece);
                pieces.extend_from_slice(&piece);
            }
            assert_eq!(pieces, whole, "pieces of {size}");
        }
    }
}
