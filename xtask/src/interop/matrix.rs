//! Outcomes of all cells, as a table for the terminal and as a file for the repository.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::cases;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    Fail(String),
    /// Why it could not be run here.
    Skip(String),
}

impl Outcome {
    pub(crate) fn failed(error: &anyhow::Error) -> Self {
        Self::Fail(format!("{error:#}"))
    }

    fn mark(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "FAIL",
            Self::Skip(_) => "-",
        }
    }
}

/// One peer, one role of ours, on one target.
pub(crate) struct Row {
    pub(crate) peer: &'static str,
    pub(crate) role: &'static str,
    pub(crate) target: &'static str,
    /// As many as the matrix has cases.
    pub(crate) outcomes: Vec<Outcome>,
}

/// All rows.
pub(crate) struct Matrix {
    cases: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
}

impl Matrix {
    pub(crate) fn new(cases: Vec<&'static str>) -> Self {
        Self {
            cases,
            rows: Vec::new(),
        }
    }

    /// How many cells failed and were skipped.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let count = |mark: &str| {
            let cells = self.rows.iter().flat_map(|row| &row.outcomes);
            cells.filter(|outcome| outcome.mark() == mark).count()
        };
        (count("FAIL"), count("-"))
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{:<9}{:<10}{:<13}", "peer", "our role", "target");
        for case in &self.cases {
            let _ = write!(text, "{:>5}", cases::number(case));
        }
        for row in &self.rows {
            let _ = write!(text, "\n{:<9}{:<10}{:<13}", row.peer, row.role, row.target);
            for outcome in &row.outcomes {
                let _ = write!(text, "{:>5}", outcome.mark());
            }
        }
        text.push_str("\n\n");
        for case in &self.cases {
            let _ = writeln!(text, "{:>3} {case}", cases::number(case));
        }
        for (title, reasons) in self.reasons() {
            let _ = writeln!(text, "\n{title}:");
            for reason in reasons {
                let _ = writeln!(text, "    {reason}");
            }
        }
        let (failed, skipped) = self.counts();
        let cells = self.rows.len() * self.cases.len();
        let _ = write!(
            text,
            "\n{} passed, {failed} failed, {skipped} skipped",
            cells - failed - skipped
        );
        text
    }

    /// For the repository: the same, and what it was made with.
    pub(crate) fn markdown(&self, command: &str, date: &str, versions: &[(&str, &str)]) -> String {
        let mut text = format!("# Interop results\n\n{INTRODUCTION}\n\nMade by `{command}` on {date}.\n\n");
        text.push_str("| peer | our role | target |");
        for case in &self.cases {
            let _ = write!(text, " {} |", cases::number(case));
        }
        let _ = write!(text, "\n|---|---|---|{}", "---|".repeat(self.cases.len()));
        for row in &self.rows {
            let _ = write!(text, "\n| {} | {} | {} |", row.peer, row.role, row.target);
            for outcome in &row.outcomes {
                let _ = write!(text, " {} |", outcome.mark());
            }
        }
        text.push_str("\n\nCases:\n\n");
        for case in &self.cases {
            let _ = writeln!(text, "{}. `{case}`", cases::number(case));
        }
        text.push_str("\n| peer | version |\n|---|---|\n");
        for (peer, version) in versions {
            let _ = writeln!(text, "| {peer} | {} |", one_line(version));
        }
        for (title, reasons) in self.reasons() {
            let _ = writeln!(text, "\n{title}:\n");
            for reason in reasons {
                let _ = writeln!(text, "- {reason}");
            }
        }
        text
    }

    /// Of failures and of skips, with the cells that they are of; the same reason for several cases of a row is one line.
    fn reasons(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut lists: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for row in &self.rows {
            let mut last: Option<(&Outcome, Vec<&str>)> = None;
            let mut groups = Vec::new();
            for (outcome, case) in row.outcomes.iter().zip(&self.cases) {
                match &mut last {
                    Some((same, cases)) if *same == outcome => cases.push(case),
                    _ => groups.extend(last.replace((outcome, vec![case]))),
                }
            }
            groups.extend(last);
            for (outcome, cases) in groups {
                let (title, reason) = match outcome {
                    Outcome::Pass => continue,
                    Outcome::Fail(reason) => ("Failed", reason),
                    Outcome::Skip(reason) => ("Skipped", reason),
                };
                let which = if cases.len() == self.cases.len() {
                    "all".to_owned()
                } else {
                    cases.join(", ")
                };
                let line = format!(
                    "{}, our {} on {}: {which}: {}",
                    row.peer,
                    row.role,
                    row.target,
                    one_line(reason)
                );
                lists.entry(title).or_default().push(line);
            }
        }
        lists
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const INTRODUCTION: &str = "\
The official gRPC interop cases between this project's client and server and other gRPC implementations. In a row with
our role *client*, our client calls the peer's server; with our role *server*, the peer's client calls ours. Rows of
nginx, HAProxy and Envoy have that proxy between our program and grpc-go's. The target is what our program runs on: this
computer, or a Cortex-M machine that QEMU emulates.";

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let mut matrix = Matrix::new(vec!["empty_unary", "ping_pong", "rpc_soak"]);
        let row = |peer, outcomes| Row {
            peer,
            role: "client",
            target: "host",
            outcomes,
        };
        let bad = || Outcome::Fail("wrong\n  size".to_owned());
        matrix.rows.push(row("go", vec![Outcome::Pass, bad(), bad()]));
        matrix
            .rows
            .push(row("java", vec![Outcome::Skip("no java".to_owned()); 3]));
        matrix
    }

    #[test]
    fn text_cells_are_pass_fail_or_dash_with_reasons_below() {
        let text = matrix().text();
        assert!(
            text.contains("go       client    host          pass FAIL FAIL\n"),
            "{text}"
        );
        assert!(
            text.contains("    go, our client on host: ping_pong, rpc_soak: wrong size\n"),
            "{text}"
        );
        assert!(
            text.contains("    java, our client on host: all: no java\n"),
            "{text}"
        );
        assert!(text.ends_with("1 passed, 2 failed, 3 skipped"), "{text}");
    }

    #[test]
    fn markdown_has_the_same_cells() {
        let text = matrix().markdown("cargo xtask interop", "2001-02-03", &[("go", "grpc-go 1.0")]);
        assert!(
            text.contains("| go | client | host | pass | FAIL | FAIL |\n"),
            "{text}"
        );
        assert!(text.contains("| java | client | host | - | - | - |\n"), "{text}");
        assert!(
            text.contains("Made by `cargo xtask interop` on 2001-02-03."),
            "{text}"
        );
    }
}
