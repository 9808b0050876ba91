//! A connection between the two endpoints: both directions, and what happens to it on the way.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use embedded_io_async::ErrorKind;
use rpc_nostd::time::{Instant, Timer};
use rpc_nostd::transport::asynch::Duplex;

use crate::pipe::{Ending, Pipe, piece, poll_read};
use crate::world::World;

/// What will become of a connection.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Milliseconds that octets take, at most.
    pub latency_ms: u64,
    /// Octets on their way in one direction, at most.
    pub capacity: usize,
    /// What happens when so many octets have passed in that direction.
    pub fates: Vec<(Direction, u64, Fate)>,
}

impl Weather {
    /// A connection that lasts.
    pub const fn good() -> Self {
        Self {
            latency_ms: 0,
            capacity: 4_096,
            fates: Vec::new(),
        }
    }
}

/// Where octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    Up,
    /// From the server.
    Down,
}

impl Direction {
    const fn opposite(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Both directions break at once, and lose what is on its way.
    Reset,
    /// Both directions end, behind what is on its way.
    Close,
    /// This direction ends, behind what is on its way; the other goes on.
    HalfClose,
    /// Nothing passes any more, and nobody is told. Whoever writes learns of it after so many milliseconds.
    Silence(u64),
    /// The same, in this direction only.
    HalfSilence(u64),
    /// Nothing arrives for so many milliseconds, in this direction.
    Stall(u64),
}

/// A connection, as its ends share it.
#[derive(Debug)]
struct Link<'w> {
    world: &'w World<'w>,
    number: u32,
    up: Rc<RefCell<Pipe>>,
    down: Rc<RefCell<Pipe>>,
    fates: RefCell<Vec<(Direction, u64, Fate)>>,
}

impl Link<'_> {
    fn pipe(&self, direction: Direction) -> &Rc<RefCell<Pipe>> {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// The fate that comes first in this direction, if it comes before `end` octets have passed.
    fn next_fate(&self, direction: Direction, end: u64) -> Option<(u64, Fate)> {
        let mut fates = self.fates.borrow_mut();
        let due = fates
            .iter()
            .enumerate()
            .filter(|(_, (of, after, _))| *of == direction && *after <= end)
            .min_by_key(|(_, (_, after, _))| *after)
            .map(|(index, _)| index)?;
        let (_, after, fate) = fates.remove(due);
        Some((after, fate))
    }

    fn strike(&self, direction: Direction, fate: Fate) {
        let (world, number) = (self.world, self.number);
        world.note("link", format_args!("{number} {direction:?}: {fate:?}"));
        let both = [Direction::Up, Direction::Down];
        match fate {
            Fate::HalfClose => self.pipe(direction).borrow_mut().end(world, Ending::Closed),
            Fate::HalfSilence(ms) => self.silence(direction, ms),
            Fate::Stall(ms) => self.pipe(direction).borrow_mut().stall(world, ms),
            Fate::Reset => both.iter().for_each(|of| self.pipe(*of).borrow_mut().cut()),
            Fate::Close => both
                .iter()
                .for_each(|of| self.pipe(*of).borrow_mut().end(world, Ending::Closed)),
            Fate::Silence(ms) => both.iter().for_each(|of| self.silence(*of, ms)),
        }
    }

    fn silence(&self, direction: Direction, ms: u64) {
        self.pipe(direction).borrow_mut().silence(self.world, ms);
        self.pipe(direction.opposite()).borrow_mut().wake_reader();
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct End<'w> {
    link: Rc<Link<'w>>,
    /// Where this end writes.
    out: Direction,
}

/// Makes a connection: the client's end, and the server's.
pub(crate) fn connect<'w>(world: &'w World<'w>, number: u32, weather: Weather) -> (End<'w>, End<'w>) {
    let pipe = || Rc::new(RefCell::new(Pipe::new(weather.capacity, weather.latency_ms)));
    world.note("link", format_args!("{number} made: {weather:?}"));
    let link = Rc::new(Link {
        world,
        number,
        up: pipe(),
        down: pipe(),
        fates: RefCell::new(weather.fates.clone()),
    });
    let end = |out| End {
        link: link.clone(),
        out,
    };
    (end(Direction::Up), end(Direction::Down))
}

impl<'w> End<'w> {
    /// The half that this end reads.
    pub(crate) fn reader(&self) -> Half<'w> {
        Half {
            link: self.link.clone(),
            direction: self.out.opposite(),
        }
    }

    /// The half that it writes.
    pub(crate) fn writer(&self) -> Half<'w> {
        Half {
            link: self.link.clone(),
            direction: self.out,
        }
    }

    /// The number of the connection, from 0.
    pub fn number(&self) -> u32 {
        self.link.number
    }

    /// Octets that have passed: those of the client, and those of the server.
    pub fn passed(&self) -> (u64, u64) {
        (self.link.up.borrow().passed, self.link.down.borrow().passed)
    }
}

impl Drop for End<'_> {
    /// What was written still arrives; what comes now is refused.
    fn drop(&mut self) {
        let (link, world) = (&self.link, self.link.world);
        world.note(
            "link",
            format_args!("{} closed by the end that writes {:?}", link.number, self.out),
        );
        link.pipe(self.out).borrow_mut().end(world, Ending::Closed);
        let other = self.reader().direction;
        link.pipe(other).borrow_mut().cut();
    }
}

impl<'w> Duplex for End<'w> {
    type Reader<'h>
        = Half<'w>
    where
        Self: 'h;
    type Writer<'h>
        = Half<'w>
    where
        Self: 'h;

    fn split(&mut self) -> (Half<'w>, Half<'w>) {
        (self.reader(), self.writer())
    }

    async fn close(&mut self) {
        let world = self.link.world;
        match world.random.below(6) {
            0 => std::future::pending().await,
            1 => world.sleep(world.random.below(300)).await,
            _ => {}
        }
    }
}

/// One direction of a connection, at one of its ends.
#[derive(Debug)]
pub struct Half<'w> {
    link: Rc<Link<'w>>,
    direction: Direction,
}

impl Half<'_> {
    fn pipe(&self) -> &Rc<RefCell<Pipe>> {
        self.link.pipe(self.direction)
    }

    /// Reads, or waits.
    pub(crate) fn read(&self, to: &mut [u8], waker: &Waker) -> Poll<Result<usize, ErrorKind>> {
        let world = self.link.world;
        // What this end has written is never acknowledged: then it hears nothing any more, either.
        if let Some(at) = self.link.pipe(self.direction.opposite()).borrow().gives_up_at() {
            if world.now_ms() >= at {
                return Poll::Ready(Err(ErrorKind::TimedOut));
            }
            world.clock.wake_at(Instant::from_millis(at), waker);
        }
        let polled = poll_read(self.pipe(), world, to, waker);
        if let Poll::Ready(result) = &polled {
            let (number, direction) = (self.link.number, self.direction);
            world.note("link", format_args!("{number} {direction:?}: read {result:?}"));
        }
        polled
    }

    /// Writes, or waits.
    pub(crate) fn write(&self, from: &[u8], waker: &Waker) -> Poll<Result<usize, ErrorKind>> {
        let world = self.link.world;
        let mut pipe = self.pipe().borrow_mut();
        if pipe.is_ended() {
            return Poll::Ready(Err(ErrorKind::BrokenPipe));
        }
        if let Some(at) = pipe.gives_up_at() {
            if world.now_ms() >= at {
                return Poll::Ready(Err(ErrorKind::TimedOut));
            }
            world.clock.wake_at(Instant::from_millis(at), waker);
        }
        let room = pipe.room(world).min(from.len());
        if room == 0 {
            pipe.wait_to_write(waker);
            return Poll::Pending;
        }
        let count = piece(world, room);
        pipe.passed += count as u64;
        let hopes = pipe.hope(world);
        drop(pipe);
        if hopes {
            self.link
                .pipe(self.direction.opposite())
                .borrow_mut()
                .wake_reader();
        }
        world.note(
            "link",
            format_args!("{} {:?}: {count} octets", self.link.number, self.direction),
        );
        self.send(&from[..count]);
        Poll::Ready(Ok(count))
    }

    /// Sends octets on their way, and lets happen what is to happen at one of them.
    fn send(&self, octets: &[u8]) {
        let world = self.link.world;
        let passed = self.pipe().borrow().passed;
        let before = passed - octets.len() as u64;
        let mut sent = 0;
        while let Some((after, fate)) = self.link.next_fate(self.direction, passed) {
            let until = (after.saturating_sub(before) as usize).max(sent);
            if until > sent {
                self.pipe().borrow_mut().push(world, &octets[sent..until]);
            }
            sent = until;
            self.link.strike(self.direction, fate);
        }
        if sent < octets.len() {
            self.pipe().borrow_mut().push(world, &octets[sent..]);
        }
    }
}

impl embedded_io_async::ErrorType for Half<'_> {
    type Error = ErrorKind;
}

impl embedded_io_async::Read for Half<'_> {
    async fn read(&mut self, to: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| Half::read(self, to, cx.waker())).await
    }
}

impl embedded_io_async::Write for Half<'_> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        let world = self.link.world;
        if world.random.percent(5) {
            world.sleep(world.random.below(30)).await;
        }
        poll_fn(|cx| Half::write(self, from, cx.waker())).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        let world = self.link.world;
        if world.random.percent(5) {
            world.sleep(world.random.below(30)).await;
        }
        Ok(())
    }
}
