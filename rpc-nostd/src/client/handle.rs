//! How the halves of an open call reach the session, whatever the channel's lifetimes are.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};

use crate::client::credentials::Provider;
use crate::client::opening::Context;
use crate::client::session::Session;
use crate::client::stream::StreamCall;
use crate::deadline::Deadline;
use crate::status::Status;
use crate::time::Timer;

/// A session that is shared by tasks.
pub(crate) trait Shared {
    /// Runs `f` on the session. False only if it is in use, which a single executor's tasks cannot see: no borrow outlives
    /// a poll.
    fn with(&self, f: &mut dyn FnMut(&mut Session<'_>)) -> bool;
}

impl Shared for RefCell<Session<'_>> {
    fn with(&self, f: &mut dyn FnMut(&mut Session<'_>)) -> bool {
        self.try_borrow_mut().map(|mut session| f(&mut session)).is_ok()
    }
}

/// A session and its clock.
#[derive(Clone, Copy)]
pub(crate) struct Handle<'r> {
    pub(crate) session: &'r dyn Shared,
    pub(crate) timer: &'r dyn Timer,
    pub(crate) credentials: Provider<'r>,
}

impl Handle<'_> {
    /// Polls `step` until it is ready. The timer is the call's own: a Runner that hangs cannot hang the call.
    pub(crate) fn run<T>(
        self,
        deadline: Deadline,
        mut step: impl FnMut(&mut Context<'_, '_>) -> Poll<Result<T, Status>>,
    ) -> impl Future<Output = Result<T, Status>> {
        poll_fn(move |cx| self.poll_step(deadline, cx.waker(), &mut step))
    }

    /// A function of its own, however often it is called: each `.await` would have a copy.
    #[inline(never)]
    fn poll_step<T>(
        &self,
        deadline: Deadline,
        waker: &Waker,
        step: &mut impl FnMut(&mut Context<'_, '_>) -> Poll<Result<T, Status>>,
    ) -> Poll<Result<T, Status>> {
        let mut polled = Poll::Pending;
        self.poll(deadline, waker, &mut |cx| {
            polled = step(cx);
            polled.is_pending()
        });
        polled
    }

    /// `step` says whether it waits.
    fn poll(self, deadline: Deadline, waker: &Waker, step: &mut dyn FnMut(&mut Context<'_, '_>) -> bool) {
        let now = self.timer.now();
        let mut waits = false;
        let polled = self.session.with(&mut |session| {
            waits = step(&mut Context {
                session,
                credentials: self.credentials,
                now,
                waker,
            });
        });
        if !polled {
            waker.wake_by_ref();
        }
        if let (true, Deadline::At(at)) = (waits, deadline) {
            self.timer.wake_at(at, waker);
        }
    }
}

/// One half of an open call, or the whole of it where one value has both.
pub(crate) struct Half<'r> {
    pub(crate) handle: Handle<'r>,
    pub(crate) call: StreamCall,
    /// Dropping it cancels nothing.
    pub(crate) done: bool,
    /// What the other half learns where dropping this one cancels the call.
    pub(crate) on_drop: &'static str,
}

impl Half<'_> {
    pub(crate) fn run<T>(
        &self,
        step: impl FnMut(&mut Context<'_, '_>) -> Poll<Result<T, Status>>,
    ) -> impl Future<Output = Result<T, Status>> {
        self.handle.run(self.call.deadline, step)
    }

    pub(crate) fn with(&self, f: &mut dyn FnMut(&mut Session<'_>)) {
        self.handle.session.with(f);
    }
}

impl Drop for Half<'_> {
    fn drop(&mut self) {
        let (call, done, why) = (self.call, self.done, self.on_drop);
        self.with(&mut |session| call.drop_half(session, done, why));
    }
}
