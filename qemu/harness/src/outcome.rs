//! How a run ended.

use std::fmt::Write;
use std::time::Duration;

use crate::{Error, Level, LogLine, Machine};

/// A run that is over.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Where it ran.
    pub machine: Machine,
    /// How it ended.
    pub end: End,
    /// The firmware's log.
    pub lines: Vec<LogLine>,
    /// What the emulator itself wrote to its standard error.
    pub emulator_messages: String,
    /// From start to end.
    pub elapsed: Duration,
}

/// Why a run was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The firmware ended with this code; 0 is success, 1 a failure it found, 101 a panic, 102 a processor fault.
    Exit(i32),
    /// The time limit came first.
    Limit(Duration),
    /// The caller stopped it.
    Stopped,
    /// The emulator was killed or crashed.
    Died,
}

impl Outcome {
    /// Ok if the firmware ended with 0.
    ///
    /// # Errors
    /// The firmware's own last error line, or for want of one its last lines and what the emulator said.
    pub fn check(&self) -> Result<(), Error> {
        let how = match self.end {
            End::Exit(0) => return Ok(()),
            End::Exit(1) => "failed".to_owned(),
            End::Exit(101) => "panicked".to_owned(),
            End::Exit(102) => "ended with a processor fault".to_owned(),
            End::Exit(code) => format!("ended with exit code {code}"),
            End::Limit(limit) => format!("did not end within {} s", limit.as_secs_f32()),
            End::Stopped => "was stopped".to_owned(),
            End::Died => "took the emulator down".to_owned(),
        };
        let mut text = format!("{}: the firmware {how}", self.machine);
        match self.last_error() {
            Some(line) => {
                let _ = write!(text, ": {}", line.message);
            }
            None => {
                for line in self.lines.iter().rev().take(3).rev() {
                    let _ = write!(text, "\n    {line}");
                }
                if self.lines.is_empty() {
                    text.push_str(" without a line of log");
                }
            }
        }
        let said = self
            .emulator_messages
            .lines()
            .filter(|line| !line.contains(HARMLESS));
        for line in said.take(5) {
            let _ = write!(text, "\n    emulator: {line}");
        }
        Err(Error::new(text))
    }

    /// The firmware's last error line.
    #[must_use]
    pub fn last_error(&self) -> Option<&LogLine> {
        self.lines
            .iter()
            .rev()
            .find(|line| line.level == Some(Level::Error))
    }

    /// The rest of the first message that begins with `prefix`, for figures such as "stack peak: ".
    #[must_use]
    pub fn value(&self, prefix: &str) -> Option<&str> {
        self.lines
            .iter()
            .find_map(|line| line.message.strip_prefix(prefix))
    }
}

/// QEMU says this of SysTick at every start of the Stellaris machine.
const HARMLESS: &str = "Timer with period zero";

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(end: End, lines: &[(Level, &str)]) -> Outcome {
        let line = |&(level, message): &(Level, &str)| LogLine {
            timestamp: "0.1".into(),
            level: Some(level),
            message: message.into(),
        };
        Outcome {
            machine: Machine::Lm3s6965evb,
            end,
            lines: lines.iter().map(line).collect(),
            emulator_messages: "Timer with period zero, disabling\nqemu: fatal: Lockup\n".into(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn a_failure_speaks_with_the_firmwares_last_error_line() {
        let lines = [
            (Level::Error, "first"),
            (Level::Error, "no answer"),
            (Level::Info, "stack peak: 12 of 99"),
        ];
        let outcome = outcome(End::Exit(1), &lines);
        let text = outcome.check().map_err(|error| error.to_string());
        let expected = "lm3s6965evb: the firmware failed: no answer\n    emulator: qemu: fatal: Lockup";
        assert_eq!(text, Err(expected.into()));
        assert_eq!(outcome.value("stack peak: "), Some("12 of 99"));
    }

    #[test]
    fn without_an_error_line_the_last_lines_are_shown() {
        let text = outcome(End::Limit(Duration::from_secs(2)), &[(Level::Info, "connecting")]).check();
        let text = text.map_err(|error| error.to_string()).unwrap_err();
        assert!(
            text.starts_with("lm3s6965evb: the firmware did not end within 2 s\n"),
            "{text}"
        );
        assert!(text.contains("connecting"), "{text}");
    }

    #[test]
    fn exit_code_zero_is_success_whatever_was_logged() {
        assert!(
            outcome(End::Exit(0), &[(Level::Error, "survived")])
                .check()
                .is_ok()
        );
    }
}
