//! A server, its clients, and the clock.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use rpc_nostd::server::{Server, ServerConfig, ServerResources, Service};
use rpc_nostd::time::{Clock, Instant, Timer};

use crate::net::Net;
use crate::service::UNARY;
use crate::support::frames;
use crate::support::{VirtualTimer, run};
use crate::wire::{PREFACE, Wire};

/// What a test has at hand.
pub struct Bench<'a> {
    pub net: Net,
    pub timer: &'a VirtualTimer,
    pub server: Server<'a>,
    /// The runner has returned.
    pub done: Rc<Cell<bool>>,
}

/// Serves on two connections with two streams each, RECV 300 and SEND 512, for as long as `test` runs.
pub fn serving(service: impl Service, test: impl AsyncFnOnce(&Bench<'_>)) {
    serving_in::<2, 300, 512>(service, ServerConfig::new(), test);
}

/// The same with this configuration.
pub fn serving_as(config: ServerConfig, service: impl Service, test: impl AsyncFnOnce(&Bench<'_>)) {
    serving_in::<2, 300, 512>(service, config, test);
}

/// The same with memory of another size.
pub fn serving_in<const STREAMS: usize, const RECV: usize, const SEND: usize>(
    service: impl Service,
    config: ServerConfig,
    test: impl AsyncFnOnce(&Bench<'_>),
) {
    serve::<STREAMS, RECV, SEND>(service, config, false, test);
}

/// As `serving`, with a spare acceptor for whoever finds both connections taken.
pub fn serving_with_spare(service: impl Service, test: impl AsyncFnOnce(&Bench<'_>)) {
    serve::<2, 300, 512>(service, ServerConfig::new(), true, test);
}

fn serve<const STREAMS: usize, const RECV: usize, const SEND: usize>(
    service: impl Service,
    config: ServerConfig,
    spare: bool,
    test: impl AsyncFnOnce(&Bench<'_>),
) {
    let timer = VirtualTimer::default();
    let net = Net::default();
    let mut memory = ServerResources::<'_, 2, STREAMS, RECV, SEND>::new();
    let acceptors = [net.clone(), net.clone()];
    let (server, runner) =
        Server::new(&mut memory, acceptors, &service, &timer, &config).expect("the memory is large enough");
    let spare = spare.then(|| net.clone());
    let bench = Bench {
        net,
        timer: &timer,
        server,
        done: Rc::default(),
    };
    let done = bench.done.clone();
    let serve = async move {
        match spare {
            Some(spare) => runner.run_with_spare(spare).await,
            None => runner.run().await,
        }
        done.set(true);
    };
    run(&timer, test(&bench), vec![Box::pin(serve)]);
}

impl Bench<'_> {
    /// Until the server can do nothing more at this moment.
    pub async fn settle(&self) {
        self.sleep(0).await;
    }

    /// Lets so much time pass, and what is due then happen.
    pub async fn pass(&self, ms: u64) {
        self.sleep(ms).await;
        self.settle().await;
    }

    /// At least one turn of everybody else.
    async fn sleep(&self, ms: u64) {
        let end = Instant::from_millis(self.timer.now_ms() + ms);
        let mut asked = false;
        poll_fn(|cx| {
            if asked && self.timer.now() >= end {
                return Poll::Ready(());
            }
            asked = true;
            self.timer.wake_at(end, cx.waker());
            Poll::Pending
        })
        .await;
    }

    /// A client that has connected and said nothing.
    pub fn connect(&self) -> Wire {
        Wire::new(self.net.connect())
    }

    /// A client whose SETTINGS, and the acknowledgement of the server's, have been exchanged.
    pub async fn open(&self) -> Wire {
        self.open_with(&[]).await
    }

    /// The same with these settings.
    pub async fn open_with(&self, settings: &[(u16, u32)]) -> Wire {
        let mut wire = self.connect();
        wire.send(PREFACE);
        wire.send(&frames::settings(settings));
        self.settle().await;
        let first: Vec<(u8, u8)> = wire
            .look()
            .iter()
            .map(|frame| (frame.kind, frame.flags))
            .collect();
        assert_eq!(first, [(frames::SETTINGS, 0), (frames::SETTINGS, frames::ACK)]);
        wire.send(&frames::settings_ack());
        self.settle().await;
        wire
    }

    /// A call of `path` with one request, on stream 1 of a new connection or any other.
    pub async fn echo(&self, wire: &mut Wire, stream: u32, body: &[u8]) {
        wire.call(stream, UNARY.path(), &[body]);
        self.settle().await;
        let answer = wire.answer(stream);
        assert_eq!(
            answer.code(),
            Some(rpc_nostd::Code::OK),
            "stream {stream}: {answer:?}"
        );
        assert_eq!(answer.messages(), [body]);
    }
}
