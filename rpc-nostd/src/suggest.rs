//! What the sizes of messages ask of [`Resources`](crate::Resources) and of those of a server.

use crate::framing::PREFIX_LEN;

/// `RECV` for received messages of at most these encoded sizes, in octets: the largest of them with the 5 octets before
/// it, and at least 261.
///
/// Generated code calls it with the `MAX_SIZE` constants of a service. Fields that the peer knows and this program does not
/// come on top: leave room for them where peers are newer.
///
/// ```
/// assert_eq!(rpc_nostd::recv_for(&[40, 1_000]), 1_005);
/// assert_eq!(rpc_nostd::recv_for(&[]), 261);
/// ```
#[must_use]
pub const fn recv_for(max_sizes: &[usize]) -> usize {
    let whole = largest(max_sizes).saturating_add(PREFIX_LEN);
    if whole < MIN_RECV { MIN_RECV } else { whole }
}

/// `SEND` for messages of at most these encoded sizes to methods whose path has at most `path_len` octets, both 0 or more:
/// a call's headers and its message leave in one piece, if the message is not over about 1,000 octets. A larger one
/// leaves in several; with less room than this it does so too.
///
/// 148 octets are left for the authority and for metadata: names, values and 3 octets a field. Those who send more of it
/// add to the result.
///
/// ```
/// assert_eq!(rpc_nostd::send_for(0, &[]), 398);
/// assert_eq!(rpc_nostd::send_for(30, &[100, 200]), 628);
/// assert_eq!(rpc_nostd::send_for(30, &[100_000]), 1_438);
/// ```
#[must_use]
pub const fn send_for(path_len: usize, max_sizes: &[usize]) -> usize {
    let message = largest(max_sizes).saturating_add(FRAME_HEADER_LEN + PREFIX_LEN);
    let message = if message > MAX_PIECE { MAX_PIECE } else { message };
    MIN_SEND.saturating_add(path_len).saturating_add(message)
}

const fn largest(mut sizes: &[usize]) -> usize {
    let mut largest = 0;
    while let [first, rest @ ..] = sizes {
        if *first > largest {
            largest = *first;
        }
        sizes = rest;
    }
    largest
}

/// The least `RECV`.
pub(crate) const MIN_RECV: usize = 256 + PREFIX_LEN;
/// The least `SEND`. The headers of a bare request, in the bound that is taken before they are encoded, are 172 octets and
/// the lengths of path and authority; the reserve for control frames is 64. What is left is for these two and for
/// metadata; on a server, for a status and its message.
pub(crate) const MIN_SEND: usize = 384;
const FRAME_HEADER_LEN: usize = 9;
/// More at once gains little: frames of this size cost 1 % of headers.
const MAX_PIECE: usize = 1_024;
