//! Open calls on a [`Client`]: messages out, messages in, without `.await`.

use core::marker::PhantomData;
use core::task::Poll;

use micropb::{MessageDecode, MessageEncode};

use crate::client::blocking::large::{LargeReader, LargeWriter, RequestWriter};
use crate::client::blocking::{Client, Drive};
use crate::client::builder::{BidiStreaming, CallBuilder, ClientStreaming, LargeRequest, ServerStreaming};
use crate::client::open::StreamKind;
use crate::client::opening::{self, Context, Opening};
use crate::client::stream::{RECEIVER_DROPPED, SEND_DROPPED, StreamCall, UPLOAD_DROPPED};
use crate::codec::{self, Borrowing, Outgoing};
use crate::large::{LargeRead, LargeWrite};
use crate::metadata::ReceivedMetadata;
use crate::status::{Code, Status};
use crate::transport::blocking::Transport;

/// The receiving half of a call: as [`client::Receiver`](crate::client::Receiver), without `.await`.
///
/// Dropping it cancels the call, unless that is over.
pub struct Receiver<'a, Resp> {
    line: Line<'a>,
    response: PhantomData<fn() -> Resp>,
}

impl<'a, Resp> Receiver<'a, Resp> {
    pub(super) fn new(line: Line<'a>) -> Self {
        Self {
            line,
            response: PhantomData,
        }
    }

    /// Waits for the next message. `None`: the call has ended with OK. After the end every call gives it again.
    ///
    /// # Errors
    /// As [`client::Receiver::next`](crate::client::Receiver::next).
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not say how it ended"
    )]
    pub fn next(&mut self) -> Result<Option<Resp>, Status>
    where
        Resp: MessageDecode + Default,
    {
        self.line.next()
    }

    /// Waits for the next message, to be read in pieces: as
    /// [`client::Receiver::next_large`](crate::client::Receiver::next_large).
    ///
    /// # Errors
    /// As there.
    pub fn next_large<'s>(
        &'s mut self,
        path: &[u32],
        scratch: &'s mut [u8],
    ) -> Result<Option<LargeReader<'s>>, Status> {
        self.line.next_large(path, scratch)
    }

    /// Waits for the response's headers: as [`client::Receiver::headers`](crate::client::Receiver::headers).
    ///
    /// # Errors
    /// As there.
    pub fn headers(&mut self) -> Result<(), Status> {
        let call = self.line.call;
        self.line.run(|cx| call.poll_headers(cx))
    }

    /// As [`client::Receiver::metadata`](crate::client::Receiver::metadata).
    pub fn metadata(&mut self, received: &mut ReceivedMetadata<'_>) {
        self.line.metadata(received);
    }
}

/// A call with a stream of requests and one response: as [`client::Upload`](crate::client::Upload), without `.await`.
///
/// Dropping it before [`finish`](Self::finish) cancels the call.
pub struct Upload<'a, Req, Resp> {
    line: Line<'a>,
    messages: PhantomData<fn(Req) -> Resp>,
}

impl<Req, Resp> Upload<'_, Req, Resp> {
    /// Sends a message: as [`client::Upload::send`](crate::client::Upload::send).
    ///
    /// # Errors
    /// As there.
    pub fn send(&mut self, message: &Req) -> Result<(), Status>
    where
        Req: MessageEncode,
    {
        self.line.send(message)
    }

    /// As [`send`](Self::send), of a message that borrows for this call alone: as
    /// [`client::Sender::send_borrowed`](crate::client::Sender::send_borrowed).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_borrowed(&mut self, message: &Req::At<'_>) -> Result<(), Status>
    where
        Req: Borrowing,
    {
        self.line.send(message)
    }

    /// Sends a message of which one field is written afterwards: as
    /// [`client::Sender::send_large`](crate::client::Sender::send_large).
    ///
    /// # Errors
    /// As there.
    pub fn send_large(&mut self, message: &Req, path: &[u32], len: usize) -> Result<LargeWriter<'_>, Status>
    where
        Req: MessageEncode,
    {
        self.line.send_large(message, path, len)
    }

    /// Ends the requests and waits for the response.
    ///
    /// # Errors
    /// How the call ended, if not with OK and exactly one response.
    pub fn finish(mut self) -> Result<Resp, Status>
    where
        Resp: MessageDecode + Default,
    {
        self.complete()
    }

    /// As [`finish`](Self::finish), and copies the response's metadata into `received`, also where the call fails.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_into(mut self, received: &mut ReceivedMetadata<'_>) -> Result<Resp, Status>
    where
        Resp: MessageDecode + Default,
    {
        let result = self.complete();
        self.line.metadata(received);
        result
    }

    /// As [`client::Receiver::metadata`](crate::client::Receiver::metadata).
    pub fn metadata(&mut self, received: &mut ReceivedMetadata<'_>) {
        self.line.metadata(received);
    }

    fn complete(&mut self) -> Result<Resp, Status>
    where
        Resp: MessageDecode + Default,
    {
        self.line.finish()?;
        let response = self.line.next()?;
        // The end follows the one response; without any the call has failed.
        self.line.next::<Resp>()?;
        Ok(response.unwrap_or_default())
    }
}

/// A call with streams both ways, in any order that both sides agree upon: with a peer that waits for a request before
/// it responds, send first.
///
/// Dropping it cancels the call, unless that is over.
pub struct Exchange<'a, Req, Resp> {
    line: Line<'a>,
    messages: PhantomData<fn(Req) -> Resp>,
}

impl<Req, Resp> Exchange<'_, Req, Resp> {
    /// Sends a message: as [`client::Sender::send`](crate::client::Sender::send). What the server sends meanwhile waits in
    /// the receive buffer.
    ///
    /// # Errors
    /// As there; after [`finish_sending`](Self::finish_sending), `INTERNAL`.
    pub fn send(&mut self, message: &Req) -> Result<(), Status>
    where
        Req: MessageEncode,
    {
        self.line.send(message)
    }

    /// As [`send`](Self::send), of a message that borrows for this call alone: as
    /// [`client::Sender::send_borrowed`](crate::client::Sender::send_borrowed).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_borrowed(&mut self, message: &Req::At<'_>) -> Result<(), Status>
    where
        Req: Borrowing,
    {
        self.line.send(message)
    }

    /// Sends a message of which one field is written afterwards: as
    /// [`client::Sender::send_large`](crate::client::Sender::send_large).
    ///
    /// # Errors
    /// As there.
    pub fn send_large(&mut self, message: &Req, path: &[u32], len: usize) -> Result<LargeWriter<'_>, Status>
    where
        Req: MessageEncode,
    {
        self.line.send_large(message, path, len)
    }

    /// Ends the requests. The responses go on. A second time does nothing.
    ///
    /// # Errors
    /// The call has failed: the status with which it ended.
    pub fn finish_sending(&mut self) -> Result<(), Status> {
        self.line.finish()
    }

    /// Waits for the next message: as [`Receiver::next`].
    ///
    /// # Errors
    /// As there.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not say how it ended"
    )]
    pub fn next(&mut self) -> Result<Option<Resp>, Status>
    where
        Resp: MessageDecode + Default,
    {
        self.line.next()
    }

    /// Waits for the next message, to be read in pieces: as [`Receiver::next_large`].
    ///
    /// # Errors
    /// As there.
    pub fn next_large<'s>(
        &'s mut self,
        path: &[u32],
        scratch: &'s mut [u8],
    ) -> Result<Option<LargeReader<'s>>, Status> {
        self.line.next_large(path, scratch)
    }

    /// Waits for the response's headers: as [`client::Receiver::headers`](crate::client::Receiver::headers).
    ///
    /// # Errors
    /// As there.
    pub fn headers(&mut self) -> Result<(), Status> {
        let call = self.line.call;
        self.line.run(|cx| call.poll_headers(cx))
    }

    /// As [`client::Receiver::metadata`](crate::client::Receiver::metadata).
    pub fn metadata(&mut self, received: &mut ReceivedMetadata<'_>) {
        self.line.metadata(received);
    }
}

impl<'a, 'r, T: Transport, Req: MessageEncode, Resp> ServerStreaming<'a, Client<'r, T>, Req, Resp> {
    /// Sends the request and returns the receiving half.
    ///
    /// # Errors
    /// The call could not be made: see [`Status`].
    pub fn call(self) -> Result<Receiver<'a, Resp>, Status> {
        let (line, _) = open(self, RECEIVER_DROPPED)?;
        Ok(Receiver::new(line))
    }
}

impl<'a, 'r, T: Transport, Req, Resp> ClientStreaming<'a, Client<'r, T>, Req, Resp> {
    /// Opens the call.
    ///
    /// # Errors
    /// The call could not be made: see [`Status`].
    pub fn call(self) -> Result<Upload<'a, Req, Resp>, Status> {
        let (line, _) = open(self, UPLOAD_DROPPED)?;
        Ok(Upload {
            line,
            messages: PhantomData,
        })
    }
}

impl<'a, 'r, T: Transport, Req, Resp> BidiStreaming<'a, Client<'r, T>, Req, Resp> {
    /// Opens the call.
    ///
    /// # Errors
    /// The call could not be made: see [`Status`].
    pub fn call(self) -> Result<Exchange<'a, Req, Resp>, Status> {
        let (line, _) = open(self, UPLOAD_DROPPED)?;
        Ok(Exchange {
            line,
            messages: PhantomData,
        })
    }
}

impl<'a, 'r, T: Transport, Req: MessageEncode, Resp> LargeRequest<'a, Client<'r, T>, Req, Resp> {
    /// Sends the request's other fields, and returns the writer of the large one.
    ///
    /// # Errors
    /// The call could not be made: see [`Status`]. `INTERNAL`: the path is none.
    pub fn call(self) -> Result<RequestWriter<'a, Resp>, Status> {
        let (line, kind) = open(self, UPLOAD_DROPPED)?;
        Ok(RequestWriter::new(line, kind.write()?))
    }
}

fn open<'a, 'r, T: Transport, K: StreamKind>(
    builder: CallBuilder<'a, Client<'r, T>, K>,
    on_drop: &'static str,
) -> Result<(Line<'a>, K), Status> {
    let (client, kind) = (builder.channel, builder.kind);
    let mut opening = Opening::new(builder.method, builder.options, client.credentials, true);
    let mut opened = Err(Status::new(Code::INTERNAL, ""));
    // Here one value has both halves.
    kind.with_first(&mut |first| opened = client.open(&mut opening, first, 1))?;
    let line = Line {
        client,
        call: opened?,
        finished: false,
        on_drop,
    };
    Ok((line, kind))
}

/// An open call, and the client that drives it.
pub(super) struct Line<'a> {
    pub(super) client: &'a mut (dyn Drive + 'a),
    pub(super) call: StreamCall,
    finished: bool,
    on_drop: &'static str,
}

impl Line<'_> {
    fn run<V>(
        &mut self,
        step: impl FnMut(&mut Context<'_, '_>) -> Poll<Result<V, Status>>,
    ) -> Result<V, Status> {
        self.client.run(step)
    }

    fn next<M: MessageDecode + Default>(&mut self) -> Result<Option<M>, Status> {
        let mut message = M::default();
        let call = self.call;
        let mut decode = |octets: &[u8]| codec::decode(octets, &mut message);
        let there = self.run(|cx| call.poll_next(cx, &mut decode))?;
        Ok(there.then_some(message))
    }

    fn next_large<'s>(
        &'s mut self,
        path: &[u32],
        scratch: &'s mut [u8],
    ) -> Result<Option<LargeReader<'s>>, Status> {
        LargeRead::new(0, path, &mut [])?;
        let call = self.call;
        let Some(len) = self.run(|cx| call.poll_open(cx))? else {
            return Ok(None);
        };
        let read = LargeRead::new(len, path, scratch)?;
        Ok(Some(LargeReader::new(self.client, call, read)))
    }

    fn send(&mut self, message: &dyn Outgoing) -> Result<(), Status> {
        self.check_sending()?;
        let framed = opening::framed(message, false)?;
        let (call, mut sent) = (self.call, 0);
        let result = self.run(|cx| call.poll_send(cx, &framed, &mut sent));
        self.cancel_partial(result, sent)
    }

    fn send_large(
        &mut self,
        message: &dyn Outgoing,
        path: &[u32],
        len: usize,
    ) -> Result<LargeWriter<'_>, Status> {
        self.check_sending()?;
        let write = LargeWrite::new(path, message, len, false)?;
        let (call, mut sent) = (self.call, 0);
        let result = self.run(|cx| call.poll_send_head(cx, &write, message, &mut sent));
        self.cancel_partial(result, sent)?;
        Ok(LargeWriter::new(self.client, call, write))
    }

    fn finish(&mut self) -> Result<(), Status> {
        if self.finished {
            return Ok(());
        }
        let call = self.call;
        self.run(|cx| call.poll_finish(cx))?;
        self.finished = true;
        Ok(())
    }

    fn metadata(&mut self, received: &mut ReceivedMetadata<'_>) {
        let call = self.call;
        with(self.client, &mut |cx| call.keep(cx.session, received));
    }

    fn check_sending(&self) -> Result<(), Status> {
        if self.finished { Err(FINISHED) } else { Ok(()) }
    }

    /// Nothing can follow a part of a message but the rest.
    fn cancel_partial(&mut self, result: Result<(), Status>, sent: usize) -> Result<(), Status> {
        if result.is_err() && sent > 0 {
            let call = self.call;
            with(self.client, &mut |cx| call.cancel(cx.session, SEND_DROPPED));
        }
        result
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let (call, why) = (self.call, self.on_drop);
        with(self.client, &mut |cx| call.drop_half(cx.session, false, why));
    }
}

/// Does something to the session that waits for nothing.
pub(super) fn with(client: &mut dyn Drive, act: &mut dyn FnMut(&mut Context<'_, '_>)) {
    let acted = client.drive(&mut |cx| {
        act(cx);
        true
    });
    // It fails only where the step waits.
    acted.unwrap_or_default();
}

const FINISHED: Status = Status::new(Code::INTERNAL, "nothing can be sent after finish_sending()");
