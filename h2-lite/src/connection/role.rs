//! Everything that depends on the role: who opens which streams, who speaks first, whose limits hold when.

use crate::config::Role;
use crate::frame::StreamId;
use crate::stream::DEFAULT_WINDOW;

/// What a client says first. Spec: RFC 9113 section 3.4.
pub(super) const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Octets of [`PREFACE`].
pub(super) const PREFACE_LEN: u8 = 24;

/// The first stream that `role` opens (section 5.1.1). A server never does, since push is refused.
pub(super) const fn first_stream_id(role: Role) -> u32 {
    match role {
        Role::Client => 1,
        Role::Server => 2,
    }
}

/// True if `id` is of the kind that the peer of `role` opens by sending HEADERS. Servers only promise.
pub(super) const fn peer_may_open(role: Role, id: StreamId) -> bool {
    match role {
        Role::Client => false,
        Role::Server => id.is_client_initiated(),
    }
}

/// True if `id` is of the kind that `role` opens itself.
pub(super) const fn is_local(role: Role, id: StreamId) -> bool {
    match role {
        Role::Client => id.is_client_initiated(),
        Role::Server => !id.is_client_initiated(),
    }
}

/// The receive window that a new stream starts with.
///
/// A client's SETTINGS precede every request on the wire, and the peer applies them in order before it reads
/// the request (section 6.5.3), so no response can be sent under the old value: the small window binds from the
/// start, and a buffer of that size suffices. A server's peers may send requests before they see its SETTINGS:
/// until the acknowledgement they have the default (section 6.9.3), afterwards the window is shifted.
pub(super) const fn first_receive_window(role: Role, acknowledged: bool, configured: u32) -> u32 {
    match role {
        // Spec: h2-6.9.3-before-ack
        Role::Server if !acknowledged => DEFAULT_WINDOW,
        _ => configured,
    }
}
