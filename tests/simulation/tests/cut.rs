//! The loss of the connection at every octet, in either direction, of a call of each kind: the call ends with the right
//! status, never with a false OK, and the next call is good.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use rpc_nostd::client::{BidiStreaming, ClientStreaming, ServerStreaming, Unary};
use rpc_nostd::server::{Call, Routes, Server, ServerConfig, ServerResources, Service, find};
use rpc_nostd::{Channel, Code, Config, Method, Resources, Status};
use rpc_nostd_simulation::executor::Executor;
use rpc_nostd_simulation::link::{Direction, Fate, Weather};
use rpc_nostd_simulation::message::Blob;
use rpc_nostd_simulation::net::{Climate, Dial, Listen, Net};
use rpc_nostd_simulation::plan::{CHAT, FEED, METHODS, UNARY, UPLOAD};
use rpc_nostd_simulation::world::{Trace, World};

/// Answers with what it gets; a feed with each octet of it.
struct Echo {
    /// Calls whose handler has returned OK.
    good: Cell<u32>,
}

impl Routes for Echo {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&METHODS, path)
    }
}

impl Service for Echo {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        let path = call.method().path();
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        if path == FEED.path() {
            for octet in requests.only().await?.0 {
                replies.send(&Blob(vec![octet; 40])).await?;
            }
        } else if path == UPLOAD.path() {
            let mut all = Blob::default();
            while let Some(request) = requests.next().await? {
                all.0.extend(request.0);
            }
            replies.send(&all).await?;
        } else {
            while let Some(request) = requests.next().await? {
                replies.send(&request).await?;
            }
        }
        self.good.set(self.good.get() + 1);
        Ok(())
    }
}

/// One call of the method: what came, and how it ended.
async fn call(
    mut channel: Channel<'_>,
    method: &'static Method,
    seconds: u64,
) -> (Vec<Blob>, Result<(), Status>) {
    let mut got = Vec::new();
    let limit = Duration::from_secs(seconds);
    let end = if method == &UNARY {
        let request = Blob(vec![1; 60]);
        let call = Unary::new(&mut channel, &UNARY, &request).wait_for_ready();
        call.deadline(limit).await.map(|response| got.push(response))
    } else if method == &UPLOAD {
        upload(channel, limit).await.map(|response| got.push(response))
    } else if method == &FEED {
        feed(channel, limit, &mut got).await
    } else {
        chat(channel, limit, &mut got).await
    };
    (got, end)
}

async fn upload(mut channel: Channel<'_>, limit: Duration) -> Result<Blob, Status> {
    let call = ClientStreaming::new(&mut channel, &UPLOAD).wait_for_ready();
    let mut upload = call.deadline(limit).await?;
    for octet in [1, 2, 3] {
        upload.send(&Blob(vec![octet; 40])).await?;
    }
    upload.finish().await
}

async fn feed(mut channel: Channel<'_>, limit: Duration, got: &mut Vec<Blob>) -> Result<(), Status> {
    let request = Blob(vec![1, 2, 3]);
    let call = ServerStreaming::new(&mut channel, &FEED, &request).wait_for_ready();
    let mut receiver = call.deadline(limit).await?;
    while let Some(response) = receiver.next().await? {
        got.push(response);
    }
    Ok(())
}

async fn chat(mut channel: Channel<'_>, limit: Duration, got: &mut Vec<Blob>) -> Result<(), Status> {
    let call = BidiStreaming::new(&mut channel, &CHAT).wait_for_ready();
    let (mut sender, mut receiver) = call.deadline(limit).await?;
    for octet in [1, 2, 3] {
        sender.send(&Blob(vec![octet; 40])).await?;
        got.extend(receiver.next().await?);
    }
    sender.finish().await?;
    got.extend(receiver.next().await?);
    Ok(())
}

fn right_answer(method: &'static Method) -> Vec<Blob> {
    let pieces = [1, 2, 3].map(|octet| Blob(vec![octet; 40]));
    if method == &UNARY {
        vec![Blob(vec![1; 60])]
    } else if method == &UPLOAD {
        vec![Blob(pieces.map(|piece| piece.0).concat())]
    } else {
        pieces.to_vec()
    }
}

/// Makes one call on a connection with that fate, then another. Returns how the first ended.
fn two_calls(method: &'static Method, fate: (Direction, u64, Fate)) -> Result<(), Status> {
    let trace = Trace::default();
    // The same dice for all: pieces of all lengths.
    let world = World::new(7, &trace);
    let net = Net::new(&world, Climate::Calm);
    net.order(Weather {
        fates: vec![fate],
        ..Weather::good()
    });
    net.order(Weather::good());
    let service = Echo { good: Cell::new(0) };
    let mut memory = ServerResources::<'_, 2, 1, 300, 512>::new();
    let config = ServerConfig::new();
    let listen = [Listen(&net), Listen(&net)];
    let (_, runner) =
        Server::new(&mut memory, listen, &service, &world.clock, &config).expect("large enough");
    let mut resources = Resources::<'_, 1, 300, 512, 128>::new();
    let (channel, driver) =
        Channel::new(&mut resources, Dial(&net), &world.clock, Config::new("cut:1")).expect("large enough");
    net.set_listening(true);
    let (ended, first) = (Cell::new(false), RefCell::new(None));
    let executor = Executor::new(&world);
    executor.spawn("server", runner.run());
    executor.spawn("client", driver.run());
    executor.spawn("test", async {
        let (got, end) = call(channel, method, 30).await;
        assert!(
            world.now_ms() <= 30_100,
            "{fate:?}: it ended at {}",
            world.now_ms()
        );
        let right = right_answer(method);
        assert!(right.starts_with(&got), "{fate:?}: {got:?}");
        if end.is_ok() {
            assert_eq!((got, service.good.get()), (right, 1), "{fate:?}: a false OK");
        }
        *first.borrow_mut() = Some(end);
        // What befell the connection may come to light only now.
        let mut next = call(channel, method, 100).await;
        for _ in 0..3 {
            if next.1.is_err() {
                next = call(channel, method, 100).await;
            }
        }
        assert_eq!(next, (right_answer(method), Ok(())), "{fate:?}: the next call");
        ended.set(true);
    });
    executor.run(&ended);
    first.take().expect("it has ended")
}

/// Every octet, until one comes after the call. Returns the codes with which the calls ended, with how many did.
fn at_every_octet(method: &'static Method, direction: Direction, fate: Fate) -> Vec<(Code, u32)> {
    let mut codes: Vec<(Code, u32)> = Vec::new();
    for after in 0..LONGEST {
        let end = two_calls(method, (direction, after, fate));
        let code = end.map_or_else(|status| status.code(), |()| Code::OK);
        match codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => codes.push((code, 1)),
        }
    }
    codes
}

/// The octets of any of these calls, and some.
const LONGEST: u64 = 900;

#[test]
fn the_loss_of_the_connection_at_every_octet_ends_a_call_as_unavailable_and_the_next_is_good() {
    for method in [&UNARY, &FEED, &UPLOAD, &CHAT] {
        for direction in [Direction::Up, Direction::Down] {
            for fate in [Fate::Reset, Fate::Close, Fate::HalfClose] {
                let codes = at_every_octet(method, direction, fate);
                let known = |code: &Code| [Code::OK, Code::UNAVAILABLE].contains(code);
                assert!(
                    codes.iter().all(|(code, _)| known(code)) && codes.len() == 2,
                    "{method:?} {direction:?} {fate:?}: {codes:?}"
                );
            }
        }
    }
}

#[test]
fn silence_from_every_octet_on_ends_a_call_by_its_deadline_and_the_next_is_good() {
    for method in [&UNARY, &FEED, &UPLOAD, &CHAT] {
        for direction in [Direction::Up, Direction::Down] {
            for fate in [Fate::Silence(60_000), Fate::HalfSilence(5_000)] {
                let codes = at_every_octet(method, direction, fate);
                let known =
                    |code: &Code| [Code::OK, Code::UNAVAILABLE, Code::DEADLINE_EXCEEDED].contains(code);
                assert!(
                    codes.iter().all(|(code, _)| known(code)) && codes.len() >= 2,
                    "{method:?} {direction:?} {fate:?}: {codes:?}"
                );
            }
        }
    }
}
