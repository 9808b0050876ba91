//! An ordinary client: a channel, and an application that makes the calls a test asks for.

use std::cell::RefCell;
use std::rc::Rc;

use rpc_nostd::client::{BidiStreaming, ServerStreaming, Unary};
use rpc_nostd::{Channel, Config, Method, Resources, Status};

use crate::clock::VirtualTimer;
use crate::endpoint::{Call, Client, Endpoint, Outcome, Work};
use crate::link::{Link, Net};
use crate::ours::message::Blob;
use crate::tasks::Tasks;

const STREAMS: usize = 4;
const RECV: usize = 1_024;
const SEND: usize = 1_024;
const TABLE: usize = 256;

/// `rpc-nostd`'s channel over links, and its application.
#[derive(Debug)]
pub struct OurClient {
    net: Net,
    /// Stands in until the client connects.
    nowhere: Link,
    timer: &'static VirtualTimer,
    tasks: Tasks,
    channel: Channel<'static>,
    calls: Vec<Rc<RefCell<Place>>>,
}

/// Where a call leaves its outcome.
#[derive(Debug, Default)]
struct Place {
    outcome: Option<Outcome>,
    cancelled: Option<std::task::Waker>,
    cancel: bool,
}

impl Default for OurClient {
    fn default() -> Self {
        Self::new(Config::new("test.local:1"))
    }
}

impl OurClient {
    /// A client of this configuration; it connects at its first call.
    ///
    /// # Panics
    /// If the configuration does not work.
    #[must_use]
    pub fn new(config: Config<'static>) -> Self {
        let timer: &VirtualTimer = Box::leak(Box::default());
        let memory = Box::leak(Box::new(Resources::<'_, STREAMS, RECV, SEND, TABLE>::new()));
        let net = Net::default();
        let (channel, runner) =
            Channel::new(memory, net.clone(), timer, config).expect("the memory is large enough");
        let mut tasks = Tasks::default();
        tasks.spawn(runner.run());
        let mut client = Self {
            net,
            nowhere: Link::default(),
            timer,
            tasks,
            channel,
            calls: Vec::new(),
        };
        client.pass(0);
        client
    }

    fn link(&self) -> Link {
        self.net.made().pop().unwrap_or_else(|| self.nowhere.clone())
    }
}

impl Endpoint for OurClient {
    fn send(&mut self, octets: &[u8]) {
        self.link().send(octets);
        self.pass(0);
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut octets = self.link().receive();
        // A write that waited for room goes on.
        loop {
            self.pass(0);
            let more = self.link().receive();
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
        self.link().hang_up();
        self.pass(0);
    }

    fn is_closed(&self) -> bool {
        self.link().is_closed()
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.link().set_capacity(capacity);
    }

    fn work(&self) -> Work {
        let made = self.net.made();
        Work {
            polls: self.tasks.polls(),
            moves: made.iter().map(Link::moves).sum(),
            written: made.iter().map(Link::written).sum(),
        }
    }
}

impl Client for OurClient {
    fn call(&mut self, call: Call) -> usize {
        let place = Rc::<RefCell<Place>>::default();
        self.calls.push(place.clone());
        let channel = self.channel;
        self.tasks.spawn(async move {
            let made = std::pin::pin!(make(channel, call));
            let outcome = unless_cancelled(made, &place).await;
            place.borrow_mut().outcome = outcome;
        });
        self.pass(0);
        self.calls.len() - 1
    }

    fn outcome(&mut self, call: usize) -> Option<Outcome> {
        self.pass(0);
        self.calls[call].borrow().outcome.clone()
    }

    fn cancel(&mut self, call: usize) {
        let mut place = self.calls[call].borrow_mut();
        place.cancel = true;
        if let Some(waker) = place.cancelled.take() {
            waker.wake();
        }
        drop(place);
        self.pass(0);
    }

    fn connections(&self) -> usize {
        self.net.made().len()
    }
}

/// The call, until it ends or its application drops it.
async fn unless_cancelled(
    mut call: std::pin::Pin<&mut impl Future<Output = Outcome>>,
    place: &RefCell<Place>,
) -> Option<Outcome> {
    std::future::poll_fn(|cx| {
        if place.borrow().cancel {
            return std::task::Poll::Ready(None);
        }
        place.borrow_mut().cancelled = Some(cx.waker().clone());
        call.as_mut().poll(cx).map(Some)
    })
    .await
}

static UNARY: Method = Method::unary("/test.Echo/Unary");
static STREAM: Method = Method::server_streaming("/test.Echo/Stream");
static CHAT: Method = Method::bidi_streaming("/test.Echo/Chat");

async fn make(mut channel: Channel<'static>, call: Call) -> Outcome {
    let mut replies = Vec::new();
    let result = match call {
        Call::Unary(octets) => unary(&mut channel, octets, &mut replies).await,
        Call::ServerStreaming => stream(&mut channel, &mut replies).await,
        Call::Bidi => chat(&mut channel, &mut replies).await,
    };
    let (code, message) = match result {
        Ok(()) => (0, String::new()),
        Err(status) => (u32::from(status.code().as_u8()), status.message().to_string()),
    };
    Outcome {
        code,
        message,
        replies,
    }
}

async fn unary(
    channel: &mut Channel<'static>,
    octets: usize,
    replies: &mut Vec<Vec<u8>>,
) -> Result<(), Status> {
    let reply = Unary::<_, _, Blob>::new(channel, &UNARY, &Blob(vec![b'u'; octets])).await?;
    replies.push(reply.0);
    Ok(())
}

async fn stream(channel: &mut Channel<'static>, replies: &mut Vec<Vec<u8>>) -> Result<(), Status> {
    let request = Blob(b"stream".to_vec());
    let mut receiver = ServerStreaming::<_, _, Blob>::new(channel, &STREAM, &request).await?;
    while let Some(reply) = receiver.next().await? {
        replies.push(reply.0);
    }
    Ok(())
}

async fn chat(channel: &mut Channel<'static>, replies: &mut Vec<Vec<u8>>) -> Result<(), Status> {
    let (mut sender, mut receiver) = BidiStreaming::<_, Blob, Blob>::new(channel, &CHAT).await?;
    sender.send(&Blob(b"chat".to_vec())).await?;
    while let Some(reply) = receiver.next().await? {
        replies.push(reply.0);
    }
    sender.finish().await
}
