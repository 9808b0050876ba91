//! The server for firmware without an executor: the same services and the same core, driven by one loop.

use core::cell::RefCell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use embassy_futures::select::select_slice;
use h2_lite::ConfigError;

use crate::pump::Pump;
use crate::server::config::ServerConfig;
use crate::server::place::Late;
use crate::server::resources::ServerResources;
use crate::server::service::Service;
use crate::server::session::ServerSession;
use crate::server::worker::{Shared, work};
use crate::time::Clock;
use crate::transport::blocking::Transport;

/// A server of one connection at a time, without an executor. Its handlers are the same `async fn`; what they
/// await beside requests and responses must make progress whenever it is polled.
pub struct BlockingServer<'r, S, const STREAMS: usize> {
    session: Option<&'r RefCell<ServerSession<'r>>>,
    service: &'r S,
    clock: &'r dyn Clock,
}

impl<'r, S: Service, const STREAMS: usize> BlockingServer<'r, S, STREAMS> {
    /// A server of `service` in `resources`.
    ///
    /// # Errors
    /// The resources are too small for HTTP/2; the error names the limit and how to raise it.
    pub fn new<const RECV: usize, const SEND: usize, const META: usize, const SCRATCH: usize>(
        resources: &'r mut ServerResources<'r, 1, STREAMS, RECV, SEND, META, SCRATCH>,
        service: &'r S,
        clock: &'r dyn Clock,
        config: &ServerConfig,
    ) -> Result<Self, ConfigError> {
        let places = resources.split(S::method, config)?;
        Ok(Self {
            session: places.first().and_then(Option::as_ref),
            service,
            clock,
        })
    }

    /// Serves one connection until it is over, and says why it is. `keep_going` is asked in every turn; once it says
    /// `false` the connection is shut down gracefully, within `shutdown_grace` of [`ServerConfig`]. Call it again for the
    /// next connection.
    pub fn serve(
        &mut self,
        transport: &mut impl Transport,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> &'static str {
        let Some(session) = self.session else {
            return "the server has no connection";
        };
        let shared = Shared {
            session,
            clock: self.clock,
            timer: None,
        };
        shared.with(|session| {
            session.resume();
            session.connected(shared.now());
        });
        let service = self.service;
        let mut workers = pin!([const { Late::new() }; STREAMS]);
        for (index, worker) in (0..=u8::MAX).zip(workers.iter()) {
            worker.set(move || work(shared, index, service));
        }
        let mut poll_workers = || {
            // They never end.
            let _ = pin!(select_slice(workers.as_mut())).poll(&mut Context::from_waker(Waker::noop()));
        };
        let reason = drive(shared, transport, keep_going, &mut poll_workers);
        shared.with(|session| session.disconnected(shared.now()));
        // The handlers that are left see that, and let go.
        poll_workers();
        reason
    }
}

impl<S, const STREAMS: usize> core::fmt::Debug for BlockingServer<'_, S, STREAMS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BlockingServer").finish_non_exhaustive()
    }
}

fn drive<T: Transport>(
    shared: Shared<'_>,
    transport: &mut T,
    keep_going: &mut dyn FnMut() -> bool,
    poll_workers: &mut dyn FnMut(),
) -> &'static str {
    let mut chunk = [0; READ_CHUNK];
    let mut pump = Pump::new(&mut chunk);
    let mut going = true;
    loop {
        if going && !keep_going() {
            going = false;
            shared.with(|session| session.shut_down(shared.now()));
        }
        poll_workers();
        let now = shared.now();
        let turn = shared.with(|session| {
            // Who let another go first is polled again before anything sleeps, unless all wait for the transport.
            let again = session.link.turns.gave_way;
            let moved = pump.turn(session, transport, now)?;
            Ok(moved || again && !session.link.conn.wants_transmit())
        });
        match turn {
            Some(Ok(false)) => transport.idle(),
            Some(Ok(true)) | None => {}
            Some(Err(reason)) => return reason,
        }
    }
}

/// Octets that are read at once.
const READ_CHUNK: usize = 256;
