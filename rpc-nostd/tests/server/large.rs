//! Messages larger than memory, in handlers.

use rpc_nostd::micropb::{MessageEncode, PbEncoder, PbWrite};
use rpc_nostd::server::{Call, Service};
use rpc_nostd::{Code, Status};

use crate::bench::{Bench, serving};
use crate::service::{CHAT, COLLECT, Custom, UNARY};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::{PREFACE, Wire, request};

/// Answers with how many octets the requests' large fields had, and their sum.
fn weigh() -> impl Service {
    Custom(async |call: &mut Call<'_>| -> Result<(), Status> {
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        let (mut count, mut sum) = (0u32, 0u32);
        let mut scratch = [0; 64];
        while let Some(mut reader) = requests.next_large(&[1], &mut scratch).await? {
            let mut piece = [0; 100];
            loop {
                let read = reader.read(&mut piece).await?;
                if read == 0 {
                    break;
                }
                count += read as u32;
                sum = piece[..read]
                    .iter()
                    .fold(sum, |sum, octet| sum.wrapping_add(u32::from(*octet)));
            }
            assert_eq!(reader.finish::<Blob>()?, Blob::default());
        }
        replies
            .send(&Blob([count.to_be_bytes(), sum.to_be_bytes()].concat()))
            .await
    })
}

fn octets(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 % 251) as u8).collect()
}

fn weight(octets: &[u8]) -> Vec<u8> {
    let sum: u32 = octets.iter().map(|octet| u32::from(*octet)).sum();
    [(octets.len() as u32).to_be_bytes(), sum.to_be_bytes()].concat()
}

/// What a client may send on a stream and on its connection: RECV is 300.
struct Credit(u32, [usize; 2]);

impl Credit {
    fn of(stream: u32) -> Self {
        Self(stream, [300, 65_535])
    }

    /// Sends the octets as the windows allow.
    async fn feed(&mut self, bench: &Bench<'_>, wire: &mut Wire, octets: &[u8]) {
        let mut left = octets;
        while !left.is_empty() {
            let len = left.len().min(self.1[0]).min(self.1[1]).min(16_384);
            assert!(
                len > 0,
                "the server waits for octets that it gives no credit for: {}",
                left.len()
            );
            let (piece, rest) = left.split_at(len);
            left = rest;
            self.1 = self.1.map(|credit| credit - len);
            wire.send(&frames::data(self.0, piece, false));
            bench.settle().await;
            let before = wire.frames.len();
            wire.read();
            for frame in wire.frames[before..]
                .iter()
                .filter(|frame| frame.kind == frames::WINDOW_UPDATE)
            {
                let increment = u32::from_be_bytes(frame.payload[..].try_into().unwrap());
                self.1[usize::from(frame.stream == 0)] += increment as usize;
            }
        }
    }
}

/// A message of which all but the large field is nothing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rest;

impl MessageEncode for Rest {
    const MAX_SIZE: Result<usize, &'static str> = Ok(0);

    fn encode<W: PbWrite>(&self, _: &mut PbEncoder<W>) -> Result<(), W::Error> {
        Ok(())
    }

    fn compute_size(&self) -> usize {
        0
    }
}

#[test]
fn requests_of_any_size_are_read_in_pieces() {
    serving(weigh(), async |bench| {
        let mut wire = bench.open().await;
        for (n, len) in [0usize, 1, 292, 293, 294, 10_000, 271_828]
            .into_iter()
            .enumerate()
        {
            let stream = 2 * n as u32 + 1;
            let content = octets(len);
            wire.send(&frames::headers(stream, &request(UNARY.path()), false));
            Credit::of(stream)
                .feed(bench, &mut wire, &frames::message(&content))
                .await;
            wire.send(&frames::data(stream, &[], true));
            bench.settle().await;
            let answer = wire.answer(stream);
            assert_eq!(
                (answer.code(), answer.messages()),
                (Some(Code::OK), vec![weight(&content)]),
                "{len}"
            );
        }
    });
}

#[test]
fn large_and_small_requests_follow_each_other() {
    serving(weigh(), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        let mut all = Vec::new();
        let mut credit = Credit::of(1);
        for len in [27_182, 8, 0, 1_828, 45_904] {
            credit
                .feed(bench, &mut wire, &frames::message(&vec![1; len]))
                .await;
            all.extend(vec![1; len]);
        }
        wire.send(&frames::data(1, &[], true));
        bench.settle().await;
        assert_eq!(wire.answer(1).messages(), [weight(&all)]);
    });
}

#[test]
fn before_the_settings_are_acknowledged_a_large_request_is_read_all_the_same() {
    serving(weigh(), async |bench| {
        let mut wire = bench.connect();
        wire.send(PREFACE);
        wire.send(&frames::settings(&[]));
        wire.send(&frames::headers(1, &request(UNARY.path()), false));
        let content = octets(65_000);
        let message = frames::message(&content);
        for piece in message.chunks(16_384) {
            wire.send(&frames::data(1, piece, false));
        }
        wire.send(&frames::data(1, &[], true));
        bench.settle().await;
        assert_eq!(wire.socket.unread(), 0);
        assert_eq!(wire.answer(1).messages(), [weight(&content)]);
    });
}

#[test]
fn the_rest_of_a_large_request_that_is_not_read_is_skipped() {
    let service = Custom(async |call: &mut Call<'_>| -> Result<(), Status> {
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        let mut scratch = [0; 64];
        let mut piece = [0; 50];
        let read = {
            let reader = requests.next_large(&[1], &mut scratch).await?;
            reader.expect("there is one").read(&mut piece).await?
        };
        replies.send(&Blob(piece[..read.min(3)].to_vec())).await?;
        let second = requests.next().await?.unwrap_or_default();
        replies.send(&second).await
    });
    serving(service, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        let mut credit = Credit::of(1);
        credit
            .feed(bench, &mut wire, &frames::message(&octets(50_000)))
            .await;
        credit.feed(bench, &mut wire, &frames::message(b"second")).await;
        wire.send(&frames::data(1, &[], true));
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.code(), answer.messages()),
            (Some(Code::OK), vec![octets(3), b"second".to_vec()])
        );
    });
}

#[test]
fn a_large_request_that_is_cut_off_is_an_internal_error() {
    let message = frames::message(&octets(1_000));
    for cut in [3, 5, 6, 7, 8, 100, 299, 300, 301, 900, message.len() - 1] {
        serving(weigh(), async |bench| {
            let mut wire = bench.open().await;
            wire.send(&frames::headers(1, &request(UNARY.path()), false));
            Credit::of(1).feed(bench, &mut wire, &message[..cut]).await;
            wire.send(&frames::data(1, &[], true));
            bench.settle().await;
            assert_eq!(wire.answer(1).code(), Some(Code::INTERNAL), "cut at {cut}");
            wire.send(&frames::headers(3, &request(COLLECT.path()), true));
            bench.settle().await;
            assert_eq!(wire.answer(3).messages(), [weight(&[])]);
        });
    }
}

/// Sends a response of `declared` octets, of which it writes `written`, so many at a time.
fn writer(declared: usize, written: usize, piece: usize) -> impl Service {
    Custom(async move |call: &mut Call<'_>| -> Result<(), Status> {
        let (_, mut requests, mut replies) = call.split::<Blob, Rest>();
        requests.only().await?;
        let mut writer = replies.send_large(&Rest, &[1], declared).await?;
        for piece in octets(written).chunks(piece) {
            writer.write(piece).await?;
        }
        writer.finish().await
    })
}

#[test]
fn responses_of_any_size_are_written_in_pieces() {
    for (len, piece) in [
        (0, 1),
        (1, 1),
        (1_000, 1),
        (1_000, 99),
        (314_159, 500),
        (314_159, 4_000),
    ] {
        serving(writer(len, len, piece), async |bench| {
            let mut wire = bench.open_with(&[(4, 1_000_000)]).await;
            wire.send(&frames::frame(
                frames::WINDOW_UPDATE,
                0,
                0,
                &1_000_000u32.to_be_bytes(),
            ));
            wire.call(1, UNARY.path(), &[b""]);
            bench.settle().await;
            let answer = wire.answer(1);
            assert_eq!(answer.code(), Some(Code::OK), "{len} in pieces of {piece}");
            assert!(answer.messages() == [octets(len)]);
        });
    }
}

#[test]
fn a_response_of_fewer_octets_than_declared_resets_the_stream_and_one_of_more_is_refused() {
    serving(writer(1_000, 999, 100), async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, UNARY.path(), &[b""]);
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!((answer.ended, answer.reset), (false, Some(8)));
    });
    serving(writer(1_000, 1_001, 100), async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, UNARY.path(), &[b""]);
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.code(), answer.messages()),
            (Some(Code::INTERNAL), vec![octets(1_000)])
        );
    });
}

#[test]
fn a_large_response_waits_for_the_clients_window() {
    serving(writer(5_000, 5_000, 300), async |bench| {
        let mut wire = bench.open_with(&[(4, 100)]).await;
        wire.call(1, UNARY.path(), &[b""]);
        bench.settle().await;
        let mut got = wire.answer(1).content;
        assert_eq!(got.len(), 100);
        for _ in 0..60 {
            wire.send(&frames::frame(frames::WINDOW_UPDATE, 0, 1, &90u32.to_be_bytes()));
            bench.settle().await;
            got.extend(wire.answer(1).content);
        }
        assert!(got == frames::message(&octets(5_000)));
    });
}
