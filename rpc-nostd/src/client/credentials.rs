//! What proves to a server who calls: metadata that a provider adds to each call.

use core::task::{Poll, Waker};

use h2_lite::Instant;

use crate::metadata::MetadataEntry;
use crate::method::Method;
use crate::status::{Code, Status};

/// Adds metadata to calls, such as an access token: to all of a client's
/// ([`Config::credentials`](crate::Config::credentials)), to one call (`.credentials(&provider)`), or both, the client's
/// first.
///
/// It is called on the task that makes the call, and must not make calls on the same client from within: start
/// another task that fetches a token, and let [`poll_ready`](Self::poll_ready) wait for it.
///
/// The connection is as private as its transport. Over plain TCP anybody on the way can read a token.
///
/// ```
/// use core::cell::{Cell, RefCell};
/// use core::task::{Poll, Waker};
/// use rpc_nostd::{CallCredentials, MetadataEntry, Method, Status, time::Instant};
///
/// /// A token that another task fetches: it waits for `wanted`, then calls `store`.
/// #[derive(Default)]
/// struct Token {
///     bearer: RefCell<String>, // "Bearer ...": a heapless::String on a device
///     waiting: RefCell<Vec<Waker>>, // of each call: a heapless::Vec on a device
///     wanted: Cell<bool>,
/// }
///
/// impl Token {
///     fn store(&self, bearer: &str) {
///         *self.bearer.borrow_mut() = bearer.into();
///         self.wanted.set(false);
///         self.waiting.take().into_iter().for_each(Waker::wake);
///     }
/// }
///
/// impl CallCredentials for Token {
///     fn poll_ready(&self, _: Instant, waker: &Waker) -> Poll<Result<(), Status>> {
///         if !self.bearer.borrow().is_empty() {
///             return Poll::Ready(Ok(()));
///         }
///         self.wanted.set(true);
///         let mut waiting = self.waiting.borrow_mut();
///         if !waiting.iter().any(|kept| kept.will_wake(waker)) {
///             waiting.push(waker.clone());
///         }
///         Poll::Pending
///     }
///
///     fn emit(&self, _: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
///         push(MetadataEntry::ascii("authorization", &self.bearer.borrow()));
///     }
///
///     fn rejected(&self) {
///         self.bearer.borrow_mut().clear(); // the next call waits for another
///     }
/// }
/// ```
pub trait CallCredentials {
    /// Whether the entries are at hand. `Pending`: a token is being fetched, and `waker` is woken when it is there; the
    /// call waits no longer than its deadline. Several calls may wait at once: each has a waker of its own, and one that
    /// is not kept waits until its deadline.
    ///
    /// # Errors
    /// The status with which the call fails, before anything is sent.
    fn poll_ready(&self, now: Instant, waker: &Waker) -> Poll<Result<(), Status>> {
        let _ = (now, waker);
        Poll::Ready(Ok(()))
    }

    /// Gives the entries for a call of `method`. It is called more than once for a call, and gives the same each time
    /// in between two calls of the other functions. Entries are checked as
    /// [`MetadataEntry`] says; one that is illegal fails the call with `INTERNAL`.
    fn emit(&self, method: &Method, push: &mut dyn FnMut(MetadataEntry<'_>));

    /// A server answered a call with `UNAUTHENTICATED`: what `emit` gave is of no use any more. The call is not made
    /// again. A provider of a single call is told while that call is being made or opened; of the end of a stream
    /// only the client's provider is told.
    fn rejected(&self) {}
}

/// A provider, if there is one.
pub(crate) type Provider<'p> = Option<&'p dyn CallCredentials>;

/// Tells a provider how a call ended.
pub(crate) fn note(provider: Provider<'_>, code: Code) {
    if let (Code::UNAUTHENTICATED, Some(provider)) = (code, provider) {
        provider.rejected();
    }
}

/// The entries of all of a call's providers, in order.
pub(crate) fn emit_all(
    providers: [Provider<'_>; 2],
    method: &Method,
    push: &mut dyn FnMut(MetadataEntry<'_>),
) {
    for provider in providers.into_iter().flatten() {
        provider.emit(method, push);
    }
}

/// Refuses entries that may not be sent.
pub(crate) fn check_all(providers: [Provider<'_>; 2], method: &Method) -> Result<(), Status> {
    let mut result = Ok(());
    emit_all(providers, method, &mut |entry| {
        if result.is_ok() {
            result = entry.check();
        }
    });
    result
}
