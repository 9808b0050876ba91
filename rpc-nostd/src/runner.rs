//! The async driver: connects, reads, writes, and watches the clock. It knows no protocol.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use embedded_io_async::{Read, Write};
use h2_lite::{Instant, Transmit};

use crate::channel::Channel;
use crate::connectivity::{ConnectivityState, Demand};
use crate::deadline::whole_millis;
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
        while self.demand().await {
            self.attempt().await;
        }
    }

    /// Waits for a call that wants a connection, and for the backoff. False: the channel is shut down.
    async fn demand(&self) -> bool {
        let channel = self.channel;
        poll_fn(|cx| {
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
        .await
    }

    /// One connection, from the attempt to its end.
    async fn attempt(&mut self) {
        let channel = self.channel;
        let limit = channel
            .timer
            .now()
            .saturating_add_millis(whole_millis(self.connect_timeout));
        let connecting = first(self.connector.connect(), given_up(channel, limit)).await;
        let mut connection = match connecting {
            Either::First(Ok(connection)) => connection,
            Either::First(Err(reason)) | Either::Second(reason) => return lost(channel, reason),
        };
        channel.with(|session| session.connected(channel.timer.now()));
        let reason = {
            let (reader, writer) = connection.split();
            let reading = read_loop(channel, reader, self.chunk);
            let writing = write_loop(channel, writer, C::Connection::FLUSH);
            match first(reading, writing).await {
                Either::First(reason) | Either::Second(reason) => reason,
            }
        };
        // Before the goodbye, which may take its time: calls have waited long enough for this connection.
        lost(channel, reason);
        let enough = channel.timer.now().saturating_add_millis(CLOSE_TIME_MS);
        first(connection.close(), sleep_until(channel, enough)).await;
    }
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

/// Reads until the transport or the connection ends. The read is never dropped in between: a TLS record
/// could be lost.
async fn read_loop<R: Read>(channel: Channel<'_>, mut reader: R, chunk: &mut [u8]) -> &'static str {
    loop {
        let read = match reader.read(chunk).await {
            Ok(0) => return "the server closed the connection",
            Ok(read) => read,
            Err(_) => return "reading from the transport failed",
        };
        let mut input = chunk.get(..read).unwrap_or_default();
        while !input.is_empty() {
            let now = channel.timer.now();
            match channel.with(|session| session.handle_input(input, now)) {
                Some(Ok(rest)) => input = rest,
                // The write loop sends the GOAWAY, then ends the connection.
                Some(Err(_)) => return core::future::pending().await,
                None => {}
            }
            readable(channel).await;
        }
    }
}

/// Waits until what is owed has been written, where that holds up reading.
async fn readable(channel: Channel<'_>) {
    poll_fn(|cx| {
        let ready = channel.with(|session| {
            session.set_driver(cx.waker());
            session.wants_input()
        });
        if ready == Some(true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Writes what there is to write, and lets time pass. Ends when the connection has.
async fn write_loop<W: Write>(channel: Channel<'_>, mut writer: W, flush: bool) -> &'static str {
    loop {
        let mut lent = match next_transmit(channel).await {
            Ok(lent) => lent,
            Err(reason) => return reason,
        };
        let written = match first(write(&mut writer, lent.bytes(), flush), stalled(channel)).await {
            Either::First(Some(written)) => written,
            Either::First(None) => return "writing to the transport failed",
            Either::Second(reason) => return reason,
        };
        lent.written = written;
    }
}

async fn write<W: Write>(writer: &mut W, bytes: &[u8], flush: bool) -> Option<usize> {
    let written = writer.write(bytes).await.ok()?;
    if flush {
        writer.flush().await.ok()?;
    }
    Some(written).filter(|written| *written > 0)
}

/// The next octets to write, or why there will be none.
async fn next_transmit<'r>(channel: Channel<'r>) -> Result<Lent<'r>, &'static str> {
    poll_fn(|cx| {
        let now = channel.timer.now();
        let polled = channel.with(|session| {
            session.set_driver(cx.waker());
            // A failure leaves a GOAWAY to write; after that the connection is finished.
            let failed = session.handle_timeout(now).is_err();
            if let Some(transmit) = session.take_transmit(now) {
                return Poll::Ready(Ok(Lent {
                    channel,
                    transmit: Some(transmit),
                    written: 0,
                }));
            }
            if failed || session.is_finished(now) {
                return Poll::Ready(Err(session.end_reason()));
            }
            if let Some(at) = session.poll_timeout() {
                channel.timer.wake_at(at, cx.waker());
            }
            Poll::Pending
        });
        polled.unwrap_or(Poll::Pending)
    })
    .await
}

/// Ends when the connection gives up on a write.
async fn stalled(channel: Channel<'_>) -> &'static str {
    poll_fn(|cx| {
        let now = channel.timer.now();
        let polled = channel.with(|session| {
            session.set_driver(cx.waker());
            if session.handle_timeout(now).is_err() || session.is_drain_over(now) {
                return Poll::Ready(session.end_reason());
            }
            if let Some(at) = session.poll_timeout() {
                channel.timer.wake_at(at, cx.waker());
            }
            Poll::Pending
        });
        polled.unwrap_or(Poll::Pending)
    })
    .await
}

/// Ends when an attempt to connect has become useless, and says why.
async fn given_up(channel: Channel<'_>, limit: Instant) -> &'static str {
    poll_fn(|cx| {
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
    .await
}

async fn sleep_until(channel: Channel<'_>, at: Instant) {
    poll_fn(|cx| {
        if channel.timer.now() >= at {
            return Poll::Ready(());
        }
        channel.timer.wake_at(at, cx.waker());
        Poll::Pending
    })
    .await;
}

/// The send buffer while the transport has it. However the write ends, the connection gets it back.
struct Lent<'r> {
    channel: Channel<'r>,
    transmit: Option<Transmit<'r>>,
    written: usize,
}

impl Lent<'_> {
    fn bytes(&self) -> &[u8] {
        self.transmit.as_ref().map(Transmit::bytes).unwrap_or_default()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(transmit) = self.transmit.take() {
            let now = self.channel.timer.now();
            self.channel
                .with(|session| session.give_back(transmit, self.written, now));
        }
    }
}

const DROPPED: &str = "the channel's Runner was dropped: spawn Runner::run() for as long as calls are made";
/// A peer that is alive acknowledges the end of a connection in less.
const CLOSE_TIME_MS: u64 = 1_000;

enum Either<A, B> {
    First(A),
    Second(B),
}

/// Polls both until one is ready; the other is dropped.
async fn first<A: Future, B: Future>(a: A, b: B) -> Either<A::Output, B::Output> {
    let mut a = pin!(a);
    let mut b = pin!(b);
    poll_fn(|cx| {
        if let Poll::Ready(output) = a.as_mut().poll(cx) {
            return Poll::Ready(Either::First(output));
        }
        b.as_mut().poll(cx).map(Either::Second)
    })
    .await
}
