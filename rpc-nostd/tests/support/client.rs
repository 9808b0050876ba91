//! A channel to scripted peers, and calls on it.

use std::future::{Future, poll_fn};
use std::task::Poll;

use rpc_nostd::client::Unary;
use rpc_nostd::time::{Clock, Instant, Timer};
use rpc_nostd::{Channel, Code, Config, Resources, Status};

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
