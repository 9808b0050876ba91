//! Unary calls, as generated stubs make them.

use core::future::{Future, IntoFuture};
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use micropb::{MessageDecode, MessageEncode};

use crate::client::blocking;
use crate::client::call::{CallOptions, Timeout, UnaryCall};
use crate::client::channel::Channel;
use crate::codec;
use crate::metadata::{MetadataEntry, ReceivedMetadata};
use crate::method::Method;
use crate::status::Status;
use crate::transport::blocking::Transport;

/// A unary call that has not begun: options first, then `.await` on a [`Channel`], or `.call()` on a
/// [`blocking::Client`].
///
/// Nothing is sent before that. The deadline runs from the first poll.
#[must_use = "a call does nothing until it is awaited, or called on a blocking client"]
pub struct Unary<'a, C, Req, Resp> {
    channel: &'a mut C,
    method: &'static Method,
    request: &'a Req,
    options: CallOptions<'a>,
    response: PhantomData<fn() -> Resp>,
}

impl<'a, C, Req, Resp> Unary<'a, C, Req, Resp> {
    /// A call of `method` with `request`, with default options. Generated stubs make these.
    pub fn new(channel: &'a mut C, method: &'static Method, request: &'a Req) -> Self {
        Self {
            channel,
            method,
            request,
            options: CallOptions::default(),
            response: PhantomData,
        }
    }

    /// The time this call may take in all, waiting included. Rounded up to milliseconds; the server is told
    /// by `grpc-timeout`. As clocks tell whole milliseconds, it may end up to one of them early.
    pub fn deadline(mut self, timeout: Duration) -> Self {
        self.options.timeout = Timeout::After(timeout);
        self
    }

    /// Lets this call take for ever. Think twice: a server that hangs then hangs the task. It still ends when the
    /// connection is lost, or 10 seconds after other calls began to wait for a server that goes away.
    pub fn no_deadline(mut self) -> Self {
        self.options.timeout = Timeout::Never;
        self
    }

    /// Waits, until the deadline, for a server that cannot be reached now, where a call fails at once by
    /// default. On a [`blocking::Client`], which cannot connect by itself, it changes nothing.
    /// Spec: gRPC `wait-for-ready.md`.
    pub fn wait_for_ready(mut self) -> Self {
        self.options.wait_for_ready = true;
        self
    }

    /// Sends these fields with the request, in order.
    pub fn metadata(mut self, entries: &'a [MetadataEntry<'a>]) -> Self {
        self.options.metadata = entries;
        self
    }

    /// Keeps the response's metadata, and the details of an error, in `received`, which is emptied first. Without
    /// this they are dropped as they arrive. What fits is bounded by `META` of [`Resources`](crate::Resources), too.
    pub fn receive_into<'m: 'a>(mut self, received: &'a mut ReceivedMetadata<'m>) -> Self {
        // What an earlier call left there is not this one's, however this one ends.
        received.clear();
        self.options.received = Some(received);
        self
    }
}

impl<'a, 'r, Req, Resp> IntoFuture for Unary<'a, Channel<'r>, Req, Resp>
where
    Req: MessageEncode,
    Resp: MessageDecode + Default,
{
    type Output = Result<Resp, Status>;
    type IntoFuture = UnaryFuture<'a, 'r, Req, Resp>;

    fn into_future(self) -> Self::IntoFuture {
        UnaryFuture {
            channel: *self.channel,
            request: self.request,
            call: UnaryCall::new(self.method, self.options),
            response: PhantomData,
        }
    }
}

impl<'r, T, Req, Resp> Unary<'_, blocking::Client<'r, T>, Req, Resp>
where
    T: Transport,
    Req: MessageEncode,
    Resp: MessageDecode + Default,
{
    /// Makes the call and returns when it is over: by its deadline at the latest, as long as the clock runs
    /// and no call into the transport blocks.
    ///
    /// # Errors
    /// The status that the server sent, or one of ours: see [`Status`].
    pub fn call(self) -> Result<Resp, Status> {
        let mut call = UnaryCall::new(self.method, self.options);
        let mut response = Resp::default();
        let mut decode = |octets: &[u8]| codec::decode(octets, &mut response);
        self.channel.complete(&mut call, self.request, &mut decode)?;
        Ok(response)
    }
}

/// A unary call under way on a [`Channel`].
///
/// Cancel safety: dropping it cancels the call; the stream is reset with CANCEL and its slot is used again.
#[must_use = "futures do nothing unless polled"]
pub struct UnaryFuture<'a, 'r, Req, Resp> {
    channel: Channel<'r>,
    request: &'a Req,
    call: UnaryCall<'a>,
    response: PhantomData<fn() -> Resp>,
}

impl<Req, Resp> Future for UnaryFuture<'_, '_, Req, Resp>
where
    Req: MessageEncode,
    Resp: MessageDecode + Default,
{
    type Output = Result<Resp, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut response = Resp::default();
        let mut decode = |octets: &[u8]| codec::decode(octets, &mut response);
        let polled = this
            .channel
            .poll_call(&mut this.call, this.request, &mut decode, cx.waker());
        polled.map(|result| result.map(|()| response))
    }
}

impl<Req, Resp> Drop for UnaryFuture<'_, '_, Req, Resp> {
    fn drop(&mut self) {
        self.channel.cancel(&mut self.call);
    }
}
