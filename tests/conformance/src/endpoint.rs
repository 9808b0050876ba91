//! What is tested: an endpoint as its peer sees it.

use std::fmt;

/// Octets, and time.
pub trait Endpoint {
    /// Octets come from the peer; the endpoint runs until it can do nothing more at this moment.
    fn send(&mut self, octets: &[u8]);

    /// What the endpoint has written since the last call.
    fn receive(&mut self) -> Vec<u8>;

    /// So many milliseconds pass, and what is due then happens.
    fn pass(&mut self, ms: u64);

    /// The peer closes the transport.
    fn hang_up(&mut self);

    /// The endpoint has closed the transport.
    fn is_closed(&self) -> bool;

    /// The peer's host takes so many octets before the peer receives them; `None` is no limit.
    fn set_capacity(&mut self, capacity: Option<usize>);

    /// What the endpoint has done so far.
    fn work(&self) -> Work;
}

/// A server, and its one connection from the peer, which stands when the test begins.
pub trait Server: Endpoint {
    /// Handlers that run now.
    fn handlers(&self) -> usize;

    /// Replaces the connection by a new one; what the old one was owed is lost.
    fn reconnect(&mut self);

    /// The application begins the graceful shutdown.
    fn shut_down(&mut self);
}

/// A client, the application that uses it, and its newest connection to the peer. It connects when there is a call.
pub trait Client: Endpoint {
    /// The application begins a call; it is known by its number, from 0.
    fn call(&mut self, call: Call) -> usize;

    /// How a call has ended, once it has.
    fn outcome(&mut self, call: usize) -> Option<Outcome>;

    /// The application drops a call.
    fn cancel(&mut self, call: usize);

    /// Connections that were made so far.
    fn connections(&self) -> usize;
}

/// A call that the application of a client makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Unary with a request of so many octets; the reply must be one message.
    Unary(usize),
    /// Server streaming; all replies are read.
    ServerStreaming,
    /// Both ways: the application sends one message, reads replies to the end, then half-closes.
    Bidi,
}

/// How a call ended for the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status code.
    pub code: u32,
    /// Its text.
    pub message: String,
    /// The replies, without their framing: what the one `bytes` field of each held.
    pub replies: Vec<Vec<u8>>,
}

/// Work that an endpoint did, in steps: equal for equal input, whatever the machine.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Polls of its tasks.
    pub polls: u64,
    /// Reads and writes.
    pub moves: u64,
    /// Octets written.
    pub written: u64,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            polls,
            moves,
            written,
        } = self;
        write!(
            f,
            "{polls} polls, {moves} reads and writes, {written} octets written"
        )
    }
}

impl Work {
    /// The work since an earlier look.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            polls: self.polls - earlier.polls,
            moves: self.moves - earlier.moves,
            written: self.written - earlier.written,
        }
    }

    /// All steps in one number.
    #[must_use]
    pub fn steps(self) -> u64 {
        self.polls + self.moves + self.written
    }
}
