//! Messages larger than memory, in handlers: one large field of them passes in pieces.

use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::task::{Poll, Waker, ready};

use micropb::{MessageDecode, MessageEncode};

use crate::large::{LargeRead, LargeWrite};
use crate::link::SendError;
use crate::server::call::{Receiver, Sender, Stream};
use crate::server::intake::decode_status;
use crate::slot::Front;
use crate::status::{Code, Status};

impl<'r, Req> Receiver<'r, Req> {
    /// The next request, of any size, to be read in pieces: `path` leads to its large field, by field numbers from the
    /// outer message to a `bytes` or `string` field; the others are gathered in `scratch`. An empty path: all octets of the
    /// message are the content. `None` once the client has sent its last.
    ///
    /// # Errors
    /// As for [`Self::next`], but for the size. `INTERNAL`: `path` is longer than 8, or no path.
    pub fn next_large<'s>(
        &'s mut self,
        path: &[u32],
        scratch: &'s mut [u8],
    ) -> impl Future<Output = Result<Option<LargeReader<'s, 'r>>, Status>> {
        let stream = self.stream;
        let mut scratch = Some(scratch);
        poll_fn(move |cx| {
            let front = stream.poll(cx.waker(), |session, _| {
                session.poll_front(stream.key, stream.method, cx.waker())
            });
            let Some(len) = ready!(front)?.and_then(length) else {
                return Poll::Ready(Ok(None));
            };
            let read = LargeRead::new(len, path, scratch.take().unwrap_or_default())?;
            stream.with(|session, key| session.open_request(key, len))?;
            Poll::Ready(Ok(Some(LargeReader {
                stream,
                read,
                receiver: PhantomData,
            })))
        })
    }
}

impl<'r, Resp: MessageEncode> Sender<'r, Resp> {
    /// Begins a response whose large field, at `path` as for [`Receiver::next_large`], has `len` octets, which the
    /// [`LargeWriter`] takes in pieces. `response` holds the other fields.
    ///
    /// # Errors
    /// As for [`Self::send`]; `INTERNAL` for the path.
    pub fn send_large<'s>(
        &'s mut self,
        response: &Resp,
        path: &[u32],
        len: usize,
    ) -> impl Future<Output = Result<LargeWriter<'s, 'r>, Status>> {
        let stream = self.stream;
        let mut made = Some(LargeWrite::new(path, response, len, false));
        let mut begun: Option<LargeWriter<'s, 'r>> = None;
        let mut sent = 0;
        poll_fn(move |cx| {
            if let Some(write) = made.take() {
                let write = write?;
                stream.with(|session, key| session.begin_response(key, stream.method.one_response()))?;
                // From here on the stream is of no use unless all of the message goes out.
                begun = Some(LargeWriter {
                    stream,
                    write,
                    started: false,
                    sender: PhantomData,
                });
            }
            let Some(writer) = &mut begun else {
                return Poll::Pending;
            };
            ready!(writer.poll_start(response, &mut sent, cx.waker()))?;
            writer.started = true;
            begun
                .take()
                .map_or(Poll::Pending, |writer| Poll::Ready(Ok(writer)))
        })
    }
}

/// Reads a request in pieces: the content of its large field, then all the rest.
///
/// Dropped early, the rest of the message is skipped.
pub struct LargeReader<'s, 'r> {
    stream: Stream<'r>,
    read: LargeRead<'s>,
    /// No other request meanwhile.
    receiver: PhantomData<&'s mut ()>,
}

impl LargeReader<'_, '_> {
    /// Reads octets of the large field: as many as there are, at least one. 0: the message is complete, or `to` is
    /// empty.
    ///
    /// Cancel safety: dropping the future loses nothing.
    ///
    /// # Errors
    /// `INTERNAL` for a message that is cut off or not valid; `RESOURCE_EXHAUSTED` where the scratch buffer is too small
    /// for the other fields. Returned by the handler they become the call's status.
    pub fn read(&mut self, to: &mut [u8]) -> impl Future<Output = Result<usize, Status>> {
        let (stream, read) = (self.stream, &mut self.read);
        poll_fn(move |cx| {
            stream.poll(cx.waker(), |session, _| {
                let filled = read.poll_read(&mut session.link, stream.key, to);
                session.note_room();
                match filled {
                    Ok(Some(filled)) => Poll::Ready(Ok(filled)),
                    Ok(None) => session.poll_more(stream.key, cx.waker()),
                    Err(status) => Poll::Ready(Err(status)),
                }
            })
        })
    }

    /// The length of the large field, in octets, as soon as its beginning was read.
    pub const fn content_len(&self) -> Option<u32> {
        self.read.content_len()
    }

    /// The rest of the message, when [`read`](Self::read) has returned 0: all fields but the large one, which is empty.
    ///
    /// # Errors
    /// `INTERNAL`: the message was not read to its end, or is no `M`. `RESOURCE_EXHAUSTED`: a field's capacity is too
    /// small.
    pub fn finish<M: MessageDecode + Default>(self) -> Result<M, Status> {
        self.read.finish(decode_status)
    }
}

/// Writes the content of a response's large field.
///
/// It must be given as many octets as were declared. Dropped with fewer, it resets the stream with CANCEL.
pub struct LargeWriter<'s, 'r> {
    stream: Stream<'r>,
    write: LargeWrite,
    started: bool,
    /// No other response meanwhile.
    sender: PhantomData<&'s mut ()>,
}

impl LargeWriter<'_, '_> {
    /// Writes all of `from`: returns when it is in the send buffer. Each call makes frames of its own: give it some
    /// hundred octets at a time.
    ///
    /// Cancel safety: some of the octets may have been written; do not go on.
    ///
    /// # Errors
    /// `INTERNAL`: that is more than was declared; nothing of it was written. `CANCELLED`: the call is over.
    pub fn write(&mut self, from: &[u8]) -> impl Future<Output = Result<(), Status>> {
        let (stream, write) = (self.stream, &mut self.write);
        let fits = from.len() <= write.left();
        let mut rest = from;
        poll_fn(move |cx| {
            if !fits {
                return Poll::Ready(Err(TOO_MANY));
            }
            while !rest.is_empty() {
                let written = ready!(stream.poll_send(cx.waker(), |session, now| {
                    match write.write(&mut session.link, stream.key, rest, now) {
                        Err(SendError::NotNow) => Poll::Pending,
                        written => Poll::Ready(written.map_err(|error| session.unsent(stream.key, error))),
                    }
                }))?;
                rest = rest.get(written..).unwrap_or_default();
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Octets that are still to be written.
    pub const fn remaining(&self) -> usize {
        self.write.left()
    }

    /// Ends the message. Everything is sent already.
    ///
    /// # Errors
    /// `CANCELLED`: fewer octets were written than declared, and the stream is reset.
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

    /// Sends the headers and all that comes before the content.
    fn poll_start(
        &self,
        response: &impl MessageEncode,
        sent: &mut usize,
        waker: &Waker,
    ) -> Poll<Result<(), Status>> {
        let (stream, write) = (self.stream, &self.write);
        stream.poll_send(waker, |session, now| {
            if *sent == 0 {
                ready!(session.poll_headers(stream.key, now))?;
            }
            let polled = write.poll_start(&mut session.link, stream.key, response, sent, now);
            polled.map(|result| result.map_err(|error| session.unsent(stream.key, error)))
        })
    }
}

impl Drop for LargeWriter<'_, '_> {
    fn drop(&mut self) {
        if self.write.left() > 0 || !self.started {
            self.stream.cancel();
        }
    }
}

impl core::fmt::Debug for LargeReader<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LargeReader")
            .field("content_len", &self.content_len())
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for LargeWriter<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LargeWriter")
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

/// The length of the message at the front.
const fn length(front: Front) -> Option<usize> {
    match front {
        Front::Whole { len } | Front::TooLarge { len } => Some(len),
        Front::Empty | Front::Partial { .. } | Front::Flag(_) => None,
    }
}

const TOO_MANY: Status = Status::new(
    Code::INTERNAL,
    "more octets than were declared for the large field: nothing of these was written",
);
const TOO_FEW: Status = Status::new(
    Code::CANCELLED,
    "fewer octets than were declared for the large field: the stream is reset",
);
