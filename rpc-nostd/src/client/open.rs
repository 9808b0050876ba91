//! Opening a streaming call on a [`Channel`]: the future between a builder and the halves of the call.
#![allow(
    private_interfaces,
    reason = "the kinds of call are traits that cannot be named outside of this crate"
)]

use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

use h2_lite::ErrorCode;
use micropb::MessageEncode;

use crate::client::builder::{
    BidiStreamingKind, CallBuilder, ClientStreamingKind, LargeRequestKind, ServerStreamingKind,
};
use crate::client::channel::Channel;
use crate::client::handle::{Half, Handle};
use crate::client::large::LargeWriter;
use crate::client::opening::{self, Opening};
use crate::client::stream::{RECEIVER_DROPPED, SENDER_DROPPED, StreamCall, UPLOAD_DROPPED};
use crate::client::streaming::{Receiver, Sender, Upload};
use crate::codec::{Framed, Outgoing};
use crate::large::LargeWrite;
use crate::status::{Code, Status};

/// A kind of call that is a stream in at least one direction.
pub trait StreamKind {
    /// The values that share the call.
    #[doc(hidden)]
    const HALVES: u8;

    /// Calls `f` with the message that goes out with the headers.
    #[doc(hidden)]
    fn with_first(&self, f: &mut dyn FnMut(Option<&Framed<'_>>)) -> Result<(), Status>;
}

/// What an open call of this kind is on a [`Channel`].
pub trait AsyncKind<'r>: StreamKind {
    /// Its halves.
    type Halves;

    #[doc(hidden)]
    fn halves(&self, handle: Handle<'r>, call: StreamCall) -> Result<Self::Halves, Status>;
}

/// A streaming call that is being opened on a [`Channel`].
///
/// Cancel safety: dropping it cancels the call; the stream is reset with CANCEL and its slot is used again.
#[must_use = "futures do nothing unless polled"]
pub struct Open<'a, 'r, K> {
    channel: Channel<'r>,
    opening: Opening<'a>,
    kind: K,
}

impl<'a, 'r, K: AsyncKind<'r> + Unpin> IntoFuture for CallBuilder<'a, Channel<'r>, K> {
    type Output = Result<K::Halves, Status>;
    type IntoFuture = Open<'a, 'r, K>;

    fn into_future(self) -> Self::IntoFuture {
        Open {
            channel: *self.channel,
            opening: Opening::new(self.method, self.options, self.channel.credentials, true),
            kind: self.kind,
        }
    }
}

impl<'r, K: AsyncKind<'r> + Unpin> Future for Open<'_, 'r, K> {
    type Output = Result<K::Halves, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (channel, opening) = (this.channel, &mut this.opening);
        let mut polled = Poll::Pending;
        let measured = this.kind.with_first(&mut |first| {
            polled = channel.poll_open(opening, first, K::HALVES, cx.waker());
        });
        if let Err(status) = measured {
            return Poll::Ready(Err(status));
        }
        let handle = Handle {
            session: channel.session,
            timer: channel.timer,
            credentials: channel.credentials,
        };
        polled.map(|call| this.kind.halves(handle, call?))
    }
}

impl<K> Drop for Open<'_, '_, K> {
    fn drop(&mut self) {
        let opening = &mut self.opening;
        self.channel
            .with(|session| opening.release(session, ErrorCode::CANCEL));
    }
}

/// Steps on until the call is open. The session is the call's own from then on.
pub(crate) fn poll_open(
    opening: &mut Opening<'_>,
    cx: &mut opening::Context<'_, '_>,
    first: Option<&Framed<'_>>,
    halves: u8,
) -> Poll<Result<StreamCall, Status>> {
    match opening.advance(cx, first) {
        Ok(true) => {}
        Ok(false) => return opening.poll_wait(cx).map(Err),
        Err(status) => {
            opening.release(cx.session, ErrorCode::CANCEL);
            return Poll::Ready(Err(status));
        }
    }
    // A server may refuse the call before its first message is sent.
    if let Some(outcome) = opening.outcome(cx.session) {
        opening.note(outcome.code());
    }
    Poll::Ready(StreamCall::begin(opening, cx.session, halves).ok_or(LOST))
}

/// Calls `f` with the one request.
fn with_request(request: &dyn Outgoing, f: &mut dyn FnMut(Option<&Framed<'_>>)) -> Result<(), Status> {
    f(Some(&opening::framed(request, true)?));
    Ok(())
}

impl<Req: MessageEncode, Resp> StreamKind for ServerStreamingKind<'_, Req, Resp> {
    const HALVES: u8 = 1;

    fn with_first(&self, f: &mut dyn FnMut(Option<&Framed<'_>>)) -> Result<(), Status> {
        with_request(self.request, f)
    }
}

impl<Req, Resp> StreamKind for ClientStreamingKind<Req, Resp> {
    const HALVES: u8 = 1;

    fn with_first(&self, f: &mut dyn FnMut(Option<&Framed<'_>>)) -> Result<(), Status> {
        f(None);
        Ok(())
    }
}

impl<Req, Resp> StreamKind for BidiStreamingKind<Req, Resp> {
    const HALVES: u8 = 2;

    fn with_first(&self, f: &mut dyn FnMut(Option<&Framed<'_>>)) -> Result<(), Status> {
        f(None);
        Ok(())
    }
}

impl<Req: MessageEncode, Resp> LargeRequestKind<'_, Req, Resp> {
    pub(crate) fn write(&self) -> Result<LargeWrite, Status> {
        LargeWrite::new(self.path, self.request, self.len, true)
    }
}

impl<Req: MessageEncode, Resp> StreamKind for LargeRequestKind<'_, Req, Resp> {
    const HALVES: u8 = 2;

    fn with_first(&self, f: &mut dyn FnMut(Option<&Framed<'_>>)) -> Result<(), Status> {
        let write = self.write()?;
        f(Some(&Framed {
            message: &write.before(self.request),
            prefix: write.prefix(),
            end: write.ends_with_head(),
        }));
        Ok(())
    }
}

impl<'r, Req: MessageEncode, Resp> AsyncKind<'r> for ServerStreamingKind<'_, Req, Resp> {
    type Halves = Receiver<'r, Resp>;

    fn halves(&self, handle: Handle<'r>, call: StreamCall) -> Result<Self::Halves, Status> {
        Ok(Receiver::new(half(handle, call, RECEIVER_DROPPED)))
    }
}

impl<'r, Req, Resp> AsyncKind<'r> for ClientStreamingKind<Req, Resp> {
    type Halves = Upload<'r, Req, Resp>;

    fn halves(&self, handle: Handle<'r>, call: StreamCall) -> Result<Self::Halves, Status> {
        Ok(Upload::new(half(handle, call, UPLOAD_DROPPED)))
    }
}

impl<'r, Req, Resp> AsyncKind<'r> for BidiStreamingKind<Req, Resp> {
    type Halves = (Sender<'r, Req>, Receiver<'r, Resp>);

    fn halves(&self, handle: Handle<'r>, call: StreamCall) -> Result<Self::Halves, Status> {
        let sender = Sender::new(half(handle, call, SENDER_DROPPED));
        Ok((sender, Receiver::new(half(handle, call, RECEIVER_DROPPED))))
    }
}

impl<'r, Req: MessageEncode, Resp> AsyncKind<'r> for LargeRequestKind<'_, Req, Resp> {
    type Halves = (LargeWriter<'r>, Receiver<'r, Resp>);

    fn halves(&self, handle: Handle<'r>, call: StreamCall) -> Result<Self::Halves, Status> {
        let receiver = Receiver::new(half(handle, call, RECEIVER_DROPPED));
        let writer = LargeWriter::of_request(half(handle, call, SENDER_DROPPED), self.write()?);
        Ok((writer, receiver))
    }
}

fn half<'r>(handle: Handle<'r>, call: StreamCall, on_drop: &'static str) -> Half<'r> {
    Half {
        handle,
        call,
        done: false,
        on_drop,
    }
}

const LOST: Status = Status::new(Code::INTERNAL, "the call's slot was taken from it");
