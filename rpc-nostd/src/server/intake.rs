//! What a call receives: its requests, in the number that its method has.
//!
//! Spec: gRPC `statuscodes.md`: cardinality violations.

use core::task::{Poll, Waker};

use crate::codec::DecodeFault;
use crate::framing::PREFIX_LEN;
use crate::method::Method;
use crate::server::answer::OVER;
use crate::server::session::ServerSession;
use crate::slot::{Front, SlotKey};
use crate::status::{Code, Status};

impl ServerSession<'_> {
    /// The next request: `decode` is given its octets, and `true` returned; `false`: there is none any more.
    pub(crate) fn poll_request(
        &mut self,
        key: SlotKey,
        method: &'static Method,
        waker: &Waker,
        decode: &mut dyn FnMut(&[u8]) -> Result<(), DecodeFault>,
    ) -> Poll<Result<bool, Status>> {
        let len = match self.poll_front(key, method, waker) {
            Poll::Ready(Ok(Some(Front::Whole { len }))) => len,
            // Spec: grpc-request-too-large
            Poll::Ready(Ok(Some(_))) => return Poll::Ready(Err(TOO_LARGE)),
            Poll::Ready(Ok(None)) => return Poll::Ready(Ok(false)),
            Poll::Ready(Err(status)) => return Poll::Ready(Err(status)),
            Poll::Pending => return Poll::Pending,
        };
        let Some(slot) = self.link.slot(key) else {
            return Poll::Ready(Err(OVER));
        };
        let decoded = decode(slot.recv.message(len));
        slot.head.requests = slot.head.requests.saturating_add(1);
        self.consume(key, len.saturating_add(PREFIX_LEN));
        Poll::Ready(decoded.map(|()| true).map_err(decode_status))
    }

    /// What is next: a whole message, or the beginning of one that is too large for the slot; `None` at the end.
    pub(crate) fn poll_front(
        &mut self,
        key: SlotKey,
        method: &'static Method,
        waker: &Waker,
    ) -> Poll<Result<Option<Front>, Status>> {
        let front = self.link.front(key);
        let Some(slot) = self.link.slot(key) else {
            return Poll::Ready(Err(OVER));
        };
        let ended = slot.head.ended;
        let another = method.one_request() && slot.head.requests > 0;
        Poll::Ready(match front {
            // Spec: grpc-flag-without-encoding, grpc-flag-unknown
            Front::Flag(1) => Err(COMPRESSED),
            Front::Flag(_) => Err(BAD_FLAG),
            Front::Empty if !ended => {
                slot.set_receiver(waker);
                return Poll::Pending;
            }
            // Spec: grpc-cardinality-server-none
            Front::Empty if method.one_request() && !another => Err(NO_REQUEST),
            Front::Empty => Ok(None),
            // Spec: grpc-cardinality-server-many
            _ if another => Err(TWO_REQUESTS),
            // Spec: grpc-request-cut
            Front::Partial { .. } if ended => Err(INSIDE_MESSAGE),
            Front::Partial { .. } => {
                slot.set_receiver(waker);
                return Poll::Pending;
            }
            Front::Whole { .. } | Front::TooLarge { .. } => Ok(Some(front)),
        })
    }

    /// Begins to take the message at the front in pieces.
    pub(crate) fn open_request(&mut self, key: SlotKey, len: usize) -> Result<(), Status> {
        let slot = self.link.slot(key).ok_or(OVER)?;
        slot.head.requests = slot.head.requests.saturating_add(1);
        self.link.open_message(key, len);
        self.note_room();
        Ok(())
    }

    /// More of the message that is taken in pieces must come first.
    pub(crate) fn poll_more<T>(&mut self, key: SlotKey, waker: &Waker) -> Poll<Result<T, Status>> {
        let Some(slot) = self.link.slot(key) else {
            return Poll::Ready(Err(OVER));
        };
        if slot.head.ended {
            return Poll::Ready(Err(INSIDE_MESSAGE));
        }
        slot.set_receiver(waker);
        Poll::Pending
    }

    /// Gives up octets that have been taken. Reading may have waited for their room.
    pub(crate) fn consume(&mut self, key: SlotKey, octets: usize) {
        self.link.consume(key, octets);
        self.note_room();
    }
}

pub(crate) fn decode_status(fault: DecodeFault) -> Status {
    match fault {
        DecodeFault::Capacity => Status::new(
            Code::RESOURCE_EXHAUSTED,
            "a field of the request is longer than its capacity in the server's generated type",
        ),
        // Spec: grpc-request-parse
        DecodeFault::Malformed => Status::new(
            Code::INTERNAL,
            "the request is not a valid protobuf message of its type",
        ),
    }
}

const TOO_LARGE: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the request is larger than the server's receive buffer: raise RECV of ServerResources to its MAX_SIZE + 5",
);
const NO_REQUEST: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the call ended without the request that its method has",
);
const TWO_REQUESTS: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the call has two requests where its method has one",
);
pub(crate) const INSIDE_MESSAGE: Status = Status::new(Code::INTERNAL, "the request ended inside a message");
const COMPRESSED: Status = Status::new(
    Code::INTERNAL,
    "a request is marked compressed but the call names no grpc-encoding",
);
const BAD_FLAG: Status = Status::new(Code::INTERNAL, "a request's message flag is neither 0 nor 1");
