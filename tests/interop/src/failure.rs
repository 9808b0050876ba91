//! Why a case failed.

use core::fmt;

use rpc_nostd::{Code, Status};

/// What a case found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was looked at.
    pub what: &'static str,
    /// What was wrong with it.
    pub cause: Cause,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What was looked at says it all.
    Wrong,
    /// One number instead of another.
    Number {
        /// What it was.
        got: u32,
        /// What it should have been.
        expected: u32,
    },
    /// The call ended so, and should not have.
    Status(Status),
}

impl Failure {
    /// `what` is wrong.
    pub const fn new(what: &'static str) -> Self {
        let cause = Cause::Wrong;
        Self { what, cause }
    }

    /// For `map_err`: the call, or this part of it, failed.
    pub(crate) fn of(what: &'static str) -> impl Fn(Status) -> Self {
        move |status| Self {
            what,
            cause: Cause::Status(status),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Wrong => f.write_str(self.what),
            Cause::Number { got, expected } => write!(f, "{}: {got}, expected {expected}", self.what),
            Cause::Status(status) => write!(f, "{}: {status}", self.what),
        }
    }
}

impl core::error::Error for Failure {}

#[cfg(feature = "defmt")]
impl defmt::Format for Failure {
    fn format(&self, f: defmt::Formatter<'_>) {
        match &self.cause {
            Cause::Wrong => defmt::write!(f, "{=str}", self.what),
            Cause::Number { got, expected } => {
                defmt::write!(f, "{=str}: {=u32}, expected {=u32}", self.what, got, expected);
            }
            Cause::Status(status) => defmt::write!(f, "{=str}: {}", self.what, status),
        }
    }
}

/// # Errors
/// `what` is not `expected`.
pub(crate) fn equal(what: &'static str, got: u32, expected: u32) -> Result<(), Failure> {
    check(got == expected, what).map_err(|failure| Failure {
        cause: Cause::Number { got, expected },
        ..failure
    })
}

/// # Errors
/// It does not hold; `what` says what is wrong then.
pub(crate) const fn check(holds: bool, what: &'static str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(what)) }
}

/// # Errors
/// The call did not end with `code`.
pub(crate) fn check_code(result: Result<(), Status>, code: Code) -> Result<(), Failure> {
    match result {
        Ok(()) => Err(Failure::new("the call goes on")),
        Err(status) if status.code() == code => Ok(()),
        Err(status) => Err(Failure::of("not the status that the case asks for")(status)),
    }
}
