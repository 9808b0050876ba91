//! Transports for the async [`Channel`](crate::Channel) and [`Server`](crate::server::Server).

use core::future::Future;

use embedded_io_async::{Read, Write};

/// Makes connections to one server. The [`Runner`](crate::Runner) calls it whenever it needs one.
pub trait Connector {
    /// What a connection is.
    type Connection<'c>: Duplex
    where
        Self: 'c;

    /// Connects. Name resolution belongs here. The [`Runner`](crate::Runner) drops the future when the time to
    /// connect is over.
    ///
    /// # Errors
    /// What went wrong, in a few words that a call's status will carry.
    fn connect(&mut self) -> impl Future<Output = Result<Self::Connection<'_>, &'static str>>;
}

/// Waits for clients. Each connection of a [`Server`](crate::server::Server) has one of its own.
pub trait Acceptor {
    /// What a connection is.
    type Connection<'c>: Duplex
    where
        Self: 'c;

    /// Waits for the next client.
    ///
    /// Cancel safety: must lose no client when dropped; the server drops it only when it is shut down.
    ///
    /// # Errors
    /// What went wrong, in a few words for a log. The server tries again after a moment.
    fn accept(&mut self) -> impl Future<Output = Result<Self::Connection<'_>, &'static str>>;
}

/// A connection whose two directions are used at once.
pub trait Duplex {
    /// The half that receives.
    type Reader<'h>: Read
    where
        Self: 'h;
    /// The half that sends.
    type Writer<'h>: Write
    where
        Self: 'h;

    /// Whether `flush` is called after each write. Right for a transport that buffers, such as TLS; wrong for
    /// one whose `flush` waits for the peer, such as `embassy-net`'s TCP.
    const FLUSH: bool = true;

    /// Lends both halves. The reader's pending read is never dropped while the connection is in use.
    fn split(&mut self) -> (Self::Reader<'_>, Self::Writer<'_>);

    /// Ends the connection, the polite way if there is one, so that a GOAWAY still arrives. It may wait for the
    /// peer: the [`Runner`](crate::Runner) gives it a second.
    fn close(&mut self) -> impl Future<Output = ()> {
        // Not `ready(())`: that panics where it is polled once more.
        core::future::poll_fn(|_| core::task::Poll::Ready(()))
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use super::*;

    struct Silent([u8; 1]);

    impl Duplex for Silent {
        type Reader<'h> = &'h [u8];
        type Writer<'h> = &'h mut [u8];

        fn split(&mut self) -> (&[u8], &mut [u8]) {
            (&[], &mut self.0)
        }
    }

    #[test]
    fn closing_what_needs_no_close_does_not_panic_when_polled_once_more() {
        let mut transport = Silent([0]);
        let mut close = pin!(transport.close());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(close.as_mut().poll(&mut cx), Poll::Ready(()));
        assert_eq!(close.as_mut().poll(&mut cx), Poll::Ready(()));
    }
}
