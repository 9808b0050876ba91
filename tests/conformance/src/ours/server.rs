//! An ordinary server: echo methods of all four kinds, and one whose handler waits until it is dropped.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use rpc_nostd::server::{Call, Routes, Server as Handle, ServerConfig, ServerResources, Service, find};
use rpc_nostd::{Method, Status};

use crate::clock::VirtualTimer;
use crate::endpoint::{Endpoint, Server, Work};
use crate::link::{Link, Net};
use crate::ours::message::Blob;
use crate::tasks::Tasks;

/// Concurrent calls of a connection: SETTINGS_MAX_CONCURRENT_STREAMS.
pub const STREAMS: usize = 4;
/// The receive buffer of a call: SETTINGS_INITIAL_WINDOW_SIZE.
pub const RECV: usize = 1_024;
const SEND: usize = 1_024;

/// `rpc-nostd`'s server over a link.
#[derive(Debug)]
pub struct OurServer {
    net: Net,
    link: Link,
    timer: &'static VirtualTimer,
    tasks: Tasks,
    handlers: Rc<Cell<usize>>,
    handle: Handle<'static>,
    earlier: Work,
}

impl Default for OurServer {
    fn default() -> Self {
        Self::new(&ServerConfig::new())
    }
}

impl OurServer {
    /// A server of this configuration, with a connection that has said nothing yet.
    ///
    /// # Panics
    /// If the configuration does not work.
    #[must_use]
    pub fn new(config: &ServerConfig) -> Self {
        // Endpoints borrow their memory for ever, as firmware's do; a test's process is short.
        let timer: &VirtualTimer = Box::leak(Box::default());
        let handlers = Rc::<Cell<usize>>::default();
        let service = Box::leak(Box::new(Echo(handlers.clone())));
        let memory = Box::leak(Box::new(ServerResources::<'_, 2, STREAMS, RECV, SEND>::new()));
        let net = Net::default();
        let acceptors = [net.clone(), net.clone()];
        let (handle, runner) =
            Handle::new(memory, acceptors, service, timer, config).expect("the memory is large enough");
        let mut tasks = Tasks::default();
        tasks.spawn(runner.run());
        tasks.run();
        let mut server = Self {
            link: net.connect_to_server(),
            net,
            timer,
            tasks,
            handlers,
            handle,
            earlier: Work::default(),
        };
        server.pass(0);
        server
    }
}

impl Endpoint for OurServer {
    fn send(&mut self, octets: &[u8]) {
        self.link.send(octets);
        self.pass(0);
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut octets = self.link.receive();
        // A write that waited for room goes on.
        loop {
            self.pass(0);
            let more = self.link.receive();
            if more.is_empty() {
                return octets;
            }
            octets.extend(more);
        }
    }

    fn pass(&mut self, ms: u64) {
        let end = self.timer.now_ms() + ms;
        self.tasks.run();
        while self.timer.advance(end) {
            self.tasks.run();
        }
    }

    fn hang_up(&mut self) {
        self.link.hang_up();
        self.pass(0);
    }

    fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.link.set_capacity(capacity);
    }

    fn work(&self) -> Work {
        Work {
            polls: self.tasks.polls(),
            moves: self.earlier.moves + self.link.moves(),
            written: self.earlier.written + self.link.written(),
        }
    }
}

impl Server for OurServer {
    fn handlers(&self) -> usize {
        self.handlers.get()
    }

    fn reconnect(&mut self) {
        self.earlier = self.work();
        self.link.hang_up();
        self.pass(0);
        self.link = self.net.connect_to_server();
        self.pass(0);
    }

    fn shut_down(&mut self) {
        self.handle.shut_down();
        self.pass(0);
    }
}

static UNARY: Method = Method::unary("/test.Echo/Unary");
static STREAM: Method = Method::server_streaming("/test.Echo/Stream");
static COLLECT: Method = Method::client_streaming("/test.Echo/Collect");
static CHAT: Method = Method::bidi_streaming("/test.Echo/Chat");
static WAIT: Method = Method::unary("/test.Echo/Wait");
static METHODS: [&Method; 5] = [&UNARY, &STREAM, &COLLECT, &CHAT, &WAIT];

/// Sends back what it gets; counts the handlers that run.
struct Echo(Rc<Cell<usize>>);

impl Routes for Echo {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&METHODS, path)
    }
}

impl Service for Echo {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        let _guard = Guard::new(&self.0);
        let path = call.method().path();
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        match path {
            "/test.Echo/Unary" => replies.send(&requests.only().await?).await,
            // One reply for each octet.
            "/test.Echo/Stream" => {
                for octet in requests.only().await?.0 {
                    replies.send(&Blob(vec![octet])).await?;
                }
                Ok(())
            }
            "/test.Echo/Collect" => {
                let mut all = Blob::default();
                while let Some(request) = requests.next().await? {
                    all.0.extend(request.0);
                }
                replies.send(&all).await
            }
            "/test.Echo/Chat" => {
                while let Some(request) = requests.next().await? {
                    replies.send(&request).await?;
                }
                Ok(())
            }
            _ => pending().await,
        }
    }
}

/// A handler that runs.
struct Guard<'a>(&'a Cell<usize>);

impl<'a> Guard<'a> {
    fn new(count: &'a Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
