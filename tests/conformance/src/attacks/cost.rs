//! What an attack costs us, in steps: polls, reads and writes, octets written. Never in time.

use crate::suite::{Fault, Verdict, check};

/// What an attack of some length cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Octets that the attacker sent.
    pub received: u64,
    /// Steps that we took.
    pub steps: u64,
    /// Octets that we wrote.
    pub written: u64,
}

/// Steps for each octet that the attacker sends, at most. A read takes up to 256 octets, and wakes a few tasks; a frame
/// of nine octets may ask for one of ours of 17.
const STEPS_PER_OCTET: u64 = 3;
/// Octets that we write for each that the attacker sends, at most: RST_STREAM or an acknowledgement for a frame, and
/// credit now and then.
const WRITTEN_PER_OCTET: u64 = 2;
/// For what happens once.
const SLACK: u64 = 500;

/// An attack twice as long costs twice as much, and each of its octets little.
///
/// # Errors
/// More than that; or what `run`, the attack of a length, says.
pub fn is_linear(length: u32, run: impl Fn(u32) -> Result<Cost, Fault>) -> Verdict {
    let (once, twice) = (run(length)?, run(2 * length)?);
    println!("{once:?}, twice as long {twice:?}");
    check(twice.received >= 2 * once.received - SLACK, || {
        format!("not twice as long: {once:?} and {twice:?}")
    })?;
    check(
        twice.steps <= 2 * once.steps + SLACK && twice.written <= 2 * once.written + SLACK,
        || format!("the work grows faster than the attack: {once:?}, then {twice:?}"),
    )?;
    check(
        twice.steps <= STEPS_PER_OCTET * twice.received + SLACK
            && twice.written <= WRITTEN_PER_OCTET * twice.received + SLACK,
        || format!("too much work for each octet: {twice:?}"),
    )
}
