//! Payloads that pass through the server: read to be counted, written as zeros.

use rpc_nostd::micropb::{MessageDecode, MessageEncode};
use rpc_nostd::server::{LargeReader, LargeWriter, Receiver, Sender};
use rpc_nostd::{Code, Status};

use crate::payload::{CHUNK, IN_RESPONSE, ZEROS};

/// The next request without its payload, whose length comes beside it. `None`: there is none any more.
///
/// # Errors
/// As those of the receiver.
pub(super) async fn next<M: MessageDecode + MessageEncode + Default>(
    requests: &mut Receiver<'_, M>,
    path: &[u32],
) -> Result<Option<(M, u32)>, Status> {
    let mut scratch = [0; SCRATCH];
    let Some(mut reader) = requests.next_large(path, &mut scratch).await? else {
        return Ok(None);
    };
    let len = count(&mut reader).await?;
    Ok(Some((reader.finish()?, len)))
}

/// The one request of a call whose method has one, and its end.
///
/// # Errors
/// As those of the receiver.
pub(super) async fn only<M: MessageDecode + MessageEncode + Default>(
    requests: &mut Receiver<'_, M>,
    path: &[u32],
) -> Result<M, Status> {
    let (request, _) = next(requests, path).await?.ok_or(NO_REQUEST)?;
    // The method has one request: another makes this fail.
    requests.next().await?;
    Ok(request)
}

/// Sends a reply with `size` octets of payload.
///
/// # Errors
/// As those of the sender.
pub(super) async fn send<M: MessageEncode>(
    replies: &mut Sender<'_, M>,
    reply: &M,
    size: u32,
) -> Result<(), Status> {
    let size = usize::try_from(size).map_err(|_| TOO_LONG)?;
    let mut writer = replies.send_large(reply, &IN_RESPONSE, size).await?;
    write_zeros(&mut writer).await?;
    writer.finish().await
}

/// Octets of payload that are left.
async fn count(reader: &mut LargeReader<'_, '_>) -> Result<u32, Status> {
    let mut chunk = [0; CHUNK];
    let mut len = 0u32;
    loop {
        match reader.read(&mut chunk).await? {
            0 => return Ok(len),
            read => len = len.saturating_add(u32::try_from(read).unwrap_or(u32::MAX)),
        }
    }
}

async fn write_zeros(writer: &mut LargeWriter<'_, '_>) -> Result<(), Status> {
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

/// For all of a request but its payload: a status message of 96 octets, or 8 response parameters.
const SCRATCH: usize = 256;

const NO_REQUEST: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the call ended without the request that its method has",
);
const TOO_LONG: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the payload that is asked for is longer than this server's memory addresses can say",
);
