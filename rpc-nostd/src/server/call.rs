//! One call, as a service sees it.

use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::task::{Poll, Waker, ready};
use core::time::Duration;

use h2_lite::Instant;
use micropb::{MessageDecode, MessageEncode};

use crate::codec::{self, Borrowing, Outgoing};
use crate::deadline::Deadline;
use crate::metadata::{Kind, MetadataEntry, ReceivedMetadata};
use crate::method::Method;
use crate::server::session::ServerSession;
use crate::server::worker::Shared;
use crate::slot::SlotKey;
use crate::status::{Code, Status};

/// One call on its way through a [`Service`](crate::server::Service).
#[derive(Debug)]
pub struct Call<'r> {
    context: Context<'r>,
}

impl<'r> Call<'r> {
    pub(crate) const fn new(context: Context<'r>) -> Self {
        Self { context }
    }

    /// The method that is called.
    pub const fn method(&self) -> &'static Method {
        self.context.method
    }

    /// What a handler is told beside its requests.
    pub const fn context(&mut self) -> &mut Context<'r> {
        &mut self.context
    }

    /// The call's parts for a method with these messages.
    pub fn split<Req, Resp>(&mut self) -> (&mut Context<'r>, Receiver<'r, Req>, Sender<'r, Resp>) {
        let stream = self.context.stream;
        let receiver = Receiver {
            stream,
            message: PhantomData,
        };
        let sender = Sender {
            stream,
            message: PhantomData,
        };
        (&mut self.context, receiver, sender)
    }

    /// The status of a method that this service does not have.
    pub const fn unimplemented(&self) -> Status {
        Status::new(Code::UNIMPLEMENTED, "this server has no such method")
    }

    pub(crate) fn into_metadata(self) -> ReceivedMetadata<'r> {
        self.context.metadata
    }
}

/// What a handler is told of a call beside its requests, and what it can say beside its responses.
#[derive(Debug)]
pub struct Context<'r> {
    stream: Stream<'r>,
    method: &'static Method,
    deadline: Deadline,
    metadata: ReceivedMetadata<'r>,
}

impl<'r> Context<'r> {
    pub(crate) const fn new(stream: Stream<'r>, deadline: Deadline, metadata: ReceivedMetadata<'r>) -> Self {
        Self {
            method: stream.method,
            stream,
            deadline,
            metadata,
        }
    }

    /// The method that is called.
    pub const fn method(&self) -> &'static Method {
        self.method
    }

    /// The request's metadata: [`ReceivedMetadata::initial`]. Whoever decides by it looks at
    /// [`ReceivedMetadata::overflowed`] too: a field may be missing that the client did send.
    pub const fn metadata(&self) -> &ReceivedMetadata<'r> {
        &self.metadata
    }

    /// What is left of the time that the client gives the call. `None`: as long as it takes. When the time is over, the
    /// handler's future is dropped.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .remaining_ms(self.stream.shared.now())
            .map(Duration::from_millis)
    }

    /// Adds a field to the metadata that goes out before the first response.
    ///
    /// # Errors
    /// `INTERNAL`: the field is not legal, or the first response is gone. `RESOURCE_EXHAUSTED`: no room; raise `META` of
    /// [`ServerResources`](crate::server::ServerResources).
    pub fn add_initial(&self, entry: MetadataEntry<'_>) -> Result<(), Status> {
        self.stream
            .with(|session, key| session.add_metadata(key, Kind::Initial, &entry))
    }

    /// Adds a field to the metadata that goes out with the status.
    ///
    /// # Errors
    /// As [`Self::add_initial`].
    pub fn add_trailing(&self, entry: MetadataEntry<'_>) -> Result<(), Status> {
        self.stream
            .with(|session, key| session.add_metadata(key, Kind::Trailing, &entry))
    }

    /// Sends these octets as `grpc-status-details-bin` with the status: by convention a serialized
    /// `google.rpc.Status` with the same code and message.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` as for [`Self::add_initial`], or above [`MAX_BINARY_VALUE`](crate::MAX_BINARY_VALUE) octets.
    pub fn set_details(&self, details: &[u8]) -> Result<(), Status> {
        self.stream.with(|session, key| session.set_details(key, details))
    }
}

/// The requests of a call, in order.
///
/// Cancel safety: a future of it that is dropped has taken nothing; the next call gets the same request.
#[derive(Debug)]
pub struct Receiver<'r, Req> {
    pub(crate) stream: Stream<'r>,
    message: PhantomData<fn() -> Req>,
}

impl<Req: MessageDecode + Default> Receiver<'_, Req> {
    /// The next request; `None` once the client has sent its last. One that is not read holds up its sender, and
    /// nobody else.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED`: it is larger than `RECV - 5` octets, or one of its fields than its capacity. `INTERNAL`: it
    /// is no such message, or cut off, or compressed. `UNIMPLEMENTED`: the method has one request, and the call
    /// another number of them. Returned by the handler they become the call's status.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not say how it ended"
    )]
    pub fn next(&mut self) -> impl Future<Output = Result<Option<Req>, Status>> {
        let stream = self.stream;
        poll_fn(move |cx| stream.poll_next(cx.waker()))
    }

    /// The one request of a call whose method has one, and its end.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn only(&mut self) -> impl Future<Output = Result<Req, Status>> {
        let stream = self.stream;
        let mut first = None;
        poll_fn(move |cx| {
            let request = match first.take() {
                Some(request) => request,
                None => ready!(stream.poll_next(cx.waker()))?,
            };
            let end = stream.poll(cx.waker(), |session, _| {
                session.poll_front(stream.key, stream.method, cx.waker())
            });
            if end.is_pending() {
                first = Some(request);
                return Poll::Pending;
            }
            end.map(|result| result.and_then(|_| request.ok_or(NO_REQUEST)))
        })
    }
}

/// The responses of a call, in order.
#[derive(Debug)]
pub struct Sender<'r, Resp> {
    pub(crate) stream: Stream<'r>,
    message: PhantomData<fn() -> Resp>,
}

impl<Resp: MessageEncode> Sender<'_, Resp> {
    /// Sends a response. It waits for room and for the client's flow control: a client that does not read holds up this
    /// handler, and nobody else.
    ///
    /// Cancel safety: dropped before any of the response is sent, nothing has happened. Dropped in the middle it leaves the
    /// response cut off: the call then ends as cancelled.
    ///
    /// # Errors
    /// `INTERNAL`: the method has one response, and this is another. `RESOURCE_EXHAUSTED`: the metadata is too long for
    /// the send buffer. `CANCELLED`: the call is over.
    pub fn send(&mut self, response: &Resp) -> impl Future<Output = Result<(), Status>> {
        let stream = self.stream;
        let mut whole = None;
        poll_fn(move |cx| stream.poll_response(cx.waker(), response, &mut whole))
    }

    /// Sends the response's headers now, with the metadata added so far, where they would go out with the first
    /// response.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_headers(&mut self) -> impl Future<Output = Result<(), Status>> {
        let stream = self.stream;
        poll_fn(move |cx| stream.poll_send(cx.waker(), |session, now| session.poll_headers(stream.key, now)))
    }
}

impl<Resp: Borrowing> Sender<'_, Resp> {
    /// As [`send`](Self::send), of a response that borrows for this call alone, whatever lifetime `Resp` has.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_borrowed(&mut self, response: &Resp::At<'_>) -> impl Future<Output = Result<(), Status>> {
        let stream = self.stream;
        let mut whole = None;
        poll_fn(move |cx| stream.poll_response(cx.waker(), response, &mut whole))
    }
}

/// A message on its way: dropped in the middle it takes the stream with it, since nothing could follow it; dropped before
/// its first octet it was never there.
struct Whole<'r> {
    stream: Stream<'r>,
    sent: usize,
    done: bool,
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        match self.sent {
            _ if self.done => {}
            0 => self.stream.take_back_response(),
            _ => self.stream.cancel(),
        }
    }
}

/// A call's stream, as its parts hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream<'r> {
    pub(crate) shared: Shared<'r>,
    pub(crate) key: SlotKey,
    pub(crate) method: &'static Method,
}

impl<'r> Stream<'r> {
    /// Runs `f` on the connection.
    pub(crate) fn with<T>(
        self,
        f: impl FnOnce(&mut ServerSession<'r>, SlotKey) -> Result<T, Status>,
    ) -> Result<T, Status> {
        self.shared
            .with(|session| f(session, self.key))
            .unwrap_or(Err(IN_USE))
    }

    /// The next request; `None` once the client has sent its last. A function of its own, however often it is called: each
    /// `.await` would have a copy.
    #[inline(never)]
    fn poll_next<Req: MessageDecode + Default>(self, waker: &Waker) -> Poll<Result<Option<Req>, Status>> {
        let mut request = Req::default();
        let mut decode = |octets: &[u8]| codec::decode_message(octets, &mut request);
        let polled = self.poll(waker, |session, _| {
            session.poll_request(self.key, self.method, waker, &mut decode)
        });
        polled.map(|result| result.map(|some| some.then_some(request)))
    }

    /// Sends a response; `whole` is `None` until it is begun. See `poll_next` for the attribute.
    #[inline(never)]
    fn poll_response(
        self,
        waker: &Waker,
        response: &dyn Outgoing,
        whole: &mut Option<Whole<'r>>,
    ) -> Poll<Result<(), Status>> {
        if whole.is_none() {
            self.with(|session, key| session.begin_response(key, self.method.one_response()))?;
            *whole = Some(Whole {
                stream: self,
                sent: 0,
                done: false,
            });
        }
        let Some(whole) = whole else {
            return Poll::Pending;
        };
        let polled = self.poll_send(waker, |session, now| {
            session.poll_message(self.key, response, &mut whole.sent, now)
        });
        whole.done |= polled.is_ready();
        polled
    }

    pub(crate) fn poll<T>(
        self,
        waker: &Waker,
        f: impl FnOnce(&mut ServerSession<'r>, Instant) -> Poll<T>,
    ) -> Poll<T> {
        let now = self.shared.now();
        self.shared.with(|session| f(session, now)).unwrap_or_else(|| {
            waker.wake_by_ref();
            Poll::Pending
        })
    }

    /// As `poll`; where nothing could be sent, `waker` is woken when that may have changed.
    pub(crate) fn poll_send<T>(
        self,
        waker: &Waker,
        f: impl FnOnce(&mut ServerSession<'r>, Instant) -> Poll<T>,
    ) -> Poll<T> {
        self.poll(waker, |session, now| {
            let polled = f(session, now);
            if let (true, Some(slot)) = (polled.is_pending(), session.link.slot(self.key)) {
                slot.set_sender(waker);
            }
            polled
        })
    }

    /// The response that was begun last is not sent.
    fn take_back_response(self) {
        self.shared.with(|session| session.take_back_response(self.key));
    }

    /// Resets the stream: RST_STREAM(CANCEL).
    pub(crate) fn cancel(self) {
        self.shared.with(|session| session.cancel(self.key));
    }
}

const NO_REQUEST: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the call ended without the request that its method has",
);
const IN_USE: Status = Status::new(
    Code::INTERNAL,
    "the connection is in use: a call belongs to one executor",
);
