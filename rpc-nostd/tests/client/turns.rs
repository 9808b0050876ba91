//! Calls of a channel share its send buffer, in whatever order one task polls them.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use crate::support::client::{blob, echo, upload};
use crate::support::frames::{self, Frame};
use crate::support::streams::{Got, StreamServer};
use crate::support::{Peer, Peers, VirtualTimer, run};
use rpc_nostd::{Channel, Config, Resources};

type Frames = Rc<RefCell<Vec<Frame>>>;
type Task<'f> = Pin<Box<dyn Future<Output = ()> + 'f>>;

const SEND: usize = 512;
const SIZES: [usize; 6] = [1, 30, 200, 400, 1_000, 30_000];
const PIECES: [usize; 4] = [20, 100, 300, usize::MAX];

/// A channel of 5 streams to a server that answers a call when it ends, and sends nothing else. A write moves `piece`
/// octets at most; they are counted.
fn with_five(piece: usize, test: impl AsyncFnOnce(Channel<'_>, &Frames, &Cell<usize>)) {
    let mut server = StreamServer::new(|_, got, reply| match got {
        Got::Call => {
            reply.hang();
        }
        Got::End => {
            reply.answer(&[b"answer"]);
        }
        Got::Message(_) | Got::Reset(_) => {}
    });
    let frames = server.frames.clone();
    let writes = Rc::new(Cell::new(0));
    let counted = writes.clone();
    let mut peers = Peers::one(move |octets: &[u8], out: &mut Vec<u8>| {
        counted.set(counted.get() + 1);
        server.receive(octets, out)
    });
    peers.piece = piece;
    let timer = VirtualTimer::default();
    let mut memory = Resources::<5, 300, SEND, 256>::new();
    let (channel, runner) = Channel::new(&mut memory, peers, &timer, Config::new("test.local:1"))
        .expect("the memory is large enough");
    run(
        &timer,
        test(channel, &frames, &writes),
        vec![Box::pin(runner.run())],
    );
}

/// Sends messages of so many octets without end.
async fn endless(channel: Channel<'_>, octets: usize) {
    let mut call = upload(channel).await.unwrap();
    let message = blob(&vec![7; octets]);
    loop {
        call.send(&message).await.unwrap();
    }
}

/// Polls all in this order, whoever is woken, until `over`. Returns how often.
async fn join_until(mut tasks: Vec<Task<'_>>, over: impl Fn() -> bool) -> usize {
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        if over() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    polls
}

fn data_of(frames: &Frames, of: impl Fn(u32) -> bool) -> usize {
    let frames = frames.borrow();
    let data = frames
        .iter()
        .filter(|frame| frame.kind == frames::DATA && of(frame.stream));
    data.map(|frame| frame.payload.len()).sum()
}

#[test]
fn streams_joined_in_one_task_share_the_send_buffer() {
    const ENOUGH: usize = 40_000;
    for octets in SIZES {
        for piece in PIECES {
            with_five(piece, async |channel, frames, writes| {
                let tasks = (0..4).map(|_| Box::pin(endless(channel, octets)) as Task<'_>);
                let polls = join_until(tasks.collect(), || data_of(frames, |_| true) > ENOUGH).await;
                let shares = [1, 3, 5, 7].map(|id| data_of(frames, |stream| stream == id));
                assert!(
                    shares.iter().all(|share| *share > ENOUGH / 8),
                    "{octets} octets, {piece} at once: {shares:?}"
                );
                let writes = writes.get();
                assert!(
                    polls <= 2 * writes,
                    "{octets} octets, {piece} at once: {polls} polls for {writes} writes"
                );
            });
        }
    }
}

#[test]
fn a_call_opened_among_endless_streams_gets_its_headers_out_soon() {
    for octets in SIZES {
        for piece in PIECES {
            for streams in 1..=4 {
                with_five(piece, async |channel, frames, _| {
                    let begun = Cell::new(None);
                    let done = Cell::new(false);
                    let all = || data_of(frames, |_| true);
                    let mut tasks: Vec<Task<'_>> = (0..streams)
                        .map(|_| Box::pin(endless(channel, octets)) as Task<'_>)
                        .collect();
                    tasks.push(Box::pin(async {
                        poll_fn(|_| {
                            if all() > 5_000 {
                                Poll::Ready(())
                            } else {
                                Poll::Pending
                            }
                        })
                        .await;
                        begun.set(Some(frames.borrow().len()));
                        echo(channel, b"small").await.unwrap();
                        done.set(true);
                    }));
                    join_until(tasks, || done.get() || all() > 40_000).await;
                    let frames = frames.borrow();
                    let later = &frames[begun.get().unwrap()..];
                    let octets_before = |end: &dyn Fn(&Frame) -> bool| -> usize {
                        let before = later.iter().take_while(|frame| !end(frame));
                        before.map(|frame| frame.payload.len()).sum()
                    };
                    let what = format!("{octets} octets, {piece} at once, {streams} streams");
                    let headers = octets_before(&|frame| frame.kind == frames::HEADERS);
                    assert!(headers < 2 * SEND, "{what}: HEADERS after {headers} octets");
                    assert!(done.get(), "{what}: no answer");
                    let end = octets_before(&|frame| frame.flags & 1 == 1);
                    assert!(end < 10 * SEND, "{what}: END_STREAM after {end} octets");
                });
            }
        }
    }
}

#[test]
fn a_call_that_waits_for_room_and_is_polled_no_more_holds_up_nobody() {
    for dropped in [false, true] {
        with_five(usize::MAX, async |channel, frames, writes| {
            let mut first = upload(channel).await.unwrap();
            let mut second = upload(channel).await.unwrap();
            let mut third = upload(channel).await.unwrap();
            let (large, small) = (blob(&[7; 2_000]), blob(&[7; 30]));
            let mut sending = Box::pin(first.send(&large));
            let mut call = Some(Box::pin(echo(channel, b"waits")));
            let mut message = Some(Box::pin(second.send(&large)));
            poll_fn(|cx| {
                assert!(sending.as_mut().poll(cx).is_pending(), "it fills the send buffer");
                assert!(call.as_mut().unwrap().as_mut().poll(cx).is_pending());
                assert!(message.as_mut().unwrap().as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            if dropped {
                call = None;
                message = None;
            }
            sending.await.unwrap();
            let before = writes.get();
            for _ in 0..200 {
                third.send(&small).await.unwrap();
                first.send(&small).await.unwrap();
            }
            let writes = writes.get() - before;
            assert!(data_of(frames, |_| true) > 2_000 + 300 * 30);
            assert!(writes < 100, "{writes} writes for 400 messages of 46 octets");
            if let Some(message) = message {
                message.await.unwrap();
            }
            if let Some(call) = call {
                assert_eq!(call.await, Ok(blob(b"answer")));
            }
        });
    }
}
