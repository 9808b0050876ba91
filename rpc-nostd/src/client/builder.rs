//! Calls that have not begun: what generated stubs make, and the options of each call.

use core::marker::PhantomData;
use core::time::Duration;

use crate::client::credentials::CallCredentials;
use crate::client::opening::{CallOptions, Timeout};
use crate::metadata::{MetadataEntry, ReceivedMetadata};
use crate::method::Method;

/// A call that has not begun: options first, then `.await` on a [`Channel`](crate::Channel), or `.call()` on a
/// [`blocking::Client`](crate::blocking::Client).
///
/// Nothing is sent before that. The deadline runs from the first poll. `K` is the kind of call: see [`Unary`],
/// [`ServerStreaming`], [`ClientStreaming`], [`BidiStreaming`] and [`LargeRequest`].
#[must_use = "a call does nothing until it is awaited, or called on a blocking client"]
pub struct CallBuilder<'a, C, K> {
    pub(crate) channel: &'a mut C,
    pub(crate) method: &'static Method,
    pub(crate) options: CallOptions<'a>,
    pub(crate) kind: K,
}

/// One request, one response: the outcome is `Result<Resp, Status>`.
///
/// A call of which nothing was processed (the server refused its stream, or went away) is made again, once.
/// Spec: gRFC A6, transparent retry.
pub type Unary<'a, C, Req, Resp> = CallBuilder<'a, C, UnaryKind<'a, Req, Resp>>;

/// One request, a stream of responses: the outcome is a [`Receiver`](crate::client::Receiver), as soon as the request
/// is sent.
///
/// It is not made again where the server refuses its stream: `UNAVAILABLE`, and the caller decides. The deadline, also the
/// default one, is for the whole stream: a feed that lasts names a longer one, or `.no_deadline()`.
pub type ServerStreaming<'a, C, Req, Resp> = CallBuilder<'a, C, ServerStreamingKind<'a, Req, Resp>>;

/// A stream of requests, one response: the outcome is an [`Upload`](crate::client::Upload), as soon as the headers are
/// sent. Not made again, as [`ServerStreaming`].
pub type ClientStreaming<'a, C, Req, Resp> = CallBuilder<'a, C, ClientStreamingKind<Req, Resp>>;

/// Streams both ways: the outcome is a [`Sender`](crate::client::Sender) and a [`Receiver`](crate::client::Receiver), as
/// soon as the headers are sent. Not made again, as [`ServerStreaming`].
pub type BidiStreaming<'a, C, Req, Resp> = CallBuilder<'a, C, BidiStreamingKind<Req, Resp>>;

/// One request of which one field is larger than memory, and responses one by one: the outcome is a
/// [`LargeWriter`](crate::client::LargeWriter) for that field and a [`Receiver`](crate::client::Receiver), as soon as the
/// request's other fields are sent. Not made again, as [`ServerStreaming`].
pub type LargeRequest<'a, C, Req, Resp> = CallBuilder<'a, C, LargeRequestKind<'a, Req, Resp>>;

/// Kind of [`Unary`].
pub struct UnaryKind<'a, Req, Resp> {
    pub(crate) request: &'a Req,
    response: PhantomData<fn() -> Resp>,
}

/// Kind of [`ServerStreaming`].
pub struct ServerStreamingKind<'a, Req, Resp> {
    pub(crate) request: &'a Req,
    response: PhantomData<fn() -> Resp>,
}

/// Kind of [`ClientStreaming`].
pub struct ClientStreamingKind<Req, Resp> {
    messages: PhantomData<fn(Req) -> Resp>,
}

/// Kind of [`BidiStreaming`].
pub struct BidiStreamingKind<Req, Resp> {
    messages: PhantomData<fn(Req) -> Resp>,
}

/// Kind of [`LargeRequest`].
pub struct LargeRequestKind<'a, Req, Resp> {
    pub(crate) request: &'a Req,
    pub(crate) path: &'a [u32],
    pub(crate) len: usize,
    response: PhantomData<fn() -> Resp>,
}

impl<'a, C, K> CallBuilder<'a, C, K> {
    fn with_kind(channel: &'a mut C, method: &'static Method, kind: K) -> Self {
        Self {
            channel,
            method,
            options: CallOptions::default(),
            kind,
        }
    }

    fn into_kind<L>(self, kind: impl FnOnce(K) -> L) -> CallBuilder<'a, C, L> {
        CallBuilder {
            channel: self.channel,
            method: self.method,
            options: self.options,
            kind: kind(self.kind),
        }
    }

    /// The time this call may take in all, waiting included, to the end of its last message. Rounded up to milliseconds;
    /// the server is told by `grpc-timeout`. As clocks tell whole milliseconds, it may end up to one of them early.
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
    /// default. On a [`blocking::Client`](crate::blocking::Client), which cannot connect by itself, it changes nothing.
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

    /// Adds what `provider` gives to the request's metadata, after what [`Config::credentials`](crate::Config) gives.
    pub fn credentials(mut self, provider: &'a dyn CallCredentials) -> Self {
        self.options.credentials = Some(provider);
        self
    }
}

impl<'a, C, Req, Resp> Unary<'a, C, Req, Resp> {
    /// A call of `method` with `request`, with default options. Generated stubs make these.
    pub fn new(channel: &'a mut C, method: &'static Method, request: &'a Req) -> Self {
        let kind = UnaryKind {
            request,
            response: PhantomData,
        };
        Self::with_kind(channel, method, kind)
    }

    /// Keeps the response's metadata, and the details of an error, in `received`, which is emptied first. Without
    /// this they are dropped as they arrive. What fits is bounded by `META` of [`Resources`](crate::Resources), too.
    pub fn receive_into<'m: 'a>(mut self, received: &'a mut ReceivedMetadata<'m>) -> Self {
        // What an earlier call left there is not this one's, however this one ends.
        received.clear();
        self.options.received = Some(received);
        self
    }

    /// Gathers a response in `buffer` that `RECV` of [`Resources`](crate::Resources) does not hold: of up to
    /// `buffer.len()` octets.
    pub fn buffer(mut self, buffer: &'a mut [u8]) -> Self {
        self.options.buffer = Some(buffer);
        self
    }

    /// Takes the response by a [`Receiver`](crate::client::Receiver), for example in pieces: it gives the one message,
    /// then the end. The metadata is to be had from there, too: what [`receive_into`](Self::receive_into) and
    /// [`buffer`](Self::buffer) said is forgotten.
    pub fn streamed(self) -> ServerStreaming<'a, C, Req, Resp> {
        self.into_kind(|kind| ServerStreamingKind {
            request: kind.request,
            response: PhantomData,
        })
    }

    /// Sends the request with a `bytes` or `string` field of `len` octets that are not in `request`: they are written
    /// afterwards. `path` is the field numbers from the request message to that field, at most 8, none of them
    /// `repeated`; empty, where the octets are the whole message. In `request` the field is empty.
    pub fn with_large_field(self, path: &'a [u32], len: usize) -> LargeRequest<'a, C, Req, Resp> {
        self.streamed().with_large_field(path, len)
    }
}

impl<'a, C, Req, Resp> ServerStreaming<'a, C, Req, Resp> {
    /// A call of `method` with `request`, with default options. Generated stubs make these.
    pub fn new(channel: &'a mut C, method: &'static Method, request: &'a Req) -> Self {
        let kind = ServerStreamingKind {
            request,
            response: PhantomData,
        };
        Self::with_kind(channel, method, kind)
    }

    /// As [`Unary::with_large_field`].
    pub fn with_large_field(self, path: &'a [u32], len: usize) -> LargeRequest<'a, C, Req, Resp> {
        self.into_kind(|kind| LargeRequestKind {
            request: kind.request,
            path,
            len,
            response: PhantomData,
        })
    }
}

impl<'a, C, Req, Resp> ClientStreaming<'a, C, Req, Resp> {
    /// A call of `method`, with default options. Generated stubs make these.
    pub fn new(channel: &'a mut C, method: &'static Method) -> Self {
        let kind = ClientStreamingKind {
            messages: PhantomData,
        };
        Self::with_kind(channel, method, kind)
    }
}

impl<'a, C, Req, Resp> BidiStreaming<'a, C, Req, Resp> {
    /// A call of `method`, with default options. Generated stubs make these.
    pub fn new(channel: &'a mut C, method: &'static Method) -> Self {
        let kind = BidiStreamingKind {
            messages: PhantomData,
        };
        Self::with_kind(channel, method, kind)
    }
}
