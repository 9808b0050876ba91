//! Connections in memory: the endpoint's end is a transport, the other end is the test's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use embedded_io_async::ErrorKind;
use rpc_nostd::transport::asynch::{Acceptor, Connector, Duplex};

/// One connection. Clones are the same connection.
#[derive(Clone, Debug, Default)]
pub struct Link {
    inbound: Rc<RefCell<Pipe>>,
    outbound: Rc<RefCell<Pipe>>,
    /// Reads and writes by the endpoint.
    moves: Rc<Cell<u64>>,
    /// The endpoint has let go of its end.
    dropped: Rc<Cell<bool>>,
}

#[derive(Debug, Default)]
struct Pipe {
    octets: VecDeque<u8>,
    closed: bool,
    capacity: Option<usize>,
    waker: Option<Waker>,
    /// Octets that ever went through.
    total: u64,
}

impl Pipe {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Link {
    /// Octets for the endpoint.
    pub fn send(&self, octets: &[u8]) {
        let mut pipe = self.inbound.borrow_mut();
        pipe.octets.extend(octets);
        pipe.total += octets.len() as u64;
        pipe.wake();
    }

    /// What the endpoint has written since the last call.
    #[must_use]
    pub fn receive(&self) -> Vec<u8> {
        let mut pipe = self.outbound.borrow_mut();
        let octets = pipe.octets.drain(..).collect();
        pipe.wake();
        octets
    }

    /// The test's end is closed, both ways.
    pub fn hang_up(&self) {
        for pipe in [&self.inbound, &self.outbound] {
            pipe.borrow_mut().closed = true;
            pipe.borrow_mut().wake();
        }
    }

    /// The endpoint's writes wait above so many unreceived octets: TCP's window as the test's host has it.
    pub fn set_capacity(&self, capacity: Option<usize>) {
        let mut pipe = self.outbound.borrow_mut();
        pipe.capacity = capacity;
        pipe.wake();
    }

    /// The endpoint has closed its end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.dropped.get()
    }

    /// Octets that the endpoint has not read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.inbound.borrow().octets.len()
    }

    /// Reads and writes by the endpoint, so far.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.moves.get()
    }

    /// Octets that the endpoint wrote, so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.outbound.borrow().total
    }
}

/// The endpoint's end of a link.
#[derive(Debug)]
pub struct End(Link);

impl Drop for End {
    fn drop(&mut self) {
        self.0.dropped.set(true);
    }
}

impl Duplex for End {
    type Reader<'h> = Reader;
    type Writer<'h> = Writer;

    fn split(&mut self) -> (Reader, Writer) {
        (Reader(self.0.clone()), Writer(self.0.clone()))
    }
}

/// Reads what the test sends.
#[derive(Debug)]
pub struct Reader(Link);

/// Writes what the test receives.
#[derive(Debug)]
pub struct Writer(Link);

impl embedded_io_async::ErrorType for Reader {
    type Error = ErrorKind;
}

impl embedded_io_async::ErrorType for Writer {
    type Error = ErrorKind;
}

impl embedded_io_async::Read for Reader {
    async fn read(&mut self, to: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| {
            let mut pipe = self.0.inbound.borrow_mut();
            if pipe.octets.is_empty() && !pipe.closed {
                pipe.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.0.moves.set(self.0.moves.get() + 1);
            let count = to.len().min(pipe.octets.len());
            for (to, from) in to.iter_mut().zip(pipe.octets.drain(..count)) {
                *to = from;
            }
            Poll::Ready(Ok(count))
        })
        .await
    }
}

impl embedded_io_async::Write for Writer {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| {
            let mut pipe = self.0.outbound.borrow_mut();
            if pipe.closed {
                return Poll::Ready(Err(ErrorKind::BrokenPipe));
            }
            let room = pipe
                .capacity
                .unwrap_or(usize::MAX)
                .saturating_sub(pipe.octets.len());
            let count = from.len().min(room);
            if count == 0 {
                pipe.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.0.moves.set(self.0.moves.get() + 1);
            pipe.octets.extend(&from[..count]);
            pipe.total += count as u64;
            Poll::Ready(Ok(count))
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Where links wait for a server, or come from when a client connects.
#[derive(Clone, Debug, Default)]
pub struct Net(Rc<RefCell<Places>>);

#[derive(Debug, Default)]
struct Places {
    /// Clients that wait to be accepted.
    waiting: VecDeque<Link>,
    acceptors: Vec<Waker>,
    /// Connections that a client made, the newest last.
    made: Vec<Link>,
}

impl Net {
    /// A client that waits to be accepted.
    #[must_use]
    pub fn connect_to_server(&self) -> Link {
        let link = Link::default();
        let mut places = self.0.borrow_mut();
        places.waiting.push_back(link.clone());
        places.acceptors.drain(..).for_each(Waker::wake);
        link
    }

    /// The connections that the client under test made, the newest last.
    #[must_use]
    pub fn made(&self) -> Vec<Link> {
        self.0.borrow().made.clone()
    }
}

impl Acceptor for Net {
    type Connection<'c> = End;

    async fn accept(&mut self) -> Result<End, &'static str> {
        poll_fn(|cx| {
            let mut places = self.0.borrow_mut();
            if let Some(link) = places.waiting.pop_front() {
                return Poll::Ready(Ok(End(link)));
            }
            places.acceptors.push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Connector for Net {
    type Connection<'c> = End;

    async fn connect(&mut self) -> Result<End, &'static str> {
        let link = Link::default();
        self.0.borrow_mut().made.push(link.clone());
        Ok(End(link))
    }
}
