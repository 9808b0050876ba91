//! Messages larger than memory, on a [`Client`](super::Client): one large field of them passes in pieces.

use micropb::MessageDecode;

use crate::client::blocking::Drive;
use crate::client::blocking::streaming::{Line, Receiver, with};
use crate::client::large::{TOO_FEW, TOO_MANY};
use crate::client::stream::{SEND_DROPPED, StreamCall};
use crate::large::{LargeRead, LargeWrite};
use crate::status::Status;

/// Reads a message in pieces: as [`client::LargeReader`](crate::client::LargeReader), without `.await`.
pub struct LargeReader<'s> {
    client: &'s mut (dyn Drive + 's),
    call: StreamCall,
    read: LargeRead<'s>,
}

impl<'s> LargeReader<'s> {
    pub(super) fn new(client: &'s mut (dyn Drive + 's), call: StreamCall, read: LargeRead<'s>) -> Self {
        Self { client, call, read }
    }

    /// Reads octets of the large field: as many as there are, at least one. 0: the message is complete, or `to` is
    /// empty.
    ///
    /// # Errors
    /// As [`client::LargeReader::read`](crate::client::LargeReader::read).
    pub fn read(&mut self, to: &mut [u8]) -> Result<usize, Status> {
        let (call, read) = (self.call, &mut self.read);
        self.client.run(|cx| call.poll_read(cx, read, to))
    }

    /// The length of the large field, in octets, as soon as its beginning was read.
    pub fn content_len(&self) -> Option<u32> {
        self.read.content_len()
    }

    /// The rest of the message, when [`read`](Self::read) has returned 0: all fields but the large one, which is empty.
    ///
    /// # Errors
    /// As [`client::LargeReader::finish`](crate::client::LargeReader::finish).
    pub fn finish<M: MessageDecode + Default>(self) -> Result<M, Status> {
        self.read.finish(crate::codec::response_fault)
    }
}

/// Writes the content of a message's large field: as [`client::LargeWriter`](crate::client::LargeWriter), without
/// `.await`. Dropped with fewer octets than were declared, it cancels the call.
pub struct LargeWriter<'w> {
    client: &'w mut (dyn Drive + 'w),
    call: StreamCall,
    write: LargeWrite,
}

impl<'w> LargeWriter<'w> {
    pub(super) fn new(client: &'w mut (dyn Drive + 'w), call: StreamCall, write: LargeWrite) -> Self {
        Self { client, call, write }
    }

    /// Writes all of `from`.
    ///
    /// # Errors
    /// As [`client::LargeWriter::write`](crate::client::LargeWriter::write).
    pub fn write(&mut self, from: &[u8]) -> Result<(), Status> {
        write_all(self.client, self.call, &mut self.write, from)
    }

    /// Octets that are still to be written.
    pub fn remaining(&self) -> usize {
        self.write.left()
    }

    /// Ends the message. Everything is sent already.
    ///
    /// # Errors
    /// `CANCELLED`: fewer octets were written than declared, and the call is cancelled.
    pub fn finish(self) -> Result<(), Status> {
        if self.write.left() > 0 {
            return Err(TOO_FEW);
        }
        Ok(())
    }
}

impl Drop for LargeWriter<'_> {
    fn drop(&mut self) {
        if self.write.left() > 0 {
            let call = self.call;
            with(self.client, &mut |cx| call.cancel(cx.session, SEND_DROPPED));
        }
    }
}

/// Writes the content of the one request's large field. Dropping it cancels the call.
pub struct RequestWriter<'a, Resp> {
    line: Line<'a>,
    write: LargeWrite,
    response: core::marker::PhantomData<fn() -> Resp>,
}

impl<'a, Resp> RequestWriter<'a, Resp> {
    pub(super) fn new(line: Line<'a>, write: LargeWrite) -> Self {
        Self {
            line,
            write,
            response: core::marker::PhantomData,
        }
    }

    /// Writes all of `from`.
    ///
    /// # Errors
    /// As [`client::LargeWriter::write`](crate::client::LargeWriter::write).
    pub fn write(&mut self, from: &[u8]) -> Result<(), Status> {
        write_all(self.line.client, self.line.call, &mut self.write, from)
    }

    /// Octets that are still to be written.
    pub fn remaining(&self) -> usize {
        self.write.left()
    }

    /// Ends the request, and returns the half that receives the responses.
    ///
    /// # Errors
    /// `CANCELLED`: fewer octets were written than declared, and the call is cancelled.
    pub fn finish(self) -> Result<Receiver<'a, Resp>, Status> {
        if self.write.left() > 0 {
            return Err(TOO_FEW);
        }
        Ok(Receiver::new(self.line))
    }
}

fn write_all(
    client: &mut (dyn Drive + '_),
    call: StreamCall,
    write: &mut LargeWrite,
    from: &[u8],
) -> Result<(), Status> {
    if from.len() > write.left() {
        return Err(TOO_MANY);
    }
    let mut rest = from;
    while !rest.is_empty() {
        let written = client.run(|cx| call.poll_write(cx, write, rest))?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}
