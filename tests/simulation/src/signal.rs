//! What tasks wait for, and how two futures of one task are run.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};

use crate::plan::Patience;
use crate::world::World;

/// Something that is so or not yet so.
#[derive(Debug, Default)]
pub struct Signal {
    raised: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// It is so now: whoever waits goes on.
    pub fn raise(&self) {
        self.raised.set(true);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Whether it is so.
    pub fn is_raised(&self) -> bool {
        self.raised.get()
    }

    /// It is so no more.
    pub fn lower(&self) {
        self.raised.set(false);
    }

    /// Wakes `waker` when it is so.
    pub fn join(&self, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|kept| kept.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    /// Waits until it is so.
    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.raised.get() {
                return Poll::Ready(());
            }
            self.join(cx.waker());
            Poll::Pending
        })
        .await;
    }
}

/// Counts to a number that some wait for.
#[derive(Debug, Default)]
pub struct Count {
    number: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

impl Count {
    /// One more.
    pub fn add(&self) {
        self.number.set(self.number.get() + 1);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Begins at 0 again.
    pub fn reset(&self) {
        self.number.set(0);
    }

    /// Waits until there are so many.
    pub async fn wait(&self, number: usize) {
        poll_fn(|cx| {
            if self.number.get() >= number {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Runs `call` as long as the patience lasts, then drops it.
pub async fn limited<T>(world: &World<'_>, patience: Patience, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut polls = 0;
    match patience {
        Patience::Endless => Some(call.await),
        Patience::Time(ms) => match first(call, pin!(world.sleep(ms))).await {
            Either::First(value) => Some(value),
            Either::Second(()) => None,
        },
        Patience::Polls(limit) => {
            poll_fn(|cx| {
                if polls == limit {
                    return Poll::Ready(None);
                }
                polls += 1;
                let polled = call.as_mut().poll(cx);
                if polled.is_pending() && polls == limit {
                    // It is dropped before anything else happens.
                    return Poll::Ready(None);
                }
                polled.map(Some)
            })
            .await
        }
    }
}

/// What [`first`] gives.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The first future's value.
    First(A),
    /// The second's.
    Second(B),
}

/// Runs both until one is ready.
pub async fn first<A, B>(
    mut a: impl Future<Output = A> + Unpin,
    mut b: impl Future<Output = B> + Unpin,
) -> Either<A, B> {
    poll_fn(|cx| {
        if let Poll::Ready(value) = pin!(&mut a).poll(cx) {
            return Poll::Ready(Either::First(value));
        }
        pin!(&mut b).poll(cx).map(Either::Second)
    })
    .await
}

/// Runs all to their ends.
pub async fn all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|cx| {
        for (future, value) in futures.iter_mut().filter(|(_, value)| value.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                *value = Some(ready);
            }
        }
        if futures.iter().any(|(_, value)| value.is_none()) {
            return Poll::Pending;
        }
        Poll::Ready(futures.iter_mut().filter_map(|(_, value)| value.take()).collect())
    })
    .await
}

/// Runs both to their ends.
pub async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        if first.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
