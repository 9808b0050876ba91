//! Polls futures until they are ready.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// Polls `work`, with `driver` in turns, and gives what `work` comes to; `None` if `driver` ends first.
pub fn run<W: Future, D: Future>(mut work: Pin<&mut W>, mut driver: Pin<&mut D>) -> Option<W::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = work.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if driver.as_mut().poll(&mut cx).is_ready() {
            return None;
        }
    }
}
