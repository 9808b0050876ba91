//! Cases for a server under test; a case has a scripted client.
//!
//! An endpoint's answer is exact: this frame, this code, this last stream, nothing else, and everything else lives on.
//! The last stream of GOAWAY is the highest whose HEADERS were begun in sound order, as fields are given to the
//! application while they arrive. Streams that the server reset are excused; those that the client ended are not.

use crate::peer::Client;
use crate::suite::Case;

mod blocks;
mod control;
mod data;
mod frames;
mod goaway;
mod headers;
mod kit;
mod preface;
mod priority;
mod receive_window;
mod send_window;
mod settings;
mod states;
mod streams;

/// All of them.
pub(super) fn all() -> Vec<Case<Client>> {
    [
        preface::CASES,
        frames::CASES,
        blocks::CASES,
        states::CASES,
        streams::CASES,
        data::CASES,
        headers::CASES,
        priority::CASES,
        control::CASES,
        settings::CASES,
        goaway::CASES,
        send_window::CASES,
        receive_window::CASES,
    ]
    .into_iter()
    .flatten()
    .map(|case| Case { ..*case })
    .collect()
}
