//! Turns clients away while every connection is taken.

use core::cell::RefCell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Read, Write};

use crate::driver::{Either, Never, Outcome, first, sleep_until, tell, until};
use crate::server::resources::Place;
use crate::time::Timer;
use crate::transport::asynch::{Acceptor, Duplex};

/// The places of a server.
type Places<'s, 'r> = &'s [Place<'r>];

/// Whether a further client finds a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Free,
    Taken,
    /// There will be no further client.
    Stopping,
}

/// Says whether there is a [`turn_away`] for these places whose last client has not gone.
pub(crate) fn set_turning_away(places: Places<'_, '_>, is_on: bool) {
    let first = places.iter().flatten().next();
    if let Some(Ok(mut session)) = first.map(RefCell::try_borrow_mut) {
        session.turning_away = is_on;
    }
}

/// Accepts those who find every place taken, and says goodbye, until the server is shut down.
///
/// To be polled with the places' own futures, and behind them: nobody else wakes it when one is taken or free.
pub(crate) async fn turn_away<A: Acceptor>(
    places: Places<'_, '_>,
    mut acceptor: A,
    timer: &dyn Timer,
) -> Never {
    loop {
        if becomes(places, |standing| standing != Standing::Free).await == Standing::Stopping {
            break;
        }
        let relieved = becomes(places, |standing| standing != Standing::Taken);
        let met = first(relieved, pin!(acceptor.accept())).await;
        match met {
            Either::First(Standing::Stopping) => break,
            Either::First(_) => continue,
            Either::Second(Ok(mut transport)) => {
                let enough = timer.now().saturating_add_millis(GOODBYE_MS);
                let said = Outcome::new(None);
                {
                    let saying = pin!(say_goodbye(&mut transport, &said));
                    first(until(saying, &said), sleep_until(timer, enough)).await;
                }
                let enough = timer.now().saturating_add_millis(GOODBYE_MS);
                first(pin!(transport.close()), sleep_until(timer, enough)).await;
            }
            Either::Second(Err(_)) => {}
        }
        // A client that comes back at once must not keep the device busy.
        let later = timer.now().saturating_add_millis(PAUSE_MS);
        let stopping = becomes(places, |standing| standing == Standing::Stopping);
        first(stopping, sleep_until(timer, later)).await;
    }
    set_turning_away(places, false);
    pending().await
}

/// Tells the client that none of its calls was looked at, so that it can send them elsewhere. Then waits for it to close.
async fn say_goodbye<D: Duplex>(transport: &mut D, said: &Outcome<()>) -> Never {
    let (settings, goaway) = h2_lite::refusal();
    let (mut reader, mut writer) = transport.split();
    for frame in [settings.as_slice(), goaway.as_slice()] {
        let mut rest = frame;
        while !rest.is_empty() {
            match writer.write(rest).await {
                Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
                _ => return tell(said, ()).await,
            }
        }
    }
    if D::FLUSH && writer.flush().await.is_err() {
        return tell(said, ()).await;
    }
    // Closed with octets that nobody has read, TCP would reset the connection, and the GOAWAY with it.
    let mut ignored = [0; 32];
    while let Ok(1..) = reader.read(&mut ignored).await {}
    tell(said, ()).await
}

fn becomes(places: Places<'_, '_>, wanted: impl Fn(Standing) -> bool) -> impl Future<Output = Standing> {
    poll_fn(move |_| {
        let standing = standing(places);
        if wanted(standing) {
            Poll::Ready(standing)
        } else {
            Poll::Pending
        }
    })
}

fn standing(places: Places<'_, '_>) -> Standing {
    let sessions = || {
        places
            .iter()
            .flatten()
            .filter_map(|place| place.try_borrow().ok())
    };
    if sessions().any(|session| session.is_stopping()) {
        Standing::Stopping
    } else if sessions().all(|session| session.is_connected()) {
        Standing::Taken
    } else {
        Standing::Free
    }
}

/// How long a client may take to read its GOAWAY and leave.
const GOODBYE_MS: u64 = 1_000;
/// Between two clients that are turned away.
const PAUSE_MS: u64 = 1_000;
