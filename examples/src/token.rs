//! A client's access token, which a task of its own fetches anew when the server refuses it.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};

use rpc_nostd::client::CallCredentials;
use rpc_nostd::heapless::String;
use rpc_nostd::time::Instant;
use rpc_nostd::{MetadataEntry, Method, Status};

/// `authorization: Bearer ...` for calls. Calls that find no token wait for one, no longer than their deadlines.
///
/// For one call at a time, and one task that fetches. Set it for all calls by `Config::credentials`, or for one by
/// `.credentials(&token)`.
#[derive(Default)]
pub struct Token {
    bearer: RefCell<String<48>>,
    call: Cell<Option<Waker>>,
    wanted: Cell<bool>,
    fetcher: Cell<Option<Waker>>,
}

impl Token {
    /// Takes a token; the call that waits for it goes on. One that is too long counts as none.
    pub fn store(&self, token: &str) {
        let mut bearer = self.bearer.borrow_mut();
        bearer.clear();
        if bearer
            .push_str("Bearer ")
            .and_then(|()| bearer.push_str(token))
            .is_err()
        {
            bearer.clear();
        }
        self.wanted.set(false);
        wake(&self.call);
    }

    /// Waits until a call wants a token: fetch one then, and [`store`](Self::store) it.
    pub async fn wanted(&self) {
        poll_fn(|cx| {
            self.fetcher.set(Some(cx.waker().clone()));
            if self.wanted.get() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl CallCredentials for Token {
    fn poll_ready(&self, _: Instant, waker: &Waker) -> Poll<Result<(), Status>> {
        if !self.bearer.borrow().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.call.set(Some(waker.clone()));
        self.wanted.set(true);
        wake(&self.fetcher);
        Poll::Pending
    }

    fn emit(&self, _: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
        push(MetadataEntry::ascii("authorization", &self.bearer.borrow()));
    }

    fn rejected(&self) {
        self.bearer.borrow_mut().clear();
    }
}

fn wake(waiting: &Cell<Option<Waker>>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    static METHOD: Method = Method::unary("/greenhouse.v1.Greenhouse/WaterBed");

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn emitted(token: &Token) -> Vec<std::string::String> {
        let mut values = Vec::new();
        token.emit(&METHOD, &mut |entry| values.push(format!("{:?}", entry.value)));
        values
    }

    fn is_ready(token: &Token, waker: &Waker) -> bool {
        token.poll_ready(Instant::from_millis(0), waker).is_ready()
    }

    #[test]
    fn a_call_waits_until_the_fetcher_stores_a_token() {
        let (call, fetcher) = (Arc::<Woken>::default(), Arc::<Woken>::default());
        let (call_waker, fetcher_waker) = (Waker::from(call.clone()), Waker::from(fetcher.clone()));
        let token = Token::default();
        let mut wanted = core::pin::pin!(token.wanted());
        let mut cx = Context::from_waker(&fetcher_waker);
        assert!(wanted.as_mut().poll(&mut cx).is_pending(), "nobody wants one yet");
        assert!(!is_ready(&token, &call_waker));
        assert!(fetcher.0.load(Ordering::Relaxed), "the fetcher is told");
        assert!(wanted.as_mut().poll(&mut cx).is_ready());
        token.store("abc");
        assert!(call.0.load(Ordering::Relaxed), "the call is told");
        assert!(is_ready(&token, &call_waker));
        assert!(emitted(&token)[0].contains("Bearer abc"));
    }

    #[test]
    fn a_refused_token_is_used_no_more() {
        let token = Token::default();
        token.store("abc");
        token.rejected();
        assert!(!is_ready(&token, Waker::noop()));
    }

    #[test]
    fn a_token_that_is_too_long_counts_as_none() {
        let token = Token::default();
        token.store(&"x".repeat(42));
        assert!(!is_ready(&token, Waker::noop()));
        token.store(&"x".repeat(41));
        assert!(is_ready(&token, Waker::noop()));
    }
}
