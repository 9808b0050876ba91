//! The async driver: reads, writes, and watches the clock. It knows no protocol, and which side this is.

use core::cell::{Cell, RefCell};
use core::future::{Future, Pending, pending, poll_fn};
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

    /// Moves octets until the transport or the connection ends; then `ended` says why it did. See [`until`].
    pub(crate) async fn serve<D: Duplex>(
        self,
        transport: &mut D,
        chunk: &mut [u8],
        ended: &Outcome<&'static str>,
    ) -> Never {
        let (reader, writer) = transport.split();
        let reading = read_loop(self, reader, chunk, ended);
        let writing = write_loop(self, writer, D::FLUSH, ended);
        match first(pin!(reading), pin!(writing)).await {
            Either::First(never) | Either::Second(never) => never,
        }
    }

    /// When to give up closing a transport politely.
    pub(crate) fn closing_ends(self) -> impl Future<Output = ()> + use<'r> {
        sleep_until(self.timer, self.timer.now().saturating_add_millis(CLOSE_TIME_MS))
    }
}

/// What a future comes to that does not end itself: see [`until`].
pub(crate) type Outcome<T> = Cell<Option<T>>;

/// Nothing: a future of it does not end.
#[derive(Debug)]
pub(crate) enum Never {}

/// Tells what a future has come to, and waits to be dropped.
pub(crate) fn tell<T>(outcome: &Outcome<T>, value: T) -> Pending<Never> {
    outcome.set(Some(value));
    pending()
}

/// Polls `work` until it has told its outcome.
///
/// An `async fn` that returns has a panic for whoever polls it once more; one that tells its outcome and then waits has
/// none, and need not be trusted.
pub(crate) fn until<T>(
    mut work: Pin<&mut impl Future<Output = Never>>,
    outcome: &Outcome<T>,
) -> impl Future<Output = T> {
    poll_fn(move |cx| match work.as_mut().poll(cx) {
        Poll::Ready(never) => match never {},
        Poll::Pending => outcome.take().map_or(Poll::Pending, Poll::Ready),
    })
}

/// Reads until the transport or the connection ends. The read is never dropped in between: a TLS record
/// could be lost.
async fn read_loop<R: Read>(
    driver: Driver<'_>,
    mut reader: R,
    chunk: &mut [u8],
    ended: &Outcome<&'static str>,
) -> Never {
    loop {
        let read = match reader.read(chunk).await {
            Ok(0) => return tell(ended, "the peer closed the connection").await,
            Ok(read) => read,
            Err(_) => return tell(ended, "reading from the transport failed").await,
        };
        let mut input = chunk.get(..read).unwrap_or_default();
        while !input.is_empty() {
            let now = driver.timer.now();
            match driver.with(|endpoint| endpoint.handle_input(input, now)) {
                Some(Some(rest)) => input = rest,
                // The write loop sends the GOAWAY, then ends the connection.
                Some(None) => return pending().await,
                None => {}
            }
            readable(driver).await;
        }
    }
}

/// Waits until what holds up reading is over.
fn readable(driver: Driver<'_>) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
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
}

/// Writes what there is to write, and lets time pass. Ends when the connection has.
async fn write_loop<W: Write>(
    driver: Driver<'_>,
    mut writer: W,
    flush: bool,
    ended: &Outcome<&'static str>,
) -> Never {
    loop {
        let mut lent = match next_transmit(driver).await {
            Ok(lent) => lent,
            Err(reason) => return tell(ended, reason).await,
        };
        let over = {
            let outcome = Outcome::new(None);
            let writing = pin!(write(&mut writer, lent.bytes(), flush, &outcome));
            first(until(writing, &outcome), stalled(driver)).await
        };
        lent.written = match over {
            Either::First(Some(written)) => written,
            Either::First(None) => return tell(ended, "writing to the transport failed").await,
            Either::Second(reason) => return tell(ended, reason).await,
        };
    }
}

/// Writes once; the outcome is how much that was, or `None` for a failure.
async fn write<W: Write>(
    writer: &mut W,
    bytes: &[u8],
    flush: bool,
    outcome: &Outcome<Option<usize>>,
) -> Never {
    let written = writer.write(bytes).await.unwrap_or(0);
    let failed = written == 0 || (flush && writer.flush().await.is_err());
    tell(outcome, Some(written).filter(|_| !failed)).await
}

/// The next octets to write, or why there will be none.
fn next_transmit<'r>(driver: Driver<'r>) -> impl Future<Output = Result<Lent<'r>, &'static str>> {
    poll_fn(move |cx| {
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
}

/// Ends when the connection gives up on a write.
fn stalled(driver: Driver<'_>) -> impl Future<Output = &'static str> {
    poll_fn(move |cx| {
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
}

pub(crate) fn sleep_until(timer: &dyn Timer, at: Instant) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        if timer.now() >= at {
            return Poll::Ready(());
        }
        timer.wake_at(at, cx.waker());
        Poll::Pending
    })
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
