//! What our clients and servers need to run on this host: TCP sockets as their transports, the host's clock as theirs.

#![forbid(unsafe_code)]

mod clock;
mod sockets;
mod tcp;

pub use clock::{HostClock, LoopClock};
pub use sockets::{ImpatientSocket, ReadySocket};
pub use tcp::{TokioAcceptor, TokioConnection, TokioConnector};
