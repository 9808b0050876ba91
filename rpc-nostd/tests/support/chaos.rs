//! Links that refuse, delay, cut and break by the dice of one seed, to servers of the same kind.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use embedded_io_async::{ErrorKind, Read, Write};
use rpc_nostd::blocking::Transport;
use rpc_nostd::time::{Instant, Timer};
use rpc_nostd::transport::asynch::{Connector, Duplex};

use super::VirtualTimer;
use super::chaos_server::{ChaosServer, Item};

/// Dice.
pub struct Rng(Cell<u64>);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    /// 0 to `limit` - 1.
    pub fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 11) % limit
    }

    pub fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// What all links of one simulation share.
pub struct World<'t> {
    pub rng: Rng,
    pub timer: &'t VirtualTimer,
    /// The storm is over: from now on servers are good.
    pub calm: Cell<bool>,
    /// Streams that were open at once on a good server.
    pub peak: Cell<usize>,
    wires: RefCell<Vec<Rc<RefCell<Wire>>>>,
}

impl<'t> World<'t> {
    pub fn new(seed: u64, timer: &'t VirtualTimer) -> Self {
        Self {
            rng: Rng::new(seed),
            timer,
            calm: Cell::new(false),
            peak: Cell::new(0),
            wires: RefCell::default(),
        }
    }

    /// Ends the storm. A link that takes no more octets may stay: the client must notice by itself.
    pub fn calm_down(&self) {
        self.calm.set(true);
        for wire in self.wires.borrow_mut().drain(..) {
            let mut wire = wire.borrow_mut();
            if wire.takes > 0 || self.rng.chance(50) {
                wire.coming.clear();
                wire.send(self.timer.now_ms(), Item::Close);
            }
        }
    }

    async fn sleep(&self, ms: u64) {
        let end = self.timer.now_ms() + ms;
        poll_fn(|cx| {
            if self.timer.now_ms() >= end {
                return Poll::Ready(());
            }
            self.timer.wake_at(Instant::from_millis(end), cx.waker());
            Poll::Pending
        })
        .await;
    }
}

/// Both directions of one connection.
struct Wire {
    server: ChaosServer,
    /// In order, each with the time at which it arrives.
    coming: VecDeque<(u64, Item)>,
    arrived: VecDeque<u8>,
    ended: Option<Item>,
    reader: Option<Waker>,
    /// Octets that are taken before writes never return.
    takes: usize,
}

impl Wire {
    fn send(&mut self, at: u64, item: Item) {
        let at = self.coming.back().map_or(at, |(last, _)| at.max(*last));
        self.coming.push_back((at, item));
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn deliver(&mut self, now: u64) {
        while self.ended.is_none() && self.coming.front().is_some_and(|(at, _)| *at <= now) {
            match self.coming.pop_front() {
                Some((_, Item::Octets(octets))) => self.arrived.extend(octets),
                Some((_, end)) => self.ended = Some(end),
                None => {}
            }
        }
    }
}

/// Connects to one server after another, as the dice say.
pub struct ChaosConnector<'w>(pub &'w World<'w>);

pub struct ChaosLink<'w> {
    world: &'w World<'w>,
    wire: Rc<RefCell<Wire>>,
}

impl<'w> ChaosLink<'w> {
    /// A link to the next server.
    pub fn new(world: &'w World<'w>) -> Self {
        let good = world.calm.get();
        let stuck = !good && world.rng.chance(8);
        let mut wire = Wire {
            server: ChaosServer::new(good, &world.rng),
            coming: VecDeque::new(),
            arrived: VecDeque::new(),
            ended: None,
            reader: None,
            takes: if stuck {
                world.rng.below(2_000) as usize
            } else {
                usize::MAX
            },
        };
        let mut out = Vec::new();
        wire.server.begin(&world.rng, &mut out);
        for (delay, item) in out {
            wire.send(world.timer.now_ms() + delay, item);
        }
        let wire = Rc::new(RefCell::new(wire));
        if !good {
            world.wires.borrow_mut().push(wire.clone());
        }
        Self { world, wire }
    }
}

/// The same link for the blocking client: time passes while it is idle.
impl Transport for ChaosLink<'_> {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        match pin!(self.read(to)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map(Some).map_err(|_| "broken by the dice"),
            Poll::Pending => Ok(None),
        }
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        match pin!(self.write(from)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map(Some).map_err(|_| "broken by the dice"),
            Poll::Pending => Ok(None),
        }
    }

    fn idle(&mut self) {
        self.world.timer.pass(1 + self.world.rng.below(20));
    }
}

impl<'w> Connector for ChaosConnector<'w> {
    type Connection<'c>
        = ChaosLink<'w>
    where
        Self: 'c;

    async fn connect(&mut self) -> Result<ChaosLink<'w>, &'static str> {
        let world = self.0;
        if !world.calm.get() {
            match world.rng.below(12) {
                0 => return Err("refused by the dice"),
                1 => std::future::pending().await,
                2 => world.sleep(world.rng.below(30_000)).await,
                _ => world.sleep(world.rng.below(50)).await,
            }
        }
        Ok(ChaosLink::new(world))
    }
}

impl<'w> Duplex for ChaosLink<'w> {
    type Reader<'h>
        = ChaosLink<'w>
    where
        Self: 'h;
    type Writer<'h>
        = ChaosLink<'w>
    where
        Self: 'h;

    fn split(&mut self) -> (Self, Self) {
        let half = || ChaosLink {
            world: self.world,
            wire: self.wire.clone(),
        };
        (half(), half())
    }

    async fn close(&mut self) {
        match self.world.rng.below(3) {
            0 => std::future::pending().await,
            1 => self.world.sleep(20).await,
            _ => {}
        }
    }
}

impl embedded_io_async::ErrorType for ChaosLink<'_> {
    type Error = ErrorKind;
}

impl embedded_io_async::Read for ChaosLink<'_> {
    async fn read(&mut self, to: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| {
            let mut wire = self.wire.borrow_mut();
            wire.deliver(self.world.timer.now_ms());
            if wire.arrived.is_empty() {
                match wire.ended {
                    Some(Item::Break) => return Poll::Ready(Err(ErrorKind::ConnectionReset)),
                    Some(_) => return Poll::Ready(Ok(0)),
                    None => {}
                }
                if let Some((at, _)) = wire.coming.front() {
                    self.world.timer.wake_at(Instant::from_millis(*at), cx.waker());
                }
                wire.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let most = to.len().min(wire.arrived.len()) as u64;
            let count = if self.world.rng.chance(50) {
                most
            } else {
                1 + self.world.rng.below(most)
            };
            for (to, from) in to.iter_mut().zip(wire.arrived.drain(..count as usize)) {
                *to = from;
            }
            Poll::Ready(Ok(count as usize))
        })
        .await
    }
}

impl embedded_io_async::Write for ChaosLink<'_> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        let (rng, timer) = (&self.world.rng, self.world.timer);
        if rng.chance(30) {
            self.world.sleep(1 + rng.below(20)).await;
        }
        if self.wire.borrow().takes == 0 {
            std::future::pending::<()>().await;
        }
        let mut wire = self.wire.borrow_mut();
        if wire.ended.is_some() {
            return Err(ErrorKind::BrokenPipe);
        }
        let most = from.len().min(wire.takes) as u64;
        let count = if rng.chance(60) { most } else { 1 + rng.below(most) };
        wire.takes -= count as usize;
        let mut out = Vec::new();
        wire.server.receive(&from[..count as usize], self.world, &mut out);
        for (delay, item) in out {
            wire.send(timer.now_ms() + delay, item);
        }
        Ok(count as usize)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
