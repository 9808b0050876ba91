//! A channel against a scripted server, in memory, under a virtual clock: no socket, no thread, no waiting.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use rpc_nostd::Method;
use rpc_nostd::micropb::{DecodeError, MessageDecode, MessageEncode, PbDecoder, PbEncoder, PbRead, PbWrite};
use rpc_nostd::time::{Clock, Instant, Timer};
use rpc_nostd::transport::asynch::{Connector, Duplex};

pub mod chaos;
pub mod chaos_server;
pub mod client;
pub mod frames;
pub mod server;
pub mod streams;
pub mod wire;

pub static ECHO: Method = Method::unary("/test.Echo/Echo");

/// A message with one `bytes` field, number 1.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl MessageEncode for Blob {
    const MAX_SIZE: Result<usize, &'static str> = Err("unbounded");

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        encoder.encode_varint32(0x0a)?;
        encoder.encode_bytes(&self.0)
    }

    fn compute_size(&self) -> usize {
        1 + rpc_nostd::micropb::size::sizeof_len_record(self.0.len())
    }
}

impl MessageDecode for Blob {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            if decoder.decode_varint32()? != 0x0a {
                return Err(DecodeError::WrongWireType);
            }
            let mut octets = rpc_nostd::heapless::Vec::<u8, 2048>::new();
            decoder.decode_bytes(&mut octets, rpc_nostd::micropb::Presence::Explicit)?;
            self.0 = octets.to_vec();
        }
        Ok(())
    }
}

/// A [`Blob`] whose octets lie elsewhere.
pub struct Note<'a>(pub &'a [u8]);

impl MessageEncode for Note<'_> {
    const MAX_SIZE: Result<usize, &'static str> = Err("unbounded");

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        encoder.encode_varint32(0x0a)?;
        encoder.encode_bytes(self.0)
    }

    fn compute_size(&self) -> usize {
        1 + rpc_nostd::micropb::size::sizeof_len_record(self.0.len())
    }
}

impl rpc_nostd::Borrowing for Note<'_> {
    type At<'b> = Note<'b>;
}

/// Time that passes only when nothing else can happen.
#[derive(Default)]
pub struct VirtualTimer {
    now_ms: AtomicU64,
    alarms: Mutex<Vec<(u64, Waker)>>,
}

impl Clock for VirtualTimer {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now_ms.load(Ordering::Relaxed))
    }
}

impl Timer for VirtualTimer {
    fn wake_at(&self, at: Instant, waker: &Waker) {
        self.alarms.lock().unwrap().push((at.as_millis(), waker.clone()));
    }
}

impl VirtualTimer {
    pub fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Lets time pass where nobody waits for an alarm.
    pub fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Goes on to the next alarm and wakes it. False: there is none.
    fn advance(&self) -> bool {
        let mut alarms = self.alarms.lock().unwrap();
        let Some(next) = alarms.iter().map(|(at, _)| *at).min() else {
            return false;
        };
        let now = next.max(self.now_ms());
        self.now_ms.store(now, Ordering::Relaxed);
        let (due, later) = alarms.drain(..).partition::<Vec<_>, _>(|(at, _)| *at <= now);
        *alarms = later;
        drop(alarms);
        due.into_iter().for_each(|(_, waker)| waker.wake());
        true
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Task<'f> = Pin<Box<dyn Future<Output = ()> + 'f>>;

/// Runs all tasks until the first of them (the test) is done. A task is polled only when it was woken, so a
/// missing wake shows as a test that never ends: after 24 virtual hours it panics.
pub fn run<'f>(timer: &VirtualTimer, test: impl Future<Output = ()> + 'f, others: Vec<Task<'f>>) {
    let mut tasks: Vec<(Option<Task<'f>>, Arc<Flag>)> = Vec::new();
    tasks.push((Some(Box::pin(test)), Arc::new(Flag(AtomicBool::new(true)))));
    tasks.extend(
        others
            .into_iter()
            .map(|task| (Some(task), Arc::new(Flag(AtomicBool::new(true))))),
    );
    let mut polls = 0u32;
    loop {
        let mut moved = false;
        for (index, (place, flag)) in tasks.iter_mut().enumerate() {
            let Some(task) = place else { continue };
            if !flag.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            moved = true;
            polls += 1;
            assert!(polls < 1_000_000, "a task wakes itself without end");
            let waker = Waker::from(flag.clone());
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *place = None;
                if index == 0 {
                    return;
                }
            }
        }
        if !moved {
            assert!(timer.advance(), "nothing can happen any more: a wake is missing");
            assert!(timer.now_ms() < 86_400_000, "a whole day passed: the test hangs");
        }
    }
}

/// One direction of a connection.
#[derive(Default)]
pub struct Pipe {
    octets: VecDeque<u8>,
    closed: bool,
    waker: Option<Waker>,
}

impl Pipe {
    pub fn push(&mut self, octets: &[u8]) {
        self.octets.extend(octets);
        self.wake();
    }

    pub fn close(&mut self) {
        self.closed = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// What the peer of a connection does.
pub trait Peer {
    /// Octets came from the client; what goes back is appended to `out`. False closes the connection.
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> bool;
}

impl<F: FnMut(&[u8], &mut Vec<u8>) -> bool> Peer for F {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> bool {
        self(octets, out)
    }
}

/// Connects to one peer after another; a `None` refuses the attempt.
pub struct Peers {
    pub list: VecDeque<Option<Box<dyn Peer>>>,
    pub attempts: Rc<Cell<u32>>,
    /// Octets that a read or a write moves at most.
    pub piece: usize,
    /// Octets that the first connection takes before its writes never return.
    pub stuck_after: usize,
    /// A write of more octets than this takes a few polls, though the peer has it and answers at once.
    pub slow_above: usize,
}

impl Peers {
    pub fn new(list: Vec<Option<Box<dyn Peer>>>) -> Self {
        Self {
            list: list.into(),
            attempts: Rc::default(),
            piece: usize::MAX,
            stuck_after: usize::MAX,
            slow_above: usize::MAX,
        }
    }

    pub fn one(peer: impl Peer + 'static) -> Self {
        Self::new(vec![Some(Box::new(peer))])
    }
}

pub struct Link {
    peer: Rc<RefCell<Box<dyn Peer>>>,
    inbound: Rc<RefCell<Pipe>>,
    piece: usize,
    takes: usize,
    slow_above: usize,
}

impl Connector for Peers {
    type Connection<'c> = Link;

    async fn connect(&mut self) -> Result<Link, &'static str> {
        self.attempts.set(self.attempts.get() + 1);
        match self.list.pop_front() {
            Some(Some(peer)) => {
                let peer = Rc::new(RefCell::new(peer));
                let mut out = Vec::new();
                let open = peer.borrow_mut().receive(&[], &mut out);
                let mut inbound = Pipe::default();
                inbound.push(&out);
                inbound.closed = !open;
                Ok(Link {
                    peer,
                    inbound: Rc::new(RefCell::new(inbound)),
                    piece: self.piece,
                    takes: std::mem::replace(&mut self.stuck_after, usize::MAX),
                    slow_above: self.slow_above,
                })
            }
            _ => Err("connection refused by the test"),
        }
    }
}

impl Duplex for Link {
    type Reader<'h> = Reader;
    type Writer<'h> = Writer;

    fn split(&mut self) -> (Reader, Writer) {
        (
            Reader {
                inbound: self.inbound.clone(),
                piece: self.piece,
            },
            Writer {
                peer: self.peer.clone(),
                inbound: self.inbound.clone(),
                piece: self.piece,
                takes: self.takes,
                slow_above: self.slow_above,
            },
        )
    }
}

pub struct Reader {
    inbound: Rc<RefCell<Pipe>>,
    piece: usize,
}

pub struct Writer {
    peer: Rc<RefCell<Box<dyn Peer>>>,
    inbound: Rc<RefCell<Pipe>>,
    piece: usize,
    takes: usize,
    slow_above: usize,
}

impl embedded_io_async::ErrorType for Reader {
    type Error = embedded_io_async::ErrorKind;
}

impl embedded_io_async::ErrorType for Writer {
    type Error = embedded_io_async::ErrorKind;
}

impl embedded_io_async::Read for Reader {
    async fn read(&mut self, to: &mut [u8]) -> Result<usize, Self::Error> {
        std::future::poll_fn(|cx| {
            let mut pipe = self.inbound.borrow_mut();
            if pipe.octets.is_empty() && !pipe.closed {
                pipe.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let count = to.len().min(self.piece).min(pipe.octets.len());
            for (to, from) in to.iter_mut().zip(pipe.octets.drain(..count)) {
                *to = from;
            }
            Poll::Ready(Ok(count))
        })
        .await
    }
}

impl embedded_io_async::Write for Writer {
    async fn write(&mut self, from: &[u8]) -> Result<usize, Self::Error> {
        if self.inbound.borrow().closed {
            return Err(embedded_io_async::ErrorKind::BrokenPipe);
        }
        let count = from.len().min(self.piece).min(self.takes);
        if count == 0 {
            return std::future::pending().await;
        }
        self.takes -= count;
        let mut out = Vec::new();
        let open = self.peer.borrow_mut().receive(&from[..count], &mut out);
        self.inbound.borrow_mut().push(&out);
        if !open {
            self.inbound.borrow_mut().close();
        }
        if count > self.slow_above {
            let mut polls = 0;
            std::future::poll_fn(|cx| {
                polls += 1;
                if polls > 4 {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
