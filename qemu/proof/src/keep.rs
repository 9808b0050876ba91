//! Keeps functions in the image, with nothing known of their arguments.

use core::future::Future;
use core::hint::black_box;

/// Keeps a function: `keep(path::to::function as *const ())`.
pub fn keep(function: *const ()) {
    black_box(function);
}

/// Keeps what happens when a value is dropped.
pub fn keep_drop<T>() {
    keep(core::ptr::drop_in_place::<T> as *const ());
}

/// Keeps a future: its polling, and its drop in any state.
pub fn keep_future<F: Future>() {
    keep(<F as Future>::poll as *const ());
    keep_drop::<F>();
}

/// Keeps an `async fn` of one argument, and its future.
pub fn keep_async<A, F: Future>(make: impl FnOnce(A) -> F) {
    keep_call(make);
    keep_future::<F>();
}

/// As [`keep_async`], for two arguments.
pub fn keep_async2<A, B, F: Future>(make: impl FnOnce(A, B) -> F) {
    keep_async(|(a, b)| make(a, b));
}

/// As [`keep_async`], for three arguments.
pub fn keep_async3<A, B, C, F: Future>(make: impl FnOnce(A, B, C) -> F) {
    keep_async(|(a, b, c)| make(a, b, c));
}

/// As [`keep_async`], for four arguments.
pub fn keep_async4<A, B, C, D, F: Future>(make: impl FnOnce(A, B, C, D) -> F) {
    keep_async(|(a, b, c, d)| make(a, b, c, d));
}

/// Keeps a function that has parameters whose types cannot be named.
pub fn keep_call<A, R, F: FnOnce(A) -> R>(_: F) {
    keep(call::<A, R, F> as *const ());
}

fn call<A, R, F: FnOnce(A) -> R>(function: F, argument: A) -> R {
    function(argument)
}
