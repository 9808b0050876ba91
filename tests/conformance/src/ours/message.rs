//! The message of all methods: one `bytes` field, number 1.

use rpc_nostd::micropb::{
    DecodeError, MessageDecode, MessageEncode, PbDecoder, PbEncoder, PbRead, PbWrite, Presence,
};

/// A message with one `bytes` field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

/// Octets that a `Blob` holds at most when it is decoded.
const CAPACITY: usize = 2_048;

impl MessageEncode for Blob {
    const MAX_SIZE: Result<usize, &'static str> = Err("unbounded");

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        encoder.encode_varint32(0x0a)?;
        encoder.encode_bytes(&self.0)
    }

    fn compute_size(&self) -> usize {
        1 + rpc_nostd::micropb::size::sizeof_len_record(self.0.len())
    }
}

impl MessageDecode for Blob {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            if decoder.decode_varint32()? != 0x0a {
                return Err(DecodeError::WrongWireType);
            }
            let mut octets = rpc_nostd::heapless::Vec::<u8, CAPACITY>::new();
            decoder.decode_bytes(&mut octets, Presence::Explicit)?;
            self.0 = octets.to_vec();
        }
        Ok(())
    }
}
