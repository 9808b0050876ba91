//! Messages larger than memory, on a [`Channel`](crate::Channel): one large field of them passes in pieces.

use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::task::{Poll, ready};

use micropb::MessageDecode;

use crate::client::handle::{Half, Handle};
use crate::client::stream::{SEND_DROPPED, StreamCall};
use crate::large::{LargeRead, LargeWrite};
use crate::status::{Code, Status};

/// Reads a message in pieces: the content of its large field, then all the rest.
///
/// ```ignore
/// let mut reader = receiver.next_large(&[1, 2], &mut scratch).await?;
/// loop {
///     match reader.read(&mut chunk).await? {
///         0 => break,
///         len => flash.write(&chunk[..len]),
///     }
/// }
/// let rest: Image = reader.finish()?;
/// ```
///
/// Where the large field comes twice, or is preceded by others, it is found all the same; its UTF-8, for a `string`, is
/// not checked. Dropped early, the rest of the message is skipped.
pub struct LargeReader<'s> {
    handle: Handle<'s>,
    call: StreamCall,
    read: LargeRead<'s>,
}

impl<'s> LargeReader<'s> {
    pub(crate) fn new(handle: Handle<'s>, call: StreamCall, read: LargeRead<'s>) -> Self {
        Self { handle, call, read }
    }

    /// Reads octets of the large field: as many as there are, at least one. 0: the message is complete, or `to` is
    /// empty.
    ///
    /// # Errors
    /// How the call ended inside the message. `INTERNAL` for one that is not valid, and `RESOURCE_EXHAUSTED` where
    /// the scratch buffer is too small for the other fields: both end the call.
    ///
    /// Cancel safety: dropping the future loses nothing.
    pub fn read(&mut self, to: &mut [u8]) -> impl Future<Output = Result<usize, Status>> {
        let (call, read) = (self.call, &mut self.read);
        self.handle
            .run(call.deadline, move |cx| call.poll_read(cx, read, to))
    }

    /// The length of the large field, in octets, as soon as its beginning was read.
    pub fn content_len(&self) -> Option<u32> {
        self.read.content_len()
    }

    /// The rest of the message, when [`read`](Self::read) has returned 0: all fields but the large one, which is empty.
    ///
    /// # Errors
    /// `INTERNAL`: the message was not read to its end, or is no `M`. `RESOURCE_EXHAUSTED`: a field's capacity is too
    /// small. The call goes on.
    pub fn finish<M: MessageDecode + Default>(self) -> Result<M, Status> {
        self.read.finish(crate::codec::response_fault)
    }
}

/// Writes the content of a message's large field.
///
/// It must be given as many octets as were declared. Dropped with fewer, it cancels the call: the stream is reset with
/// CANCEL.
pub struct LargeWriter<'w> {
    handle: Handle<'w>,
    call: StreamCall,
    write: LargeWrite,
    /// The sending half, where this message is all that is sent.
    half: Option<Half<'w>>,
    /// No other message meanwhile.
    sender: PhantomData<&'w mut ()>,
}

impl<'w> LargeWriter<'w> {
    /// For the one request of a call.
    pub(crate) fn of_request(half: Half<'w>, write: LargeWrite) -> Self {
        Self {
            handle: half.handle,
            call: half.call,
            write,
            half: Some(half),
            sender: PhantomData,
        }
    }

    /// For one of the requests of a call.
    pub(crate) fn of_stream(handle: Handle<'w>, call: StreamCall, write: LargeWrite) -> Self {
        Self {
            handle,
            call,
            write,
            half: None,
            sender: PhantomData,
        }
    }

    /// Writes all of `from`: returns when it is in the send buffer. Each call makes frames of its own: give it some
    /// hundred octets at a time.
    ///
    /// # Errors
    /// `INTERNAL`: that is more than was declared; nothing of it was written. Else the call is over, as for
    /// [`Sender::send`](crate::client::Sender::send).
    ///
    /// Cancel safety: some of the octets may have been written; do not go on.
    pub fn write(&mut self, from: &[u8]) -> impl Future<Output = Result<(), Status>> {
        let (call, write) = (self.call, &mut self.write);
        let fits = from.len() <= write.left();
        let mut rest = from;
        self.handle.run(call.deadline, move |cx| {
            if !fits {
                return Poll::Ready(Err(TOO_MANY));
            }
            while !rest.is_empty() {
                let written = ready!(call.poll_write(cx, write, rest))?;
                rest = rest.get(written..).unwrap_or_default();
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Octets that are still to be written.
    pub fn remaining(&self) -> usize {
        self.write.left()
    }

    /// Ends the message. Everything is sent already.
    ///
    /// # Errors
    /// `CANCELLED`: fewer octets were written than declared, and the call is cancelled.
    pub fn finish(self) -> impl Future<Output = Result<(), Status>> {
        poll_fn(move |_| {
            // All of it moves into the future, to be dropped with that.
            let writer = &self;
            Poll::Ready(match writer.write.left() {
                0 => Ok(()),
                _ => Err(TOO_FEW),
            })
        })
    }
}

impl Drop for LargeWriter<'_> {
    fn drop(&mut self) {
        let short = self.write.left() > 0;
        if let (Some(half), false) = (&mut self.half, short) {
            half.done = true;
        }
        if short {
            let call = self.call;
            self.handle
                .session
                .with(&mut |session| call.cancel(session, SEND_DROPPED));
        }
    }
}

pub(crate) const TOO_MANY: Status = Status::new(
    Code::INTERNAL,
    "more octets than were declared for the large field: nothing of these was written",
);
pub(crate) const TOO_FEW: Status = Status::new(
    Code::CANCELLED,
    "fewer octets than were declared for the large field: the call is cancelled",
);
