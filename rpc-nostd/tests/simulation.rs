//! Many calls through a storm of broken servers and links, by the dice of a seed: each call ends in time, an OK
//! is the right answer, and afterwards nothing is lost: no slot, no place in the queue, no wake.
//!
//! `RPC_NOSTD_SEEDS=100000` runs more seeds, `RPC_NOSTD_SEED=17` runs that one.

mod support;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use rpc_nostd::blocking::Client;
use rpc_nostd::client::{BidiStreaming, ClientStreaming, ServerStreaming, Unary};
use rpc_nostd::micropb::{MessageEncode, PbEncoder};
use rpc_nostd::time::{Instant, Timer};
use rpc_nostd::{Channel, Code, Config, MetadataEntry, ReceivedMetadata, Resources, Status};
use support::chaos::{ChaosConnector, ChaosLink, World};
use support::chaos_server::{answer_to, nonce_of};
use support::client::{CHAT, FEED, UPLOAD, both};
use support::{Blob, ECHO, VirtualTimer, run};

#[test]
fn every_call_ends_in_time_with_the_right_answer_or_an_error_and_nothing_leaks() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("RPC_NOSTD_SEED") {
        Some(seed) => seed..seed.saturating_add(1),
        None => 0..number("RPC_NOSTD_SEEDS").unwrap_or(400),
    };
    for seed in seeds {
        let both = || {
            simulate(seed);
            blocking_storm(seed);
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(both)) {
            eprintln!("to see it again: RPC_NOSTD_SEED={seed} cargo test -p rpc-nostd --test simulation");
            resume_unwind(panic);
        }
    }
}

fn simulate(seed: u64) {
    match seed % 3 {
        0 => storm::<1, 261, 384, 0, 0, 48>(seed),
        1 => storm::<2, 300, 512, 256, 128, 256>(seed),
        _ => storm::<5, 600, 700, 128, 64, 256>(seed),
    }
}

fn storm<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    seed: u64,
) {
    let timer = VirtualTimer::default();
    let world = World::new(seed, &timer);
    let mut memory: Resources<STREAMS, RECV, SEND, TABLE, META, SCRATCH> = Resources::new();
    let mut config = Config::new("test.local:1");
    config.backoff.seed = seed as u32;
    let (channel, runner) = Channel::new(&mut memory, ChaosConnector(&world), &timer, config).unwrap();
    let tasks = 1 + world.rng.below(7) as usize;
    let left = Latch::new(tasks);
    let stopped = Latch::new(1);
    let mut others: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    others.push(Box::pin(async {
        runner.run().await;
        stopped.count_down();
    }));
    for task in 0..tasks {
        let (world, left) = (&world, &left);
        others.push(Box::pin(async move {
            for call in 0..1 + world.rng.below(6) {
                if world.rng.chance(50) {
                    one_call(channel, world, [task as u8, call as u8]).await;
                } else {
                    one_stream(channel, world, [task as u8, call as u8]).await;
                }
                if world.rng.chance(40) {
                    pause(world, world.rng.below(3_000)).await;
                }
            }
            left.count_down();
        }));
    }
    let test = async {
        left.wait().await;
        world.calm_down();
        recovers(channel, &world).await;
        all_slots_are_free(channel, &world, STREAMS).await;
        channel.shutdown();
        stopped.wait().await;
        assert!(
            call(channel, &[0; 8], 9).await.is_err(),
            "a call after the shutdown"
        );
    };
    run(&timer, test, others);
}

/// The same servers for the blocking client.
fn blocking_storm(seed: u64) {
    let timer = VirtualTimer::default();
    let world = World::new(seed, &timer);
    let mut memory: Resources<1, 300, 512, 64> = Resources::new();
    let config = Config::new("test.local:1");
    let mut client = Client::new(&mut memory, ChaosLink::new(&world), &timer, config).unwrap();
    for number in 0..8u8 {
        if world.rng.chance(30) {
            let _ = client.poll();
            timer.pass(world.rng.below(12_000));
        }
        if !client.is_connected() || world.rng.chance(5) {
            client.reconnect(ChaosLink::new(&world));
        }
        let mut content = vec![number; 8];
        content.extend(vec![7; world.rng.below(1_500) as usize]);
        let limit = world.rng.pick(&[0, 5, 400, 4_000, 30_000]);
        let (begun, request) = (timer.now_ms(), Blob(content.clone()));
        let result = Unary::<_, _, Blob>::new(&mut client, &ECHO, &request)
            .deadline(Duration::from_millis(limit))
            .call();
        // As late as one idle moment.
        assert!(timer.now_ms() - begun <= limit + 20, "{limit} ms: {result:?}");
        if let Ok(answer) = result {
            assert_eq!(answer.0, answer_to(&content), "the answer to another call");
        }
    }
    world.calm_down();
    client.reconnect(ChaosLink::new(&world));
    for _ in 0..3 {
        let request = Blob(vec![9; 20]);
        let result = Unary::<_, _, Blob>::new(&mut client, &ECHO, &request).call();
        assert_eq!(result, Ok(Blob(answer_to(&[9; 20]))));
    }
}

/// One call with options, an end and a judgement by the dice.
async fn one_call(channel: Channel<'_>, world: &World<'_>, name: [u8; 2]) {
    let rng = &world.rng;
    let begun = world.timer.now_ms();
    let size = rng.pick(&[0, 0, 10, 100, 300, 1_500]);
    let mut content = [&name[..], &rng.below(1 << 48).to_be_bytes()].concat();
    content.extend((0..rng.below(size + 1)).map(|octet| octet as u8));
    let request = Blob(content.clone());
    let limit = rng.pick(&[0, 1, 20, 300, 2_000, 9_000, 20_000, 90_000]);
    let text = "m".repeat(rng.below(40) as usize);
    let entries = [
        MetadataEntry::ascii("x-text", &text),
        MetadataEntry::binary("x-octets-bin", &content[..8]),
    ];
    let mut memory = [0; 300];
    let mut received = ReceivedMetadata::new(&mut memory);
    let mut channel = channel;
    let mut unary = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
    if limit != 20_000 {
        unary = unary.deadline(Duration::from_millis(limit));
    }
    if rng.chance(50) {
        unary = unary.wait_for_ready();
    }
    if rng.chance(30) {
        unary = unary.metadata(&entries[..rng.below(3) as usize]);
    }
    let keeps = rng.chance(50);
    if keeps {
        unary = unary.receive_into(&mut received);
    }
    let patience = if rng.chance(25) {
        rng.below(3_000)
    } else {
        u64::MAX
    };
    let result = until(Box::pin(unary.into_future()), world, patience).await;
    let took = world.timer.now_ms() - begun;
    assert!(took <= limit, "a call of {limit} ms took {took} ms: {result:?}");
    if let Some(Ok(answer)) = result {
        assert_eq!(answer.0, answer_to(&content), "the answer to another call");
        if keeps && !received.overflowed() {
            let nonce = received.trailing("x-nonce").next();
            assert_eq!(nonce, Some(nonce_of(&content).as_bytes()));
        }
    }
}

/// One stream of any kind, with one message each way, for that is what the servers expect.
async fn one_stream(channel: Channel<'_>, world: &World<'_>, name: [u8; 2]) {
    let rng = &world.rng;
    let begun = world.timer.now_ms();
    let size = rng.pick(&[0, 0, 10, 100, 300, 1_500]);
    let mut content = [&name[..], &rng.below(1 << 48).to_be_bytes()].concat();
    content.extend((0..rng.below(size + 1)).map(|octet| octet as u8));
    let limit = rng.pick(&[0, 1, 20, 300, 2_000, 9_000, 20_000, 90_000]);
    let deadline = Duration::from_millis(limit);
    let request = Blob(content.clone());
    let call = async {
        match rng.below(4) {
            0 => feed(channel, &request, deadline).await,
            1 => upload(channel, &request, deadline).await,
            2 => chat(channel, &request, deadline, rng.chance(20)).await,
            _ => large(channel, &request, deadline, rng.below(300) as usize + 1).await,
        }
    };
    let patience = if rng.chance(25) {
        rng.below(3_000)
    } else {
        u64::MAX
    };
    let result = until(Box::pin(call), world, patience).await;
    let took = world.timer.now_ms() - begun;
    assert!(took <= limit, "a stream of {limit} ms took {took} ms: {result:?}");
    // A stream may end well without any message.
    if let Some(Ok(Some(answer))) = result {
        assert_eq!(answer.0, answer_to(&content), "the answer to another call");
    }
}

async fn feed(mut channel: Channel<'_>, request: &Blob, deadline: Duration) -> Result<Option<Blob>, Status> {
    let call = ServerStreaming::new(&mut channel, &FEED, request);
    let mut receiver = call.deadline(deadline).wait_for_ready().await?;
    let answer: Option<Blob> = receiver.next().await?;
    let end = receiver.next().await;
    assert_eq!(
        end,
        receiver.next().await,
        "an end that is told stays what it was"
    );
    end.map(|_| answer)
}

async fn upload(
    mut channel: Channel<'_>,
    request: &Blob,
    deadline: Duration,
) -> Result<Option<Blob>, Status> {
    let call = ClientStreaming::new(&mut channel, &UPLOAD);
    let mut upload = call.deadline(deadline).await?;
    // A server may end a call before it has its request.
    let sent = upload.send(request).await;
    let answer: Blob = upload.finish().await?;
    sent.map(|()| Some(answer))
}

async fn chat(
    mut channel: Channel<'_>,
    request: &Blob,
    deadline: Duration,
    gives_up: bool,
) -> Result<Option<Blob>, Status> {
    let call = BidiStreaming::new(&mut channel, &CHAT);
    let (mut sender, mut receiver) = call.deadline(deadline).wait_for_ready().await?;
    let sending = async {
        sender.send(request).await?;
        if !gives_up {
            sender.finish().await?;
        }
        Ok::<(), Status>(())
    };
    let receiving = async {
        let answer: Option<Blob> = receiver.next().await?;
        receiver.next().await.map(|_| answer)
    };
    let (sent, answer) = both(sending, receiving).await;
    sent.and(answer)
}

async fn large(
    mut channel: Channel<'_>,
    request: &Blob,
    deadline: Duration,
    piece: usize,
) -> Result<Option<Blob>, Status> {
    let mut octets = vec![0; request.compute_size()];
    request
        .encode(&mut PbEncoder::new(octets.as_mut_slice()))
        .unwrap();
    let call = Unary::<_, Blob, Blob>::new(&mut channel, &ECHO, request);
    // The octets of the whole message.
    let call = call.with_large_field(&[], octets.len()).deadline(deadline);
    let (mut writer, mut receiver) = call.await?;
    for piece in octets.chunks(piece) {
        writer.write(piece).await?;
    }
    writer.finish().await?;
    let mut answer = Vec::new();
    let mut to = vec![0; piece];
    if let Some(mut reader) = receiver.next_large(&[1], &mut []).await? {
        loop {
            match reader.read(&mut to).await? {
                0 => break,
                len => answer.extend(&to[..len]),
            }
        }
        reader.finish::<Blob>()?;
    }
    receiver.next().await.map(|_| Some(Blob(answer)))
}

/// A good server is reached by calls that wait for it, within what backoff and a stuck link may cost.
async fn recovers(channel: Channel<'_>, world: &World<'_>) {
    let mut last = None;
    for attempt in 0..4 {
        let result = call(channel, &[attempt; 20], 200).await;
        if result == Ok(Blob(answer_to(&[attempt; 20]))) {
            return;
        }
        last = Some(result);
    }
    panic!(
        "no answer from a good server by {}: {last:?}",
        world.timer.now_ms()
    );
}

async fn all_slots_are_free(channel: Channel<'_>, world: &World<'_>, streams: usize) {
    world.peak.set(0);
    let begun = world.timer.now_ms();
    let contents: Vec<Vec<u8>> = (0..streams).map(|index| vec![index as u8; 12]).collect();
    let mut calls: Vec<_> = contents
        .iter()
        .map(|content| Box::pin(call(channel, content, 20)))
        .collect();
    let mut results = vec![None; streams];
    poll_fn(|cx| {
        for (call, result) in calls.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(end) = call.as_mut().poll(cx)
            {
                *result = Some(end);
            }
        }
        if results.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    for (result, content) in results.into_iter().zip(&contents) {
        assert_eq!(result, Some(Ok(Blob(answer_to(content)))));
    }
    assert_eq!(world.peak.get(), streams, "calls that ran at once");
    assert!(world.timer.now_ms() - begun < 3_000);
}

async fn call(channel: Channel<'_>, content: &[u8], seconds: u64) -> Result<Blob, Status> {
    let mut channel = channel;
    let request = Blob(content.to_vec());
    let result = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request)
        .deadline(Duration::from_secs(seconds))
        .wait_for_ready()
        .await;
    if let Err(status) = &result {
        assert_ne!(status.code(), Code::OK);
    }
    result
}

/// Polls `call` for so many milliseconds at most, then drops it.
async fn until<T>(
    mut call: Pin<Box<impl Future<Output = T>>>,
    world: &World<'_>,
    patience: u64,
) -> Option<T> {
    let end = world.timer.now_ms().saturating_add(patience);
    poll_fn(|cx| {
        if let Poll::Ready(result) = call.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        if world.timer.now_ms() >= end {
            return Poll::Ready(None);
        }
        if patience != u64::MAX {
            world.timer.wake_at(Instant::from_millis(end), cx.waker());
        }
        Poll::Pending
    })
    .await
}

async fn pause(world: &World<'_>, ms: u64) {
    until(Box::pin(std::future::pending::<()>()), world, ms).await;
}

/// Waits for a number of tasks.
struct Latch {
    left: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl Latch {
    fn new(left: usize) -> Self {
        Self {
            left: Cell::new(left),
            waker: RefCell::default(),
        }
    }

    fn count_down(&self) {
        self.left.set(self.left.get() - 1);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            if self.left.get() == 0 {
                return Poll::Ready(());
            }
            *self.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
