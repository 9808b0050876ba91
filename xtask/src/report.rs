//! Runs the steps of a command one after another, goes on after a failure, and sums up at the end.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Why a step could not be run here although nothing is wrong with the code. On CI that is a failure.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

struct Step {
    why: String,
    took: Duration,
    outcome: Outcome,
}

/// Outcomes so far.
pub(crate) struct Report {
    skip_is_failure: bool,
    started: Instant,
    steps: Vec<Step>,
}

impl Report {
    /// `skip_is_failure` is the rule of CI.
    pub(crate) fn new(skip_is_failure: bool) -> Self {
        Self {
            skip_is_failure,
            started: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Runs one step: prints `why`, keeps time, remembers the outcome. Returns what the step gave, if it passed.
    pub(crate) fn step<T>(&mut self, why: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("\n==> {why}");
        let started = Instant::now();
        let result = work();
        let took = started.elapsed();
        let (outcome, value) = match result {
            Ok(value) => (Outcome::Passed, Some(value)),
            Err(error) => (self.classify(&error), None),
        };
        match &outcome {
            Outcome::Passed => println!("    passed in {}", seconds(took)),
            Outcome::Failed(reason) => println!("    FAILED after {}: {reason}", seconds(took)),
            Outcome::Skipped(reason) => println!("    SKIPPED: {reason}"),
        }
        self.steps.push(Step {
            why: why.to_owned(),
            took,
            outcome,
        });
        value
    }

    fn classify(&self, error: &anyhow::Error) -> Outcome {
        match error.downcast_ref::<Skip>() {
            Some(skip) if self.skip_is_failure => {
                Outcome::Failed(format!("{skip} (a skip is a failure because CI is set)"))
            }
            Some(skip) => Outcome::Skipped(skip.to_string()),
            None => Outcome::Failed(format!("{error:#}")),
        }
    }

    /// Prints the table of all steps and the count.
    ///
    /// # Errors
    /// At least one step failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n{:>9}  step", "time");
        for step in &self.steps {
            let mark = match &step.outcome {
                Outcome::Passed => String::new(),
                Outcome::Failed(reason) => format!("  FAILED: {}", first_line(reason)),
                Outcome::Skipped(reason) => format!("  SKIPPED: {}", first_line(reason)),
            };
            println!("{:>9}  {}{mark}", seconds(step.took), step.why);
        }
        println!("{:>9}  in all", seconds(self.started.elapsed()));
        let count = |test: fn(&Outcome) -> bool| self.steps.iter().filter(|step| test(&step.outcome)).count();
        let passed = count(|outcome| matches!(outcome, Outcome::Passed));
        let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        let skips = if skipped == 0 {
            String::new()
        } else {
            format!(", {skipped} skipped")
        };
        println!("\n{passed} passed, {failed} failed{skips}");
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.steps.len());
        }
        Ok(())
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(skip_is_failure: bool, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut report = Report::new(skip_is_failure);
        report.step("a step", work);
        report.finish()
    }

    #[test]
    fn finish_failed_step_is_error() {
        assert!(outcome_of(false, || Ok(())).is_ok());
        assert!(outcome_of(false, || bail!("broken")).is_err());
    }

    #[test]
    fn skip_is_failure_on_ci_only() {
        assert!(outcome_of(false, || Err(Skip("no network".into()).into())).is_ok());
        assert!(outcome_of(true, || Err(Skip("no network".into()).into())).is_err());
    }

    #[test]
    fn step_after_failure_still_runs() {
        let mut report = Report::new(false);
        assert_eq!(report.step("first", || bail!("broken")), None::<()>);
        assert_eq!(report.step("second", || Ok(7)), Some(7));
    }
}
