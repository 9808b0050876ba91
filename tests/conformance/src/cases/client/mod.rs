//! Cases for a client under test; a case has a scripted server.

use crate::endpoint::Call;
use crate::peer::{Request, Server};
use crate::suite::{Case, Fault};

mod calls;
mod field_block;
mod flow_control;
mod frames;
mod framing;
mod goaway;
#[cfg(test)]
mod h2specd;
mod preface;
mod response;
mod settings;
mod states;
mod status;

/// All of them.
pub(super) fn all() -> Vec<Case<Server>> {
    [
        preface::CASES,
        framing::CASES,
        field_block::CASES,
        states::CASES,
        frames::CASES,
        settings::CASES,
        flow_control::CASES,
        goaway::CASES,
        response::CASES,
        status::CASES,
        calls::CASES,
    ]
    .into_iter()
    .flatten()
    .map(|case| Case { ..*case })
    .collect()
}

/// A connection, if there is none yet, with the innocent call; and one more call, which the case is about.
fn with_call(server: &mut Server, kind: Call) -> Result<Request, Fault> {
    if server.client.connections() == 0 {
        server.open()?;
    }
    server.request(kind)
}

/// The stream of a call that has completed.
fn closed_stream(server: &mut Server) -> Result<u32, Fault> {
    let request = with_call(server, Call::Unary(3))?;
    server.respond(request.stream, b"done");
    server.expect_outcome(request.call, 0, b"done")?;
    server.expect_silence()?;
    Ok(request.stream)
}
