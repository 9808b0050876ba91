//! A call whose HEADERS are sent, as its halves see it: messages out, messages in, one outcome.
//!
//! The state is in the slot, which stays the call's until the last half is gone: an outcome can be asked for again.

use core::task::Poll;

use h2_lite::ErrorCode;

use crate::client::credentials;
use crate::client::opening::{Context, DEADLINE_TEXT, Opening};
use crate::client::response::{INSIDE_MESSAGE, NO_MESSAGE, Outcome, TOO_LARGE, TWO_MESSAGES};
use crate::client::session::Session;
use crate::codec::{Framed, Outgoing};
use crate::deadline::Deadline;
use crate::framing::PREFIX_LEN;
use crate::large::{LargeRead, LargeWrite};
use crate::link::SendError;
use crate::metadata::KeepMetadata;
use crate::slot::{Front, SlotKey};
use crate::status::{Code, Status};

/// Names an open call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamCall {
    key: SlotKey,
    pub(crate) deadline: Deadline,
}

/// What is at the front of the responses.
enum Next {
    /// A message of so many octets.
    Message(usize),
    /// A message of so many octets that the slot cannot hold.
    Large(usize),
    /// The end, with OK.
    End,
}

impl StreamCall {
    /// Takes the slot over from `opening`; `halves` of the call share it.
    pub(crate) fn begin(opening: &mut Opening<'_>, session: &mut Session<'_>, halves: u8) -> Option<Self> {
        let key = opening.take_slot()?;
        let slot = session.link.slot(key)?;
        slot.head.begin_stream(opening.method().one_response(), halves);
        Some(Self {
            key,
            deadline: opening.deadline(),
        })
    }

    /// A half is gone. One that was not done cancels the call, unless that is over.
    pub(crate) fn drop_half(self, session: &mut Session<'_>, done: bool, why: &'static str) {
        if !done {
            self.cancel(session, why);
        }
        if session
            .link
            .slot(self.key)
            .is_some_and(|slot| slot.head.drop_half())
        {
            session.release(self.key, ErrorCode::NO_ERROR);
        }
    }

    /// Ends the call, unless it is over.
    pub(crate) fn cancel(self, session: &mut Session<'_>, why: &'static str) {
        if self.outcome(session).is_none() {
            self.fail(session, Code::CANCELLED, why);
        }
    }

    // Out.

    /// Sends a message; `sent` counts the octets of prefix and message that have gone.
    pub(crate) fn poll_send(
        self,
        cx: &mut Context<'_, '_>,
        message: &Framed<'_>,
        sent: &mut usize,
    ) -> Poll<Result<(), Status>> {
        self.over(cx)?;
        match cx.session.link.poll_send_message(self.key, message, sent, cx.now) {
            Poll::Ready(Err(error)) => self.poll_refused(cx, error).map(Err),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Pending => self.poll_refused(cx, SendError::NotNow).map(Err),
        }
    }

    /// Sends END_STREAM, alone. No error where the call has ended with OK.
    pub(crate) fn poll_finish(self, cx: &mut Context<'_, '_>) -> Poll<Result<(), Status>> {
        match self.over(cx) {
            Err(status) if status == ENDED_EARLY => return Poll::Ready(Ok(())),
            over => over?,
        }
        // Spec: grpc-request-end, grpc-request-end-empty
        match cx.session.link.send_piece(self.key, 0, true, &mut |_| {}, cx.now) {
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) => self.poll_refused(cx, error).map(Err),
        }
    }

    /// Sends what comes before the content of a large field.
    pub(crate) fn poll_send_head(
        self,
        cx: &mut Context<'_, '_>,
        write: &LargeWrite,
        small: &dyn Outgoing,
        sent: &mut usize,
    ) -> Poll<Result<(), Status>> {
        self.over(cx)?;
        match write.poll_start(&mut cx.session.link, self.key, small, sent, cx.now) {
            Poll::Ready(Err(error)) => self.poll_refused(cx, error).map(Err),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Pending => self.poll_refused(cx, SendError::NotNow).map(Err),
        }
    }

    /// Sends octets of a large field. Returns how many went.
    pub(crate) fn poll_write(
        self,
        cx: &mut Context<'_, '_>,
        write: &mut LargeWrite,
        from: &[u8],
    ) -> Poll<Result<usize, Status>> {
        self.over(cx)?;
        match write.write(&mut cx.session.link, self.key, from, cx.now) {
            Ok(len) => Poll::Ready(Ok(len)),
            Err(error) => self.poll_refused(cx, error).map(Err),
        }
    }

    // In.

    /// Takes the next message. True: `decode` has got it. False: the call has ended with OK.
    pub(crate) fn poll_next(
        self,
        cx: &mut Context<'_, '_>,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Poll<Result<bool, Status>> {
        let polled = self.take_next(cx, decode);
        self.told(cx, polled)
    }

    fn take_next(
        self,
        cx: &mut Context<'_, '_>,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Poll<Result<bool, Status>> {
        let len = match self.poll_front(cx)? {
            Poll::Ready(Next::Message(len)) => len,
            // Spec: grpc-response-too-large
            Poll::Ready(Next::Large(_)) => return Poll::Ready(Err(self.end_with(cx.session, TOO_LARGE))),
            Poll::Ready(Next::End) => return Poll::Ready(Ok(false)),
            Poll::Pending => return Poll::Pending,
        };
        let decoded = match cx.session.link.slot(self.key) {
            Some(slot) => decode(slot.recv.message(len)),
            None => Err(LOST),
        };
        cx.session.link.consume(self.key, len.saturating_add(PREFIX_LEN));
        match decoded {
            Ok(()) => Poll::Ready(Ok(true)),
            Err(status) => Poll::Ready(Err(self.end_with(cx.session, status))),
        }
    }

    /// Begins to take the next message in pieces. Its length; `None`: the call has ended with OK.
    pub(crate) fn poll_open(self, cx: &mut Context<'_, '_>) -> Poll<Result<Option<usize>, Status>> {
        let polled = self.open_next(cx);
        self.told(cx, polled)
    }

    fn open_next(self, cx: &mut Context<'_, '_>) -> Poll<Result<Option<usize>, Status>> {
        let len = match self.poll_front(cx)? {
            Poll::Ready(Next::Message(len) | Next::Large(len)) => len,
            Poll::Ready(Next::End) => return Poll::Ready(Ok(None)),
            Poll::Pending => return Poll::Pending,
        };
        cx.session.link.open_message(self.key, len);
        Poll::Ready(Ok(Some(len)))
    }

    /// Takes octets of the large field; 0 at the end of its message.
    pub(crate) fn poll_read(
        self,
        cx: &mut Context<'_, '_>,
        read: &mut LargeRead<'_>,
        to: &mut [u8],
    ) -> Poll<Result<usize, Status>> {
        let polled = self.read_on(cx, read, to);
        self.told(cx, polled)
    }

    fn read_on(
        self,
        cx: &mut Context<'_, '_>,
        read: &mut LargeRead<'_>,
        to: &mut [u8],
    ) -> Poll<Result<usize, Status>> {
        self.check_deadline(cx)?;
        match read.poll_read(&mut cx.session.link, self.key, to) {
            Ok(Some(len)) => Poll::Ready(Ok(len)),
            Ok(None) => match self.outcome(cx.session) {
                Some(outcome) => Poll::Ready(Err(self
                    .conclude(cx, outcome)
                    .err()
                    .unwrap_or_else(|| self.end_with(cx.session, INSIDE_MESSAGE)))),
                None => self.poll_receiver(cx),
            },
            Err(status) => Poll::Ready(Err(self.end_with(cx.session, status))),
        }
    }

    /// Waits for the initial metadata.
    pub(crate) fn poll_headers(self, cx: &mut Context<'_, '_>) -> Poll<Result<(), Status>> {
        let Some(slot) = cx.session.link.slot(self.key) else {
            return Poll::Ready(Err(LOST));
        };
        if slot.head.has_headers() {
            return Poll::Ready(Ok(()));
        }
        if let Some(outcome) = slot.head.outcome() {
            return Poll::Ready(self.conclude(cx, outcome));
        }
        self.check_deadline(cx)?;
        self.poll_receiver(cx)
    }

    /// Copies the metadata that has arrived.
    pub(crate) fn keep(self, session: &mut Session<'_>, to: &mut dyn KeepMetadata) {
        if let Some(slot) = session.link.slot(self.key) {
            to.keep(&slot.store);
        }
    }

    /// Whoever was told an error is given no message after it: those that have come are dropped.
    fn told<T>(self, cx: &mut Context<'_, '_>, polled: Poll<Result<T, Status>>) -> Poll<Result<T, Status>> {
        if let (Poll::Ready(Err(_)), Some(slot)) = (&polled, cx.session.link.slot(self.key)) {
            slot.recv.clear();
        }
        polled
    }

    /// What is at the front of the responses, or how the call ended.
    fn poll_front(self, cx: &mut Context<'_, '_>) -> Result<Poll<Next>, Status> {
        let front = cx.session.link.front(self.key);
        let Some(slot) = cx.session.link.slot(self.key) else {
            return Err(LOST);
        };
        let outcome = slot.head.outcome();
        let ok = outcome.is_none_or(|outcome| outcome == Outcome::Peer(Code::OK));
        let next = match front {
            Front::Whole { len } => Next::Message(len),
            Front::TooLarge { len } if ok => Next::Large(len),
            Front::Flag(flag) if ok => {
                let status = slot.head.bad_flag(flag);
                return Err(self.end_with(cx.session, status));
            }
            _ => return self.poll_end(cx, outcome, front),
        };
        // Messages that came before the end of the call are good whenever they are taken.
        self.check_deadline(cx)?;
        let slot = cx.session.link.slot(self.key).ok_or(LOST)?;
        // Spec: grpc-cardinality-client-many
        if slot.head.count_message() {
            Ok(Poll::Ready(next))
        } else {
            Err(self.end_with(cx.session, TWO_MESSAGES))
        }
    }

    /// There is no whole message: the end of the call, or a wait for more.
    fn poll_end(
        self,
        cx: &mut Context<'_, '_>,
        outcome: Option<Outcome>,
        front: Front,
    ) -> Result<Poll<Next>, Status> {
        let Some(outcome) = outcome else {
            self.check_deadline(cx)?;
            return Ok(self.poll_receiver(cx));
        };
        self.conclude(cx, outcome)?;
        // Spec: grpc-response-cut
        if front != Front::Empty {
            return Err(self.end_with(cx.session, INSIDE_MESSAGE));
        }
        let slot = cx.session.link.slot(self.key).ok_or(LOST)?;
        // Spec: grpc-cardinality-client-none
        if slot.head.lacks_message() {
            return Err(self.end_with(cx.session, NO_MESSAGE));
        }
        Ok(Poll::Ready(Next::End))
    }

    // How it ends.

    fn outcome(self, session: &mut Session<'_>) -> Option<Outcome> {
        session.link.slot(self.key)?.head.outcome()
    }

    /// # Errors
    /// The call is over, or its deadline has passed: nothing can be sent.
    fn over(self, cx: &mut Context<'_, '_>) -> Result<(), Status> {
        match self.outcome(cx.session) {
            Some(outcome) => self.conclude(cx, outcome).and(Err(ENDED_EARLY)),
            None => self.check_deadline(cx),
        }
    }

    /// # Errors
    /// The deadline has passed before the call was over.
    fn check_deadline(self, cx: &mut Context<'_, '_>) -> Result<(), Status> {
        // Spec: grpc-deadline-client-status
        if self.deadline.is_past(cx.now) && self.outcome(cx.session).is_none() {
            return Err(self.fail(cx.session, Code::DEADLINE_EXCEEDED, DEADLINE_TEXT));
        }
        Ok(())
    }

    /// The status of a call that is over.
    fn conclude(self, cx: &mut Context<'_, '_>, outcome: Outcome) -> Result<(), Status> {
        let slot = cx.session.link.slot(self.key).ok_or(LOST)?;
        let first = slot.head.deliver();
        let status = outcome.to_status(&slot.store);
        match outcome.code() {
            // A server that gives up at the deadline may say so before this side looks at its clock.
            // Spec: grpc-deadline-client-cancelled
            Code::CANCELLED if first && self.deadline.is_past(cx.now) => {
                return Err(self.fail(cx.session, Code::DEADLINE_EXCEEDED, DEADLINE_TEXT));
            }
            code if first => credentials::note(cx.credentials, code),
            _ => {}
        }
        status.map_or(Ok(()), Err)
    }

    /// Ends the call with one of our own statuses.
    fn end_with(self, session: &mut Session<'_>, status: Status) -> Status {
        self.fail(session, status.code(), status.local_text());
        status
    }

    /// Ends the call here; the stream is reset with CANCEL. Both halves will find this outcome.
    fn fail(self, session: &mut Session<'_>, code: Code, why: &'static str) -> Status {
        session.end(self.key, Outcome::Local(code, why));
        Status::new(code, why)
    }

    /// The connection took nothing: the end of the call where that is final, or a wait.
    fn poll_refused(self, cx: &mut Context<'_, '_>, error: SendError) -> Poll<Status> {
        if let Some(status) = cx.session.refused(error) {
            return Poll::Ready(self.end_with(cx.session, status));
        }
        if let Some(slot) = cx.session.link.slot(self.key) {
            slot.set_sender(cx.waker);
        }
        Poll::Pending
    }

    fn poll_receiver<T>(self, cx: &mut Context<'_, '_>) -> Poll<T> {
        if let Some(slot) = cx.session.link.slot(self.key) {
            slot.set_receiver(cx.waker);
        }
        Poll::Pending
    }
}

pub(crate) const SENDER_DROPPED: &str = "the call was cancelled: its Sender was dropped without finish()";
pub(crate) const RECEIVER_DROPPED: &str = "the call was cancelled: its Receiver was dropped";
pub(crate) const UPLOAD_DROPPED: &str = "the call was cancelled: it was dropped before its end";
pub(crate) const SEND_DROPPED: &str =
    "the call was cancelled: a message was given up when a part of it was sent";
pub(crate) const ENDED_EARLY: Status = Status::new(
    Code::CANCELLED,
    "the server ended the call with OK before it had all messages: the receiving half has its answer",
);
const LOST: Status = Status::new(Code::INTERNAL, "the call's slot was taken from it");
