//! The halves of an open call on a [`Channel`](crate::Channel): messages out, messages in.

use core::future::Future;
use core::marker::PhantomData;
use core::task::{Poll, ready};

use micropb::{MessageDecode, MessageEncode};

use crate::client::handle::Half;
use crate::client::large::{LargeReader, LargeWriter};
use crate::client::opening::{self, Context};
use crate::client::stream::{SEND_DROPPED, StreamCall};
use crate::codec::{self, Borrowing, Outgoing};
use crate::large::{LargeRead, LargeWrite};
use crate::metadata::ReceivedMetadata;
use crate::status::Status;

/// The receiving half of a call: messages, then the end.
///
/// What the server sends waits in the slot's receive buffer, of `RECV` octets (see [`Resources`](crate::Resources)). A
/// Receiver that takes nothing holds up this call alone.
///
/// Dropping it cancels the call, unless that is over. Until it is dropped, and the [`Sender`] too, the call has its slot.
pub struct Receiver<'r, Resp> {
    half: Half<'r>,
    response: PhantomData<fn() -> Resp>,
}

impl<'r, Resp> Receiver<'r, Resp> {
    pub(crate) fn new(half: Half<'r>) -> Self {
        Self {
            half,
            response: PhantomData,
        }
    }

    /// The next message. `None`: the call has ended with OK. After the end every call gives it again.
    ///
    /// Messages that arrived before an error are given first.
    ///
    /// # Errors
    /// How the call ended: the status that the server sent, or one of ours. `RESOURCE_EXHAUSTED`: the message does
    /// not fit the receive buffer; [`next_large`](Self::next_large) takes it in pieces.
    ///
    /// Cancel safety: dropping the future loses nothing.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not say how it ended"
    )]
    pub fn next(&mut self) -> impl Future<Output = Result<Option<Resp>, Status>>
    where
        Resp: MessageDecode + Default,
    {
        let call = self.half.call;
        self.half.run(move |cx| poll_next(call, cx))
    }

    /// The next message, in pieces. Its large field is at `path`: field numbers from the message to that field, at most
    /// 8, none of them `repeated`; empty, where the octets of the whole message are wanted. The other fields are gathered
    /// in `scratch`. `None`: the call has ended with OK.
    ///
    /// What is not read when the reader is dropped, the next call of this or [`next`](Self::next) skips.
    ///
    /// # Errors
    /// As [`next`](Self::next), but for the size; `INTERNAL` for a path that is none, which changes nothing.
    ///
    /// Cancel safety: dropping the future loses nothing.
    pub fn next_large<'s>(
        &'s mut self,
        path: &[u32],
        scratch: &'s mut [u8],
    ) -> impl Future<Output = Result<Option<LargeReader<'s>>, Status>> {
        let (handle, call) = (self.half.handle, self.half.call);
        let mut scratch = Some(scratch);
        self.half.run(move |cx| {
            LargeRead::new(0, path, &mut [])?;
            let Some(len) = ready!(call.poll_open(cx))? else {
                return Poll::Ready(Ok(None));
            };
            let read = LargeRead::new(len, path, scratch.take().unwrap_or_default())?;
            Poll::Ready(Ok(Some(LargeReader::new(handle, call, read))))
        })
    }

    /// Waits for the response's headers: then [`metadata`](Self::metadata) has the initial metadata.
    ///
    /// # Errors
    /// The call ended with an error before any headers came.
    ///
    /// Cancel safety: dropping the future loses nothing.
    pub fn headers(&mut self) -> impl Future<Output = Result<(), Status>> {
        let call = self.half.call;
        self.half.run(move |cx| call.poll_headers(cx))
    }

    /// Copies the metadata that has arrived into `received`, which is emptied first: the initial metadata after
    /// [`headers`](Self::headers) or a message, the trailing metadata and the details of an error after the end. What fits
    /// is bounded by `META` of [`Resources`](crate::Resources), too.
    pub fn metadata(&self, received: &mut ReceivedMetadata<'_>) {
        let call = self.half.call;
        self.half.with(&mut |session| call.keep(session, received));
    }
}

/// The sending half of a call.
///
/// Dropping it before [`finish`](Self::finish) cancels the call, unless that is over.
pub struct Sender<'r, Req> {
    half: Half<'r>,
    request: PhantomData<fn(Req)>,
}

impl<'r, Req> Sender<'r, Req> {
    pub(crate) fn new(half: Half<'r>) -> Self {
        Self {
            half,
            request: PhantomData,
        }
    }

    /// Sends a message: returns when all of it is in the send buffer. It waits for the credit that the server gives.
    ///
    /// # Errors
    /// The call is over: the status with which it ended, the same that the [`Receiver`] gives after the messages that it
    /// still has. `CANCELLED` where the server ended the call with OK before it had all messages.
    ///
    /// Cancel safety: dropping the future when a part of the message was sent cancels the call.
    pub fn send(&mut self, message: &Req) -> impl Future<Output = Result<(), Status>>
    where
        Req: MessageEncode,
    {
        send(&self.half, message)
    }

    /// As [`send`](Self::send), of a message that borrows for this call alone, whatever lifetime `Req` has.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// Cancel safety: as [`send`](Self::send).
    pub fn send_borrowed(&mut self, message: &Req::At<'_>) -> impl Future<Output = Result<(), Status>>
    where
        Req: Borrowing,
    {
        send(&self.half, message)
    }

    /// Sends a message of which one `bytes` or `string` field, of `len` octets, is not in `message`, but is written
    /// afterwards. `path` is the field numbers from the message to that field, at most 8, none of them
    /// `repeated`; empty, where the octets are the whole message.
    ///
    /// # Errors
    /// As [`send`](Self::send); `INTERNAL` for a path that is none, which changes nothing.
    ///
    /// Cancel safety: dropping the future when a part of the message was sent cancels the call.
    pub fn send_large<'w>(
        &'w mut self,
        message: &Req,
        path: &[u32],
        len: usize,
    ) -> impl Future<Output = Result<LargeWriter<'w>, Status>>
    where
        Req: MessageEncode,
    {
        send_large(&self.half, message, path, len)
    }

    /// Ends the requests: the server knows that no more will come. The [`Receiver`] goes on.
    ///
    /// # Errors
    /// The call has failed: the status with which it ended.
    ///
    /// Cancel safety: dropping the future cancels the call.
    pub fn finish(mut self) -> impl Future<Output = Result<(), Status>> {
        let (handle, call) = (self.half.handle, self.half.call);
        handle.run(call.deadline, move |cx| {
            // All of it moves into the future: dropped with that, it cancels the call.
            let sender = &mut self;
            ready!(call.poll_finish(cx))?;
            sender.half.done = true;
            Poll::Ready(Ok(()))
        })
    }
}

/// A call with a stream of requests and one response.
///
/// Dropping it before [`finish`](Self::finish) has returned cancels the call.
pub struct Upload<'r, Req, Resp> {
    half: Half<'r>,
    messages: PhantomData<fn(Req) -> Resp>,
}

impl<'r, Req, Resp> Upload<'r, Req, Resp> {
    pub(crate) fn new(half: Half<'r>) -> Self {
        Self {
            half,
            messages: PhantomData,
        }
    }

    /// As [`Sender::send`]. Where it fails with `CANCELLED` because the server has ended the call early,
    /// [`finish`](Self::finish) has the response.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub fn send(&mut self, message: &Req) -> impl Future<Output = Result<(), Status>>
    where
        Req: MessageEncode,
    {
        send(&self.half, message)
    }

    /// As [`Sender::send_borrowed`].
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub fn send_borrowed(&mut self, message: &Req::At<'_>) -> impl Future<Output = Result<(), Status>>
    where
        Req: Borrowing,
    {
        send(&self.half, message)
    }

    /// As [`Sender::send_large`].
    ///
    /// # Errors
    /// As [`Sender::send_large`].
    pub fn send_large<'w>(
        &'w mut self,
        message: &Req,
        path: &[u32],
        len: usize,
    ) -> impl Future<Output = Result<LargeWriter<'w>, Status>>
    where
        Req: MessageEncode,
    {
        send_large(&self.half, message, path, len)
    }

    /// Ends the requests and waits for the response.
    ///
    /// # Errors
    /// How the call ended, if not with OK and exactly one response.
    ///
    /// Cancel safety: dropping the future cancels the call.
    pub fn finish(self) -> impl Future<Output = Result<Resp, Status>>
    where
        Resp: MessageDecode + Default,
    {
        let (handle, call) = (self.half.handle, self.half.call);
        let mut completion = Completion::new(self);
        handle.run(call.deadline, move |cx| completion.poll(cx))
    }

    /// As [`finish`](Self::finish), and copies the response's metadata into `received`, also where the call fails.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_into(
        self,
        received: &mut ReceivedMetadata<'_>,
    ) -> impl Future<Output = Result<Resp, Status>>
    where
        Resp: MessageDecode + Default,
    {
        let (handle, call) = (self.half.handle, self.half.call);
        let mut completion = Completion::new(self);
        handle.run(call.deadline, move |cx| {
            let result = ready!(completion.poll(cx));
            call.keep(cx.session, received);
            Poll::Ready(result)
        })
    }

    /// As [`Receiver::metadata`].
    pub fn metadata(&self, received: &mut ReceivedMetadata<'_>) {
        let call = self.half.call;
        self.half.with(&mut |session| call.keep(session, received));
    }
}

/// The end of an upload: END_STREAM, the one response, the end.
struct Completion<'r, Req, Resp> {
    upload: Upload<'r, Req, Resp>,
    sent: bool,
    response: Option<Resp>,
}

impl<'r, Req, Resp: MessageDecode + Default> Completion<'r, Req, Resp> {
    fn new(upload: Upload<'r, Req, Resp>) -> Self {
        Self {
            upload,
            sent: false,
            response: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_, '_>) -> Poll<Result<Resp, Status>> {
        let call = self.upload.half.call;
        if !self.sent {
            ready!(call.poll_finish(cx))?;
            self.sent = true;
        }
        if self.response.is_none() {
            self.response = ready!(poll_next(call, cx))?;
        }
        // The end follows the one response; without any the call has failed.
        ready!(poll_next::<Resp>(call, cx))?;
        Poll::Ready(Ok(self.response.take().unwrap_or_default()))
    }
}

fn poll_next<M: MessageDecode + Default>(
    call: StreamCall,
    cx: &mut Context<'_, '_>,
) -> Poll<Result<Option<M>, Status>> {
    let mut message = M::default();
    let mut decode = |octets: &[u8]| codec::decode(octets, &mut message);
    let there = ready!(call.poll_next(cx, &mut decode))?;
    Poll::Ready(Ok(there.then_some(message)))
}

fn send(half: &Half<'_>, message: &dyn Outgoing) -> impl Future<Output = Result<(), Status>> {
    let framed = opening::framed(message, false);
    let mut sending = Sending { half, sent: 0 };
    let call = half.call;
    half.run(move |cx| {
        // All of it moves into the future: dropped with that in the middle of the message, it cancels the call.
        let sending = &mut sending;
        ready!(call.poll_send(cx, &framed?, &mut sending.sent))?;
        sending.sent = 0;
        Poll::Ready(Ok(()))
    })
}

fn send_large<'w>(
    half: &'w Half<'_>,
    message: &dyn Outgoing,
    path: &[u32],
    len: usize,
) -> impl Future<Output = Result<LargeWriter<'w>, Status>> {
    let mut made = Some(LargeWrite::new(path, message, len, false));
    let mut sending = Sending { half, sent: 0 };
    let (handle, call) = (half.handle, half.call);
    half.run(move |cx| {
        let sending = &mut sending;
        let write = match &made {
            Some(Ok(write)) => write,
            Some(Err(status)) => return Poll::Ready(Err(*status)),
            None => return Poll::Pending,
        };
        ready!(call.poll_send_head(cx, write, message, &mut sending.sent))?;
        sending.sent = 0;
        let write = made.take();
        write.map_or(Poll::Pending, |write| {
            Poll::Ready(write.map(|write| LargeWriter::of_stream(handle, call, write)))
        })
    })
}

/// A message on its way. Nothing can follow a part of it but the rest.
struct Sending<'h, 'r> {
    half: &'h Half<'r>,
    sent: usize,
}

impl Drop for Sending<'_, '_> {
    fn drop(&mut self) {
        if self.sent > 0 {
            let call = self.half.call;
            self.half.with(&mut |session| call.cancel(session, SEND_DROPPED));
        }
    }
}
