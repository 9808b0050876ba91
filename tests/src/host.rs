//! What our clients need to run on this host: TCP sockets as their transports, the host's clock as theirs.

pub use rpc_nostd_tests_host::{HostClock, ImpatientSocket, ReadySocket, TokioConnection, TokioConnector};
