//! The async server: its connections, each with a task that accepts and serves, and its handle.

use core::cell::RefCell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embassy_futures::select::select_slice;
use h2_lite::ConfigError;

use crate::driver::{Driver, Either, Never, Outcome, first, sleep_until, until};
use crate::endpoint::Endpoint;
use crate::server::config::ServerConfig;
use crate::server::place::{Late, Until, apart};
use crate::server::resources::{Place, ServerResources};
use crate::server::service::Service;
use crate::server::session::ServerSession;
use crate::server::spare::{set_turning_away, turn_away};
use crate::server::worker::{Shared, work};
use crate::time::{Clock, Timer};
use crate::transport::asynch::{Acceptor, Duplex};

/// A server's handle: copy it to where the server is shut down from.
#[derive(Clone, Copy)]
pub struct Server<'r> {
    places: &'r [Place<'r>],
    clock: &'r dyn Clock,
}

impl<'r> Server<'r> {
    /// A server of `service` in `resources`, and the [`ServerRunner`] to spawn. Each connection has an acceptor of its
    /// own; they may share a listener.
    ///
    /// # Errors
    /// The resources are too small for HTTP/2; the error names the limit and how to raise it.
    pub fn new<
        A: Acceptor,
        S: Service,
        const CONNECTIONS: usize,
        const STREAMS: usize,
        const RECV: usize,
        const SEND: usize,
        const META: usize,
        const SCRATCH: usize,
    >(
        resources: &'r mut ServerResources<'r, CONNECTIONS, STREAMS, RECV, SEND, META, SCRATCH>,
        acceptors: [A; CONNECTIONS],
        service: &'r S,
        timer: &'r (impl Timer + 'r),
        config: &ServerConfig,
    ) -> Result<(Self, ServerRunner<'r, A, S, CONNECTIONS, STREAMS>), ConfigError> {
        let places = resources.split(S::method, config)?;
        let server = Self { places, clock: timer };
        let runner = ServerRunner {
            places,
            acceptors,
            service,
            clock: timer,
            timer,
        };
        Ok((server, runner))
    }

    /// Ends the server: no connection is accepted any more, clients are told by GOAWAY, and calls go on for
    /// `shutdown_grace` of [`ServerConfig`]. Then [`ServerRunner::run`] returns.
    pub fn shut_down(&self) {
        let now = self.clock.now();
        for session in self.places.iter().flatten() {
            // In use only from inside a poll of the same executor, which does not call this.
            if let Ok(mut session) = session.try_borrow_mut() {
                session.shut_down(now);
            }
        }
    }
}

impl core::fmt::Debug for Server<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Server")
            .field("connections", &self.places.len())
            .finish_non_exhaustive()
    }
}

/// Does the work of a [`Server`]: spawn [`ServerRunner::run`] as a task, or each of [`ServerRunner::connections`].
pub struct ServerRunner<'r, A, S, const CONNECTIONS: usize, const STREAMS: usize> {
    places: &'r [Place<'r>; CONNECTIONS],
    acceptors: [A; CONNECTIONS],
    service: &'r S,
    clock: &'r dyn Clock,
    timer: &'r dyn Timer,
}

impl<'r, A: Acceptor, S: Service, const CONNECTIONS: usize, const STREAMS: usize>
    ServerRunner<'r, A, S, CONNECTIONS, STREAMS>
{
    /// Accepts connections and serves their calls. Returns when the server has been shut down.
    ///
    /// A client that finds every connection taken is not answered: over `embassy-net`, where no socket listens for it, its
    /// TCP connection is refused; on a host it waits in the listener's queue. [`Self::run_with_spare`] answers it.
    ///
    /// The future holds those of all handlers.
    ///
    /// Cancel safety: dropping the future ends the connections and drops the handlers.
    pub fn run(self) -> impl Future<Output = ()> {
        let places = self.places;
        Until {
            work: self.serve_all(),
            is_over: move || are_over(places),
        }
    }

    /// As [`Self::run`]; a client that finds every connection taken is accepted by `spare` and turned away, by a GOAWAY
    /// which says that none of its calls was begun: it may send them elsewhere, or again. One at a time, and one in a
    /// second, so that clients that come back at once do not keep the device busy.
    pub fn run_with_spare<B: Acceptor>(self, spare: B) -> impl Future<Output = ()> {
        let places = self.places;
        set_turning_away(places, true);
        let work = async move {
            let turning_away = pin!(turn_away(places, spare, self.timer));
            let serving = pin!(self.serve_all());
            match first(serving, turning_away).await {
                Either::First(never) | Either::Second(never) => never,
            }
        };
        Until {
            work,
            is_over: move || are_over(places),
        }
    }

    async fn serve_all(self) -> Never {
        let connections = pin!([const { Late::new() }; CONNECTIONS]);
        for (connection, runner) in connections.iter().zip(self.connections()) {
            connection.set(move || runner.work());
        }
        let (never, _) = select_slice(connections).await;
        never
    }

    /// The connections, to be spawned as tasks of their own, on the same executor.
    pub fn connections(self) -> [ConnectionRunner<'r, A, S, STREAMS>; CONNECTIONS] {
        let (service, clock, timer) = (self.service, self.clock, self.timer);
        let mut places = self.places.iter();
        self.acceptors.map(|acceptor| ConnectionRunner {
            session: places.next().and_then(Option::as_ref),
            acceptor,
            service,
            clock,
            timer,
        })
    }
}

impl<A, S, const CONNECTIONS: usize, const STREAMS: usize> core::fmt::Debug
    for ServerRunner<'_, A, S, CONNECTIONS, STREAMS>
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ServerRunner").finish_non_exhaustive()
    }
}

/// Does the work of one of a server's connections: see [`ServerRunner::connections`].
pub struct ConnectionRunner<'r, A, S, const STREAMS: usize> {
    session: Option<&'r RefCell<ServerSession<'r>>>,
    acceptor: A,
    service: &'r S,
    clock: &'r dyn Clock,
    timer: &'r dyn Timer,
}

impl<A: Acceptor, S: Service, const STREAMS: usize> ConnectionRunner<'_, A, S, STREAMS> {
    /// Accepts a client after the other and serves its calls. Returns when the server has been shut down.
    ///
    /// Cancel safety: dropping the future ends the connection and drops its handlers.
    pub fn run(self) -> impl Future<Output = ()> {
        let place = self.session;
        Until {
            work: self.work(),
            is_over: move || place.is_none_or(is_over),
        }
    }

    async fn work(self) -> Never {
        let Some(session) = self.session else {
            return pending().await;
        };
        let shared = Shared {
            session,
            clock: self.clock,
            timer: Some(self.timer),
        };
        let workers = pin!([const { Late::new() }; STREAMS]);
        for (index, worker) in (0..=u8::MAX).zip(workers.iter()) {
            worker.set(move || work(shared, index, self.service));
        }
        let serving = pin!(accept_and_serve(shared, self.timer, self.acceptor));
        let working = pin!(select_slice(workers));
        match first(apart(serving), apart(working)).await {
            Either::First(never) | Either::Second((never, _)) => never,
        }
    }
}

impl<A, S, const STREAMS: usize> core::fmt::Debug for ConnectionRunner<'_, A, S, STREAMS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ConnectionRunner").finish_non_exhaustive()
    }
}

/// Whether the last connection of every place is over.
fn are_over(places: &[Place<'_>]) -> bool {
    places.iter().flatten().all(is_over)
}

fn is_over(place: &RefCell<ServerSession<'_>>) -> bool {
    place.try_borrow().is_ok_and(|session| session.is_over())
}

/// One connection after the other, until the server is shut down.
async fn accept_and_serve<'r, A: Acceptor>(
    shared: Shared<'r>,
    timer: &'r dyn Timer,
    mut acceptor: A,
) -> Never {
    let driver = Driver {
        endpoint: shared.session,
        timer,
    };
    let mut chunk = [0; READ_CHUNK];
    loop {
        let met = first(stopped(shared), pin!(acceptor.accept())).await;
        let mut transport = match met {
            Either::First(()) => {
                shared.with(ServerSession::end);
                return pending().await;
            }
            Either::Second(Ok(transport)) => transport,
            Either::Second(Err(_reason)) => {
                #[cfg(feature = "defmt")]
                defmt::info!("rpc-nostd: no connection accepted: {=str}", _reason);
                let later = shared.now().saturating_add_millis(ACCEPT_PAUSE_MS);
                first(sleep_until(timer, later), stopped(shared)).await;
                continue;
            }
        };
        shared.with(|session| session.connected(shared.now()));
        let ended = Outcome::new(None);
        let _reason = {
            let serving = pin!(driver.serve(&mut transport, &mut chunk, &ended));
            until(serving, &ended).await
        };
        #[cfg(feature = "defmt")]
        defmt::info!("rpc-nostd: connection over: {=str}", _reason);
        shared.with(|session| session.disconnected(shared.now()));
        first(pin!(transport.close()), driver.closing_ends()).await;
        vacant(shared).await;
    }
}

/// Waits until the server is shut down.
fn stopped(shared: Shared<'_>) -> impl Future<Output = ()> {
    wait(shared, |session| session.is_stopping())
}

/// Waits until the handlers of the last connection are dropped, which their workers do as soon as they are polled.
fn vacant(shared: Shared<'_>) -> impl Future<Output = ()> {
    wait(shared, |session| session.is_vacant())
}

fn wait(shared: Shared<'_>, until: impl Fn(&mut ServerSession<'_>) -> bool) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        let ready = shared.with(|session| {
            session.set_driver(cx.waker());
            until(session)
        });
        if ready == Some(true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
}

/// Octets that are read at once.
const READ_CHUNK: usize = 256;
/// After an acceptor's failure: it might fail for ever.
const ACCEPT_PAUSE_MS: u64 = 100;
