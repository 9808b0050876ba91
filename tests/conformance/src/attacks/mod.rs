//! Attacks that our endpoints must survive, by the number of the threat and by who is attacked.
//!
//! Each shows what holds for all of them: the reaction is the one that was decided, and where that is the end of the
//! connection, the next one works at once; nothing grows with what is sent, and work grows no faster ([`cost`]); a stream that
//! was open before completes; and all windows and slots are there again afterwards ([`restored`]).

pub mod core;
pub mod cost;
pub mod flood;
pub mod restored;
pub mod script;

mod answers;
mod blocks;
mod budgets;
mod dribble;
mod floods;
mod goodbye;
mod slow;
mod streams;
mod windows;

use crate::suite::Verdict;

/// One attack.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Number, what it is, and who is attacked.
    pub name: &'static str,
    /// The whole script.
    pub run: fn() -> Verdict,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Attack> {
    [
        answers::ATTACKS,
        blocks::ATTACKS,
        budgets::ATTACKS,
        dribble::ATTACKS,
        floods::ATTACKS,
        goodbye::ATTACKS,
        slow::ATTACKS,
        streams::ATTACKS,
        windows::ATTACKS,
    ]
    .concat()
}
