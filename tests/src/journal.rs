//! What a server has seen: connections and calls, with the octets that went over each connection until then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One call, noted when its request has arrived whole and before its response is sent.
///
/// On a connection with one call at a time, the difference between two records is what a call cost: `octets_received` less
/// that of the call before is this request (with the client's control frames), `octets_sent` of the next call less this one's
/// is this response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Number of the connection, from 1.
    pub connection: u64,
    /// Method name, such as `Report`.
    pub method: &'static str,
    /// What the request asked for, in words `key=value`.
    pub asked: String,
    /// The service has given its answer. A call that was cancelled or cut off before never gets one.
    pub answered: bool,
    /// Octets of HTTP/2 that came in on this connection until now.
    pub octets_received: u64,
    /// Octets of HTTP/2 that went out on this connection until now.
    pub octets_sent: u64,
}

/// Octets over one connection.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) connection: u64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

/// Everything since the server was made; a restart does not clear it.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    announce: bool,
    connections: AtomicU64,
    calls: Mutex<Vec<CallRecord>>,
}

impl Journal {
    /// With `announce`, every connection and call is a line on standard output.
    pub(crate) fn new(announce: bool) -> Self {
        Self {
            announce,
            ..Self::default()
        }
    }

    pub(crate) fn open_connection(&self) -> Arc<Traffic> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        self.say(&format!("connection {connection} accepted"));
        Arc::new(Traffic {
            connection,
            ..Traffic::default()
        })
    }

    /// `text` is for people, `asked` for programs. Gives the call's place for [`note_answer`](Self::note_answer).
    pub(crate) fn note_call(
        &self,
        traffic: &Traffic,
        method: &'static str,
        text: &str,
        asked: String,
    ) -> usize {
        self.say(&format!("connection {}: {method} {text}", traffic.connection));
        let mut calls = self.lock();
        calls.push(CallRecord {
            connection: traffic.connection,
            method,
            asked,
            answered: false,
            octets_received: traffic.received.load(Ordering::Relaxed),
            octets_sent: traffic.sent.load(Ordering::Relaxed),
        });
        calls.len() - 1
    }

    /// The service has answered the call at `place`.
    pub(crate) fn note_answer(&self, place: usize) {
        if let Some(call) = self.lock().get_mut(place) {
            call.answered = true;
        }
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn calls(&self) -> Vec<CallRecord> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CallRecord>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        if self.announce {
            println!("server: {text}");
        }
    }
}
