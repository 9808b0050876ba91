//! The async driver: reads, writes, and watches the clock. It knows no protocol, and which side this is.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use embedded_io_async::{Read, Write};
use h2_lite::{Instant, Transmit};

use crate::endpoint::Endpoint;
use crate::time::Timer;
use crate::transport::asynch::Duplex;

/// A connection and its clock, as the loops below share them.
#[derive(Clone, Copy)]
pub(crate) struct Driver<'r> {
    pub(crate) endpoint: &'r RefCell<dyn Endpoint<'r> + 'r>,
    pub(crate) timer: &'r dyn Timer,
}

impl<'r> Driver<'r> {
    /// Runs `f` on the connection. `None` only if it is in use, which a single executor's tasks cannot see:
    /// no borrow outlives a poll.
    pub(crate) fn with<T>(self, f: impl FnOnce(&mut (dyn Endpoint<'r> + 'r)) -> T) -> Option<T> {
        self.endpoint
            .try_borrow_mut()
            .ok()
            .map(|mut endpoint| f(&mut *endpoint))
    }

    /// Moves octets until the transport or the connection ends; says why it did. `chunk` is what is read at once.
    pub(crate) async fn serve<D: Duplex>(self, transport: &mut D, chunk: &mut [u8]) -> &'static str {
        let (reader, writer) = transport.split();
        let reading = read_loop(self, reader, chunk);
        let writing = write_loop(self, writer, D::FLUSH);
        match first(pin!(reading), pin!(writing)).await {
            Either::First(reason) | Either::Second(reason) => reason,
        }
    }

    /// Closes a transport, politely if that does not take too long.
    pub(crate) async fn close<D: Duplex>(self, transport: &mut D) {
        let enough = self.timer.now().saturating_add_millis(CLOSE_TIME_MS);
        first(pin!(transport.close()), pin!(sleep_until(self.timer, enough))).await;
    }
}

/// Reads until the transport or the connection ends. The read is never dropped in between: a TLS record
/// could be lost.
async fn read_loop<R: Read>(driver: Driver<'_>, mut reader: R, chunk: &mut [u8]) -> &'static str {
    loop {
        let read = match reader.read(chunk).await {
            Ok(0) => return "the peer closed the connection",
            Ok(read) => read,
            Err(_) => return "reading from the transport failed",
        };
        let mut input = chunk.get(..read).unwrap_or_default();
        while !input.is_empty() {
            let now = driver.timer.now();
            match driver.with(|endpoint| endpoint.handle_input(input, now)) {
                Some(Some(rest)) => input = rest,
                // The write loop sends the GOAWAY, then ends the connection.
                Some(None) => return core::future::pending().await,
                None => {}
            }
            readable(driver).await;
        }
    }
}

/// Waits until what holds up reading is over.
async fn readable(driver: Driver<'_>) {
    poll_fn(|cx| {
        let ready = driver.with(|endpoint| {
            endpoint.set_driver(cx.waker());
            endpoint.wants_input()
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
async fn write_loop<W: Write>(driver: Driver<'_>, mut writer: W, flush: bool) -> &'static str {
    loop {
        let mut lent = match next_transmit(driver).await {
            Ok(lent) => lent,
            Err(reason) => return reason,
        };
        let ended = {
            let writing = pin!(write(&mut writer, lent.bytes(), flush));
            first(writing, pin!(stalled(driver))).await
        };
        let written = match ended {
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
async fn next_transmit<'r>(driver: Driver<'r>) -> Result<Lent<'r>, &'static str> {
    poll_fn(|cx| {
        let now = driver.timer.now();
        let polled = driver.with(|endpoint| {
            endpoint.set_driver(cx.waker());
            // A failure leaves a GOAWAY to write; after that the connection is finished.
            let failed = !endpoint.handle_timeout(now);
            if let Some(transmit) = endpoint.take_transmit(now) {
                return Poll::Ready(Ok(Lent {
                    driver,
                    transmit: Some(transmit),
                    written: 0,
                }));
            }
            if failed || endpoint.is_finished(now) {
                return Poll::Ready(Err(endpoint.end_reason()));
            }
            if let Some(at) = endpoint.poll_timeout() {
                driver.timer.wake_at(at, cx.waker());
            }
            Poll::Pending
        });
        polled.unwrap_or(Poll::Pending)
    })
    .await
}

/// Ends when the connection gives up on a write.
async fn stalled(driver: Driver<'_>) -> &'static str {
    poll_fn(|cx| {
        let now = driver.timer.now();
        let polled = driver.with(|endpoint| {
            endpoint.set_driver(cx.waker());
            if !endpoint.handle_timeout(now) || endpoint.is_given_up(now) {
                return Poll::Ready(endpoint.end_reason());
            }
            if let Some(at) = endpoint.poll_timeout() {
                driver.timer.wake_at(at, cx.waker());
            }
            Poll::Pending
        });
        polled.unwrap_or(Poll::Pending)
    })
    .await
}

pub(crate) async fn sleep_until(timer: &dyn Timer, at: Instant) {
    poll_fn(|cx| {
        if timer.now() >= at {
            return Poll::Ready(());
        }
        timer.wake_at(at, cx.waker());
        Poll::Pending
    })
    .await;
}

/// The send buffer while the transport has it. However the write ends, the connection gets it back.
struct Lent<'r> {
    driver: Driver<'r>,
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
            let now = self.driver.timer.now();
            self.driver
                .with(|endpoint| endpoint.give_back(transmit, self.written, now));
        }
    }
}

/// A peer that is alive acknowledges the end of a connection in less.
const CLOSE_TIME_MS: u64 = 1_000;

/// What [`first`] gives.
pub(crate) enum Either<A, B> {
    First(A),
    Second(B),
}

/// Polls both until one is ready. They are pinned where they are made (`pin!`): an `async fn` that took them by value
/// would store each twice.
pub(crate) const fn first<A, B>(a: A, b: B) -> First<A, B> {
    First { a, b }
}

/// See [`first`].
pub(crate) struct First<A, B> {
    a: A,
    b: B,
}

impl<A: Future + Unpin, B: Future + Unpin> Future for First<A, B> {
    type Output = Either<A::Output, B::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Poll::Ready(output) = Pin::new(&mut this.a).poll(cx) {
            return Poll::Ready(Either::First(output));
        }
        Pin::new(&mut this.b).poll(cx).map(Either::Second)
    }
}
