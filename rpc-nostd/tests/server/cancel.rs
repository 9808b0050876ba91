//! How calls end before their time: deadlines, resets, lost connections, too many at once.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use rpc_nostd::server::{Call, Service};
use rpc_nostd::{Code, Status};

use crate::bench::serving;
use crate::service::{CHAT, Custom, Gate, Guard, Log, STREAM, UNARY, echo};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::{request, request_with};

const CANCEL: u32 = 8;
const REFUSED_STREAM: u32 = 7;

/// Serves UNARY as an echo; all other handlers never end, and write into the log when they begin and are dropped.
fn hanging(log: &Log) -> impl Service + use<> {
    let log = log.clone();
    Custom(async move |call: &mut Call<'_>| {
        if call.method() == &UNARY {
            return echo(call).await;
        }
        log.borrow_mut().push("begun".to_owned());
        let _guard = Guard(log.clone(), "dropped");
        pending().await
    })
}

// Spec: grpc-timeout-absent, grpc-timeout-format
#[test]
fn the_handler_knows_how_much_time_is_left() {
    let service = Custom(async |call: &mut Call<'_>| {
        let (context, mut requests, mut replies) = call.split::<Blob, Blob>();
        while requests.next().await?.is_some() {
            let left = context
                .remaining()
                .map_or(u64::MAX, |left| left.as_millis() as u64);
            replies.send(&Blob(left.to_be_bytes().to_vec())).await?;
        }
        Ok(())
    });
    serving(service, async |bench| {
        let mut wire = bench.open().await;
        let units = [
            ("5S", 5_000u64),
            ("99999999H", 99_999_999 * 3_600_000),
            ("1500m", 1_500),
            ("1u", 1),
            ("2M", 120_000),
        ];
        for (n, (text, ms)) in units.into_iter().enumerate() {
            let stream = 2 * n as u32 + 1;
            wire.send(&frames::headers(
                stream,
                &request_with(CHAT.path(), &[("grpc-timeout", text)]),
                false,
            ));
            wire.send(&frames::data(stream, &frames::message(b""), true));
            bench.settle().await;
            assert_eq!(wire.answer(stream).messages(), [ms.to_be_bytes()], "{text}");
        }
        wire.send(&frames::headers(
            21,
            &request_with(CHAT.path(), &[("grpc-timeout", "1S")]),
            false,
        ));
        bench.pass(400).await;
        wire.send(&frames::data(21, &frames::message(b""), true));
        bench.settle().await;
        assert_eq!(wire.answer(21).messages(), [600u64.to_be_bytes()]);
        wire.call(23, CHAT.path(), &[b""]);
        bench.settle().await;
        assert_eq!(
            wire.answer(23).messages(),
            [u64::MAX.to_be_bytes()],
            "no grpc-timeout: no limit"
        );
    });
}

// Spec: grpc-deadline-server-handler, grpc-deadline-server-reset
#[test]
fn at_its_deadline_the_handler_is_dropped_and_the_stream_cancelled() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(
            1,
            &request_with(CHAT.path(), &[("grpc-timeout", "1S")]),
            false,
        ));
        // A client that is told before its own clock has come there takes it for a cancellation.
        bench.pass(1_002).await;
        assert_eq!(*log.borrow(), ["begun"]);
        assert!(wire.answer(1).frames.is_empty());
        bench.pass(1).await;
        assert_eq!(*log.borrow(), ["begun", "dropped"]);
        let answer = wire.answer(1);
        assert_eq!((answer.frames.as_str(), answer.reset), ("R", Some(CANCEL)));
        bench.echo(&mut wire, 3, b"innocent").await;
    });
}

#[test]
fn a_call_without_time_never_reaches_its_handler() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        for (stream, none) in [(1, "0m"), (3, "0H"), (5, "00000000n")] {
            wire.send(&frames::headers(
                stream,
                &request_with(CHAT.path(), &[("grpc-timeout", none)]),
                false,
            ));
            bench.settle().await;
            assert_eq!(wire.answer(stream).reset, Some(CANCEL), "{none}");
        }
        assert!(log.borrow().is_empty());
    });
}

// Spec: grpc-timeout-malformed
#[test]
fn a_timeout_that_is_none_is_an_internal_error() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        for (n, bad) in ["", "S", "123456789S", "-1S", "1x", "1", "1.5S", "1 S"]
            .into_iter()
            .enumerate()
        {
            let stream = 2 * n as u32 + 1;
            wire.send(&frames::headers(
                stream,
                &request_with(CHAT.path(), &[("grpc-timeout", bad)]),
                true,
            ));
            bench.settle().await;
            let answer = wire.answer(stream);
            assert_eq!(
                (answer.code(), answer.frames.as_str()),
                (Some(Code::INTERNAL), "H!"),
                "{bad:?}"
            );
        }
        assert!(log.borrow().is_empty());
    });
}

// Spec: grpc-cancel-handler, h2-6.4-silence
#[test]
fn a_reset_drops_the_handler_and_its_slot_takes_the_next_call_of_the_same_read() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        for round in 0..10u32 {
            let first = 6 * round + 1;
            // Both slots, each given up; the next two calls come in the same octets.
            let mut octets = frames::headers(first, &request(CHAT.path()), false);
            octets.extend(frames::headers(first + 2, &request(STREAM.path()), false));
            wire.send(&octets);
            bench.settle().await;
            assert_eq!(
                std::mem::take(&mut *log.borrow_mut()),
                ["begun", "begun"],
                "round {round}"
            );
            let mut octets = frames::rst(first, CANCEL);
            octets.extend(frames::headers(first + 4, &request(UNARY.path()), false));
            octets.extend(frames::data(first + 4, &frames::message(b"next"), true));
            octets.extend(frames::rst(first + 2, CANCEL));
            wire.send(&octets);
            bench.settle().await;
            assert_eq!(std::mem::take(&mut *log.borrow_mut()), ["dropped", "dropped"]);
            let answers = wire.answers();
            assert_eq!(
                answers.len(),
                1,
                "nothing is sent on a stream that was reset: {answers:?}"
            );
            assert_eq!((answers[0].0, answers[0].1.code()), (first + 4, Some(Code::OK)));
            bench.pass(500).await;
        }
    });
}

#[test]
fn a_call_that_comes_and_goes_in_one_read_leaves_its_slot() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        let mut octets = Vec::new();
        for stream in [1, 3, 5, 7, 9, 11] {
            octets.extend(frames::headers(stream, &request(CHAT.path()), false));
            octets.extend(frames::data(stream, &[0; 20], false));
            octets.extend(frames::rst(stream, CANCEL));
        }
        wire.send(&octets);
        bench.settle().await;
        assert!(wire.answers().is_empty());
        bench.echo(&mut wire, 13, b"innocent").await;
    });
}

// Spec: grpc-lost-server
#[test]
fn a_lost_connection_drops_its_handlers_and_the_next_client_is_served() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        for _ in 0..3 {
            let wire = bench.open().await;
            wire.send(&frames::headers(1, &request(CHAT.path()), false));
            wire.send(&frames::headers(3, &request(STREAM.path()), false));
            bench.settle().await;
            wire.socket.close();
            bench.settle().await;
            let log = std::mem::take(&mut *log.borrow_mut());
            assert_eq!(log, ["begun", "begun", "dropped", "dropped"]);
            assert!(wire.socket.is_closed());
            let mut next = bench.open().await;
            bench.echo(&mut next, 1, b"next").await;
            bench.echo(&mut next, 3, b"next").await;
            next.socket.close();
            bench.settle().await;
        }
        assert_eq!(bench.net.accepted(), 6);
    });
}

// Spec: h2-5.1.2-excess, h2-8.7-refused-untouched, h2-4.3-always-decodes
#[test]
fn a_call_too_many_is_refused_and_the_others_go_on() {
    serving(Custom(collect), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        wire.send(&frames::headers(3, &request(CHAT.path()), false));
        // The refused block is decoded all the same: its literal enters the table (RFC 9113 section 4.3).
        let mut block = frames::block(&request(CHAT.path()));
        block.extend([0x40, 3, b'x', b'-', b'a', 1, b'1']);
        wire.send(&frames::frame(frames::HEADERS, frames::END_HEADERS, 5, &block));
        bench.settle().await;
        let answers = wire.answers();
        assert_eq!(answers.len(), 1);
        assert_eq!((answers[0].0, answers[0].1.reset), (5, Some(REFUSED_STREAM)));
        for stream in [1, 3] {
            wire.send(&frames::data(stream, &frames::message(b"still here"), true));
            bench.settle().await;
            assert_eq!(wire.answer(stream).messages(), [b"still here"]);
        }
        let mut block = frames::block(&request(CHAT.path()));
        block.push(0x80 | 62);
        wire.send(&frames::frame(frames::HEADERS, frames::END_HEADERS, 7, &block));
        wire.send(&frames::data(7, &frames::message(b"in step"), true));
        bench.settle().await;
        assert_eq!(wire.answer(7).messages(), [b"in step"]);
    });
}

/// Answers with all that came.
async fn collect(call: &mut Call<'_>) -> Result<(), Status> {
    let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
    let mut all = Blob::default();
    while let Some(request) = requests.next().await? {
        all.0.extend(request.0);
    }
    replies.send(&all).await
}

#[test]
fn a_handler_that_stops_in_the_middle_of_a_response_resets_the_stream() {
    // The client's window lets 20 octets through.
    let gate = Gate::default();
    let stop = gate.clone();
    let service = Custom(async move |call: &mut Call<'_>| {
        if call.method() == &UNARY {
            return echo(call).await;
        }
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        requests.next().await?;
        let reply = Blob(vec![7; 100]);
        let (mut send, mut stop) = (pin!(replies.send(&reply)), pin!(stop.wait()));
        poll_fn(|cx| {
            assert!(send.as_mut().poll(cx).is_pending());
            stop.as_mut().poll(cx)
        })
        .await;
        Ok(())
    });
    serving(service, async |bench| {
        let mut wire = bench.open_with(&[(4, 20)]).await;
        wire.call(1, STREAM.path(), &[b""]);
        bench.settle().await;
        gate.open();
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!((answer.frames.as_str(), answer.reset), ("HDR", Some(CANCEL)));
        assert_eq!(answer.content.len(), 20);
        bench.echo(&mut wire, 3, b"innocent").await;
    });
}

#[test]
fn a_response_given_up_before_its_first_octet_can_be_sent_again() {
    // The client's window is shut at first.
    let service = Custom(async |call: &mut Call<'_>| {
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        requests.only().await?;
        let first = Blob(vec![7; 100]);
        let mut send = Box::pin(replies.send(&first));
        let waits = poll_fn(|cx| Poll::Ready(send.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        drop(send);
        replies.send(&Blob(b"second".to_vec())).await
    });
    serving(service, async |bench| {
        let mut wire = bench.open_with(&[(4, 0)]).await;
        wire.call(1, UNARY.path(), &[b""]);
        bench.settle().await;
        wire.send(&frames::frame(frames::WINDOW_UPDATE, 0, 1, &100u32.to_be_bytes()));
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.code(), answer.messages()),
            (Some(Code::OK), vec![b"second".to_vec()])
        );
    });
}

// Spec: grpc-deadline-server-reset
#[test]
fn a_deadline_in_the_middle_of_a_response_resets_the_stream() {
    serving(Custom(echo), async |bench| {
        let mut wire = bench.open_with(&[(4, 20)]).await;
        wire.send(&frames::headers(
            1,
            &request_with(UNARY.path(), &[("grpc-timeout", "1S")]),
            false,
        ));
        wire.send(&frames::data(1, &frames::message(&[7; 100]), true));
        bench.settle().await;
        assert_eq!(wire.answer(1).frames, "HD");
        bench.pass(1_003).await;
        let answer = wire.answer(1);
        assert_eq!((answer.frames.as_str(), answer.reset), ("R", Some(CANCEL)));
        bench.echo(&mut wire, 3, b"innocent").await;
    });
}
