//! Services as generated code has them, and one whose handler a test writes.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use rpc_nostd::server::{Call, Routes, Sender, Service, find};
use rpc_nostd::{Method, Status};

use crate::support::Blob;

pub static UNARY: Method = Method::unary("/test.Echo/Unary");
pub static STREAM: Method = Method::server_streaming("/test.Echo/Stream");
pub static COLLECT: Method = Method::client_streaming("/test.Echo/Collect");
pub static CHAT: Method = Method::bidi_streaming("/test.Echo/Chat");
pub static METHODS: [&Method; 4] = [&UNARY, &STREAM, &COLLECT, &CHAT];

/// Sends back what it gets.
pub struct Echo;

impl Routes for Echo {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&METHODS, path)
    }
}

impl Service for Echo {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        match call.method().path() {
            "/test.Echo/Unary" => {
                let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
                let request = requests.only().await?;
                replies.send(&request).await
            }
            "/test.Echo/Stream" => {
                let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
                let request = requests.only().await?;
                stream(request, &mut replies).await
            }
            "/test.Echo/Collect" => {
                let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
                let mut all = Blob::default();
                while let Some(request) = requests.next().await? {
                    all.0.extend(request.0);
                }
                replies.send(&all).await
            }
            "/test.Echo/Chat" => {
                let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
                while let Some(request) = requests.next().await? {
                    replies.send(&request).await?;
                }
                Ok(())
            }
            _ => Err(call.unimplemented()),
        }
    }
}

/// One reply for each octet.
async fn stream(request: Blob, replies: &mut Sender<'_, Blob>) -> Result<(), Status> {
    for octet in request.0 {
        replies.send(&Blob(vec![octet])).await?;
    }
    Ok(())
}

/// The echo's methods, served by a test's own handler.
pub struct Custom<F>(pub F);

impl<F> Routes for Custom<F> {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&METHODS, path)
    }
}

impl<F: AsyncFn(&mut Call<'_>) -> Result<(), Status>> Service for Custom<F> {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        (self.0)(call).await
    }
}

/// What happened, in order.
pub type Log = Rc<RefCell<Vec<String>>>;

/// Writes into the log when it is dropped.
pub struct Guard(pub Log, pub &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1.to_owned());
    }
}

/// Answers a unary call with its request.
pub async fn echo(call: &mut Call<'_>) -> Result<(), Status> {
    let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
    let request = requests.only().await?;
    replies.send(&request).await
}

/// What a handler waits for.
#[derive(Clone, Default)]
pub struct Gate(Rc<Cell<bool>>, Rc<Cell<Option<Waker>>>);

impl Gate {
    pub fn open(&self) {
        self.0.set(true);
        if let Some(waker) = self.1.take() {
            waker.wake();
        }
    }

    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.0.get() {
                return Poll::Ready(());
            }
            self.1.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}
