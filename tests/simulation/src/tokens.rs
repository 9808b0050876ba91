//! Credentials: tokens that are fetched, sent with each call, and now and then good no more.

use std::cell::Cell;
use std::task::{Poll, Waker};

use rpc_nostd::time::Instant;
use rpc_nostd::{CallCredentials, MetadataEntry, Method, ReceivedMetadata, Status};

use crate::service::BAD_TOKEN;
use crate::signal::Signal;
use crate::world::World;

/// Both sides' view of tokens, which are numbers.
#[derive(Debug)]
pub struct Tokens<'w> {
    world: &'w World<'w>,
    /// Calls carry tokens at all.
    pub used: bool,
    /// The token that the server takes.
    good: Cell<u64>,
    /// The token that the client has; 0: none.
    held: Cell<u64>,
    wanted: Signal,
    fetched: Signal,
}

impl<'w> Tokens<'w> {
    /// Tokens, or none where they are not `used`.
    pub fn new(world: &'w World<'w>, used: bool) -> Self {
        Self {
            world,
            used,
            good: Cell::new(1),
            held: Cell::new(0),
            wanted: Signal::default(),
            fetched: Signal::default(),
        }
    }

    /// Fetches tokens that are wanted, for ever.
    pub async fn fetch(&self) {
        loop {
            self.wanted.wait().await;
            self.world.sleep(self.world.random.pick(&[0, 10, 700])).await;
            self.held.set(self.good.get());
            self.wanted.lower();
            self.fetched.raise();
        }
    }

    /// The server's check.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the token is good no more.
    ///
    /// # Panics
    /// There is no token.
    pub fn check(&self, metadata: &ReceivedMetadata<'_>) -> Result<(), Status> {
        if !self.used {
            return Ok(());
        }
        let token = metadata
            .initial("authorization")
            .next()
            .map(String::from_utf8_lossy);
        if self.world.random.percent(8) {
            self.good.set(self.good.get() + 1);
        }
        let token = token.expect("each call carries a token");
        if token == format!("Bearer {}", self.good.get()) {
            Ok(())
        } else {
            Err(Status::new(BAD_TOKEN, "the token is good no more"))
        }
    }
}

impl CallCredentials for Tokens<'_> {
    fn poll_ready(&self, _: Instant, waker: &Waker) -> Poll<Result<(), Status>> {
        if !self.used || self.held.get() > 0 {
            return Poll::Ready(Ok(()));
        }
        self.fetched.lower();
        self.fetched.join(waker);
        self.wanted.raise();
        Poll::Pending
    }

    fn emit(&self, _: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
        if self.used {
            push(MetadataEntry::ascii(
                "authorization",
                &format!("Bearer {}", self.held.get()),
            ));
        }
    }

    fn rejected(&self) {
        self.held.set(0);
    }
}
