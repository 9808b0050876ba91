//! Clients that do anything, in any order, and break octets: the server neither panics nor hangs, drops every handler,
//! and serves the next client as if nothing had happened.

use std::future::pending;

use rpc_nostd::server::{Call, ServerConfig, Service};
use rpc_nostd::{Code, MetadataEntry, Status};

use crate::bench::{Bench, serving_in};
use crate::service::{CHAT, COLLECT, Custom, Guard, Log, STREAM, UNARY};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::{PREFACE, Wire, request, request_with};

/// Deterministic: a failure names its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(limit)) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }
}

/// Handlers of every kind: echo, one without end, one that never reads, one that fails.
fn anything(log: &Log) -> impl Service + use<> {
    let log = log.clone();
    Custom(async move |call: &mut Call<'_>| -> Result<(), Status> {
        log.borrow_mut().push("begun".to_owned());
        let _guard = Guard(log.clone(), "dropped");
        call.context().add_trailing(MetadataEntry::ascii("x", "y"))?;
        let path = call.method().path();
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        match path {
            "/test.Echo/Unary" => {
                let request = requests.only().await?;
                replies.send(&request).await
            }
            "/test.Echo/Stream" => loop {
                replies.send(&Blob(vec![7; 90])).await?;
            },
            "/test.Echo/Collect" => pending().await,
            _ => {
                while let Some(request) = requests.next().await? {
                    replies.send(&request).await?;
                }
                Err(Status::new(Code::ABORTED, "at the end"))
            }
        }
    })
}

/// Some octets that a client may send, now and then wrong ones.
fn some_octets(random: &mut Random, next: &mut u32) -> Vec<u8> {
    let stream = 1 + 2 * random.below(next.div_ceil(2).max(1));
    let mut octets = match random.below(12) {
        0..=2 => {
            *next += 2;
            let path = [&UNARY, &STREAM, &COLLECT, &CHAT][random.below(4) as usize].path();
            let more = [(
                "grpc-timeout",
                ["1S", "10m", "1u", "1x"][random.below(4) as usize],
            )];
            let fields = if random.one_in(3) {
                request_with(path, &more)
            } else {
                request(path)
            };
            frames::headers(*next - 2, &fields, random.one_in(5))
        }
        3..=5 => {
            let message = frames::message(&vec![5; random.below(120) as usize]);
            let cut = if random.one_in(4) {
                random.below(message.len() as u32) as usize
            } else {
                message.len()
            };
            frames::data(stream, &message[..cut], random.one_in(3))
        }
        6 => frames::rst(stream, random.below(14)),
        7 => {
            let target = if random.one_in(2) { stream } else { 0 };
            frames::frame(
                frames::WINDOW_UPDATE,
                0,
                target,
                &random.below(70_000).to_be_bytes(),
            )
        }
        8 => frames::frame(frames::PING, 0, 0, b"whatever"),
        9 => frames::settings(&[(4, random.below(70_000)), (1, random.below(5_000))]),
        10 => frames::settings_ack(),
        _ if random.one_in(10) => frames::goaway(0, random.below(14)),
        _ => frames::frame(0x42, 0, stream, &[0; 10]),
    };
    if random.one_in(40) {
        let at = random.below(octets.len() as u32) as usize;
        octets[at] ^= 1 << random.below(8);
    }
    octets
}

async fn storm(bench: &Bench<'_>, random: &mut Random) {
    let wire = bench.connect();
    wire.socket.set_piece(random.below(40) as usize);
    wire.send(PREFACE);
    wire.send(&frames::settings(&[]));
    let mut next = 1;
    for _ in 0..random.below(60) {
        match random.below(10) {
            0 => bench.pass(u64::from(random.below(3_000))).await,
            1 | 2 => bench.settle().await,
            3 => drop(wire.socket.receive()),
            4 => {
                let capacity = random.below(200) as usize;
                wire.socket.set_capacity(random.one_in(2).then_some(capacity));
            }
            _ => wire.send(&some_octets(random, &mut next)),
        }
    }
    match random.below(3) {
        0 => wire.socket.close(),
        1 => {
            // It vanishes: nothing comes, nothing is taken.
            wire.socket.set_capacity(Some(0));
            bench.pass(200_000).await;
        }
        _ => {
            drop(wire.socket.receive());
            bench.settle().await;
            wire.socket.close();
        }
    }
    bench.pass(2_000).await;
    if !wire.socket.is_closed() {
        wire.socket.close();
        bench.pass(2_000).await;
    }
    assert!(wire.socket.is_closed());
}

/// Both slots are free and all windows whole.
async fn is_as_new(bench: &Bench<'_>) {
    let mut wire: Wire = bench.open().await;
    for stream in [1, 3, 5] {
        let mut octets = frames::headers(stream, &request(CHAT.path()), false);
        octets.extend(frames::data(stream, &frames::message(&[1; 292]), true));
        wire.send(&octets);
        if stream > 1 {
            bench.settle().await;
            let answers = wire.answers();
            assert!(
                answers
                    .iter()
                    .all(|(_, answer)| answer.code() == Some(Code::ABORTED)),
                "{answers:?}"
            );
        }
    }
    wire.socket.close();
    bench.settle().await;
}

#[test]
fn whatever_clients_do_the_next_one_is_served() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("RPC_NOSTD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RPC_NOSTD_SEEDS").unwrap_or(150),
    };
    for seed in seeds {
        println!("to see it again: RPC_NOSTD_SEED={seed} cargo test -p rpc-nostd --test server whatever");
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let log = Log::default();
        serving_in::<2, 300, 512>(anything(&log), ServerConfig::new(), async |bench| {
            for _ in 0..8 {
                storm(bench, &mut random).await;
                let of = |word| log.borrow().iter().filter(|entry| *entry == word).count();
                assert_eq!(of("begun"), of("dropped"));
                is_as_new(bench).await;
            }
        });
    }
}
