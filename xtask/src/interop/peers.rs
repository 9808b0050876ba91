//! The table of peers. A new one is a line here and a function in `install`.

use anyhow::Result;

use super::install;
use super::programs::{Programs, Proxy};
use crate::workspace::Workspace;

/// A foreign gRPC implementation, or a proxy between client and server.
pub(crate) struct Peer {
    /// As on the command line and in the matrix.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    /// Installs what is missing; an error is why the peer is skipped.
    pub(crate) install: fn(&Workspace) -> Result<Installed>,
}

/// A peer that is ready to run.
pub(crate) struct Installed {
    pub(crate) version: String,
    pub(crate) kind: Kind,
}

/// How a peer takes part.
pub(crate) enum Kind {
    /// As the other side.
    Programs(Programs),
    /// In the middle; the other side is [`BEHIND_PROXIES`].
    Proxy(Proxy),
}

/// In the order of the matrix.
pub(crate) const PEERS: [Peer; 9] = [
    Peer {
        name: BEHIND_PROXIES,
        title: "grpc-go",
        install: install::go,
    },
    Peer {
        name: "java",
        title: "grpc-java",
        install: install::java,
    },
    Peer {
        name: "ruby",
        title: "Ruby's grpc, on gRPC's C core",
        install: install::ruby,
    },
    Peer {
        name: "python",
        title: "Python's grpcio, on gRPC's C core",
        install: install::python,
    },
    Peer {
        name: "node",
        title: "Node's grpc-js",
        install: install::node,
    },
    Peer {
        name: "tonic",
        title: "tonic",
        install: install::tonic,
    },
    Peer {
        name: "nginx",
        title: "grpc-go behind nginx",
        install: install::nginx,
    },
    Peer {
        name: "haproxy",
        title: "grpc-go behind HAProxy",
        install: install::haproxy,
    },
    Peer {
        name: "envoy",
        title: "grpc-go behind Envoy",
        install: install::envoy,
    },
];

/// The peer whose programs talk to ours through the proxies.
pub(crate) const BEHIND_PROXIES: &str = "go";

/// The peer of this name.
pub(crate) fn find(name: &str) -> Option<&'static Peer> {
    const TABLE: &[Peer] = &PEERS;
    TABLE.iter().find(|peer| peer.name == name)
}
