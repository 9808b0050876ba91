//! The handle by which many tasks share one connection.

use core::cell::RefCell;
use core::task::{Poll, Waker, ready};

use h2_lite::ConfigError;

use crate::client::config::Config;
use crate::client::connectivity::ConnectivityState;
use crate::client::credentials::Provider;
use crate::client::open;
use crate::client::opening::{Context, Opening};
use crate::client::resources::Resources;
use crate::client::runner::Runner;
use crate::client::session::Session;
use crate::client::single::UnaryCall;
use crate::client::stream::StreamCall;
use crate::codec::{Framed, Outgoing};
use crate::deadline::Deadline;
use crate::driver::Driver;
use crate::status::Status;
use crate::time::Timer;
use crate::transport::asynch::Connector;

/// A client's connection to one server, shared: copy it into each task that makes calls.
///
/// It works together with the [`Runner`] that [`Channel::new`] gives beside it: the Runner connects when a
/// call wants it to, and moves octets. A call's deadline holds also where the Runner does not run; where it was
/// dropped, calls fail at once.
///
/// All copies and the Runner belong to tasks of one executor, on one core: a `Channel` is not `Send`.
#[derive(Clone, Copy)]
pub struct Channel<'r> {
    pub(crate) session: &'r RefCell<Session<'r>>,
    pub(crate) timer: &'r dyn Timer,
    pub(crate) credentials: Provider<'r>,
}

impl<'r> Channel<'r> {
    /// A channel in `resources`, idle at first, and the [`Runner`] to spawn.
    ///
    /// # Errors
    /// The resources are too small for HTTP/2; the error names the limit and how to raise it.
    pub fn new<
        C: Connector,
        const STREAMS: usize,
        const RECV: usize,
        const SEND: usize,
        const TABLE: usize,
        const META: usize,
        const SCRATCH: usize,
    >(
        resources: &'r mut Resources<'r, STREAMS, RECV, SEND, TABLE, META, SCRATCH>,
        connector: C,
        timer: &'r dyn Timer,
        config: Config<'r>,
    ) -> Result<(Self, Runner<'r, C>), ConfigError> {
        let parts = resources.split(&config)?;
        let session: &'r RefCell<Session<'r>> = parts.place.write(RefCell::new(parts.session));
        let channel = Self {
            session,
            timer,
            credentials: config.credentials,
        };
        Ok((
            channel,
            Runner::new(channel, connector, parts.chunk, config.connect_timeout),
        ))
    }

    /// What the channel is doing.
    pub fn state(&self) -> ConnectivityState {
        self.with(|session| session.connectivity.state())
            .unwrap_or(ConnectivityState::Connecting)
    }

    /// Ends the channel: calls that have no stream fail, those under way go on, then the connection closes
    /// and the Runner returns.
    pub fn shutdown(&self) {
        let now = self.timer.now();
        self.with(|session| session.shut_down("the channel was shut down", now));
    }

    pub(crate) fn driver(self) -> Driver<'r> {
        Driver {
            endpoint: self.session,
            timer: self.timer,
        }
    }

    /// Runs `f` on the shared state. `None` only if it is in use, which a single executor's tasks cannot see:
    /// no borrow outlives a poll.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Session<'r>) -> T) -> Option<T> {
        self.session
            .try_borrow_mut()
            .ok()
            .map(|mut session| f(&mut session))
    }

    pub(crate) fn poll_call(
        &self,
        call: &mut UnaryCall<'_>,
        request: &dyn Outgoing,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
        waker: &Waker,
    ) -> Poll<Result<(), Status>> {
        let now = self.timer.now();
        let defaults = self.with(|session| session.defaults);
        let polled = defaults.map(|defaults| {
            ready!(call.poll_prepare(&defaults, now, waker))?;
            self.poll_with(waker, |cx| call.poll(cx, request, decode))
        });
        self.wait(polled, call.deadline(), waker)
    }

    pub(crate) fn poll_open(
        &self,
        opening: &mut Opening<'_>,
        first: Option<&Framed<'_>>,
        halves: u8,
        waker: &Waker,
    ) -> Poll<Result<StreamCall, Status>> {
        let now = self.timer.now();
        let defaults = self.with(|session| session.defaults);
        let polled = defaults.map(|defaults| {
            ready!(opening.poll_prepare(&defaults, now, waker))?;
            self.poll_with(waker, |cx| open::poll_open(opening, cx, first, halves))
        });
        self.wait(polled, opening.deadline(), waker)
    }

    fn poll_with<T>(&self, waker: &Waker, poll: impl FnOnce(&mut Context<'_, 'r>) -> Poll<T>) -> Poll<T> {
        let now = self.timer.now();
        let polled = self.with(|session| {
            poll(&mut Context {
                session,
                credentials: self.credentials,
                now,
                waker,
            })
        });
        polled.unwrap_or_else(|| {
            waker.wake_by_ref();
            Poll::Pending
        })
    }

    /// The timer is the call's own: a Runner that hangs cannot hang the call.
    fn wait<T>(&self, polled: Option<Poll<T>>, deadline: Deadline, waker: &Waker) -> Poll<T> {
        let Some(polled) = polled else {
            waker.wake_by_ref();
            return Poll::Pending;
        };
        if let (true, Deadline::At(at)) = (polled.is_pending(), deadline) {
            self.timer.wake_at(at, waker);
        }
        polled
    }

    pub(crate) fn cancel(&self, call: &mut UnaryCall<'_>) {
        self.with(|session| call.cancel(session));
    }
}

impl core::fmt::Debug for Channel<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let authority = self.with(|session| session.defaults.authority);
        f.debug_struct("Channel")
            .field("authority", &authority)
            .finish_non_exhaustive()
    }
}
