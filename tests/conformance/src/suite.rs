//! Cases by name, and what comes of them.

use std::fmt;

/// What a case finds: nothing, or what is wrong.
pub type Verdict = Result<(), Fault>;

/// What is wrong with the endpoint: what was wanted, and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `Fault` unless `holds`.
///
/// # Errors
/// The fault.
pub fn check(holds: bool, wrong: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Fault(wrong())) }
}

/// One case for a peer of type `P`.
pub struct Case<P> {
    /// What the endpoint must do, as a sentence in snake case, after the group: `settings/ack_with_payload_...`.
    pub name: &'static str,
    /// The script.
    pub run: fn(&mut P) -> Verdict,
}

impl<P> Case<P> {
    /// The case of this name.
    #[must_use]
    pub const fn new(name: &'static str, run: fn(&mut P) -> Verdict) -> Self {
        Self { name, run }
    }
}

impl<P> fmt::Debug for Case<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How many cases pass.
pub fn score<P>(cases: &[Case<P>], peer: impl Fn() -> P) -> usize {
    cases.len() - failing(cases, peer).len()
}

/// The names of the cases that fail: each has a new peer, and an endpoint that panics fails.
pub fn failing<P>(cases: &[Case<P>], peer: impl Fn() -> P) -> Vec<&'static str> {
    let fails = |case: &&Case<P>| {
        let run = || (case.run)(&mut peer());
        !std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_ok_and(|verdict| verdict.is_ok())
    };
    cases.iter().filter(fails).map(|case| case.name).collect()
}
