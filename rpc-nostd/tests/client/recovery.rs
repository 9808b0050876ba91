//! What a channel must survive: links that stick, servers that leave, tasks that are dropped. No slot, no wake
//! and no turn is lost.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::support::client::{Memory, code, echo, poll_until, with_channel};
use crate::support::frames;
use crate::support::server::{HEAD, Server, ok};
use crate::support::{Blob, ECHO, Link, Peer, Peers, VirtualTimer, run};
use rpc_nostd::client::Unary;
use rpc_nostd::transport::asynch::Connector;
use rpc_nostd::{Channel, Code, Config, ConnectivityState, ReceivedMetadata, Resources, Status};

/// A call that waits for a server for so many seconds.
async fn patient(mut channel: Channel<'_>, seconds: u64) -> Result<Blob, Status> {
    Unary::<_, _, Blob>::new(&mut channel, &ECHO, &Blob::default())
        .wait_for_ready()
        .deadline(Duration::from_secs(seconds))
        .await
}

fn good() -> Option<Box<dyn Peer>> {
    Some(Box::new(Server::answering(|stream| ok(stream, b"good"))))
}

#[test]
fn a_slot_whose_rst_stream_never_left_is_free_on_the_next_connection() {
    // The only slot there is.
    for stuck_after in (0..400).step_by(3) {
        let timer = VirtualTimer::default();
        let mut memory: Resources<1, 300, 512, 256> = Resources::new();
        let mut peers = Peers::new(vec![Some(Box::new(Server::new(|_, _| true))), good(), good()]);
        peers.stuck_after = stuck_after;
        let (mut channel, runner) =
            Channel::new(&mut memory, peers, &timer, Config::new("test.local:1")).unwrap();
        let test = async {
            let request = Blob(vec![1; 1_000]);
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
            call.deadline(Duration::from_secs(1)).await.unwrap_err();
            // The silent server's connection may take one call more with it.
            let mut results = Vec::new();
            for _ in 0..3 {
                results.push(patient(channel, 60).await);
            }
            let expected = (stuck_after < 300).then(|| Ok(Blob(b"good".to_vec())));
            assert!(
                expected.is_none() || results.contains(&expected.unwrap()),
                "stuck after {stuck_after}: {results:?}"
            );
        };
        run(&timer, test, vec![Box::pin(runner.run())]);
    }
}

#[test]
fn reading_goes_on_when_the_write_is_done_that_held_it_up() {
    // PINGs come while the request is being written: the second waits for the place of the first one's ACK.
    let server = Server::answering(|stream| {
        let mut out = Vec::new();
        for _ in 0..3 {
            out.extend(frames::frame(frames::PING, 0, 0, b"pingping"));
        }
        out.extend(ok(stream, b"after the pings"));
        out
    });
    let mut peers = Peers::one(server);
    peers.slow_above = 60;
    with_channel(peers, async |channel, timer| {
        assert_eq!(echo(channel, b"").await, Ok(Blob(b"after the pings".to_vec())));
        assert_eq!(timer.now_ms(), 0);
    });
}

/// Never connects.
struct Away;

impl Connector for Away {
    type Connection<'c> = Link;

    async fn connect(&mut self) -> Result<Link, &'static str> {
        std::future::pending().await
    }
}

#[test]
fn shutdown_ends_an_attempt_to_connect_at_once() {
    let timer = VirtualTimer::default();
    let mut memory = Memory::new();
    let (channel, runner) = Channel::new(&mut memory, Away, &timer, Config::new("test.local:1")).unwrap();
    let test = async {
        let mut call = Box::pin(patient(channel, 100));
        let mut running = Box::pin(runner.run());
        poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            assert!(running.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(channel.state(), ConnectivityState::Connecting);
        channel.shutdown();
        running.await;
        assert_eq!(call.await.unwrap_err().code(), Code::UNAVAILABLE);
        assert_eq!(timer.now_ms(), 0);
    };
    run(&timer, test, vec![]);
}

#[test]
fn dropping_the_runner_fails_calls_at_every_step() {
    for polls in 0..6 {
        let timer = VirtualTimer::default();
        let mut memory = Memory::new();
        let peers = Peers::one(Server::new(|_, _| true));
        let (mut channel, runner) =
            Channel::new(&mut memory, peers, &timer, Config::new("test.local:1")).unwrap();
        let test = async {
            let request = Blob::default();
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).no_deadline();
            let mut call = Box::pin(call.into_future());
            let mut running = Box::pin(runner.run());
            for _ in 0..polls {
                poll_fn(|cx| {
                    assert!(call.as_mut().poll(cx).is_pending());
                    assert!(running.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            drop(running);
            let status = call.await.unwrap_err();
            assert_eq!(status.code(), Code::UNAVAILABLE);
            assert!(status.message().contains("Runner"), "{status}");
        };
        run(&timer, test, vec![]);
    }
}

#[test]
fn a_server_that_lets_in_and_goes_away_is_not_called_without_a_pause() {
    let list: Vec<Option<Box<dyn Peer>>> = (0..1_000)
        .map(|_| {
            let leaving = Server::new(|frame, out| {
                if frame.kind == frames::SETTINGS && frame.flags == 0 {
                    out.extend(frames::goaway(0, 0));
                }
                true
            });
            Some(Box::new(leaving) as Box<dyn Peer>)
        })
        .collect();
    let peers = Peers::new(list);
    let attempts = peers.attempts.clone();
    with_channel(peers, async |channel, timer| {
        while timer.now_ms() < 10_000 {
            patient(channel, 5).await.unwrap_err();
        }
    });
    assert!(
        (3..=25).contains(&attempts.get()),
        "{} attempts in 10 s",
        attempts.get()
    );
}

#[test]
fn a_connection_that_goes_away_for_ever_does_not_hold_up_those_who_wait() {
    // Also where a write hangs when the time has come.
    for stuck_after in [usize::MAX, 600] {
        let leaving = Server::new(|frame, out| {
            if frame.kind == frames::HEADERS {
                out.extend(frames::goaway(1, 0));
            }
            true
        });
        let mut peers = Peers::new(vec![Some(Box::new(leaving)), good()]);
        peers.stuck_after = stuck_after;
        with_channel(peers, async |mut channel, timer| {
            let other = channel;
            let request = Blob(vec![1; 3_000]);
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).no_deadline();
            let mut endless = Box::pin(call.into_future());
            let mut waiting = Box::pin(patient(other, 15));
            let mut ended = None;
            let answer = poll_fn(|cx| {
                if ended.is_none()
                    && let Poll::Ready(result) = endless.as_mut().poll(cx)
                {
                    ended = Some(result);
                }
                waiting.as_mut().poll(cx)
            })
            .await;
            assert_eq!(answer, Ok(Blob(b"good".to_vec())));
            assert!(timer.now_ms() <= 10_000);
            assert_eq!(ended.unwrap().unwrap_err().code(), Code::UNAVAILABLE);
        });
    }
}

#[test]
fn metadata_of_an_earlier_call_is_gone_when_the_next_one_fails() {
    let server = Server::new(|frame, out| {
        if frame.kind == frames::DATA && frame.stream == 1 {
            let head = [HEAD, &[("x-secret", "first")]].concat();
            out.extend(frames::headers(1, &head, false));
            out.extend(frames::data(1, &frames::message(b""), false));
            out.extend(frames::headers(1, &[("grpc-status", "0")], true));
        }
        true
    });
    with_channel(Peers::one(server), async |mut channel, _| {
        let mut memory = [0; 128];
        let mut received = ReceivedMetadata::new(&mut memory);
        let request = Blob::default();
        for expected in [Some(&b"first"[..]), None] {
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).receive_into(&mut received);
            assert_eq!(call.await.is_ok(), expected.is_some());
            assert_eq!(received.initial("x-secret").next(), expected);
        }
    });
}

#[test]
fn the_smallest_resources_carry_a_call() {
    let timer = VirtualTimer::default();
    let mut memory: Resources<1, 261, 384, 0, 0, 96> = Resources::new();
    let peers = Peers::new(vec![good()]);
    let config = Config::new("telemetry.devices.example.com:50051");
    let (channel, runner) = Channel::new(&mut memory, peers, &timer, config).unwrap();
    let test = async {
        assert_eq!(echo(channel, &[3; 700]).await, Ok(Blob(b"good".to_vec())));
        assert_eq!(patient(channel, 5).await, Ok(Blob(b"good".to_vec())));
    };
    run(&timer, test, vec![Box::pin(runner.run())]);
}

#[test]
fn a_task_that_sends_large_messages_does_not_keep_another_from_sending() {
    for piece in [16, 50, 200, 1_000] {
        let timer = VirtualTimer::default();
        let mut memory = Memory::new();
        let mut peers = Peers::one(Server::answering(|stream| ok(stream, b"x")));
        peers.piece = piece;
        peers.slow_above = 0;
        let (channel, runner) =
            Channel::new(&mut memory, peers, &timer, Config::new("test.local:1")).unwrap();
        let done = Rc::new(Cell::new(false));
        let mark = done.clone();
        let other = Box::pin(async move {
            echo(channel, &[2; 900]).await.unwrap();
            mark.set(true);
        });
        let test = async {
            // The worst executor: this task is always polled first. The other has its turn at each call's end.
            for _ in 0..6 {
                echo(channel, &[1; 4_000]).await.unwrap();
            }
            assert!(done.get(), "pieces of {piece}");
        };
        run(&timer, test, vec![other, Box::pin(runner.run())]);
    }
}

// Spec: grpc-code-shutdown
#[test]
fn shutdown_lets_a_call_under_way_finish_and_says_goodbye_rfc_9113_6_8() {
    // The answer comes when the server has heard the GOAWAY.
    let mut asked = None;
    let server = Server::new(move |frame, out| {
        if frame.kind == frames::DATA {
            asked = Some(frame.stream);
        }
        if frame.kind == frames::GOAWAY {
            out.extend(ok(asked.expect("the request came first"), b"last"));
        }
        true
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        let mut call = Box::pin(echo(channel, b""));
        poll_until(call.as_mut(), timer, 50).await;
        channel.shutdown();
        assert_eq!(code(echo(channel, b"").await).0, Code::UNAVAILABLE);
        assert_eq!(call.await, Ok(Blob(b"last".to_vec())));
        assert_eq!(channel.state(), ConnectivityState::Shutdown);
    });
    let goodbyes = log
        .borrow()
        .iter()
        .filter(|frame| frame.kind == frames::GOAWAY)
        .count();
    assert_eq!(goodbyes, 1);
}
