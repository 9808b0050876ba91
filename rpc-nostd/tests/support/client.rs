//! A channel to scripted peers, and calls on it.

use std::future::{Future, poll_fn};
use std::task::Poll;

use rpc_nostd::client::{BidiStreaming, ClientStreaming, Receiver, Sender, ServerStreaming, Unary, Upload};
use rpc_nostd::time::{Clock, Instant, Timer};
use rpc_nostd::{Channel, Code, Config, Method, Resources, Status};

use super::{Blob, ECHO, Peers, VirtualTimer, run};

pub type Memory<'r> = Resources<'r, 2, 300, 512, 256>;

/// A channel to `peers` and its runner; `test` makes the calls.
pub fn with_channel(peers: Peers, test: impl AsyncFnOnce(Channel<'_>, &VirtualTimer)) {
    let timer = VirtualTimer::default();
    let mut memory = Memory::new();
    let (channel, runner) = Channel::new(&mut memory, peers, &timer, Config::new("test.local:1"))
        .expect("the memory is large enough");
    run(&timer, test(channel, &timer), vec![Box::pin(runner.run())]);
}

pub static FEED: Method = Method::server_streaming("/test.Echo/Feed");
pub static UPLOAD: Method = Method::client_streaming("/test.Echo/Upload");
pub static CHAT: Method = Method::bidi_streaming("/test.Echo/Chat");

pub async fn feed<'r>(mut channel: Channel<'r>, request: &[u8]) -> Result<Receiver<'r, Blob>, Status> {
    ServerStreaming::new(&mut channel, &FEED, &blob(request)).await
}

pub async fn upload(mut channel: Channel<'_>) -> Result<Upload<'_, Blob, Blob>, Status> {
    ClientStreaming::new(&mut channel, &UPLOAD).await
}

pub async fn chat(mut channel: Channel<'_>) -> Result<(Sender<'_, Blob>, Receiver<'_, Blob>), Status> {
    BidiStreaming::new(&mut channel, &CHAT).await
}

pub fn blob(octets: &[u8]) -> Blob {
    Blob(octets.to_vec())
}

pub async fn echo(channel: Channel<'_>, body: &[u8]) -> Result<Blob, Status> {
    let mut channel = channel;
    Unary::<_, _, Blob>::new(&mut channel, &ECHO, &Blob(body.to_vec())).await
}

pub fn code(result: Result<Blob, Status>) -> (Code, String) {
    let status = result.expect_err("the call must fail");
    (status.code(), status.message().to_string())
}

/// Polls `call` until so many virtual milliseconds have passed, then drops it.
pub async fn poll_until<T>(call: impl Future<Output = T>, timer: &VirtualTimer, ms: u64) {
    let mut call = Box::pin(call);
    let end = Instant::from_millis(timer.now_ms() + ms);
    poll_fn(|cx| {
        assert!(call.as_mut().poll(cx).is_pending());
        if timer.now() >= end {
            return Poll::Ready(());
        }
        timer.wake_at(end, cx.waker());
        Poll::Pending
    })
    .await;
}

/// Runs both to their ends, side by side.
pub async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        if first.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            second = Some(value);
        }
        match (first.is_some(), second.is_some()) {
            (true, true) => Poll::Ready((first.take().unwrap(), second.take().unwrap())),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Lets so many virtual milliseconds pass.
pub async fn sleep(timer: &VirtualTimer, ms: u64) {
    poll_until(std::future::pending::<()>(), timer, ms).await;
}
