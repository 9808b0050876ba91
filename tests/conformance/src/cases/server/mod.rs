//! Cases for a server under test; a case has a scripted client.
//!
//! An endpoint's answer is exact: this frame, this code, this last stream, nothing else, and everything else lives on.
//! The last stream of GOAWAY is the highest whose HEADERS were begun in sound order, as fields are given to the
//! application while they arrive. Streams that the server reset are excused; those that the client ended are not.

use crate::peer::Client;
use crate::suite::Case;

mod answers;
mod blocks;
mod calls;
mod content_length;
mod control;
mod data;
mod fields;
mod frames;
mod goaway;
#[cfg(test)]
mod h2spec;
mod headers;
mod hpack;
mod hpack_errors;
mod kit;
mod preface;
mod priority;
mod pseudo;
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
        fields::CASES,
        pseudo::CASES,
        content_length::CASES,
        hpack::CASES,
        hpack_errors::CASES,
        answers::CASES,
        calls::CASES,
    ]
    .into_iter()
    .flatten()
    .map(|case| Case { ..*case })
    .collect()
}
