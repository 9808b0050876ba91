//! Where futures are made, kept and polled, so that large ones take little of the stack.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::driver::Never;

pin_project! {
    /// Polls `work` until `is_over`: as [`until`](crate::driver::until), for who returns a future instead of polling it.
    ///
    /// Such a future is moved, from where it is made to where it is polled. The compiler leaves its large, empty parts out
    /// of that where what is filled comes first, which is so with an `async fn` that waits in more than one place.
    pub(super) struct Until<W, F> {
        #[pin]
        pub(super) work: W,
        pub(super) is_over: F,
    }
}

impl<W: Future<Output = Never>, F: Fn() -> bool> Future for Until<W, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        match this.work.poll(cx) {
            Poll::Ready(never) => match never {},
            Poll::Pending if (this.is_over)() => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }
}

pin_project! {
    /// A future that is made where it stays, when it is polled first. An array of futures that were made before would pass
    /// over the stack, on its way to where it stays.
    pub(super) struct Late<M, F> {
        make: Cell<Option<M>>,
        #[pin]
        work: Option<F>,
    }
}

impl<M: FnOnce() -> F, F: Future<Output = Never>> Late<M, F> {
    /// Without [`Late::set`] it waits for ever.
    pub(super) const fn new() -> Self {
        Self {
            make: Cell::new(None),
            work: None,
        }
    }

    pub(super) fn set(&self, make: M) {
        self.make.set(Some(make));
    }
}

impl<M: FnOnce() -> F, F: Future<Output = Never>> Future for Late<M, F> {
    type Output = Never;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Never> {
        let mut this = self.project();
        if let Some(make) = this.make.take() {
            put(this.work.as_mut(), make);
        }
        this.work.as_pin_mut().map_or(Poll::Pending, |work| work.poll(cx))
    }
}

/// Inlined, the future would lie on the stack for as long as it is polled.
#[inline(never)]
fn put<F>(mut place: Pin<&mut Option<F>>, make: impl FnOnce() -> F) {
    place.set(Some(make()));
}

/// Polls `work` in a function of its own. Generated code does so with each method.
///
/// Inlined, all that `work` has on the stack at any time would lie there at all times, beside that of whatever else is
/// polled in the same place.
pub fn apart<F: Future>(mut work: Pin<&mut F>) -> impl Future<Output = F::Output> {
    poll_fn(move |cx| poll_apart(work.as_mut(), cx))
}

/// See [`apart`].
#[inline(never)]
pub(super) fn poll_apart<F: Future>(work: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
    work.poll(cx)
}
