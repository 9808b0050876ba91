//! The network: attempts to connect, and the listener that they reach.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use rpc_nostd::transport::asynch::{Acceptor, Connector};

use crate::link::{Direction, End, Fate, Weather, connect};
use crate::world::World;

/// How bad the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climate {
    /// Octets take their time; nothing breaks.
    Calm,
    /// Connections fail, break, stall and fall silent.
    Stormy,
}

/// Where clients find the server.
#[derive(Debug)]
pub struct Net<'w> {
    /// What the dice are thrown with.
    pub world: &'w World<'w>,
    climate: Climate,
    /// The weather of the next connections; then the dice decide.
    ordered: RefCell<VecDeque<Weather>>,
    waiting: RefCell<VecDeque<End<'w>>>,
    acceptors: RefCell<Vec<Waker>>,
    /// A server listens.
    listens: Cell<bool>,
    made: Cell<u32>,
}

impl<'w> Net<'w> {
    /// A network without a server.
    pub fn new(world: &'w World<'w>, climate: Climate) -> Self {
        Self {
            world,
            climate,
            ordered: RefCell::default(),
            waiting: RefCell::default(),
            acceptors: RefCell::default(),
            listens: Cell::new(false),
            made: Cell::new(0),
        }
    }

    /// Sets the weather of the next connection for which none is set.
    pub fn order(&self, weather: Weather) {
        self.ordered.borrow_mut().push_back(weather);
    }

    /// Whether connections reach the server, or are refused. Those that it has not accepted are closed.
    pub fn set_listening(&self, listens: bool) {
        self.listens.set(listens);
        if !listens {
            let waiting = self.waiting.take();
            drop(waiting);
        }
    }

    /// Connections made so far.
    pub fn made(&self) -> u32 {
        self.made.get()
    }

    /// A connection now, without waiting.
    ///
    /// # Errors
    /// Nobody listens, or nobody accepts.
    pub fn connect_now(&self) -> Result<End<'w>, &'static str> {
        if !self.listens.get() {
            return Err("nobody listens");
        }
        if self.waiting.borrow().len() >= BACKLOG {
            return Err("nobody accepts");
        }
        let weather = self.weather();
        let number = self.made.get();
        self.made.set(number + 1);
        let (client, server) = connect(self.world, number, weather);
        self.waiting.borrow_mut().push_back(server);
        self.acceptors.borrow_mut().drain(..).for_each(Waker::wake);
        Ok(client)
    }

    /// A client that waits to be accepted.
    pub fn accept_now(&self) -> Option<End<'w>> {
        self.waiting.borrow_mut().pop_front()
    }

    fn weather(&self) -> Weather {
        let random = &self.world.random;
        if let Some(weather) = self.ordered.borrow_mut().pop_front() {
            return weather;
        }
        let mut weather = Weather {
            latency_ms: random.pick(&[0, 0, 1, 20, 150]),
            capacity: random.pick(&[4_096, 4_096, 700, 100, 13]),
            fates: Vec::new(),
        };
        if self.stormy() {
            for _ in 0..random.below(3) {
                weather.fates.push(self.fate());
            }
        }
        weather
    }

    fn fate(&self) -> (Direction, u64, Fate) {
        let random = &self.world.random;
        let direction = random.pick(&[Direction::Up, Direction::Down]);
        let limit = random.pick(&[100, 600, 3_000, 20_000]);
        let patience = random.pick(&[500, 8_000, 60_000, 900_000]);
        let fate = match random.below(8) {
            0 | 1 => Fate::Reset,
            2 => Fate::Close,
            3 => Fate::HalfClose,
            4 => Fate::Silence(patience),
            5 => Fate::HalfSilence(patience),
            _ => Fate::Stall(random.pick(&[5, 500, 9_000, 30_000])),
        };
        (direction, random.below(limit), fate)
    }

    fn stormy(&self) -> bool {
        self.climate == Climate::Stormy && !self.world.calm.get()
    }
}

/// Connects to the server of a network.
#[derive(Clone, Copy, Debug)]
pub struct Dial<'n, 'w>(pub &'n Net<'w>);

impl<'w> Connector for Dial<'_, 'w> {
    type Connection<'c>
        = End<'w>
    where
        Self: 'c;

    async fn connect(&mut self) -> Result<End<'w>, &'static str> {
        let world = self.0.world;
        if self.0.stormy() {
            match world.random.below(12) {
                0 => return Err("refused by the dice"),
                1 => std::future::pending().await,
                2 => world.sleep(world.random.below(30_000)).await,
                _ => world.sleep(world.random.below(50)).await,
            }
        }
        while self.0.climate == Climate::Calm && !self.0.listens.get() {
            world.sleep(1).await;
        }
        let made = self.0.connect_now();
        world.note(
            "client",
            format_args!("connects: {:?}", made.as_ref().map(End::number)),
        );
        made
    }
}

/// Accepts the clients of a network.
#[derive(Clone, Copy, Debug)]
pub struct Listen<'n, 'w>(pub &'n Net<'w>);

impl<'w> Acceptor for Listen<'_, 'w> {
    type Connection<'c>
        = End<'w>
    where
        Self: 'c;

    async fn accept(&mut self) -> Result<End<'w>, &'static str> {
        let world = self.0.world;
        poll_fn(|cx| {
            if self.0.stormy() && world.random.percent(3) {
                return Poll::Ready(Err("not accepted by the dice"));
            }
            if let Some(end) = self.0.accept_now() {
                world.note("server", format_args!("accepts {}", end.number()));
                return Poll::Ready(Ok(end));
            }
            let mut acceptors = self.0.acceptors.borrow_mut();
            if !acceptors.iter().any(|kept| kept.will_wake(cx.waker())) {
                acceptors.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

/// Clients that wait to be accepted.
const BACKLOG: usize = 4;
