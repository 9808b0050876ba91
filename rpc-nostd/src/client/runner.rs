//! The task of a channel: connects when a call wants it to, and again.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use h2_lite::Instant;

use crate::client::channel::Channel;
use crate::client::connectivity::{ConnectivityState, Demand};
use crate::deadline::whole_millis;
use crate::driver::{Either, Never, Outcome, first, tell, until};
use crate::endpoint::Endpoint;
use crate::transport::asynch::{Connector, Duplex};

/// Does the work of a [`Channel`]: spawn [`Runner::run`] as a task. Dropping it ends the channel.
pub struct Runner<'r, C> {
    channel: Channel<'r>,
    connector: C,
    chunk: &'r mut [u8],
    connect_timeout: Duration,
}

impl<'r, C: Connector> Runner<'r, C> {
    pub(crate) fn new(
        channel: Channel<'r>,
        connector: C,
        chunk: &'r mut [u8],
        connect_timeout: Duration,
    ) -> Self {
        Self {
            channel,
            connector,
            chunk,
            connect_timeout,
        }
    }

    /// Connects when a call wants a connection, serves it until it ends, and again. Returns when the channel
    /// is shut down.
    ///
    /// Cancel safety: dropping the future ends the connection and the channel: calls then fail with `UNAVAILABLE`.
    pub async fn run(mut self) {
        let outcome = Outcome::new(None);
        until(pin!(self.work(&outcome)), &outcome).await;
    }

    /// One connection after the other, from the attempt to its end.
    async fn work(&mut self, outcome: &Outcome<()>) -> Never {
        let channel = self.channel;
        while demand(channel).await {
            let wait_ms = whole_millis(self.connect_timeout);
            let limit = channel.timer.now().saturating_add_millis(wait_ms);
            let connecting = {
                let connect = pin!(self.connector.connect());
                first(connect, given_up(channel, limit)).await
            };
            let mut connection = match connecting {
                Either::First(Ok(connection)) => connection,
                Either::First(Err(reason)) | Either::Second(reason) => {
                    lost(channel, reason);
                    continue;
                }
            };
            channel.with(|session| session.connected(channel.timer.now()));
            let driver = channel.driver();
            let ended = Outcome::new(None);
            let reason = {
                let serving = pin!(driver.serve(&mut connection, self.chunk, &ended));
                until(serving, &ended).await
            };
            // Before the goodbye, which may take its time: calls have waited long enough for this connection.
            lost(channel, reason);
            first(pin!(connection.close()), driver.closing_ends()).await;
        }
        tell(outcome, ()).await
    }
}

/// Waits for a call that wants a connection, and for the backoff. False: the channel is shut down.
fn demand(channel: Channel<'_>) -> impl Future<Output = bool> {
    poll_fn(move |cx| {
        let now = channel.timer.now();
        let next = channel.with(|session| {
            session.set_driver(cx.waker());
            session.poll_demand(now)
        });
        match next {
            Some(Demand::Connect) => Poll::Ready(true),
            Some(Demand::Stop) => Poll::Ready(false),
            Some(Demand::WaitUntil(at)) => {
                channel.timer.wake_at(at, cx.waker());
                Poll::Pending
            }
            Some(Demand::Wait) | None => Poll::Pending,
        }
    })
}

impl<C> Drop for Runner<'_, C> {
    /// Nobody will move octets any more: no call may wait for that.
    fn drop(&mut self) {
        let now = self.channel.timer.now();
        self.channel.with(|session| {
            session.shut_down(DROPPED, now);
            session.disconnected(DROPPED, now);
        });
    }
}

/// Tells all calls that there is no connection.
fn lost(channel: Channel<'_>, reason: &'static str) {
    #[cfg(feature = "defmt")]
    defmt::info!("rpc-nostd: connection over: {=str}", reason);
    let now = channel.timer.now();
    channel.with(|session| session.disconnected(reason, now));
}

/// Ends when an attempt to connect has become useless, and says why.
fn given_up(channel: Channel<'_>, limit: Instant) -> impl Future<Output = &'static str> {
    poll_fn(move |cx| {
        let state = channel.with(|session| {
            session.set_driver(cx.waker());
            session.connectivity.state()
        });
        if state == Some(ConnectivityState::Shutdown) {
            return Poll::Ready("the channel was shut down");
        }
        if channel.timer.now() >= limit {
            return Poll::Ready("connecting took longer than connect_timeout");
        }
        channel.timer.wake_at(limit, cx.waker());
        Poll::Pending
    })
}

const DROPPED: &str = "the channel's Runner was dropped: spawn Runner::run() for as long as calls are made";
