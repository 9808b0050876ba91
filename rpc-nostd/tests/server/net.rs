//! Connections in memory: a listener for the server, and the client's end of each.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use rpc_nostd::transport::asynch::{Acceptor, Duplex};

/// Clients that wait to be accepted, and places that wait for clients.
#[derive(Clone, Default)]
pub struct Net(Rc<Places>);

#[derive(Default)]
struct Places {
    waiting: RefCell<VecDeque<Socket>>,
    acceptors: RefCell<Vec<Waker>>,
    failures: Cell<u32>,
    accepted: Cell<u32>,
}

impl Net {
    /// Puts a client into the queue of those that wait.
    pub fn connect(&self) -> Socket {
        let socket = Socket::default();
        self.0.waiting.borrow_mut().push_back(socket.clone());
        self.wake();
        socket
    }

    /// Lets the next `count` attempts to accept fail.
    pub fn fail(&self, count: u32) {
        self.0.failures.set(count);
        self.wake();
    }

    /// Clients accepted so far.
    pub fn accepted(&self) -> u32 {
        self.0.accepted.get()
    }

    fn wake(&self) {
        self.0.acceptors.borrow_mut().drain(..).for_each(Waker::wake);
    }
}

impl Acceptor for Net {
    type Connection<'c> = Socket;

    async fn accept(&mut self) -> Result<Socket, &'static str> {
        poll_fn(|cx| {
            if self.0.failures.get() > 0 {
                self.0.failures.set(self.0.failures.get() - 1);
                return Poll::Ready(Err("the test lets it fail"));
            }
            if let Some(socket) = self.0.waiting.borrow_mut().pop_front() {
                self.0.accepted.set(self.0.accepted.get() + 1);
                return Poll::Ready(Ok(socket));
            }
            self.0.acceptors.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Both directions of a connection. The server's end is a `Duplex`; the client's end is what the test moves.
#[derive(Clone, Default)]
pub struct Socket {
    to_server: Rc<RefCell<Pipe>>,
    to_client: Rc<RefCell<Pipe>>,
}

#[derive(Default)]
struct Pipe {
    octets: VecDeque<u8>,
    closed: bool,
    waker: Option<Waker>,
    /// Octets that a read or a write moves at most; 0 stands for no limit.
    piece: usize,
    /// Octets that lie here at most: above that writes wait. `None` stands for no limit.
    capacity: Option<usize>,
}

impl Pipe {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn piece(&self) -> usize {
        if self.piece == 0 { usize::MAX } else { self.piece }
    }

    fn read(&mut self, to: &mut [u8]) -> Option<usize> {
        if self.octets.is_empty() && !self.closed {
            return None;
        }
        let count = to.len().min(self.piece()).min(self.octets.len());
        for (to, from) in to.iter_mut().zip(self.octets.drain(..count)) {
            *to = from;
        }
        Some(count)
    }

    fn write(&mut self, from: &[u8]) -> Option<usize> {
        let room = self
            .capacity
            .unwrap_or(usize::MAX)
            .saturating_sub(self.octets.len());
        let count = from.len().min(self.piece()).min(room);
        self.octets.extend(&from[..count]);
        (count > 0).then_some(count)
    }
}

impl Socket {
    pub fn send(&self, octets: &[u8]) {
        let mut pipe = self.to_server.borrow_mut();
        pipe.octets.extend(octets);
        pipe.wake();
    }

    pub fn receive(&self) -> Vec<u8> {
        let mut pipe = self.to_client.borrow_mut();
        let octets = pipe.octets.drain(..).collect();
        pipe.wake();
        octets
    }

    /// The client is gone: what it sent is read to its end, what is written to it fails.
    pub fn close(&self) {
        for pipe in [&self.to_server, &self.to_client] {
            pipe.borrow_mut().closed = true;
            pipe.borrow_mut().wake();
        }
    }

    /// Octets that the server has not read.
    pub fn unread(&self) -> usize {
        self.to_server.borrow().octets.len()
    }

    /// The server has closed its end.
    pub fn is_closed(&self) -> bool {
        Rc::strong_count(&self.to_server) == 1
    }

    /// A read of the server that does not wait; `Some(0)`: the client has closed.
    pub fn read_now(&self, to: &mut [u8]) -> Option<usize> {
        self.to_server.borrow_mut().read(to)
    }

    /// A write of the server that does not wait.
    pub fn write_now(&self, from: &[u8]) -> Option<usize> {
        self.to_client.borrow_mut().write(from)
    }

    /// Reads and writes of the server move so many octets at most.
    pub fn set_piece(&self, piece: usize) {
        self.to_server.borrow_mut().piece = piece;
        self.to_client.borrow_mut().piece = piece;
    }

    /// The client's host takes so many octets before the client reads them.
    pub fn set_capacity(&self, capacity: Option<usize>) {
        let mut pipe = self.to_client.borrow_mut();
        pipe.capacity = capacity;
        pipe.wake();
    }
}

impl Duplex for Socket {
    type Reader<'h> = Reader;
    type Writer<'h> = Writer;

    fn split(&mut self) -> (Reader, Writer) {
        (Reader(self.to_server.clone()), Writer(self.to_client.clone()))
    }
}

pub struct Reader(Rc<RefCell<Pipe>>);

pub struct Writer(Rc<RefCell<Pipe>>);

impl embedded_io_async::ErrorType for Reader {
    type Error = embedded_io_async::ErrorKind;
}

impl embedded_io_async::ErrorType for Writer {
    type Error = embedded_io_async::ErrorKind;
}

impl embedded_io_async::Read for Reader {
    async fn read(&mut self, to: &mut [u8]) -> Result<usize, Self::Error> {
        poll_fn(|cx: &mut Context<'_>| {
            let mut pipe = self.0.borrow_mut();
            match pipe.read(to) {
                Some(count) => Poll::Ready(Ok(count)),
                None => {
                    pipe.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl embedded_io_async::Write for Writer {
    async fn write(&mut self, from: &[u8]) -> Result<usize, Self::Error> {
        poll_fn(|cx: &mut Context<'_>| {
            let mut pipe = self.0.borrow_mut();
            if pipe.closed {
                return Poll::Ready(Err(embedded_io_async::ErrorKind::BrokenPipe));
            }
            match pipe.write(from) {
                Some(count) => Poll::Ready(Ok(count)),
                None => {
                    pipe.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
