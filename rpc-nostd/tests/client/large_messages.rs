//! Messages larger than memory: 271,828 octets out and 314,159 in, over a stream of 300.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::client::{CHAT, FEED, blob, chat, echo, feed, sleep, upload, with_channel};
use crate::support::streams::{Got, StreamServer, body, resets};
use crate::support::{Blob, ECHO, Peers};
use rpc_nostd::client::{BidiStreaming, LargeReader, LargeWriter, ServerStreaming, Unary};
use rpc_nostd::micropb::{DecodeError, MessageDecode, MessageEncode, PbDecoder, PbEncoder, PbRead, PbWrite};
use rpc_nostd::{Code, Status};

const REQUEST: usize = 271_828;
const RESPONSE: usize = 314_159;

/// `uint32 number = 2`, beside a `bytes` field 2 in a message field 3 that it never holds itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Small {
    number: u32,
}

impl MessageEncode for Small {
    const MAX_SIZE: Result<usize, &'static str> = Ok(6);

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        encoder.encode_varint32(0x10)?;
        encoder.encode_varint32(self.number)
    }

    fn compute_size(&self) -> usize {
        1 + rpc_nostd::micropb::size::sizeof_varint32(self.number)
    }
}

impl MessageDecode for Small {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            match decoder.decode_varint32()? {
                0x10 => self.number = decoder.decode_varint32()?,
                // The message field of the path stays, with nothing in it.
                0x1a => assert_eq!(decoder.decode_varint32()?, 0),
                _ => return Err(DecodeError::WrongWireType),
            }
        }
        Ok(())
    }
}

const PATH: &[u32] = &[3, 2];

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8).collect()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    while value >= 128 {
        octets.push((value % 128) as u8 | 128);
        value /= 128;
    }
    octets.push(value as u8);
    octets
}

fn record(tag: u8, octets: &[u8]) -> Vec<u8> {
    [&[tag][..], &varint(octets.len()), octets].concat()
}

/// A message as a server writes it: the large field in the middle.
fn image(number: u8, content: &[u8]) -> Vec<u8> {
    let message = [record(0x1a, &record(0x12, content)), [0x10, number].to_vec()].concat();
    [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat()
}

async fn write_all(writer: &mut LargeWriter<'_>, content: &[u8], piece: usize) -> Result<(), Status> {
    for piece in content.chunks(piece) {
        writer.write(piece).await?;
    }
    Ok(())
}

async fn read_all(reader: &mut LargeReader<'_>, piece: usize) -> Result<Vec<u8>, Status> {
    let (mut octets, mut to) = (Vec::new(), vec![0; piece]);
    loop {
        match reader.read(&mut to).await? {
            0 => return Ok(octets),
            len => octets.extend(&to[..len]),
        }
    }
}

#[test]
fn a_unary_call_larger_than_memory_passes_both_ways() {
    let expected = [vec![0x10, 7], record(0x1a, &record(0x12, &content(REQUEST)))].concat();
    let right = Rc::new(Cell::new(false));
    let seen = right.clone();
    let server = StreamServer::new(move |_, got, reply| match got {
        Got::Message(message) => seen.set(message == expected),
        Got::End => {
            reply.head().octets(&image(9, &content(RESPONSE))).trailers(0);
        }
        _ => {}
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let request = Small { number: 7 };
        let call = Unary::<_, _, Small>::new(&mut channel, &ECHO, &request);
        let (mut writer, mut receiver) = call.with_large_field(PATH, REQUEST).await.unwrap();
        write_all(&mut writer, &content(REQUEST), 1_000).await.unwrap();
        assert_eq!(writer.remaining(), 0);
        writer.finish().await.unwrap();
        let mut scratch = [0; 32];
        let mut reader = receiver.next_large(PATH, &mut scratch).await.unwrap().unwrap();
        assert_eq!(read_all(&mut reader, 700).await.unwrap(), content(RESPONSE));
        assert_eq!(reader.content_len(), Some(RESPONSE as u32));
        assert_eq!(reader.finish::<Small>(), Ok(Small { number: 9 }));
        assert_eq!(receiver.next().await, Ok(None));
    });
    assert!(right.get());
    assert_eq!(
        log.borrow().last(),
        Some(&(1, Got::End)),
        "END_STREAM, and no reset"
    );
}

#[test]
fn a_streamed_unary_call_has_exactly_one_response() {
    for count in [0, 2] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                reply.answer(&[&b"x"[..], b"y"][..count]);
            }
        });
        with_channel(Peers::one(server), async |mut channel, _| {
            let request = Blob::default();
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).streamed();
            let mut receiver = call.await.unwrap();
            let end = loop {
                match receiver.next().await {
                    Ok(Some(_)) => {}
                    end => break end,
                }
            };
            assert_eq!(end.unwrap_err().code(), Code::UNIMPLEMENTED, "{count} messages");
        });
    }
}

#[test]
fn a_unary_response_over_recv_is_gathered_in_the_callers_buffer() {
    for len in [0, 1, 292, 293, 294, 1_000] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                reply.answer(&[&content(len)]);
            }
        });
        with_channel(Peers::one(server), async |mut channel, _| {
            let request = Blob::default();
            let mut buffer = [0; 1_003];
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).buffer(&mut buffer);
            assert_eq!(call.await, Ok(Blob(content(len))), "{len} octets");
        });
    }
}

#[test]
fn a_unary_response_over_recv_and_the_buffer_is_resource_exhausted_at_its_prefix() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[&content(1_001)]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let request = Blob::default();
        let mut buffer = [0; 1_003];
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).buffer(&mut buffer);
        assert_eq!(call.await.unwrap_err().code(), Code::RESOURCE_EXHAUSTED);
        assert!(echo(channel, b"").await.is_err());
    });
    assert_eq!(resets(&log, 1), [8]);
}

#[test]
fn a_gathered_response_that_ends_early_or_brings_a_second_message_fails() {
    for (cut, extra, code) in [(1, false, Code::INTERNAL), (0, true, Code::UNIMPLEMENTED)] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                let mut octets = crate::support::frames::message(&content(900));
                octets.truncate(octets.len() - cut);
                reply.head().octets(&octets);
                if extra {
                    reply.message(b"x");
                }
                reply.trailers(0);
            }
        });
        with_channel(Peers::one(server), async |mut channel, _| {
            let request = Blob::default();
            let mut buffer = [0; 1_003];
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).buffer(&mut buffer);
            assert_eq!(call.await.unwrap_err().code(), code);
        });
    }
}

#[test]
fn a_reader_dropped_early_has_the_rest_of_its_message_skipped() {
    for read in [0, 1, 300, 4_999, 5_000] {
        let server = StreamServer::new(|_, got, reply| {
            if got == Got::End {
                reply.head();
                for number in [1, 2, 3] {
                    reply.octets(&image(number, &content(5_000)));
                }
                reply.message(b"small").trailers(0);
            }
        });
        with_channel(Peers::one(server), async |channel, _| {
            let mut receiver = feed(channel, b"").await.unwrap();
            let mut scratch = [0; 32];
            for _ in 0..3 {
                let mut reader = receiver.next_large(PATH, &mut scratch).await.unwrap().unwrap();
                let mut to = vec![0; read];
                let mut filled = 0;
                while filled < read {
                    filled += reader.read(&mut to[filled..]).await.unwrap();
                }
                assert_eq!(to, content(5_000)[..read]);
                if read == 0 {
                    let message = reader.finish::<Small>().unwrap_err();
                    assert_eq!(message.code(), Code::INTERNAL, "there are octets to read");
                }
            }
            assert_eq!(
                receiver.next().await,
                Ok(Some(blob(b"small"))),
                "after {read} octets"
            );
            assert_eq!(receiver.next().await, Ok(None));
        });
    }
}

#[test]
fn a_large_message_inside_a_stream_is_written_between_small_ones() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"done"]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        let mut call = upload(channel).await.unwrap();
        call.send(&blob(b"first")).await.unwrap();
        let mut writer = call.send_large(&blob(b""), &[1], 3_000).await.unwrap();
        write_all(&mut writer, &content(3_000), 77).await.unwrap();
        assert_eq!(writer.write(b"x").await.unwrap_err().code(), Code::INTERNAL);
        writer.finish().await.unwrap();
        let writer = call.send_large(&blob(b""), &[1], 0).await.unwrap();
        writer.finish().await.unwrap();
        call.send(&blob(b"last")).await.unwrap();
        assert_eq!(call.finish().await, Ok(blob(b"done")));
    });
    let log = log.borrow();
    let large = [vec![0x0a, 0], record(0x0a, &content(3_000))].concat();
    let empty = vec![0x0a, 0, 0x0a, 0];
    let expected = [body(b"first"), large, empty, body(b"last")].map(|message| (1, Got::Message(message)));
    assert_eq!(log[1..5], expected);
    assert_eq!(log[5], (1, Got::End));
}

#[test]
fn a_writer_that_is_short_cancels_the_call() {
    for (written, finish) in [(0, false), (99, false), (99, true)] {
        let server = StreamServer::new(|_, _, _| {});
        let log = server.log.clone();
        with_channel(Peers::one(server), async |channel, timer| {
            let (mut sender, mut receiver) = chat(channel).await.unwrap();
            let mut writer = sender.send_large(&blob(b""), &[1], 100).await.unwrap();
            writer.write(&content(written)).await.unwrap();
            if finish {
                assert_eq!(writer.finish().await.unwrap_err().code(), Code::CANCELLED);
            } else {
                drop(writer);
            }
            assert_eq!(receiver.next().await.unwrap_err().code(), Code::CANCELLED);
            assert_eq!(sender.send(&blob(b"")).await.unwrap_err().code(), Code::CANCELLED);
            sleep(timer, 10).await;
        });
        assert_eq!(resets(&log, 1), [8], "{written} octets written");
    }
}

#[test]
fn a_short_writer_of_the_one_request_cancels_the_call() {
    let server = StreamServer::new(|_, _, _| {});
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, timer| {
        let request = Small { number: 1 };
        let call = Unary::<_, _, Small>::new(&mut channel, &ECHO, &request);
        let (mut writer, mut receiver) = call.with_large_field(PATH, 1_000).await.unwrap();
        writer.write(&content(999)).await.unwrap();
        assert_eq!(writer.finish().await.unwrap_err().code(), Code::CANCELLED);
        assert_eq!(receiver.next().await.unwrap_err().code(), Code::CANCELLED);
        sleep(timer, 10).await;
    });
    assert_eq!(resets(&log, 1), [8]);
}

#[test]
fn a_large_message_that_ends_early_is_internal_and_an_error_status_wins() {
    for (status, code) in [(0, Code::INTERNAL), (9, Code::FAILED_PRECONDITION)] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                let octets = image(1, &content(2_000));
                reply.head().octets(&octets[..1_500]).trailers(status);
            }
        });
        with_channel(Peers::one(server), async |mut channel, _| {
            let request = Blob::default();
            let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request);
            let mut receiver = call.await.unwrap();
            let mut scratch = [0; 32];
            let mut reader = receiver.next_large(PATH, &mut scratch).await.unwrap().unwrap();
            assert_eq!(read_all(&mut reader, 100).await.unwrap_err().code(), code);
            assert_eq!(receiver.next().await.unwrap_err().code(), code);
        });
    }
}

#[test]
fn the_deadline_holds_inside_a_large_message() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::Call {
            reply.hang().head().octets(&image(1, &content(2_000))[..100]);
        }
    })
    .settings(&[(4, 50)]);
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, timer| {
        let deadline = Duration::from_millis(300);
        let call = BidiStreaming::<_, Blob, Blob>::new(&mut channel, &CHAT).deadline(deadline);
        let (mut sender, mut receiver) = call.await.unwrap();
        // There is credit for 50 octets.
        let mut writer = sender.send_large(&blob(b""), &[1], 100).await.unwrap();
        assert_eq!(
            writer.write(&[0; 100]).await.unwrap_err().code(),
            Code::DEADLINE_EXCEEDED
        );
        assert_eq!(timer.now_ms(), 300);
        drop(writer);
        assert_eq!(receiver.next().await.unwrap_err().code(), Code::DEADLINE_EXCEEDED);
        drop((sender, receiver));
        let request = Blob::default();
        let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request).deadline(deadline);
        let mut receiver = call.await.unwrap();
        let mut scratch = [0; 32];
        let mut reader = receiver.next_large(PATH, &mut scratch).await.unwrap().unwrap();
        assert_eq!(
            read_all(&mut reader, 50).await.unwrap_err().code(),
            Code::DEADLINE_EXCEEDED
        );
        assert_eq!(timer.now_ms(), 600);
        drop(receiver);
        sleep(timer, 1).await;
    });
    assert_eq!((resets(&log, 1), resets(&log, 3)), (vec![8], vec![8]));
}

#[test]
fn a_message_with_too_much_beside_its_large_field_is_resource_exhausted() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            let mut message = image(1, &content(2_000));
            let extra = record(0x22, &[7; 100]);
            message.extend(&extra);
            let len = (message.len() - 5) as u32;
            message[1..5].copy_from_slice(&len.to_be_bytes());
            reply.head().octets(&message).trailers(0);
        }
    });
    with_channel(Peers::one(server), async |channel, _| {
        let mut receiver = feed(channel, b"").await.unwrap();
        let mut scratch = [0; 32];
        let mut reader = receiver.next_large(PATH, &mut scratch).await.unwrap().unwrap();
        assert_eq!(
            read_all(&mut reader, 100).await.unwrap_err().code(),
            Code::RESOURCE_EXHAUSTED
        );
        assert_eq!(
            receiver.next().await.unwrap_err().code(),
            Code::RESOURCE_EXHAUSTED
        );
    });
}

#[test]
fn a_path_that_is_none_changes_nothing() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::Call {
            reply.head().message(b"x");
        }
    });
    with_channel(Peers::one(server), async |channel, _| {
        let (mut sender, mut receiver) = chat(channel).await.unwrap();
        let mut scratch = [0; 8];
        let refused = receiver.next_large(&[0], &mut scratch).await;
        assert_eq!(refused.err().unwrap().code(), Code::INTERNAL);
        let refused = sender.send_large(&blob(b""), &[1; 9], 5).await;
        assert_eq!(refused.err().unwrap().code(), Code::INTERNAL);
        assert_eq!(receiver.next().await, Ok(Some(blob(b"x"))));
        sender.send(&blob(b"y")).await.unwrap();
    });
}
