//! What the header section of a request said, and how far its call has come.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md` "Requests".

use core::task::Waker;

use h2_lite::Instant;

use crate::deadline::{self, Deadline};
use crate::metadata::{Kind, ReceivedMetadata};
use crate::method::Method;
use crate::server::service::Lookup;
use crate::status::{Code, Status};

/// One request, as its fields arrive, and then the call that it makes.
#[derive(Debug)]
pub(crate) struct Request<'r> {
    /// `:path`, `:method` and `content-type` have come, whatever they say.
    seen: [bool; 3],
    /// Fields were above a limit: some of those may be among them.
    skipped: bool,
    method: Option<&'static Method>,
    is_post: bool,
    is_head: bool,
    is_grpc: bool,
    compressed: bool,
    timeout: Timeout,
    field_fault: Option<&'static str>,
    pub(crate) phase: Phase,
    /// The client has sent END_STREAM.
    pub(crate) ended: bool,
    /// The stream is over before its proper end, or its connection.
    pub(crate) cancelled: bool,
    pub(crate) deadline: Deadline,
    /// No handler will ever read the content.
    pub(crate) discards: bool,
    /// It is not gRPC: its content follows other rules, and may be of any size.
    pub(crate) is_foreign: bool,
    pub(crate) headers_sent: bool,
    /// Messages taken by the handler, and sent by it.
    pub(crate) requests: u32,
    pub(crate) responses: u32,
    /// What the handler wants sent with its response.
    pub(crate) outgoing: ReceivedMetadata<'r>,
    /// The task that runs the handler.
    pub(crate) worker: Option<Waker>,
}

/// How far the call has come on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its header section is under way.
    Arriving,
    /// It waits for its worker.
    Waiting,
    /// A handler has it, or an answer is on its way.
    Running,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeout {
    Absent,
    Ms(u64),
    Bad,
}

/// A request that no handler sees, and the answer to it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// Not gRPC: an HTTP status, and a word for whoever reads it.
    Http {
        status: &'static str,
        body: &'static str,
    },
    /// A call that cannot be served.
    Status { status: Status, list_encodings: bool },
}

impl<'r> Request<'r> {
    pub(crate) const fn new(outgoing: &'r mut [u8]) -> Self {
        Self {
            seen: [false; 3],
            skipped: false,
            method: None,
            is_post: false,
            is_head: false,
            is_grpc: false,
            compressed: false,
            timeout: Timeout::Absent,
            field_fault: None,
            phase: Phase::Arriving,
            ended: false,
            cancelled: false,
            deadline: Deadline::Never,
            discards: false,
            is_foreign: false,
            headers_sent: false,
            requests: 0,
            responses: 0,
            outgoing: ReceivedMetadata::new(outgoing),
            worker: None,
        }
    }

    /// For the next request in the same slot.
    pub(crate) fn begin(&mut self) {
        self.seen = [false; 3];
        self.skipped = false;
        self.method = None;
        self.is_post = false;
        self.is_head = false;
        self.is_grpc = false;
        self.compressed = false;
        self.timeout = Timeout::Absent;
        self.field_fault = None;
        self.phase = Phase::Arriving;
        self.ended = false;
        self.cancelled = false;
        self.deadline = Deadline::Never;
        self.discards = false;
        self.is_foreign = false;
        self.headers_sent = false;
        self.requests = 0;
        self.responses = 0;
        self.outgoing.clear();
    }

    pub(crate) fn recv_field(
        &mut self,
        name: &[u8],
        value: &[u8],
        lookup: Lookup,
        store: &mut ReceivedMetadata<'_>,
    ) {
        let [path_seen, method_seen, type_seen] = &mut self.seen;
        match name {
            b":method" => {
                *method_seen = true;
                self.is_post = value == b"POST";
                self.is_head = value == b"HEAD";
            }
            b":path" => {
                *path_seen = true;
                self.method = lookup(value);
            }
            b"content-type" => {
                *type_seen = true;
                self.is_grpc = is_grpc(value);
            }
            // Spec: grpc-encoding-server
            b"grpc-encoding" => self.compressed = value != b"identity",
            b"grpc-timeout" => {
                self.timeout = deadline::parse_millis(value).map_or(Timeout::Bad, Timeout::Ms);
            }
            b"te" | b":scheme" | b":authority" | b"host" => {}
            _ if name.starts_with(b"grpc-") => {}
            _ => {
                if let Err(fault) = store.store(Kind::Initial, name, value) {
                    self.field_fault.get_or_insert(fault);
                }
            }
        }
    }

    /// The header section is complete; `skipped`: not all of its fields were given.
    pub(crate) fn recv_headers_end(&mut self, skipped: bool, now: Instant) {
        self.phase = Phase::Waiting;
        self.skipped = skipped;
        self.deadline = match self.timeout {
            Timeout::Ms(ms) => Deadline::At(now.saturating_add_millis(ms)),
            // Spec: grpc-timeout-absent
            Timeout::Absent | Timeout::Bad => Deadline::Never,
        };
        let verdict = self.verdict();
        self.discards = verdict.is_err();
        self.is_foreign = matches!(verdict, Err(Refusal::Http { .. }));
    }

    /// The method to call.
    ///
    /// # Errors
    /// What to answer instead.
    pub(crate) fn verdict(&self) -> Result<&'static Method, Refusal> {
        let http = |status, body| {
            // "The server MUST NOT send content in the response" to HEAD (RFC 9110 section 9.3.2).
            let body = if self.is_head { "" } else { body };
            Err(Refusal::Http { status, body })
        };
        if self.skipped && self.seen.contains(&false) {
            return http(
                "431",
                "request header fields too large: raise SCRATCH of ServerResources\n",
            );
        }
        // Spec: grpc-method-405
        if !self.is_post {
            return http("405", "this is a gRPC server: the method must be POST\n");
        }
        // Spec: grpc-content-type-415
        if !self.is_grpc {
            return http(
                "415",
                "this is a gRPC server: the content-type must be application/grpc\n",
            );
        }
        // Spec: grpc-encoding-server
        if self.compressed {
            return Err(Refusal::Status {
                status: COMPRESSED,
                list_encodings: true,
            });
        }
        let status = |code, message| {
            Err(Refusal::Status {
                status: Status::new(code, message),
                list_encodings: false,
            })
        };
        // Spec: grpc-timeout-malformed
        if self.timeout == Timeout::Bad {
            return status(
                Code::INTERNAL,
                "grpc-timeout is not 1 to 8 digits and one of H M S m u n",
            );
        }
        // Spec: grpc-bin-malformed
        if let Some(fault) = self.field_fault {
            return status(Code::INTERNAL, fault);
        }
        match self.method {
            Some(method) => Ok(method),
            // Spec: grpc-path-unknown
            None => status(Code::UNIMPLEMENTED, "this server has no such method"),
        }
    }

    /// When the handler is dropped: a little after its time is over, whatever part of a millisecond had passed when it
    /// began. A client that is told before its own clock has come there, and some round that up, takes it for a
    /// cancellation.
    pub(crate) fn limit(&self) -> Deadline {
        match (self.timeout, self.deadline) {
            (Timeout::Ms(1..), Deadline::At(at)) => Deadline::At(at.saturating_add_millis(DEADLINE_SLACK_MS)),
            (_, deadline) => deadline,
        }
    }

    pub(crate) fn has_one_response(&self) -> bool {
        self.method.is_some_and(|method| method.one_response())
    }

    pub(crate) fn wake(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.wake();
        }
    }
}

/// A part of a millisecond here, one that a client rounds up, and one on the way.
const DEADLINE_SLACK_MS: u64 = 3;

/// Spec: gRPC PROTOCOL-HTTP2.md: "application/grpc", then nothing, "+" or ";". `application/grpc-web` is another protocol.
fn is_grpc(value: &[u8]) -> bool {
    matches!(
        value.strip_prefix(b"application/grpc"),
        // Spec: grpc-content-type-suffix, grpc-content-type-web
        Some([] | [b'+' | b';', ..])
    )
}

const COMPRESSED: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the request's grpc-encoding is not supported: send messages as identity",
);

#[cfg(test)]
mod tests {
    use super::*;

    static ECHO: Method = Method::unary("/a.B/Echo");

    fn one(path: &[u8]) -> Option<&'static Method> {
        crate::server::service::find(&[&ECHO], path)
    }

    /// What is answered to a sound request whose fields are changed so; an empty value takes the field away.
    fn answer(changes: &[(&str, &str)]) -> String {
        answer_with(changes, false)
    }

    /// `skips`: what is missing was above a limit.
    fn answer_with(changes: &[(&str, &str)], skips: bool) -> String {
        let mut outgoing = [0; 8];
        let mut memory = [0; 64];
        let mut store = ReceivedMetadata::new(&mut memory);
        let mut request = Request::new(&mut outgoing);
        let sound = [
            (":method", "POST"),
            (":path", "/a.B/Echo"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ];
        let kept = sound
            .iter()
            .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        for (name, value) in kept.chain(changes).filter(|(_, value)| !value.is_empty()) {
            request.recv_field(name.as_bytes(), value.as_bytes(), one, &mut store);
        }
        request.recv_headers_end(skips, Instant::from_millis(1_000));
        match request.verdict() {
            Ok(method) => method.path().to_owned(),
            Err(Refusal::Http { status, .. }) => status.to_owned(),
            Err(Refusal::Status {
                status,
                list_encodings,
            }) => format!("{} {list_encodings}", status.code().as_u8()),
        }
    }

    #[test]
    fn a_call_has_all_of_its_time_on_a_clock_of_whole_milliseconds() {
        let mut outgoing = [0; 8];
        let mut store = ReceivedMetadata::new(&mut []);
        let mut request = Request::new(&mut outgoing);
        request.recv_field(b"grpc-timeout", b"1m", one, &mut store);
        // It may have come at 1,000.9.
        request.recv_headers_end(false, Instant::from_millis(1_000));
        assert!(!request.limit().is_past(Instant::from_millis(1_003)));
        assert!(request.limit().is_past(Instant::from_millis(1_004)));
        request.recv_field(b"grpc-timeout", b"0m", one, &mut store);
        request.recv_headers_end(false, Instant::from_millis(2_000));
        assert!(
            request.limit().is_past(Instant::from_millis(2_000)),
            "no time is none"
        );
    }

    // Spec: grpc-method-405, grpc-content-type-415, grpc-content-type-suffix, grpc-content-type-web
    // Spec: grpc-timeout-malformed
    #[test]
    fn what_is_no_grpc_gets_an_http_status_and_what_is_gets_a_grpc_status() {
        assert_eq!(answer(&[]), "/a.B/Echo");
        assert_eq!(answer(&[(":method", "GET")]), "405");
        for name in [":path", ":method", "content-type"] {
            assert_eq!(answer_with(&[(name, "")], true), "431", "{name}");
        }
        assert_eq!(answer_with(&[], true), "/a.B/Echo");
        assert_eq!(answer(&[(":path", "/a.B/echo")]), "12 false");
        for good in [
            "application/grpc+proto",
            "application/grpc;x=y",
            "application/grpc+json",
        ] {
            assert_eq!(answer(&[("content-type", good)]), "/a.B/Echo");
        }
        for bad in [
            "",
            "application/json",
            "application/grpc-web",
            "application/grpcx",
            "text/html",
        ] {
            assert_eq!(answer(&[("content-type", bad)]), "415", "{bad}");
        }
        assert_eq!(answer(&[("grpc-encoding", "identity")]), "/a.B/Echo");
        assert_eq!(answer(&[("grpc-encoding", "gzip")]), "12 true");
        assert_eq!(answer(&[("grpc-timeout", "1S")]), "/a.B/Echo");
        for bad in ["1", "S", "123456789S", "-1S", "1s", "1 S", "1.5S"] {
            assert_eq!(answer(&[("grpc-timeout", bad)]), "13 false", "{bad}");
        }
        #[cfg(feature = "base64")]
        assert_eq!(answer(&[("x-bin", "%%%")]), "13 false");
    }
}
