//! `tests/fuzz/RECORD.md`: how many inputs each target has run, by which commands. Its table of runs is what is counted.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::TARGETS;
use super::engine::Figures;
use crate::process;
use crate::workspace::Workspace;

/// The file in three parts: before the tables, the runs, and behind the tables.
pub(super) struct Record {
    path: PathBuf,
    before: String,
    runs: Vec<Run>,
    after: String,
}

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    target: String,
    date: String,
    inputs: u64,
    edges: u64,
    command: String,
}

impl Run {
    /// A run that ended today.
    pub(super) fn of(target: &str, figures: &Figures, command: &str) -> Result<Self> {
        let date = process::output(Command::new("date").args(["-u", "+%F"]))?;
        Ok(Self {
            target: target.to_owned(),
            date: date.trim().to_owned(),
            inputs: figures.runs,
            edges: figures.edges,
            command: command.to_owned(),
        })
    }

    fn parse(row: &str) -> Option<Self> {
        let cells: Vec<&str> = row.strip_prefix('|')?.split('|').map(str::trim).collect();
        let [target, date, inputs, edges, command, ""] = cells.as_slice() else {
            return None;
        };
        Some(Self {
            target: (*target).to_owned(),
            date: (*date).to_owned(),
            inputs: inputs.replace(',', "").parse().ok()?,
            edges: edges.parse().ok()?,
            command: command.trim_matches('`').to_owned(),
        })
    }

    fn row(&self) -> String {
        let Self {
            target,
            date,
            inputs,
            edges,
            command,
        } = self;
        format!(
            "| {target} | {date} | {} | {edges} | `{command}` |\n",
            grouped(*inputs)
        )
    }
}

impl Record {
    /// Reads the file of this checkout.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let path = workspace.root.join("tests/fuzz/RECORD.md");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let (before, tables, after) = parts(&text).context("RECORD.md lacks the lines around its tables")?;
        Ok(Self {
            before: before.to_owned(),
            runs: tables.lines().filter_map(Run::parse).collect(),
            after: after.to_owned(),
            path,
        })
    }

    /// Adds a run.
    pub(super) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Writes the file, with the sums as they are now.
    pub(super) fn write(&self) -> Result<()> {
        let text = format!("{}{BEGIN}{}{END}{}", self.before, self.tables(), self.after);
        std::fs::write(&self.path, text)?;
        Ok(())
    }

    fn tables(&self) -> String {
        let mut sums = BTreeMap::<&str, u64>::new();
        for run in &self.runs {
            *sums.entry(&run.target).or_default() += run.inputs;
        }
        let mut text = String::from("\n| target | inputs in all |\n|---|--:|\n");
        for target in TARGETS {
            let sum = sums.get(target.name).copied().unwrap_or(0);
            text += &format!("| {} | {} |\n", target.name, grouped(sum));
        }
        text += "\n| target | date | inputs | edges | command |\n|---|---|--:|--:|---|\n";
        for run in &self.runs {
            text += &run.row();
        }
        text + "\n"
    }
}

fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (tables, after) = rest.split_once(END)?;
    Some((before, tables, after))
}

/// With a comma for each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const BEGIN: &str = "<!-- runs: written by `cargo xtask fuzz --record` -->\n";
const END: &str = "<!-- end of runs -->\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up_and_are_read_again() {
        let run = |inputs| Run {
            target: "text".to_owned(),
            date: "2026-01-02".to_owned(),
            inputs,
            edges: 7,
            command: "cargo xtask fuzz text --minutes 1".to_owned(),
        };
        let record = Record {
            path: PathBuf::new(),
            before: String::new(),
            runs: vec![run(100_000_000), run(23)],
            after: String::new(),
        };
        let tables = record.tables();
        assert!(tables.contains("| text | 100,000,023 |"), "{tables}");
        let again: Vec<_> = tables.lines().filter_map(Run::parse).collect();
        assert_eq!(again, record.runs);
    }
}
