//! Credentials: metadata that a provider adds to each call, and tokens that are fetched again.

use std::cell::{Cell, RefCell};
use std::future::IntoFuture;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::support::client::{CHAT, FEED, Memory, blob, both, echo, feed, sleep};
use crate::support::frames::{self, Frame};
use crate::support::streams::{Got, StreamServer};
use crate::support::{Blob, ECHO, Peers, VirtualTimer, run};
use rpc_nostd::client::{BidiStreaming, ServerStreaming, Unary};
use rpc_nostd::time::Instant;
use rpc_nostd::{CallCredentials, Channel, Code, Config, MetadataEntry, Method, Status};

/// A token that `store` brings.
#[derive(Default)]
struct Token {
    bearer: RefCell<String>,
    waiting: Cell<Option<Waker>>,
    rejected: Cell<u32>,
    refusal: Cell<Option<Status>>,
}

impl Token {
    fn new(bearer: &str) -> Self {
        let token = Self::default();
        token.store(bearer);
        token
    }

    fn store(&self, bearer: &str) {
        *self.bearer.borrow_mut() = bearer.into();
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

impl CallCredentials for Token {
    fn poll_ready(&self, _: Instant, waker: &Waker) -> Poll<Result<(), Status>> {
        if let Some(status) = self.refusal.get() {
            return Poll::Ready(Err(status));
        }
        if !self.bearer.borrow().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.waiting.set(Some(waker.clone()));
        Poll::Pending
    }

    fn emit(&self, _: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
        push(MetadataEntry::ascii("authorization", &self.bearer.borrow()));
    }

    fn rejected(&self) {
        self.rejected.set(self.rejected.get() + 1);
        self.bearer.borrow_mut().clear();
    }
}

/// Says what method it is for.
struct Audience;

impl CallCredentials for Audience {
    fn emit(&self, method: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
        push(MetadataEntry::ascii("x-audience", method.path()));
    }
}

fn with_credentials(
    server: StreamServer,
    provider: Option<&dyn CallCredentials>,
    test: impl AsyncFnOnce(Channel<'_>, &VirtualTimer),
) {
    let timer = VirtualTimer::default();
    let mut memory = Memory::new();
    let config = Config {
        credentials: provider,
        ..Config::new("test.local:1")
    };
    let (channel, runner) = Channel::new(&mut memory, Peers::one(server), &timer, config).unwrap();
    run(&timer, test(channel, &timer), vec![Box::pin(runner.run())]);
}

fn answering() -> StreamServer {
    StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"yes"]);
        }
    })
}

/// Refuses every call.
fn refusing() -> StreamServer {
    StreamServer::new(|_, got, reply| {
        if got == Got::Call {
            reply.head().trailers(16);
        }
    })
}

/// The names and values of all requests.
fn requests(log: &[Frame]) -> Vec<Vec<(String, String)>> {
    let (mut table, mut scratch) = ([0; 4096], [0; 512]);
    let limits = hpack_lite::Limits {
        max_list_size: 8192,
        max_fields: 64,
    };
    let mut decoder = hpack_lite::Decoder::new(&mut table, &mut scratch, limits);
    let blocks = log.iter().filter(|frame| frame.kind == frames::HEADERS);
    let decoded = blocks.map(|frame| {
        let (mut fields, mut block) = (Vec::new(), &frame.payload[..]);
        while let Some(field) = decoder.decode(&mut block).unwrap() {
            let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
            fields.push((text(field.name), text(field.value)));
        }
        decoder.finish().unwrap();
        fields
    });
    decoded.collect()
}

fn value<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let field = fields.iter().find(|(found, _)| found == name);
    field.map(|(_, value)| value.as_str())
}

// Spec: grpc-request-order
#[test]
fn both_providers_add_their_entries_the_clients_first_and_the_calls_own_metadata_last() {
    let server = answering();
    let log = server.frames.clone();
    let token = Token::new("Bearer one");
    with_credentials(server, Some(&token), async |mut channel, _| {
        echo(channel, b"").await.unwrap();
        let request = Blob::default();
        let entries = [MetadataEntry::ascii("x-device", "17")];
        let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request);
        let call = call.metadata(&entries).credentials(&Audience);
        assert_eq!(call.await.unwrap().next().await, Ok(Some(blob(b"yes"))));
    });
    let requests = requests(&log.borrow());
    assert_eq!(value(&requests[0], "authorization"), Some("Bearer one"));
    assert_eq!(value(&requests[0], "x-audience"), None);
    let custom: Vec<_> = requests[1].iter().rev().take(3).rev().cloned().collect();
    let expected = [
        ("authorization", "Bearer one"),
        ("x-audience", "/test.Echo/Feed"),
        ("x-device", "17"),
    ];
    assert_eq!(custom, expected.map(|(name, value)| (name.into(), value.into())));
}

// Spec: hpack-7.1.3-secrets
#[test]
fn a_token_is_never_indexed_rfc_7541_7_1_3() {
    let server = answering();
    let log = server.frames.clone();
    let token = Token::new("Bearer one");
    with_credentials(server, Some(&token), async |channel, _| {
        echo(channel, b"").await.unwrap();
    });
    let log = log.borrow();
    let block = &log
        .iter()
        .find(|frame| frame.kind == frames::HEADERS)
        .unwrap()
        .payload;
    // "0001" and the static table's index 23: 15 and 8 more (section 6.2.3).
    assert!(block.windows(2).any(|pair| pair == [0x1f, 8]), "{block:02x?}");
}

#[test]
fn a_call_waits_for_its_token_and_holds_no_slot_meanwhile() {
    let server = answering();
    let log = server.frames.clone();
    let token = Token::default();
    with_credentials(server, None, async |channel, timer| {
        let mut waiting = channel;
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut waiting, &ECHO, &request).credentials(&token);
        let fetching = async {
            sleep(timer, 200).await;
            // Both slots are free: the token could be fetched over this very channel.
            let _first = feed(channel, b"").await.unwrap();
            echo(channel, b"").await.unwrap();
            token.store("Bearer late");
        };
        assert_eq!(both(call.into_future(), fetching).await.0, Ok(blob(b"yes")));
        assert!(timer.now_ms() < 300);
    });
    assert_eq!(
        value(&requests(&log.borrow())[2], "authorization"),
        Some("Bearer late")
    );
}

#[test]
fn waiting_for_a_token_ends_at_the_deadline_and_nothing_is_sent() {
    let server = answering();
    let log = server.log.clone();
    let token = Token::default();
    with_credentials(server, Some(&token), async |mut channel, timer| {
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
        let result = call.deadline(Duration::from_millis(150)).await;
        assert_eq!(result.unwrap_err().code(), Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 150);
        let call = BidiStreaming::<_, Blob, Blob>::new(&mut channel, &CHAT);
        let result = call.deadline(Duration::from_millis(150)).await;
        assert_eq!(result.err().unwrap().code(), Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 300);
    });
    assert!(log.borrow().is_empty());
}

#[test]
fn a_provider_that_fails_fails_the_call_with_its_status() {
    let token = Token::default();
    token
        .refusal
        .set(Some(Status::new(Code::UNAVAILABLE, "no token server")));
    with_credentials(answering(), Some(&token), async |channel, _| {
        let status = echo(channel, b"").await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::UNAVAILABLE, "no token server")
        );
        assert_eq!(feed(channel, b"").await.err(), Some(status));
    });
}

#[test]
fn an_illegal_entry_fails_the_call_unsent_and_names_the_rule() {
    let server = answering();
    let log = server.log.clone();
    let token = Token::new("Bearer\r\nx-evil: 1");
    with_credentials(server, Some(&token), async |channel, _| {
        for status in [
            echo(channel, b"").await.unwrap_err(),
            feed(channel, b"").await.err().unwrap(),
        ] {
            assert_eq!(status.code(), Code::INTERNAL);
            assert!(status.message().contains("printable ASCII"), "{status}");
        }
        token.store("Bearer good");
        assert_eq!(echo(channel, b"").await, Ok(blob(b"yes")));
    });
    assert_eq!(log.borrow()[0], (1, Got::Call));
}

#[test]
fn unauthenticated_tells_each_provider_once() {
    let (of_client, of_call) = (Token::new("a"), Token::new("b"));
    with_credentials(refusing(), Some(&of_client), async |mut channel, _| {
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).credentials(&of_call);
        assert_eq!(call.await.unwrap_err().code(), Code::UNAUTHENTICATED);
    });
    assert_eq!((of_client.rejected.get(), of_call.rejected.get()), (1, 1));
}

#[test]
fn unauthenticated_at_the_end_of_a_stream_tells_the_clients_provider_once() {
    let token = Token::new("a");
    with_credentials(refusing(), Some(&token), async |channel, _| {
        let mut events = feed(channel, b"").await.unwrap();
        for _ in 0..3 {
            assert_eq!(events.next().await.unwrap_err().code(), Code::UNAUTHENTICATED);
        }
    });
    assert_eq!(token.rejected.get(), 1);
}

#[test]
fn after_a_rejection_the_next_call_waits_for_another_token() {
    let denials = Rc::new(Cell::new(0));
    let count = denials.clone();
    let server = StreamServer::new(move |_, got, reply| {
        if got == Got::End {
            count.set(count.get() + 1);
            if count.get() == 1 {
                reply.head().trailers(16);
            } else {
                reply.answer(&[b"yes"]);
            }
        }
    });
    let log = server.frames.clone();
    let token = Token::new("Bearer old");
    with_credentials(server, Some(&token), async |channel, timer| {
        assert_eq!(
            echo(channel, b"").await.unwrap_err().code(),
            Code::UNAUTHENTICATED
        );
        let refresh = async {
            sleep(timer, 50).await;
            token.store("Bearer new");
        };
        let (result, ()) = both(echo(channel, b""), refresh).await;
        assert_eq!(result, Ok(blob(b"yes")));
    });
    let requests = requests(&log.borrow());
    assert_eq!(value(&requests[0], "authorization"), Some("Bearer old"));
    assert_eq!(value(&requests[1], "authorization"), Some("Bearer new"));
}
