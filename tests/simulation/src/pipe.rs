//! One direction of a connection: octets on their way, and what becomes of them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Poll, Waker};

use embedded_io_async::ErrorKind;
use rpc_nostd::time::{Instant, Timer};

use crate::world::World;

/// Octets in one direction, as the two hosts and the network between them hold them.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// What is on its way, and when it arrives.
    flying: VecDeque<(u64, Item)>,
    arrived: VecDeque<u8>,
    ended: Option<Ending>,
    /// Octets that were written so far.
    pub(crate) passed: u64,
    /// Octets on their way and arrived, above which writes wait.
    pub(crate) capacity: usize,
    /// Milliseconds on the way, at most.
    pub(crate) latency_ms: u64,
    /// Nothing arrives any more, and nobody is told: a host that writes gives up after so many milliseconds.
    silent: Option<u64>,
    /// When it gives up: it has octets that nobody acknowledges.
    gives_up_at: Option<u64>,
    last_arrival: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug)]
enum Item {
    Octets(Vec<u8>),
    End(Ending),
}

/// How a direction ends, for whoever reads it. Whoever writes sees an error at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A read of no octets, once all octets are read.
    Closed,
    /// An error, once all octets are read.
    Broken,
}

impl Pipe {
    pub(crate) fn new(capacity: usize, latency_ms: u64) -> Self {
        Self {
            flying: VecDeque::new(),
            arrived: VecDeque::new(),
            ended: None,
            passed: 0,
            capacity,
            latency_ms,
            silent: None,
            gives_up_at: None,
            last_arrival: 0,
            reader: None,
            writer: None,
        }
    }

    /// Octets that can be written now.
    pub(crate) fn room(&self, world: &World<'_>) -> usize {
        let flying = self.flying.iter().map(|(_, item)| match item {
            Item::Octets(octets) => octets.len(),
            Item::End(_) => 0,
        });
        let capacity = if world.calm.get() {
            self.capacity.max(CALM_CAPACITY)
        } else {
            self.capacity
        };
        capacity.saturating_sub(self.arrived.len() + flying.sum::<usize>())
    }

    /// Sends octets on their way.
    pub(crate) fn push(&mut self, world: &World<'_>, octets: &[u8]) {
        self.send(world, Item::Octets(octets.to_vec()));
    }

    /// Ends this direction, behind what is on its way.
    pub(crate) fn end(&mut self, world: &World<'_>, ending: Ending) {
        if self.silent.is_none() {
            self.send(world, Item::End(ending));
        }
        self.wake_writer();
    }

    /// Ends this direction at once: what is on its way is lost.
    pub(crate) fn cut(&mut self) {
        self.flying.clear();
        self.silent = None;
        self.ended.get_or_insert(Ending::Broken);
        self.wake_reader();
        self.wake_writer();
    }

    /// From now on nothing arrives. Whoever writes learns of it after `patience_ms`.
    pub(crate) fn silence(&mut self, world: &World<'_>, patience_ms: u64) {
        self.silent = Some(patience_ms);
        if !self.flying.is_empty() {
            self.hope(world);
        }
    }

    /// Something was written. True: its writer begins to wait for an acknowledgement that will never come.
    pub(crate) fn hope(&mut self, world: &World<'_>) -> bool {
        let (Some(patience_ms), None) = (self.silent, self.gives_up_at) else {
            return false;
        };
        self.gives_up_at = Some(world.now_ms() + patience_ms);
        true
    }

    /// When whoever writes here gives up. Who waits for that as a reader of the other direction is to be woken.
    pub(crate) fn gives_up_at(&self) -> Option<u64> {
        self.gives_up_at
    }

    /// Nothing that is not here arrives for so long.
    pub(crate) fn stall(&mut self, world: &World<'_>, ms: u64) {
        self.last_arrival = self.last_arrival.max(world.now_ms() + ms);
    }

    /// Whether what is written can no longer be read by anybody.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.is_some() || self.flying.iter().any(|(_, item)| matches!(item, Item::End(_)))
    }

    pub(crate) fn wait_to_write(&mut self, waker: &Waker) {
        self.writer = Some(waker.clone());
    }

    fn send(&mut self, world: &World<'_>, item: Item) {
        if self.is_ended() {
            return;
        }
        let latency = if self.latency_ms > 0 && !world.calm.get() {
            world.random.below(self.latency_ms + 1)
        } else {
            0
        };
        self.last_arrival = self.last_arrival.max(world.now_ms() + latency);
        self.flying.push_back((self.last_arrival, item));
        self.wake_reader();
    }

    pub(crate) fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }

    fn deliver(&mut self, now: u64) {
        while self.flying.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, item)) = self.flying.pop_front() else {
                return;
            };
            match item {
                Item::Octets(octets) => self.arrived.extend(octets),
                Item::End(ending) => self.ended = self.ended.or(Some(ending)),
            }
        }
    }
}

/// Reads at least one octet, or the end.
pub(crate) fn poll_read(
    pipe: &Rc<RefCell<Pipe>>,
    world: &World<'_>,
    to: &mut [u8],
    waker: &Waker,
) -> Poll<Result<usize, ErrorKind>> {
    let mut pipe = pipe.borrow_mut();
    let now = world.now_ms();
    if pipe.silent.is_none() {
        pipe.deliver(now);
    }
    if !pipe.arrived.is_empty() {
        let most = to.len().min(pipe.arrived.len());
        let count = piece(world, most);
        for (to, from) in to.iter_mut().zip(pipe.arrived.drain(..count)) {
            *to = from;
        }
        pipe.wake_writer();
        return Poll::Ready(Ok(count));
    }
    match pipe.ended {
        Some(Ending::Closed) => return Poll::Ready(Ok(0)),
        Some(Ending::Broken) => return Poll::Ready(Err(ErrorKind::ConnectionReset)),
        None => {}
    }
    if let Some((at, _)) = pipe.flying.front().filter(|_| pipe.silent.is_none()) {
        world.clock.wake_at(Instant::from_millis(*at), waker);
    }
    pipe.reader = Some(waker.clone());
    Poll::Pending
}

/// How many of `most` octets are moved at once.
pub(crate) fn piece(world: &World<'_>, most: usize) -> usize {
    match world.random.below(8) {
        0 => 1,
        1 | 2 => 1 + world.random.index(most),
        _ => most,
    }
}

/// What fits into a good network.
const CALM_CAPACITY: usize = 4_096;
