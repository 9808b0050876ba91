//! The client for firmware without an executor: the same stubs and the same core as the async
//! [`Channel`](crate::Channel), driven by the call itself.

mod large;
mod streaming;

use core::task::{Poll, Waker, ready};

use h2_lite::{ConfigError, ErrorCode};

pub use self::large::{LargeReader, LargeWriter, RequestWriter};
pub use self::streaming::{Exchange, Receiver, Upload};
use crate::client::config::Config;
use crate::client::credentials::Provider;
use crate::client::open;
use crate::client::opening::{Context, Opening};
use crate::client::resources::Resources;
use crate::client::session::Session;
use crate::client::single::UnaryCall;
use crate::client::stream::StreamCall;
use crate::codec::{Framed, Outgoing};
use crate::pump::{self, Pump};
use crate::status::{Code, Status};
use crate::time::Clock;
pub use crate::transport::blocking::{Polled, Timed, Transport};

/// One connection to one server, and the calls on it, one at a time.
///
/// ```ignore
/// let mut telemetry = TelemetryClient::new(Client::new(&mut resources, Polled(uart), &clock, config)?);
/// let reply = telemetry.report(&request).call()?;
/// let mut events = telemetry.subscribe(&topic).call()?;
/// while let Some(event) = events.next()? { /* ... */ }
/// ```
///
/// A stream has the client to itself until it is dropped, and moves only inside of its calls.
///
/// Between calls nothing runs: call [`Client::poll`] now and then, at least every few seconds: the server's
/// SETTINGS, PINGs and GOAWAY are answered only then, and a server that gets no answer in time hangs up. A
/// connection that is lost, or that the server ends by GOAWAY, stays lost until [`Client::reconnect`].
pub struct Client<'r, T> {
    session: Session<'r>,
    clock: &'r dyn Clock,
    pub(crate) credentials: Provider<'r>,
    transport: T,
    pump: Pump<'r>,
    /// Writes since the last read.
    unanswered: u8,
    connected: bool,
}

impl<'r, T: Transport> Client<'r, T> {
    /// A client on a transport that is connected.
    ///
    /// # Errors
    /// The resources are too small for HTTP/2; the error names the limit and how to raise it.
    pub fn new<
        const STREAMS: usize,
        const RECV: usize,
        const SEND: usize,
        const TABLE: usize,
        const META: usize,
        const SCRATCH: usize,
    >(
        resources: &'r mut Resources<'r, STREAMS, RECV, SEND, TABLE, META, SCRATCH>,
        transport: T,
        clock: &'r dyn Clock,
        config: Config<'r>,
    ) -> Result<Self, ConfigError> {
        let parts = resources.split(&config)?;
        let mut client = Self {
            session: parts.session,
            clock,
            credentials: config.credentials,
            transport,
            pump: Pump::new(parts.chunk),
            unanswered: 0,
            connected: false,
        };
        client.begin();
        Ok(client)
    }

    /// Begins anew on another transport. Returns the old one.
    pub fn reconnect(&mut self, transport: T) -> T {
        if self.connected {
            self.session
                .disconnected("the transport was replaced", self.clock.now());
        }
        let old = core::mem::replace(&mut self.transport, transport);
        self.begin();
        old
    }

    /// Whether the connection is in use; if not, calls fail with `UNAVAILABLE` until [`Client::reconnect`].
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Reads and writes what is there, without waiting: answers the server's PINGs, notices its GOAWAY.
    ///
    /// # Errors
    /// `UNAVAILABLE`: the connection is lost, now or since an earlier call.
    pub fn poll(&mut self) -> Result<(), Status> {
        while self.turn() {}
        if self.connected {
            Ok(())
        } else {
            Err(Status::new(Code::UNAVAILABLE, LOST))
        }
    }

    /// Drives one call to its end.
    pub(crate) fn complete(
        &mut self,
        call: &mut UnaryCall<'_>,
        request: &dyn Outgoing,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let result = (self as &mut dyn Drive).run(|cx| {
            let defaults = cx.session.defaults;
            ready!(call.poll_prepare(&defaults, cx.now, cx.waker))?;
            call.poll(cx, request, decode)
        });
        // Nothing is left of it unless the connection is lost.
        call.cancel(&mut self.session);
        result
    }

    /// Drives a streaming call until it is open.
    pub(crate) fn open(
        &mut self,
        opening: &mut Opening<'_>,
        first: Option<&Framed<'_>>,
        halves: u8,
    ) -> Result<StreamCall, Status> {
        let result = (self as &mut dyn Drive).run(|cx| {
            let defaults = cx.session.defaults;
            ready!(opening.poll_prepare(&defaults, cx.now, cx.waker))?;
            open::poll_open(opening, cx, first, halves)
        });
        opening.release(&mut self.session, ErrorCode::CANCEL);
        result
    }

    fn begin(&mut self) {
        self.pump.clear();
        self.connected = true;
        self.session.connectivity.connecting();
        self.session.connected(self.clock.now());
    }

    /// Writes and reads once. Returns whether anything moved.
    fn turn(&mut self) -> bool {
        if !self.connected {
            return false;
        }
        self.unanswered = 0;
        let now = self.clock.now();
        match self.pump.turn(&mut self.session, &mut self.transport, now) {
            Ok(moved) => moved,
            Err(reason) => {
                self.lose(reason);
                true
            }
        }
    }

    /// Writes what is there to write, as far as the transport takes it.
    fn flush(&mut self) {
        while self.connected {
            match pump::write(&mut self.session, &mut self.transport, self.clock.now()) {
                Ok(true) => self.unanswered = self.unanswered.saturating_add(1),
                Ok(false) => return,
                Err(reason) => self.lose(reason),
            }
        }
    }

    fn lose(&mut self, reason: &'static str) {
        self.connected = false;
        self.session.disconnected(reason, self.clock.now());
    }
}

/// A client, whatever its transport is.
pub(crate) trait Drive {
    /// Takes steps, and moves octets in between, until `step` says that it is done.
    ///
    /// # Errors
    /// The connection is lost, and the step still waits.
    fn drive(&mut self, step: &mut dyn FnMut(&mut Context<'_, '_>) -> bool) -> Result<(), Status>;
}

impl<T: Transport> Drive for Client<'_, T> {
    fn drive(&mut self, step: &mut dyn FnMut(&mut Context<'_, '_>) -> bool) -> Result<(), Status> {
        loop {
            let mut cx = Context {
                session: &mut self.session,
                credentials: self.credentials,
                now: self.clock.now(),
                waker: Waker::noop(),
            };
            if step(&mut cx) {
                // Nobody else would write what this leaves to say, such as RST_STREAM.
                self.flush();
                // Who sends for a long time without waiting must listen now and then: PINGs want an answer.
                if self.unanswered >= MAX_UNANSWERED {
                    self.turn();
                }
                return Ok(());
            }
            if !self.connected {
                // Nobody but the user can bring another transport: waiting would only wait for the deadline.
                return Err(Status::new(Code::UNAVAILABLE, LOST));
            }
            if !self.turn() {
                self.transport.idle();
            }
        }
    }
}

impl dyn Drive + '_ {
    /// Polls `step` until it is ready.
    pub(crate) fn run<V>(
        &mut self,
        mut step: impl FnMut(&mut Context<'_, '_>) -> Poll<Result<V, Status>>,
    ) -> Result<V, Status> {
        let mut result = None;
        self.drive(&mut |cx| match step(cx) {
            Poll::Ready(ready) => {
                result = Some(ready);
                true
            }
            Poll::Pending => false,
        })?;
        result.unwrap_or(Err(Status::new(Code::INTERNAL, LOST)))
    }
}

impl<T> core::fmt::Debug for Client<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client")
            .field("connected", &self.connected)
            .finish_non_exhaustive()
    }
}

/// Writes without a read in between.
const MAX_UNANSWERED: u8 = 8;
const LOST: &str = "the connection is lost: give the client a new transport with reconnect()";
