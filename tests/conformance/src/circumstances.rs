//! The same cases under other circumstances, in which the same must come of them.

use std::cell::RefCell;
use std::rc::Rc;

use crate::endpoint::{Call, Client, Endpoint, Outcome, Server, Work};
use crate::ours::{OurClient, OurServer};

/// Octets reach the server in pieces of so many, and it does after each what it can.
#[derive(Debug)]
pub struct Cut {
    server: OurServer,
    piece: usize,
}

impl Cut {
    /// An ordinary server, and the size of the pieces.
    #[must_use]
    pub fn new(piece: usize) -> Self {
        Self {
            server: OurServer::default(),
            piece,
        }
    }
}

/// The same for a client.
#[derive(Debug)]
pub struct CutClient {
    client: OurClient,
    piece: usize,
}

impl CutClient {
    /// An ordinary client, and the size of the pieces.
    #[must_use]
    pub fn new(piece: usize) -> Self {
        Self {
            client: OurClient::default(),
            piece,
        }
    }
}

/// A server on which other connections were before, whatever became of them.
#[derive(Clone, Debug)]
pub struct Used {
    server: Rc<RefCell<OurServer>>,
    stopped: Rc<RefCell<bool>>,
}

impl Default for Used {
    fn default() -> Self {
        Self {
            server: Rc::new(RefCell::new(OurServer::default())),
            stopped: Rc::default(),
        }
    }
}

impl Used {
    /// The same server, and a new connection.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut next = self.clone();
        next.reconnect();
        next
    }
}

impl Endpoint for Cut {
    fn send(&mut self, octets: &[u8]) {
        octets
            .chunks(self.piece)
            .for_each(|piece| self.server.send(piece));
    }

    fn receive(&mut self) -> Vec<u8> {
        self.server.receive()
    }

    fn pass(&mut self, ms: u64) {
        self.server.pass(ms);
    }

    fn hang_up(&mut self) {
        self.server.hang_up();
    }

    fn is_closed(&self) -> bool {
        self.server.is_closed()
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.server.set_capacity(capacity);
    }

    fn work(&self) -> Work {
        self.server.work()
    }
}

impl Server for Cut {
    fn handlers(&self) -> usize {
        self.server.handlers()
    }

    fn reconnect(&mut self) {
        self.server.reconnect();
    }

    fn shut_down(&mut self) {
        self.server.shut_down();
    }
}

impl Endpoint for CutClient {
    fn send(&mut self, octets: &[u8]) {
        octets
            .chunks(self.piece)
            .for_each(|piece| self.client.send(piece));
    }

    fn receive(&mut self) -> Vec<u8> {
        self.client.receive()
    }

    fn pass(&mut self, ms: u64) {
        self.client.pass(ms);
    }

    fn hang_up(&mut self) {
        self.client.hang_up();
    }

    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.client.set_capacity(capacity);
    }

    fn work(&self) -> Work {
        self.client.work()
    }
}

impl Client for CutClient {
    fn call(&mut self, call: Call) -> usize {
        self.client.call(call)
    }

    fn outcome(&mut self, call: usize) -> Option<Outcome> {
        self.client.outcome(call)
    }

    fn cancel(&mut self, call: usize) {
        self.client.cancel(call);
    }

    fn connections(&self) -> usize {
        self.client.connections()
    }
}

impl Endpoint for Used {
    fn send(&mut self, octets: &[u8]) {
        self.server.borrow_mut().send(octets);
    }

    fn receive(&mut self) -> Vec<u8> {
        self.server.borrow_mut().receive()
    }

    fn pass(&mut self, ms: u64) {
        self.server.borrow_mut().pass(ms);
    }

    fn hang_up(&mut self) {
        self.server.borrow_mut().hang_up();
    }

    fn is_closed(&self) -> bool {
        self.server.borrow().is_closed()
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.server.borrow_mut().set_capacity(capacity);
    }

    fn work(&self) -> Work {
        self.server.borrow().work()
    }
}

impl Server for Used {
    fn handlers(&self) -> usize {
        self.server.borrow().handlers()
    }

    fn reconnect(&mut self) {
        // A server that was shut down takes no more connections.
        if self.stopped.replace(false) {
            self.server.replace(OurServer::default());
        } else {
            self.server.borrow_mut().reconnect();
        }
    }

    fn shut_down(&mut self) {
        self.stopped.replace(true);
        self.server.borrow_mut().shut_down();
    }
}
