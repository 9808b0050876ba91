//! The response to one call, as it arrives: header fields in, one outcome out; and whether its messages are right.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md` "Responses"; `http-grpc-status-mapping.md`; `statuscodes.md`.

use h2_lite::{ErrorCode, Origin, Section};

use crate::framing::PREFIX_LEN;
use crate::metadata::{Kind, ReceivedMetadata};
use crate::slot::{Front, RecvBuffer};
use crate::status::{Code, Status};

/// How a call ended. Small: the peer's message stays in the slot until the call takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The peer sent this code.
    Peer(Code),
    /// The peer sent none, or this side ended the call.
    Local(Code, &'static str),
    /// Nothing of the call reached an application: it may be sent again (gRFC A6, transparent retry).
    Unprocessed(&'static str),
}

/// What of a response has been seen, beside its octets.
#[derive(Debug)]
pub(crate) struct Response {
    http_status: u16,
    grpc_status: StatusField,
    content: Content,
    compressed: bool,
    headers_done: bool,
    keep_metadata: bool,
    /// The method has exactly one response, which its caller takes as a stream.
    one_response: bool,
    /// A message was taken.
    taken: bool,
    /// Parts of the application that share the call.
    halves: u8,
    /// The application has been told how the call ended: it is told no other end.
    delivered: bool,
    field_fault: Option<&'static str>,
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusField {
    Absent,
    Code(Code),
    Bad,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Absent,
    Grpc,
    Other,
}

impl Response {
    pub(crate) const fn new() -> Self {
        Self {
            http_status: 0,
            grpc_status: StatusField::Absent,
            content: Content::Absent,
            compressed: false,
            headers_done: false,
            keep_metadata: false,
            one_response: false,
            taken: false,
            halves: 0,
            delivered: false,
            field_fault: None,
            outcome: None,
        }
    }

    /// For a call that will look at metadata and status details.
    pub(crate) fn begin(&mut self, keep_metadata: bool) {
        *self = Self::new();
        self.keep_metadata = keep_metadata;
    }

    /// For a call whose messages are taken one by one, by one of `halves`.
    pub(crate) fn begin_stream(&mut self, one_response: bool, halves: u8) {
        self.one_response = one_response;
        self.halves = halves;
    }

    /// Whether that was the last half.
    pub(crate) fn drop_half(&mut self) -> bool {
        self.halves = self.halves.saturating_sub(1);
        self.halves == 0
    }

    /// A message is taken. False: it is one too many.
    pub(crate) fn count_message(&mut self) -> bool {
        let fits = !(self.one_response && self.taken);
        self.taken = true;
        fits
    }

    /// Whether the one response did not come.
    pub(crate) fn lacks_message(&self) -> bool {
        self.one_response && !self.taken
    }

    /// Whether the headers of a gRPC response, and so the initial metadata, have arrived.
    pub(crate) fn has_headers(&self) -> bool {
        self.headers_done && self.content == Content::Grpc
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Whether this is the first time that the application is told how the call ended.
    pub(crate) fn deliver(&mut self) -> bool {
        !core::mem::replace(&mut self.delivered, true)
    }

    /// Ends the call with another outcome than it had, if any: one that this side decides.
    pub(crate) fn overrule(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.delivered = true;
    }

    /// Ends the call unless it has ended: the first outcome stands.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }

    pub(crate) fn recv_field(
        &mut self,
        section: Section,
        name: &[u8],
        value: &[u8],
        store: &mut ReceivedMetadata<'_>,
    ) {
        match name {
            b":status" => self.http_status = parse_http_status(value),
            b"content-type" => self.content = parse_content_type(value),
            // Spec: grpc-encoding-client
            b"grpc-encoding" => self.compressed = value != b"identity",
            b"grpc-status" => self.recv_status(value),
            b"grpc-message" => store.store_message(value, false),
            b"grpc-status-details-bin" if self.keep_metadata => self.note(store.store_details(value)),
            _ if name.starts_with(b"grpc-") || !self.keep_metadata => {}
            _ => {
                let kind = if section == Section::Trailers {
                    Kind::Trailing
                } else {
                    Kind::Initial
                };
                self.note(store.store(kind, name, value));
            }
        }
    }

    fn recv_status(&mut self, value: &[u8]) {
        // A second grpc-status in one block makes both worthless: it must never turn a failure into OK.
        self.grpc_status = match (self.grpc_status, Code::parse(value)) {
            // Spec: grpc-bad-status
            (StatusField::Absent, Some(code)) => StatusField::Code(code),
            _ => StatusField::Bad,
        };
    }

    fn note(&mut self, stored: Result<(), &'static str>) {
        if let Err(fault) = stored {
            self.field_fault.get_or_insert(fault);
        }
    }

    /// The end of a header block. Returns whether the rest of the response is of no use.
    pub(crate) fn recv_headers_end(&mut self, section: Section, end_stream: bool) -> bool {
        // Spec: grpc-trailers-only
        if end_stream {
            self.finish();
            return false;
        }
        if section == Section::Headers {
            self.headers_done = true;
            // Fields before the message do not end a call; the trailers decide.
            self.grpc_status = StatusField::Absent;
        }
        self.outcome.is_some()
    }

    /// Content arrives. That of a response which is not gRPC ends the call; before it, trailers with a grpc-status, which
    /// wins over anything that HTTP says, can still come.
    pub(crate) fn begin_data(&mut self) {
        // Spec: grpc-odd-status, grpc-odd-content-type
        if self.content != Content::Grpc {
            self.end_by_http();
        }
    }

    /// Content has arrived. Returns whether the rest is of no use.
    pub(crate) fn recv_data(&mut self, end_stream: bool) -> bool {
        if end_stream {
            self.finish();
            return false;
        }
        self.outcome.is_some()
    }

    pub(crate) fn recv_reset(&mut self, code: ErrorCode, origin: Origin) {
        let untouched = !self.headers_done && self.outcome.is_none();
        let outcome = match origin {
            // Spec: grpc-goaway-above
            Origin::GoAway if untouched => Outcome::Unprocessed("the server is going away"),
            Origin::GoAway => Outcome::Local(Code::UNAVAILABLE, "the server is going away"),
            // Spec: grpc-rst-refused
            Origin::Peer if code == ErrorCode::REFUSED_STREAM && untouched => {
                Outcome::Unprocessed("the server refused the stream")
            }
            Origin::Peer => Outcome::Local(Code::from_reset(code), "the server reset the stream"),
            Origin::Local => Outcome::Local(Code::INTERNAL, "the response broke a rule of HTTP/2"),
        };
        self.end(outcome);
    }

    /// END_STREAM.
    fn finish(&mut self) {
        let outcome = match (self.grpc_status, self.field_fault) {
            // Spec: grpc-bin-malformed
            (StatusField::Code(Code::OK), Some(fault)) => Outcome::Local(Code::INTERNAL, fault),
            // Spec: grpc-status-wins
            (StatusField::Code(code), _) => Outcome::Peer(code),
            (StatusField::Bad, _) => {
                Outcome::Local(Code::UNKNOWN, "the server's grpc-status is not a status code")
            }
            // Spec: grpc-missing-status
            (StatusField::Absent, _) => return self.end_by_http(),
        };
        self.end(outcome);
    }

    /// Without grpc-status the HTTP status decides.
    fn end_by_http(&mut self) {
        let message = match (self.http_status, self.content) {
            (200, Content::Grpc) => "the response ended without grpc-status",
            (200, _) => "the response is not gRPC: its content-type is not application/grpc",
            _ => "the HTTP response is an error and carries no grpc-status",
        };
        self.end(Outcome::Local(Code::from_http(self.http_status), message));
    }

    /// Whether what has arrived can still become the one message of a unary response.
    ///
    /// # Errors
    /// The status of a response that cannot.
    pub(crate) fn check_single(&self, recv: &RecvBuffer<'_>) -> Result<(), Status> {
        match recv.front() {
            // Spec: grpc-cardinality-client-many
            Front::Whole { len } if recv.octets().len() > len.saturating_add(PREFIX_LEN) => Err(TWO_MESSAGES),
            Front::Whole { .. } | Front::Partial { .. } | Front::Empty => Ok(()),
            // Spec: grpc-response-too-large
            Front::TooLarge { .. } => Err(TOO_LARGE),
            Front::Flag(flag) => Err(self.bad_flag(flag)),
        }
    }

    /// The length of the one message of a unary response that has ended with OK.
    ///
    /// # Errors
    /// The status of a response that is no single message.
    pub(crate) fn single(&self, recv: &RecvBuffer<'_>) -> Result<usize, Status> {
        self.check_single(recv)?;
        match recv.front() {
            Front::Whole { len } => Ok(len),
            // Spec: grpc-cardinality-client-none, grpc-response-cut
            Front::Empty => Err(NO_MESSAGE),
            _ => Err(INSIDE_MESSAGE),
        }
    }

    /// What a message's flag means that is not 0.
    pub(crate) fn bad_flag(&self, flag: u8) -> Status {
        let reason = match (flag, self.compressed) {
            // Spec: grpc-encoding-client, grpc-flag-without-encoding
            (1, true) => "the response is compressed, which this client did not offer",
            (1, false) => "the response is marked compressed but names no grpc-encoding",
            // Spec: grpc-flag-unknown
            _ => "the response's message flag is neither 0 nor 1",
        };
        Status::new(Code::INTERNAL, reason)
    }
}

impl Outcome {
    pub(crate) fn code(self) -> Code {
        match self {
            Self::Peer(code) | Self::Local(code, _) => code,
            Self::Unprocessed(_) => Code::UNAVAILABLE,
        }
    }

    /// The status that the caller gets; `None` is OK.
    pub(crate) fn to_status(self, store: &ReceivedMetadata<'_>) -> Option<Status> {
        match self {
            Self::Peer(Code::OK) => None,
            Self::Peer(code) => {
                let (message, cut) = store.message();
                Some(Status::from_peer(code, message, cut))
            }
            Self::Local(code, message) => Some(Status::new(code, message)),
            Self::Unprocessed(message) => Some(Status::new(Code::UNAVAILABLE, message)),
        }
    }
}

pub(crate) const TOO_LARGE: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the response is larger than the stream's receive buffer: raise RECV of Resources to its MAX_SIZE + 5, \
     lend the call a buffer, or read it in pieces",
);
pub(crate) const TWO_MESSAGES: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the server sent two messages where the method has one response",
);
pub(crate) const NO_MESSAGE: Status = Status::new(
    Code::UNIMPLEMENTED,
    "the server answered OK without the message that the method's response is",
);
pub(crate) const INSIDE_MESSAGE: Status = Status::new(Code::INTERNAL, "the response ended inside a message");

/// h2-lite has made sure of the three digits.
fn parse_http_status(value: &[u8]) -> u16 {
    value.iter().fold(0, |status: u16, digit| {
        status
            .saturating_mul(10)
            .saturating_add(u16::from(digit.saturating_sub(b'0')))
    })
}

fn parse_content_type(value: &[u8]) -> Content {
    match value.strip_prefix(b"application/grpc") {
        Some([] | [b'+' | b';', ..]) => Content::Grpc,
        _ => Content::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script {
        memory: [u8; 256],
        response: Response,
        octets: Vec<u8>,
    }

    impl Script {
        fn new() -> Self {
            let mut response = Response::new();
            response.begin(true);
            Self {
                memory: [0; 256],
                response,
                octets: Vec::new(),
            }
        }

        fn block(mut self, section: Section, fields: &[(&str, &str)], end: bool) -> Self {
            let mut store = ReceivedMetadata::new(&mut self.memory);
            for (name, value) in fields {
                self.response
                    .recv_field(section, name.as_bytes(), value.as_bytes(), &mut store);
            }
            self.response.recv_headers_end(section, end);
            self
        }

        fn headers(self) -> Self {
            self.block(
                Section::Headers,
                &[(":status", "200"), ("content-type", "application/grpc")],
                false,
            )
        }

        fn trailers(self, fields: &[(&str, &str)]) -> Self {
            self.block(Section::Trailers, fields, true)
        }

        fn data(mut self, octets: &[u8]) -> Self {
            self.response.begin_data();
            self.octets.extend_from_slice(octets);
            self.response.recv_data(false);
            self
        }

        fn code(&self) -> (Code, bool) {
            let mut memory = [0; 16 + PREFIX_LEN];
            let mut recv = RecvBuffer::new(&mut memory);
            assert!(recv.append(&self.octets), "flow control bounds what comes");
            match self.response.outcome() {
                None => (self.response.check_single(&recv).unwrap_err().code(), true),
                Some(Outcome::Peer(Code::OK)) => match self.response.single(&recv) {
                    Ok(_) => (Code::OK, false),
                    Err(status) => (status.code(), true),
                },
                Some(Outcome::Peer(code)) => (code, false),
                Some(Outcome::Local(code, _)) => (code, true),
                Some(Outcome::Unprocessed(_)) => (Code::UNAVAILABLE, true),
            }
        }
    }

    const MESSAGE: &[u8] = &[0, 0, 0, 0, 2, 8, 1];

    // Spec: grpc-cardinality-client-none, grpc-cardinality-client-many, grpc-response-cut, grpc-missing-status
    #[test]
    fn ok_needs_one_whole_message_and_a_status() {
        let ok = [("grpc-status", "0")];
        assert_eq!(
            Script::new().headers().data(MESSAGE).trailers(&ok).code(),
            (Code::OK, false)
        );
        assert_eq!(
            Script::new().headers().trailers(&ok).code(),
            (Code::UNIMPLEMENTED, true)
        );
        assert_eq!(
            Script::new().headers().data(&MESSAGE[..6]).trailers(&ok).code(),
            (Code::INTERNAL, true)
        );
        assert_eq!(
            Script::new().headers().data(&MESSAGE[..3]).trailers(&ok).code(),
            (Code::INTERNAL, true)
        );
        let two = Script::new().headers().data(MESSAGE).data(MESSAGE);
        assert_eq!(two.code(), (Code::UNIMPLEMENTED, true));
        assert_eq!(
            Script::new().headers().data(MESSAGE).trailers(&[]).code(),
            (Code::UNKNOWN, true)
        );
    }

    // Spec: grpc-bad-status, grpc-missing-status
    #[test]
    fn a_status_that_is_garbage_or_repeated_is_never_ok() {
        for fields in [
            &[("grpc-status", "")][..],
            &[("grpc-status", "-1")],
            &[("grpc-status", "00")],
            &[("grpc-status", "99999999999")],
            &[("grpc-status", "0"), ("grpc-status", "0")],
            &[("grpc-status", "5"), ("grpc-status", "0")],
        ] {
            let script = Script::new().headers().data(MESSAGE).trailers(fields);
            assert_eq!(script.code(), (Code::UNKNOWN, true), "{fields:?}");
        }
        let early = Script::new()
            .block(
                Section::Headers,
                &[
                    (":status", "200"),
                    ("content-type", "application/grpc"),
                    ("grpc-status", "0"),
                ],
                false,
            )
            .data(MESSAGE)
            .trailers(&[]);
        assert_eq!(early.code(), (Code::UNKNOWN, true));
    }

    // Spec: grpc-trailers-only
    #[test]
    fn trailers_only_carries_the_status_in_one_block() {
        let fields = [
            (":status", "200"),
            ("content-type", "application/grpc"),
            ("grpc-status", "5"),
        ];
        assert_eq!(
            Script::new().block(Section::Headers, &fields, true).code(),
            (Code::NOT_FOUND, false)
        );
    }

    // Spec: grpc-status-wins, grpc-odd-content-type
    #[test]
    fn a_grpc_status_wins_over_the_http_status() {
        let fields = [(":status", "503"), ("grpc-status", "7")];
        assert_eq!(
            Script::new().block(Section::Headers, &fields, true).code(),
            (Code::PERMISSION_DENIED, false)
        );
        let fields = [(":status", "503"), ("content-type", "text/html")];
        let late = Script::new().block(Section::Headers, &fields, false);
        assert_eq!(
            late.trailers(&[("grpc-status", "7")]).code(),
            (Code::PERMISSION_DENIED, false)
        );
    }

    // Spec: grpc-odd-status, grpc-odd-content-type, grpc-missing-status
    #[test]
    fn without_a_grpc_status_content_or_the_end_of_what_is_not_grpc_ends_by_its_http_status() {
        for (fields, code) in [
            (
                &[(":status", "503"), ("content-type", "text/html")][..],
                Code::UNAVAILABLE,
            ),
            (
                &[(":status", "200"), ("content-type", "application/grpc-web")],
                Code::UNKNOWN,
            ),
            (&[(":status", "200")], Code::UNKNOWN),
        ] {
            let begun = || Script::new().block(Section::Headers, fields, false);
            assert_eq!(begun().response.outcome(), None, "{fields:?}");
            assert_eq!(begun().data(MESSAGE).code(), (code, true), "{fields:?}");
            assert_eq!(begun().trailers(&[]).code(), (code, true), "{fields:?}");
        }
    }

    // Spec: grpc-response-too-large
    #[test]
    fn a_message_over_the_limit_is_refused_at_its_prefix() {
        let script = Script::new().headers().data(&[0, 0, 0, 0, 17]);
        assert_eq!(script.code(), (Code::RESOURCE_EXHAUSTED, true));
        let script = Script::new().headers().data(&[0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(script.code(), (Code::RESOURCE_EXHAUSTED, true));
    }

    // Spec: grpc-flag-without-encoding, grpc-flag-unknown
    #[test]
    fn compressed_and_unknown_message_flags_are_internal() {
        for flag in [1, 2, 255] {
            assert_eq!(
                Script::new().headers().data(&[flag, 0, 0, 0, 0]).code(),
                (Code::INTERNAL, true)
            );
        }
    }

    #[test]
    fn a_compressed_response_is_told_from_one_that_only_says_so() {
        let reason = |encoding: &[(&str, &str)]| {
            let head = [
                &[(":status", "200"), ("content-type", "application/grpc")],
                encoding,
            ]
            .concat();
            let script = Script::new().block(Section::Headers, &head, false);
            script.response.bad_flag(1).message().to_owned()
        };
        assert!(reason(&[("grpc-encoding", "gzip")]).contains("did not offer"));
        assert!(reason(&[("grpc-encoding", "identity")]).contains("names no grpc-encoding"));
        assert!(reason(&[]).contains("names no grpc-encoding"));
    }

    // Spec: grpc-rst-refused
    #[test]
    fn a_reset_before_any_response_may_be_retried_where_nothing_was_processed() {
        let mut fresh = Response::new();
        fresh.recv_reset(ErrorCode::REFUSED_STREAM, Origin::Peer);
        assert!(matches!(fresh.outcome(), Some(Outcome::Unprocessed(_))));
        let mut begun = Script::new().headers().response;
        begun.recv_reset(ErrorCode::REFUSED_STREAM, Origin::Peer);
        assert!(matches!(
            begun.outcome(),
            Some(Outcome::Local(Code::UNAVAILABLE, _))
        ));
        let mut cancelled = Response::new();
        cancelled.recv_reset(ErrorCode::CANCEL, Origin::Peer);
        assert!(matches!(
            cancelled.outcome(),
            Some(Outcome::Local(Code::CANCELLED, _))
        ));
    }

    // Spec: grpc-bin-malformed
    #[test]
    fn a_bad_binary_field_fails_this_call_alone() {
        let trailers = [("grpc-status", "0"), ("x-bin", "!!!")];
        let script = Script::new().headers().data(MESSAGE).trailers(&trailers);
        if cfg!(feature = "base64") {
            assert_eq!(script.code(), (Code::INTERNAL, true));
        }
    }
}
