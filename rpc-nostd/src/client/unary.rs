//! Unary calls: on a [`Channel`], and on a [`blocking::Client`].

use core::future::{Future, IntoFuture};
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use micropb::{MessageDecode, MessageEncode};

use crate::client::blocking;
use crate::client::builder::Unary;
use crate::client::channel::Channel;
use crate::client::single::UnaryCall;
use crate::codec;
use crate::status::Status;
use crate::transport::blocking::Transport;

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
            request: self.kind.request,
            call: UnaryCall::new(self.method, self.options, self.channel.credentials),
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
        let mut call = UnaryCall::new(self.method, self.options, self.channel.credentials);
        let mut response = Resp::default();
        let mut decode = |octets: &[u8]| codec::decode(octets, &mut response);
        self.channel.complete(&mut call, self.kind.request, &mut decode)?;
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
