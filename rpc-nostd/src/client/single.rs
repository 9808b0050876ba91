//! A unary call, from the first poll to its outcome: the steps that async and blocking calls share.

use core::task::{Poll, Waker};

use h2_lite::{ErrorCode, Instant};

use crate::client::credentials::{self, Provider};
use crate::client::opening::{self, CallDefaults, CallOptions, Context, DEADLINE_EXCEEDED, Opening};
use crate::client::response::{INSIDE_MESSAGE, Outcome, TWO_MESSAGES};
use crate::client::session::Session;
use crate::codec::Outgoing;
use crate::deadline::Deadline;
use crate::method::Method;
use crate::slot::Front;
use crate::status::{Code, Status};

/// A unary call on its way.
pub(crate) struct UnaryCall<'a> {
    opening: Opening<'a>,
    gathered: Option<Gathered>,
}

/// A response that is gathered in the call's own buffer.
#[derive(Clone, Copy)]
struct Gathered {
    filled: usize,
    len: usize,
}

impl<'a> UnaryCall<'a> {
    pub(crate) fn new(method: &'static Method, options: CallOptions<'a>, shared: Provider<'a>) -> Self {
        Self {
            opening: Opening::new(method, options, shared, false),
            gathered: None,
        }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.opening.deadline()
    }

    /// What comes before [`poll`](Self::poll).
    pub(crate) fn poll_prepare(
        &mut self,
        defaults: &CallDefaults<'_>,
        now: Instant,
        waker: &Waker,
    ) -> Poll<Result<(), Status>> {
        self.opening.poll_prepare(defaults, now, waker)
    }

    /// Goes as far as it can. `decode` is called once, with the octets of the response message.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_, '_>,
        request: &dyn Outgoing,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Poll<Result<(), Status>> {
        match self.advance(cx, request) {
            Ok(Some(outcome)) => Poll::Ready(self.conclude(cx, outcome, decode)),
            Ok(None) => self.opening.poll_wait(cx).map(Err),
            Err(status) => {
                self.cancel(cx.session);
                Poll::Ready(Err(status))
            }
        }
    }

    /// Gives everything back. A stream that is open is reset with CANCEL.
    pub(crate) fn cancel(&mut self, session: &mut Session<'_>) {
        self.opening.release(session, ErrorCode::CANCEL);
    }

    /// Steps on until the call has an outcome (`Some`) or must wait (`None`).
    fn advance(
        &mut self,
        cx: &mut Context<'_, '_>,
        request: &dyn Outgoing,
    ) -> Result<Option<Outcome>, Status> {
        let first = opening::framed(request, true)?;
        loop {
            self.opening.advance(cx, Some(&first))?;
            match self.receive(cx.session)? {
                Some(outcome) if self.opening.restart(cx.session, outcome) => {}
                outcome => return Ok(outcome),
            }
        }
    }

    /// How the call ended, if it has.
    ///
    /// # Errors
    /// It has not, but what has arrived can become no good response.
    fn receive(&mut self, session: &mut Session<'_>) -> Result<Option<Outcome>, Status> {
        self.gather(session);
        let Some(slot) = self.opening.slot().and_then(|key| session.link.slot(key)) else {
            return Ok(None);
        };
        let outcome = slot.head.outcome();
        if outcome.is_none() {
            match self.gathered {
                None => slot.head.check_single(&slot.recv)?,
                Some(_) if slot.recv.opened() == 0 && !slot.recv.octets().is_empty() => {
                    return Err(TWO_MESSAGES);
                }
                Some(_) => {}
            }
        }
        Ok(outcome)
    }

    /// Moves a response that the slot cannot hold into the call's own buffer, if there is one and it can.
    fn gather(&mut self, session: &mut Session<'_>) {
        let Some(key) = self.opening.slot() else { return };
        let link = &mut session.link;
        if self.gathered.is_none() {
            let front = link.front(key);
            let room = self.opening.options.buffer.as_deref().map_or(0, <[u8]>::len);
            if let Front::TooLarge { len } = front
                && len <= room
            {
                link.open_message(key, len);
                self.gathered = Some(Gathered { filled: 0, len });
            }
        }
        let (Some(gathered), Some(buffer)) = (&mut self.gathered, &mut self.opening.options.buffer) else {
            return;
        };
        let room = buffer.get_mut(gathered.filled..gathered.len).unwrap_or_default();
        let wanted = room.len();
        gathered.filled = gathered
            .filled
            .saturating_add(link.take_octets(key, wanted, &mut |octets| {
                for (to, from) in room.iter_mut().zip(octets) {
                    *to = *from;
                }
                octets.len()
            }));
    }

    fn conclude(
        &mut self,
        cx: &mut Context<'_, '_>,
        outcome: Outcome,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let result = self.collect(cx.session, outcome, decode);
        if let Err(status) = &result {
            self.opening.note(status.code());
            credentials::note(cx.credentials, status.code());
        }
        // A request that was not all sent needs no more of it: RFC 9113 section 8.1.
        // Spec: grpc-early-trailers-client
        self.opening.release(cx.session, ErrorCode::NO_ERROR);
        match result {
            // Spec: grpc-deadline-client-cancelled
            Err(status) if status.code() == Code::CANCELLED && self.opening.is_late(cx.now) => {
                Err(DEADLINE_EXCEEDED)
            }
            other => other,
        }
    }

    fn collect(
        &mut self,
        session: &mut Session<'_>,
        outcome: Outcome,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let Some(slot) = self.opening.slot().and_then(|key| session.link.slot(key)) else {
            return Ok(());
        };
        if let Some(received) = &mut self.opening.options.received {
            received.keep(&slot.store);
        }
        if let Some(status) = outcome.to_status(&slot.store) {
            return Err(status);
        }
        let Some(gathered) = self.gathered else {
            let len = slot.head.single(&slot.recv)?;
            return decode(slot.recv.message(len));
        };
        if gathered.filled < gathered.len {
            return Err(INSIDE_MESSAGE);
        }
        if !slot.recv.octets().is_empty() {
            return Err(TWO_MESSAGES);
        }
        let buffer = self.opening.options.buffer.as_deref().unwrap_or_default();
        decode(buffer.get(..gathered.len).unwrap_or_default())
    }
}
