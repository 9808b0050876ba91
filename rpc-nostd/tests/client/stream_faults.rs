//! Streams against servers that send what is no message, refuse, or vanish.

use crate::support::client::{blob, chat, feed, sleep, with_channel};
use crate::support::frames;
use crate::support::streams::{Got, StreamServer, resets};
use crate::support::{Peer, Peers};
use rpc_nostd::{Code, Status};

const CANCEL: u32 = 8;

fn code<T>(result: Result<T, Status>) -> Code {
    result.err().expect("the call must fail").code()
}

// Spec: grpc-response-too-large, grpc-flag-without-encoding, grpc-response-parse, grpc-response-cut
#[test]
fn what_can_become_no_message_ends_the_call_with_its_code() {
    let long = frames::message(&[0; 300]);
    let table: [(&[u8], bool, Code); 4] = [
        (&long, false, Code::RESOURCE_EXHAUSTED),
        (&[1, 0, 0, 0, 0], false, Code::INTERNAL),
        (&[0, 0, 0, 0, 2, 0xff, 0xff], false, Code::INTERNAL),
        (&[0, 0, 0, 0, 9, 0x0a], true, Code::INTERNAL),
    ];
    for (octets, ends, expected) in table {
        let octets = octets.to_vec();
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                reply.head().message(b"good").octets(&octets);
                if ends {
                    reply.trailers(0);
                }
            }
        });
        let log = server.log.clone();
        with_channel(Peers::one(server), async |channel, timer| {
            let mut events = feed(channel, b"").await.unwrap();
            assert_eq!(events.next().await, Ok(Some(blob(b"good"))));
            assert_eq!(code(events.next().await), expected);
            assert_eq!(code(events.next().await), expected);
            sleep(timer, 1).await;
        });
        assert_eq!(resets(&log, 1), if ends { vec![] } else { vec![CANCEL] });
    }
}

// Spec: grpc-rst-refused, grpc-goaway-above
#[test]
fn a_stream_that_the_server_refuses_is_unavailable_and_not_sent_again() {
    for goaway in [false, true] {
        let server = StreamServer::new(move |stream, got, reply| {
            if got == Got::Call {
                reply.raw(&if goaway {
                    frames::goaway(0, 0)
                } else {
                    frames::rst(stream, 7)
                });
            }
        });
        let log = server.log.clone();
        with_channel(Peers::one(server), async |channel, _| {
            let (_sender, mut receiver) = chat(channel).await.unwrap();
            assert_eq!(code(receiver.next().await), Code::UNAVAILABLE);
        });
        let calls = log.borrow().iter().filter(|(_, got)| *got == Got::Call).count();
        assert_eq!(calls, 1);
    }
}

/// Passes on so many octets of what the peer sends, then closes.
struct Cut<P>(P, usize);

impl<P: Peer> Peer for Cut<P> {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let open = self.0.receive(octets, out);
        let len = (out.len() - before).min(self.1);
        out.truncate(before + len);
        self.1 -= len;
        open && self.1 > 0
    }
}

// Spec: grpc-lost-client
#[test]
fn a_connection_that_dies_at_any_octet_ends_the_call_and_the_next_one_works() {
    let chatty = || {
        StreamServer::new(|_, got, reply| match got {
            Got::Call => {
                reply.head();
            }
            Got::Message(message) => {
                reply.message(&message[2..]);
            }
            Got::End => {
                reply.message(b"bye").trailers(0);
            }
            Got::Reset(_) => {}
        })
    };
    let (mut failed, mut finished) = (0, 0);
    for octets in 1..260 {
        let again = Box::new(chatty());
        let peers = Peers::new(vec![Some(Box::new(Cut(chatty(), octets))), Some(again)]);
        with_channel(peers, async |channel, timer| {
            let talk = async || {
                let (mut sender, mut receiver) = chat(channel).await?;
                for round in 0..3u8 {
                    sender.send(&blob(&[round; 30])).await?;
                    assert_eq!(receiver.next().await?, Some(blob(&[round; 30])));
                }
                sender.finish().await?;
                assert_eq!(receiver.next().await?, Some(blob(b"bye")));
                assert_eq!(receiver.next().await?, None);
                Ok::<(), Status>(())
            };
            match talk().await {
                Ok(()) => finished += 1,
                Err(status) => {
                    failed += 1;
                    assert_eq!(status.code(), Code::UNAVAILABLE, "{octets}: {status}");
                    // A connection that was not ready yet is not tried again at once.
                    sleep(timer, 2_000).await;
                    talk().await.unwrap_or_else(|status| panic!("{octets}: {status}"));
                }
            }
        });
    }
    assert!(
        failed > 200 && finished > 0,
        "{failed} failed, {finished} finished"
    );
}
