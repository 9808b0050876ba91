//! How every call begins: deadline, credentials, a slot, HEADERS, and the one request where there is one.

use core::task::{Poll, Waker};
use core::time::Duration;

use h2_lite::{ErrorCode, Instant};
use hpack_lite::Field;

use crate::client::connectivity::Gate;
use crate::client::credentials::{self, Provider};
use crate::client::response::Outcome;
use crate::client::session::Session;
use crate::client::waiters::Ticket;
use crate::codec::{Framed, Outgoing};
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
    pub(crate) credentials: Provider<'a>,
    pub(crate) received: Option<&'a mut (dyn KeepMetadata + 'a)>,
    /// For a response that the slot's receive buffer does not hold.
    pub(crate) buffer: Option<&'a mut [u8]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Timeout {
    #[default]
    Default,
    After(Duration),
    Never,
}

/// What a step needs beside the call itself.
pub(crate) struct Context<'c, 'r> {
    pub(crate) session: &'c mut Session<'r>,
    /// The client's provider.
    pub(crate) credentials: Provider<'c>,
    pub(crate) now: Instant,
    pub(crate) waker: &'c Waker,
}

/// A call until its HEADERS, and its one request where there is one, are sent.
///
/// [`poll_prepare`](Self::poll_prepare) comes first, without the session: providers of credentials are the user's code.
/// Then [`advance`](Self::advance).
pub(crate) struct Opening<'a> {
    method: &'static Method,
    pub(crate) options: CallOptions<'a>,
    /// The client's provider.
    shared: Provider<'a>,
    deadline: Option<Deadline>,
    step: Step,
    ticket: Option<Ticket>,
    slot: Option<SlotKey>,
    keep_metadata: bool,
    retried: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    Credentials,
    Acquire,
    SendHeaders,
    SendMessage { sent: usize },
    Sent,
}

impl<'a> Opening<'a> {
    /// `stream`: the metadata of the response is kept in the slot, for whoever asks later.
    pub(crate) fn new(
        method: &'static Method,
        options: CallOptions<'a>,
        shared: Provider<'a>,
        stream: bool,
    ) -> Self {
        let keep_metadata = stream || options.received.is_some();
        Self {
            method,
            options,
            shared,
            deadline: None,
            step: Step::Start,
            ticket: None,
            slot: None,
            keep_metadata,
            retried: false,
        }
    }

    /// When the call must be over. Known from the first poll on.
    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline.unwrap_or(Deadline::Never)
    }

    pub(crate) fn method(&self) -> &'static Method {
        self.method
    }

    pub(crate) fn slot(&self) -> Option<SlotKey> {
        self.slot
    }

    /// Sets the deadline, then waits for the credentials.
    pub(crate) fn poll_prepare(
        &mut self,
        defaults: &CallDefaults<'_>,
        now: Instant,
        waker: &Waker,
    ) -> Poll<Result<(), Status>> {
        if self.step == Step::Start {
            self.deadline = Some(match self.options.timeout {
                Timeout::Default => Deadline::after(defaults.default_timeout, now),
                Timeout::After(timeout) => Deadline::after(timeout, now),
                Timeout::Never => Deadline::Never,
            });
            for entry in self.options.metadata {
                // Spec: grpc-metadata-names, grpc-metadata-values, grpc-reserved-names
                entry.check()?;
            }
            self.step = Step::Credentials;
        }
        if self.step == Step::Credentials {
            for provider in self.providers().into_iter().flatten() {
                match provider.poll_ready(now, waker) {
                    Poll::Ready(ready) => ready?,
                    Poll::Pending if self.is_late(now) => return Poll::Ready(Err(DEADLINE_EXCEEDED)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            self.step = Step::Acquire;
        }
        Poll::Ready(Ok(()))
    }

    /// Steps on. True: all is sent, or the call has an outcome already. False: it waits.
    ///
    /// # Errors
    /// The call cannot be made.
    pub(crate) fn advance(
        &mut self,
        cx: &mut Context<'_, '_>,
        first: Option<&Framed<'_>>,
    ) -> Result<bool, Status> {
        loop {
            let next = match self.step {
                Step::Start | Step::Credentials => return Ok(false),
                Step::Acquire => self.acquire(cx)?,
                Step::SendHeaders => self.send_headers(cx, first.is_some())?,
                Step::SendMessage { sent } => self.send_message(cx, first, sent)?,
                Step::Sent => return Ok(true),
            };
            // The response may end before the request has.
            if let Some(outcome) = self.outcome(cx.session) {
                if self.restart(cx.session, outcome) {
                    continue;
                }
                return Ok(true);
            }
            // A message under way waits for its next turn, even if it could send more now.
            let waits = next == self.step
                || matches!(
                    (self.step, next),
                    (Step::SendMessage { .. }, Step::SendMessage { .. })
                );
            self.step = next;
            if waits {
                return Ok(false);
            }
        }
    }

    /// Begins again if nothing of the call was processed, once. Spec: gRFC A6, transparent retry.
    pub(crate) fn restart(&mut self, session: &mut Session<'_>, outcome: Outcome) -> bool {
        let (Outcome::Unprocessed(_), false, Some(key)) = (outcome, self.retried, self.slot) else {
            return false;
        };
        self.retried = true;
        self.step = Step::SendHeaders;
        session.restart(key, self.keep_metadata);
        true
    }

    /// What a call that waits leaves behind: its waker, or the end that its deadline is.
    pub(crate) fn poll_wait(&mut self, cx: &mut Context<'_, '_>) -> Poll<Status> {
        if self.is_late(cx.now) {
            // Spec: grpc-deadline-client-reset, grpc-deadline-client-status
            self.release(cx.session, ErrorCode::CANCEL);
            return Poll::Ready(DEADLINE_EXCEEDED);
        }
        if let Some(slot) = self.slot.and_then(|key| cx.session.link.slot(key)) {
            slot.set_receiver(cx.waker);
            slot.set_sender(cx.waker);
        }
        Poll::Pending
    }

    /// Gives everything back. A stream that is open is reset with `code`.
    pub(crate) fn release(&mut self, session: &mut Session<'_>, code: ErrorCode) {
        session.leave_queue(&mut self.ticket);
        if let Some(key) = self.slot.take() {
            session.release(key, code);
        }
    }

    /// The slot, which is whoever takes it to release.
    pub(crate) fn take_slot(&mut self) -> Option<SlotKey> {
        self.slot.take()
    }

    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.deadline().is_past(now)
    }

    /// Tells the call's own provider how the call ended.
    pub(crate) fn note(&self, code: Code) {
        credentials::note(self.options.credentials, code);
    }

    pub(crate) fn outcome(&self, session: &mut Session<'_>) -> Option<Outcome> {
        session.link.slot(self.slot?)?.head.outcome()
    }

    fn providers(&self) -> [Provider<'a>; 2] {
        [self.shared, self.options.credentials]
    }

    fn acquire(&mut self, cx: &mut Context<'_, '_>) -> Result<Step, Status> {
        match cx
            .session
            .poll_acquire(&mut self.ticket, self.keep_metadata, cx.waker)
        {
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

    fn send_headers(&mut self, cx: &mut Context<'_, '_>, has_first: bool) -> Result<Step, Status> {
        let Some(key) = self.slot else {
            return Ok(Step::SendHeaders);
        };
        match cx.session.gate(self.options.wait_for_ready) {
            Gate::Go => {}
            Gate::Wait => return Ok(Step::SendHeaders),
            Gate::Fail(status) => return Err(status),
        }
        let defaults = cx.session.defaults;
        let Some(timeout) = self.timeout_field(&defaults, cx.now) else {
            return Ok(Step::SendHeaders);
        };
        let head = RequestHead {
            method: self.method,
            defaults: &defaults,
            timeout,
            metadata: self.options.metadata,
            providers: self.providers(),
        };
        credentials::check_all(head.providers, self.method)?;
        match cx.session.poll_send_headers(key, &|emit| head.emit(emit), cx.now) {
            Poll::Ready(sent) => sent.map(|()| match has_first {
                true => Step::SendMessage { sent: 0 },
                false => Step::Sent,
            }),
            Poll::Pending => Ok(Step::SendHeaders),
        }
    }

    fn send_message(
        &self,
        cx: &mut Context<'_, '_>,
        first: Option<&Framed<'_>>,
        mut sent: usize,
    ) -> Result<Step, Status> {
        let (Some(key), Some(first)) = (self.slot, first) else {
            return Ok(Step::Sent);
        };
        let sending = cx.session.link.poll_send_message(key, first, &mut sent, cx.now);
        match sending {
            Poll::Ready(Ok(())) => Ok(Step::Sent),
            Poll::Ready(Err(error)) => match cx.session.refused(error) {
                Some(status) => Err(status),
                None => Ok(Step::SendMessage { sent }),
            },
            Poll::Pending => Ok(Step::SendMessage { sent }),
        }
    }

    /// What `grpc-timeout` says; `None` if the deadline has passed already.
    fn timeout_field(&self, defaults: &CallDefaults<'_>, now: Instant) -> Option<TimeoutField> {
        let Some(left) = self.deadline().remaining_ms(now) else {
            return Some(TimeoutField::None);
        };
        if left == 0 {
            return None;
        }
        let whole = crate::deadline::whole_millis(defaults.default_timeout);
        // A few milliseconds of waiting do not make the default another value: that would churn the table.
        let near = self.options.timeout == Timeout::Default && whole.saturating_sub(left) <= DEFAULT_SLACK_MS;
        Some(if near {
            TimeoutField::Default
        } else {
            TimeoutField::Ms(TimeoutText::from_millis(left))
        })
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
    providers: [Provider<'c>; 2],
}

impl<'r> RequestHead<'_, 'r> {
    fn emit(&self, emit: &mut dyn FnMut(Field<'_, 'r>)) {
        // Spec: grpc-request-order, grpc-request-post, grpc-request-scheme, grpc-request-path
        // Spec: h2-8.3.1-request-fields
        fixed(emit, b":method", "POST");
        fixed(emit, b":scheme", "http");
        fixed(emit, b":path", self.method.path());
        fixed(emit, b":authority", self.defaults.authority);
        // Spec: grpc-request-order, grpc-timeout-absent
        let name = b"grpc-timeout";
        match &self.timeout {
            TimeoutField::None => {}
            // Spec: grpc-index-timeout
            TimeoutField::Default => emit(Field::Indexable {
                name,
                value: self.defaults.default_timeout_text,
            }),
            TimeoutField::Ms(text) => emit(Field::Literal {
                name,
                value: text.as_bytes(),
            }),
        }
        // Spec: grpc-request-te, grpc-request-content-type, grpc-request-user-agent
        fixed(emit, b"te", "trailers");
        fixed(emit, b"content-type", "application/grpc");
        fixed(emit, b"user-agent", self.defaults.user_agent);
        credentials::emit_all(self.providers, self.method, &mut |entry| entry.emit(emit));
        for entry in self.metadata {
            entry.emit(emit);
        }
    }
}

/// A request with its prefix. `end`: it is the last.
///
/// # Errors
/// It is too long for a prefix.
pub(crate) fn framed(message: &dyn Outgoing, end: bool) -> Result<Framed<'_>, Status> {
    Ok(Framed {
        message,
        prefix: framing::prefix(message.message_len()).ok_or(REQUEST_TOO_LARGE)?,
        end,
    })
}

/// A field that every request repeats: worth a place in HPACK's table.
fn fixed<'r>(emit: &mut dyn FnMut(Field<'_, 'r>), name: &'static [u8], value: &'r str) {
    // Spec: grpc-index-constants
    emit(Field::Indexable {
        name,
        value: value.as_bytes(),
    });
}

pub(crate) const DEADLINE_EXCEEDED: Status = Status::new(Code::DEADLINE_EXCEEDED, DEADLINE_TEXT);
pub(crate) const DEADLINE_TEXT: &str = "the call's deadline passed before its response was complete";
const REQUEST_TOO_LARGE: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the request is longer than gRPC's 32-bit length can say",
);
