//! Runs the handlers of one slot, one after the other.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Poll, Waker};

use h2_lite::{ErrorCode, Instant};

use crate::deadline::Deadline;
use crate::driver::Never;
use crate::server::answer::{Ending, Sent};
use crate::server::call::{Call, Context, Stream};
use crate::server::place::poll_apart;
use crate::server::request::Refusal;
use crate::server::service::Service;
use crate::server::session::{Accepted, ServerSession, Standing};
use crate::slot::SlotKey;
use crate::status::{Code, Status};
use crate::time::{Clock, Timer};

/// A connection as its workers, its calls and its driver share it.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'r> {
    pub(crate) session: &'r RefCell<ServerSession<'r>>,
    pub(crate) clock: &'r dyn Clock,
    /// `None`: whoever polls does so often enough.
    pub(crate) timer: Option<&'r dyn Timer>,
}

impl<'r> Shared<'r> {
    /// Runs `f` on the connection. `None` only if it is in use, which a single executor's tasks cannot see:
    /// no borrow outlives a poll.
    pub(crate) fn with<T>(self, f: impl FnOnce(&mut ServerSession<'r>) -> T) -> Option<T> {
        self.session
            .try_borrow_mut()
            .ok()
            .map(|mut session| f(&mut session))
    }

    pub(crate) fn now(self) -> Instant {
        self.clock.now()
    }

    fn wake_at(self, at: Instant, waker: &Waker) {
        if let Some(timer) = self.timer {
            timer.wake_at(at, waker);
        }
    }
}

impl core::fmt::Debug for Shared<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Serves the calls that come to slot `index`, for ever.
pub(crate) async fn work<S: Service>(shared: Shared<'_>, index: u8, service: &S) -> Never {
    loop {
        let Accepted {
            key,
            verdict,
            metadata,
        } = accept(shared, index).await;
        let (metadata, end) = match verdict {
            Ok(method) => {
                let stream = Stream { shared, key, method };
                let deadline = shared.with(|session| session.deadline(key));
                let context = Context::new(stream, deadline.unwrap_or(Deadline::Never), metadata);
                let mut call = Call::new(context);
                let result = {
                    let serve = pin!(service.serve(&mut call));
                    while_standing(shared, key, serve).await
                };
                let sent = match result {
                    Ok(result) => {
                        let result = complete(shared, key, result);
                        let send = poll_send(shared, key, move |session, now| {
                            let ending = result.as_ref().err().map_or(OK, Ending::from);
                            session.poll_trailers(key, &ending, now)
                        });
                        while_standing(shared, key, pin!(send)).await
                    }
                    // Spec: grpc-deadline-server-reset
                    Err(standing) => Err(standing),
                };
                (call.into_metadata(), closing_code(sent))
            }
            Err(refusal) => {
                let is_http = matches!(refusal, Refusal::Http { .. });
                let end = {
                    let send = pin!(refuse(shared, key, refusal));
                    closing_code(while_standing(shared, key, send).await)
                };
                if is_http && end == ErrorCode::NO_ERROR {
                    let ended = pin!(linger(shared, key));
                    // Over, or out of time: both are the end of it.
                    let _ = while_standing(shared, key, ended).await;
                }
                (metadata, end)
            }
        };
        shared.with(|session| session.release(key, metadata, end));
    }
}

fn accept<'r>(shared: Shared<'r>, index: u8) -> impl Future<Output = Accepted<'r>> {
    poll_fn(move |cx| {
        shared
            .with(|session| session.poll_accept(index, cx.waker()))
            .unwrap_or_else(|| {
                cx.waker().wake_by_ref();
                Poll::Pending
            })
    })
}

/// A handler that ended well has sent what its method has.
fn complete(shared: Shared<'_>, key: SlotKey, result: Result<(), Status>) -> Result<(), Status> {
    result?;
    match shared.with(|session| session.lacks_response(key)) {
        Some(true) => Err(NO_RESPONSE),
        _ => Ok(()),
    }
}

/// Answers a call that no handler sees.
fn refuse(shared: Shared<'_>, key: SlotKey, refusal: Refusal) -> impl Future<Output = Result<(), Status>> {
    poll_send(shared, key, move |session, now| {
        match (&refusal, refusal.ending()) {
            (_, Some(ending)) => session.poll_trailers(key, &ending, now),
            (Refusal::Http { status, body }, None) => session.poll_http(key, (status, body), now),
            (Refusal::Status { .. }, None) => Poll::Ready(Ok(())),
        }
    })
}

/// Gives a client that was answered before its content ended a moment to end it: it may have no use for a reset, and what
/// it gets wrong meanwhile is still told.
fn linger(shared: Shared<'_>, key: SlotKey) -> impl Future<Output = ()> {
    shared.with(|session| session.end_by(key, shared.now().saturating_add_millis(LINGER_MS)));
    poll_fn(move |cx| {
        shared
            .with(|session| session.poll_end(key, cx.waker()))
            .unwrap_or_else(|| {
                cx.waker().wake_by_ref();
                Poll::Pending
            })
    })
}

/// What a stream is reset with that is still open when its answer is through, or can never be.
fn closing_code(sent: Result<Result<(), Status>, Standing>) -> ErrorCode {
    match sent {
        // A client that still sends is told to stop, without calling it an error (RFC 9113 section 8.1).
        // Spec: grpc-early-trailers-server
        Ok(Ok(())) => ErrorCode::NO_ERROR,
        Ok(Err(_)) => ErrorCode::INTERNAL_ERROR,
        Err(_) => ErrorCode::CANCEL,
    }
}

/// Polls `send` until it is through.
fn poll_send<'r>(
    shared: Shared<'r>,
    key: SlotKey,
    mut send: impl FnMut(&mut ServerSession<'r>, Instant) -> Sent,
) -> impl Future<Output = Result<(), Status>> {
    poll_fn(move |cx| {
        let now = shared.now();
        let polled = shared.with(|session| {
            let polled = send(session, now);
            if let (true, Some(slot)) = (polled.is_pending(), session.link.slot(key)) {
                slot.set_sender(cx.waker());
            }
            polled
        });
        polled.unwrap_or_else(|| {
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    })
}

/// Runs `work` as long as its call stands. The caller drops it when the call is cancelled or out of time. Pinned by the
/// caller: passed by value, a handler's future would be stored twice.
fn while_standing<T>(
    shared: Shared<'_>,
    key: SlotKey,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> impl Future<Output = Result<T, Standing>> {
    poll_fn(move |cx| {
        let now = shared.now();
        let standing = shared.with(|session| {
            let standing = session.standing(key, cx.waker(), now);
            (standing, session.limit(key).at())
        });
        match standing {
            Some((Standing::Runs, until)) => {
                if let Some(until) = until {
                    shared.wake_at(until, cx.waker());
                }
                poll_apart(work.as_mut(), cx).map(Ok)
            }
            // Spec: grpc-deadline-server-handler, grpc-cancel-handler
            Some((standing, _)) => Poll::Ready(Err(standing)),
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
}

/// For the content of a request that is not gRPC.
const LINGER_MS: u64 = 1_000;
const OK: Ending<'static> = Ending {
    code: Code::OK,
    message: "",
    list_encodings: false,
};
const NO_RESPONSE: Status = Status::new(
    Code::INTERNAL,
    "the handler ended with OK but without the response that its method has",
);
