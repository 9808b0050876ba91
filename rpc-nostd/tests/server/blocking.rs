//! The same services without an executor.

use std::cell::Cell;

use rpc_nostd::Code;
use rpc_nostd::server::{BlockingServer, Call, ServerConfig, ServerResources, Service};
use rpc_nostd::transport::blocking::Transport;

use crate::net::Socket;
use crate::service::{CHAT, COLLECT, Custom, Echo, Guard, Log, STREAM, UNARY, echo};
use crate::support::frames;
use crate::support::{Blob, VirtualTimer};
use crate::wire::{PREFACE, Wire, request, request_with};

/// A transport whose other end does one more step of its script whenever nothing moves; a millisecond passes.
struct Scripted<'t, F> {
    socket: Socket,
    timer: &'t VirtualTimer,
    script: F,
}

impl<F: FnMut(u64)> Transport for Scripted<'_, F> {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        Ok(self.socket.read_now(to))
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        Ok(self.socket.write_now(from))
    }

    fn idle(&mut self) {
        self.timer.pass(1);
        (self.script)(self.timer.now_ms());
    }
}

/// Serves one connection: at each idle millisecond the script acts. Returns why the connection ended.
fn serve(
    service: &impl Service,
    mut script: impl FnMut(u64, &mut Wire),
    keep_going: impl Fn(u64) -> bool,
) -> &'static str {
    let timer = VirtualTimer::default();
    let mut memory = ServerResources::<'_, 1, 2, 300, 512>::new();
    let config = ServerConfig::new();
    let mut server = BlockingServer::new(&mut memory, service, &timer, &config).unwrap();
    let socket = Socket::default();
    let mut wire = Wire::new(socket.clone());
    wire.send(PREFACE);
    wire.send(&frames::settings(&[]));
    let mut transport = Scripted {
        socket,
        timer: &timer,
        script: |ms| {
            if ms == 1 {
                wire.send(&frames::settings_ack());
            }
            script(ms, &mut wire);
        },
    };
    server.serve(&mut transport, &mut || keep_going(timer.now_ms()))
}

#[test]
fn calls_of_every_kind_are_served_without_an_executor() {
    let reason = serve(
        &Echo,
        |ms, wire| match ms {
            2 => {
                wire.look();
                wire.call(1, UNARY.path(), &[b"abc"]);
                wire.send(&frames::headers(3, &request(COLLECT.path()), false));
            }
            3 => {
                let answer = wire.answer(1);
                assert_eq!(
                    (answer.code(), answer.messages()),
                    (Some(Code::OK), vec![b"abc".to_vec()])
                );
                wire.call(5, CHAT.path(), &[b"1", b"2"]);
            }
            4 => {
                assert_eq!(wire.answer(5).messages(), [b"1", b"2"]);
                wire.send(&frames::data(3, &frames::message(b"late"), true));
            }
            5 => {
                assert_eq!(wire.answer(3).messages(), [b"late"]);
                wire.send(&frames::goaway(0, 0));
            }
            _ => assert!(ms < 10, "the connection must have ended"),
        },
        |_| true,
    );
    assert_eq!(reason, "the client went away");
}

#[test]
fn deadlines_resets_and_lost_connections_drop_handlers_without_an_executor() {
    let log = Log::default();
    let service = {
        let log = log.clone();
        Custom(async move |call: &mut Call<'_>| {
            if call.method() == &UNARY {
                return echo(call).await;
            }
            let _guard = Guard(log.clone(), "dropped");
            std::future::pending().await
        })
    };
    let reason = serve(
        &service,
        |ms, wire| match ms {
            2 => {
                wire.look();
                wire.send(&frames::headers(
                    1,
                    &request_with(CHAT.path(), &[("grpc-timeout", "10m")]),
                    false,
                ));
                wire.send(&frames::headers(3, &request(CHAT.path()), false));
            }
            14 => assert!(log.borrow().is_empty()),
            16 => {
                assert_eq!(log.borrow().len(), 1);
                assert_eq!(wire.answer(1).reset, Some(8));
                wire.send(&frames::rst(3, 8));
                wire.call(5, UNARY.path(), &[b"next"]);
                wire.send(&frames::headers(7, &request(CHAT.path()), false));
            }
            18 => {
                assert_eq!(log.borrow().len(), 2);
                assert_eq!(wire.answer(5).code(), Some(Code::OK));
                wire.socket.close();
            }
            _ => assert!(ms < 20),
        },
        |_| true,
    );
    assert_eq!(
        (reason, log.borrow().len()),
        ("the peer closed the connection", 3)
    );
}

#[test]
fn a_transport_that_takes_nothing_is_waited_for_though_calls_let_each_other_go_first() {
    let endless = Custom(async |call: &mut Call<'_>| {
        let len = if call.method() == &CHAT { 250 } else { 3 };
        let (_, _, mut replies) = call.split::<Blob, Blob>();
        loop {
            replies.send(&Blob(vec![7; len])).await?;
        }
    });
    let turns = Cell::new((0, 0));
    let reason = serve(
        &endless,
        |ms, wire| match ms {
            2 => {
                wire.socket.set_capacity(Some(0));
                wire.send(&frames::headers(1, &request(CHAT.path()), false));
                wire.send(&frames::headers(3, &request(STREAM.path()), false));
            }
            20 => wire.socket.close(),
            _ => assert!(ms < 30),
        },
        |ms| {
            let (at, count) = turns.get();
            turns.set((ms, if at == ms { count + 1 } else { 0 }));
            assert!(count < 1_000, "idle() is not called any more");
            true
        },
    );
    assert_eq!(reason, "the peer closed the connection");
}

#[test]
fn a_server_that_is_told_to_stop_says_goodbye_first_and_can_serve_again() {
    let timer = VirtualTimer::default();
    let mut memory = ServerResources::<'_, 1, 2, 300, 512>::new();
    let mut server = BlockingServer::new(&mut memory, &Echo, &timer, &ServerConfig::new()).unwrap();
    for round in 0..3 {
        let begin = timer.now_ms();
        let socket = Socket::default();
        let mut wire = Wire::new(socket.clone());
        wire.send(PREFACE);
        wire.send(&frames::settings(&[]));
        let mut answered = false;
        let mut goaways = 0;
        let script = |ms: u64| match ms - begin {
            1 => wire.send(&frames::settings_ack()),
            2 => wire.call(1, UNARY.path(), &[b"x"]),
            4 => answered = wire.answer(1).code() == Some(Code::OK),
            6 => {
                for frame in wire.look() {
                    if frame.kind == frames::PING {
                        wire.send(&frames::frame(frames::PING, frames::ACK, 0, &frame.payload));
                    }
                    goaways += u32::from(frame.kind == frames::GOAWAY);
                }
            }
            ms => assert!(ms < 10, "round {round}"),
        };
        let mut transport = Scripted {
            socket,
            timer: &timer,
            script,
        };
        let reason = server.serve(&mut transport, &mut || timer.now_ms() - begin < 5);
        assert_eq!(
            (reason, answered, goaways),
            ("the connection was shut down", true, 1),
            "round {round}"
        );
    }
}
