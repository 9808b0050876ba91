//! Payloads: zeros that no memory holds.

use rpc_nostd::Status;
use rpc_nostd::client;

use crate::failure::{Failure, check};

/// From SimpleRequest and StreamingOutputCallRequest to the octets of their payload.
pub(crate) const IN_REQUEST: [u32; 2] = [3, 2];
/// From SimpleResponse, StreamingOutputCallResponse and StreamingInputCallRequest to the octets of their payload.
pub(crate) const IN_RESPONSE: [u32; 2] = [1, 2];

/// Writes what is left of a payload.
///
/// # Errors
/// The call is over.
pub(crate) async fn write_zeros(writer: &mut client::LargeWriter<'_>) -> Result<(), Status> {
    loop {
        let left = writer.remaining();
        let Some(piece) = ZEROS
            .get(..left.min(ZEROS.len()))
            .filter(|piece| !piece.is_empty())
        else {
            return Ok(());
        };
        writer.write(piece).await?;
    }
}

/// Reads a payload to its end; returns its length in octets.
///
/// # Errors
/// The call failed inside the message, or there is another octet than 0.
pub(crate) async fn read_zeros(reader: &mut client::LargeReader<'_>) -> Result<u32, Failure> {
    let mut chunk = [0; CHUNK];
    let mut len = 0u32;
    loop {
        let read = reader
            .read(&mut chunk)
            .await
            .map_err(Failure::of("inside a reply"))?;
        if read == 0 {
            return Ok(len);
        }
        let zeros = chunk.iter().take(read).all(|octet| *octet == 0);
        check(zeros, "a payload is not all zeros")?;
        len = len.saturating_add(u32::try_from(read).unwrap_or(u32::MAX));
    }
}

/// Octets that are written at once.
pub(crate) static ZEROS: [u8; 1024] = [0; 1024];

/// Octets that are read at once.
pub(crate) const CHUNK: usize = 128;
/// For all of a response but its payload.
pub(crate) const RESPONSE_SCRATCH: usize = 32;
