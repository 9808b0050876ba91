//! One call, from the first poll to its outcome: the steps that async and blocking calls share.

use core::task::{Poll, Waker};
use core::time::Duration;

use h2_lite::{ErrorCode, Instant};
use hpack_lite::Field;

use crate::client::connectivity::Gate;
use crate::client::response::Outcome;
use crate::client::session::Session;
use crate::client::waiters::Ticket;
use crate::codec::Outgoing;
use crate::deadline::{Deadline, TimeoutText};
use crate::framing;
use crate::metadata::{KeepMetadata, MetadataEntry};
use crate::method::Method;
use crate::slot::SlotKey;
use crate::status::{Code, Status};

/// What every call of one client has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallDefaults<'r> {
    pub(crate) authority: &'r str,
    pub(crate) user_agent: &'r str,
    pub(crate) default_timeout: Duration,
    /// `default_timeout` as it stands on the wire: the one timeout that is worth a place in HPACK's table.
    pub(crate) default_timeout_text: &'r [u8],
}

/// What the user said about one call.
#[derive(Default)]
pub(crate) struct CallOptions<'a> {
    pub(crate) timeout: Timeout,
    pub(crate) wait_for_ready: bool,
    pub(crate) metadata: &'a [MetadataEntry<'a>],
    pub(crate) received: Option<&'a mut (dyn KeepMetadata + 'a)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Timeout {
    #[default]
    Default,
    After(Duration),
    Never,
}

/// A unary call on its way.
pub(crate) struct UnaryCall<'a> {
    method: &'static Method,
    options: CallOptions<'a>,
    deadline: Option<Deadline>,
    step: Step,
    ticket: Option<Ticket>,
    slot: Option<SlotKey>,
    retried: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    Acquire,
    SendHeaders,
    SendMessage { sent: usize },
    AwaitResponse,
    Ended,
}

/// What a step needs beside the call itself.
pub(crate) struct Context<'c, 'r> {
    pub(crate) session: &'c mut Session<'r>,
    pub(crate) defaults: &'c CallDefaults<'r>,
    pub(crate) now: Instant,
    pub(crate) waker: &'c Waker,
}

impl<'a> UnaryCall<'a> {
    pub(crate) fn new(method: &'static Method, options: CallOptions<'a>) -> Self {
        Self {
            method,
            options,
            deadline: None,
            step: Step::Start,
            ticket: None,
            slot: None,
            retried: false,
        }
    }

    /// When the call wants to be polled again though nothing happened.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        match self.deadline {
            Some(Deadline::At(at)) => Some(at),
            _ => None,
        }
    }

    /// Goes as far as it can. `decode` is called once, with the octets of the response message.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_, '_>,
        request: &dyn Outgoing,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Poll<Result<(), Status>> {
        let progress = match self.advance(cx, request) {
            Ok(progress) => progress,
            Err(status) => {
                self.cancel(cx.session);
                return Poll::Ready(Err(status));
            }
        };
        match progress {
            Some(outcome) => Poll::Ready(self.conclude(cx, outcome, decode)),
            None if self.deadline.is_some_and(|deadline| deadline.is_past(cx.now)) => {
                self.cancel(cx.session);
                Poll::Ready(Err(DEADLINE_EXCEEDED))
            }
            None => {
                if let Some(slot) = self.slot.and_then(|key| cx.session.link.slot(key)) {
                    slot.set_receiver(cx.waker);
                    slot.set_sender(cx.waker);
                }
                Poll::Pending
            }
        }
    }

    /// Gives everything back. A stream that is open is reset with CANCEL.
    pub(crate) fn cancel(&mut self, session: &mut Session<'_>) {
        self.finish(session, ErrorCode::CANCEL);
    }

    /// Steps on until the call has an outcome (`Some`) or must wait (`None`).
    fn advance(
        &mut self,
        cx: &mut Context<'_, '_>,
        request: &dyn Outgoing,
    ) -> Result<Option<Outcome>, Status> {
        loop {
            let next = match self.step {
                Step::Start => self.start(cx)?,
                Step::Acquire => self.acquire(cx)?,
                Step::SendHeaders => self.send_headers(cx)?,
                Step::SendMessage { sent } => self.send_message(cx, request, sent)?,
                Step::AwaitResponse | Step::Ended => self.step,
            };
            // The response may end before the request has: that is an outcome at any step.
            if let Some(outcome) = self.outcome(cx.session)? {
                if !self.restart(cx.session, outcome) {
                    return Ok(Some(outcome));
                }
                continue;
            }
            // A message under way waits for its next turn, even if it could send more now.
            let waits = next == self.step
                || matches!(
                    (self.step, next),
                    (Step::SendMessage { .. }, Step::SendMessage { .. })
                );
            self.step = next;
            if waits {
                return Ok(None);
            }
        }
    }

    fn start(&mut self, cx: &Context<'_, '_>) -> Result<Step, Status> {
        self.deadline = Some(match self.options.timeout {
            Timeout::Default => Deadline::after(cx.defaults.default_timeout, cx.now),
            Timeout::After(timeout) => Deadline::after(timeout, cx.now),
            Timeout::Never => Deadline::Never,
        });
        for entry in self.options.metadata {
            entry.check()?;
        }
        Ok(Step::Acquire)
    }

    fn acquire(&mut self, cx: &mut Context<'_, '_>) -> Result<Step, Status> {
        let keep_metadata = self.options.received.is_some();
        match cx.session.poll_acquire(&mut self.ticket, keep_metadata, cx.waker) {
            Poll::Ready(key) => {
                self.slot = Some(key?);
                Ok(Step::SendHeaders)
            }
            // A call that waits for a slot must learn too that the channel is down.
            Poll::Pending => match cx.session.gate(self.options.wait_for_ready) {
                Gate::Fail(status) => Err(status),
                Gate::Go | Gate::Wait => Ok(Step::Acquire),
            },
        }
    }

    fn send_headers(&mut self, cx: &mut Context<'_, '_>) -> Result<Step, Status> {
        let Some(key) = self.slot else {
            return Ok(Step::SendHeaders);
        };
        match cx.session.gate(self.options.wait_for_ready) {
            Gate::Go => {}
            Gate::Wait => return Ok(Step::SendHeaders),
            Gate::Fail(status) => return Err(status),
        }
        let Some(timeout) = self.timeout_field(cx) else {
            return Ok(Step::SendHeaders);
        };
        let head = RequestHead {
            method: self.method,
            defaults: cx.defaults,
            timeout,
            metadata: self.options.metadata,
        };
        match cx.session.poll_send_headers(key, &|emit| head.emit(emit), cx.now) {
            Poll::Ready(sent) => sent.map(|()| Step::SendMessage { sent: 0 }),
            Poll::Pending => Ok(Step::SendHeaders),
        }
    }

    fn send_message(
        &self,
        cx: &mut Context<'_, '_>,
        request: &dyn Outgoing,
        mut sent: usize,
    ) -> Result<Step, Status> {
        let Some(key) = self.slot else {
            return Ok(Step::SendMessage { sent });
        };
        let prefix = framing::prefix(request.message_len()).ok_or(REQUEST_TOO_LARGE)?;
        let sending = cx
            .session
            .link
            .poll_send_message(key, request, prefix, &mut sent, true, cx.now);
        match sending {
            Poll::Ready(Ok(())) => Ok(Step::AwaitResponse),
            Poll::Ready(Err(error)) => match cx.session.refused(error) {
                Some(status) => Err(status),
                None => Ok(Step::SendMessage { sent }),
            },
            Poll::Pending => Ok(Step::SendMessage { sent }),
        }
    }

    /// What `grpc-timeout` says; `None` if the deadline has passed already.
    fn timeout_field(&self, cx: &Context<'_, '_>) -> Option<TimeoutField> {
        let Some(left) = self.deadline.and_then(|deadline| deadline.remaining_ms(cx.now)) else {
            return Some(TimeoutField::None);
        };
        if left == 0 {
            return None;
        }
        let whole = crate::deadline::whole_millis(cx.defaults.default_timeout);
        // A few milliseconds of waiting do not make the default another value: that would churn the table.
        let near = self.options.timeout == Timeout::Default && whole.saturating_sub(left) <= DEFAULT_SLACK_MS;
        Some(if near {
            TimeoutField::Default
        } else {
            TimeoutField::Ms(TimeoutText::from_millis(left))
        })
    }

    /// How the call ended, if it has.
    ///
    /// # Errors
    /// It has not, but what has arrived can become no good response.
    fn outcome(&self, session: &mut Session<'_>) -> Result<Option<Outcome>, Status> {
        let Some(key) = self.slot else { return Ok(None) };
        session.link.front(key);
        let Some(slot) = session.link.slot(key) else {
            return Ok(None);
        };
        let outcome = slot.head.outcome();
        if outcome.is_none() {
            slot.head.check_single(&slot.recv)?;
        }
        Ok(outcome)
    }

    /// Begins again if nothing of the call was processed, once. Spec: gRFC A6, transparent retry.
    fn restart(&mut self, session: &mut Session<'_>, outcome: Outcome) -> bool {
        let (Outcome::Unprocessed(_), false, Some(key)) = (outcome, self.retried, self.slot) else {
            return false;
        };
        self.retried = true;
        self.step = Step::SendHeaders;
        session.restart(key, self.options.received.is_some());
        true
    }

    fn conclude(
        &mut self,
        cx: &mut Context<'_, '_>,
        outcome: Outcome,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let result = self.collect(cx.session, outcome, decode);
        // A request that was not all sent needs no more of it: RFC 9113 section 8.1.
        self.finish(cx.session, ErrorCode::NO_ERROR);
        match result {
            Err(status) if status.code() == Code::CANCELLED && self.is_late(cx.now) => Err(DEADLINE_EXCEEDED),
            other => other,
        }
    }

    fn collect(
        &mut self,
        session: &mut Session<'_>,
        outcome: Outcome,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let Some(slot) = self.slot.and_then(|key| session.link.slot(key)) else {
            return Ok(());
        };
        if let Some(received) = &mut self.options.received {
            received.keep(&slot.store);
        }
        if let Some(status) = outcome.to_status(&slot.store) {
            return Err(status);
        }
        let len = slot.head.single(&slot.recv)?;
        decode(slot.recv.message(len))
    }

    fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline.is_past(now))
    }

    fn finish(&mut self, session: &mut Session<'_>, code: ErrorCode) {
        session.leave_queue(&mut self.ticket);
        if let Some(key) = self.slot.take() {
            session.release(key, code);
        }
        self.step = Step::Ended;
    }
}

/// A default deadline stays the default on the wire for so long.
const DEFAULT_SLACK_MS: u64 = 250;

enum TimeoutField {
    None,
    Default,
    Ms(TimeoutText),
}

/// The fields of a request, in gRPC's order.
struct RequestHead<'c, 'r> {
    method: &'static Method,
    defaults: &'c CallDefaults<'r>,
    timeout: TimeoutField,
    metadata: &'c [MetadataEntry<'c>],
}

impl<'r> RequestHead<'_, 'r> {
    fn emit(&self, emit: &mut dyn FnMut(Field<'_, 'r>)) {
        fixed(emit, b":method", "POST");
        fixed(emit, b":scheme", "http");
        fixed(emit, b":path", self.method.path());
        fixed(emit, b":authority", self.defaults.authority);
        let name = b"grpc-timeout";
        match &self.timeout {
            TimeoutField::None => {}
            TimeoutField::Default => emit(Field::Indexable {
                name,
                value: self.defaults.default_timeout_text,
            }),
            TimeoutField::Ms(text) => emit(Field::Literal {
                name,
                value: text.as_bytes(),
            }),
        }
        fixed(emit, b"te", "trailers");
        fixed(emit, b"content-type", "application/grpc");
        fixed(emit, b"user-agent", self.defaults.user_agent);
        for entry in self.metadata {
            entry.emit(emit);
        }
    }
}

/// A field that every request repeats: worth a place in HPACK's table.
fn fixed<'r>(emit: &mut dyn FnMut(Field<'_, 'r>), name: &'static [u8], value: &'r str) {
    emit(Field::Indexable {
        name,
        value: value.as_bytes(),
    });
}

pub(crate) const DEADLINE_EXCEEDED: Status = Status::new(
    Code::DEADLINE_EXCEEDED,
    "the call's deadline passed before its response was complete",
);
const REQUEST_TOO_LARGE: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the request is longer than gRPC's 32-bit length can say",
);
