//! cargo-fuzz, which builds the targets with instrumentation, and libFuzzer, which runs them.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Target, corpus};
use crate::process;
use crate::workspace::Workspace;

/// Targets that are built.
pub(super) struct Engine<'w> {
    workspace: &'w Workspace,
    /// Of their programs.
    folder: PathBuf,
}

/// How a run ended.
pub(super) struct Outcome {
    pub(super) figures: Figures,
    /// The input that broke a promise.
    pub(super) finding: Option<PathBuf>,
}

/// What libFuzzer counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Inputs that were run.
    pub(super) runs: u64,
    /// Inputs in a second.
    pub(super) per_second: u64,
    /// Edges of the program that some input passed.
    pub(super) edges: u64,
    /// Inputs that are worth keeping.
    pub(super) corpus: u64,
}

impl<'w> Engine<'w> {
    /// Builds one target, or all. Without a sanitizer, because there is no `unsafe` in what is tested, but with every
    /// assertion and overflow check; without traces of comparisons, which take half of the speed.
    pub(super) fn ensure(workspace: &'w Workspace, target: Option<&str>) -> Result<Self> {
        let cargo_fuzz = cargo_fuzz(workspace)?;
        let build = workspace.target.join("fuzz/build");
        let mut command = Command::new(cargo_fuzz);
        command
            .current_dir(workspace.root.join("tests/fuzz/cargo-fuzz"))
            .args(["fuzz", "build", "--fuzz-dir", ".", "--sanitizer", "none"])
            .args(["--debug-assertions", "--no-trace-compares", "--target-dir"])
            .arg(&build)
            .args(target);
        process::run(&mut command)?;
        Ok(Self {
            workspace,
            folder: build.join(host()?).join("release"),
        })
    }

    /// Runs a target until its limits are reached, or an input breaks a promise.
    pub(super) fn fuzz(&self, target: &Target, limits: &[String]) -> Result<Outcome> {
        let findings = corpus::findings(self.workspace, target.name);
        std::fs::create_dir_all(&findings)?;
        let mut command = Command::new(self.folder.join(target.name));
        command
            .args(limits)
            .arg(format!("-max_len={}", target.max_len))
            .arg(format!("-use_counters={}", u8::from(target.counts)))
            // For a whole connection, to weigh and to shorten inputs takes a third of the time.
            .arg(format!("-entropic={}", u8::from(target.counts)))
            .arg(format!("-reduce_inputs={}", u8::from(target.counts)))
            .args(["-print_final_stats=1", "-timeout=10"])
            .arg(format!("-artifact_prefix={}/", findings.display()))
            .arg(corpus::working(self.workspace, target.name));
        println!("    $ {}", process::line(&command));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let output = child.stderr.take().context("no output to read")?;
        let mut log = String::new();
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            if !NOISE.iter().any(|noise| line.contains(noise)) {
                println!("    {line}");
            }
            log.push_str(&line);
            log.push('\n');
        }
        let status = child.wait()?;
        let finding = log
            .lines()
            .find_map(|line| line.split_once("Test unit written to "))
            .map(|(_, path)| PathBuf::from(path.trim()));
        if !status.success() && finding.is_none() {
            bail!("{} ended with {status}, and wrote no input", target.name);
        }
        Ok(Outcome {
            figures: Figures::read(&log)?,
            finding,
        })
    }

    /// Replaces the committed corpus by the smallest set that covers what the working one does.
    pub(super) fn minimise(&self, target: &Target) -> Result<()> {
        let kept = self.workspace.target.join("fuzz/kept").join(target.name);
        if kept.exists() {
            std::fs::remove_dir_all(&kept)?;
        }
        std::fs::create_dir_all(&kept)?;
        // Counters make many inputs out of one: the committed corpus is to be small.
        let mut command = Command::new(self.folder.join(target.name));
        command
            .args(["-merge=1", "-use_counters=0", "-timeout=10"])
            .arg(format!("-max_len={}", target.max_len))
            .arg(&kept)
            .arg(corpus::working(self.workspace, target.name))
            .stderr(Stdio::null());
        process::run(&mut command)?;
        corpus::commit(self.workspace, target.name, &kept)
    }
}

impl Figures {
    /// From what libFuzzer printed.
    pub(super) fn read(log: &str) -> Result<Self> {
        let statistic = |name: &str| {
            let line = log.lines().rev().find(|line| line.starts_with(name))?;
            line.split_whitespace().last()?.parse().ok()
        };
        let status = log
            .lines()
            .rev()
            .find(|line| line.starts_with('#') && line.contains(" cov: "));
        let after = |name: &str| {
            let mut words = status.unwrap_or_default().split_whitespace();
            words.find(|word| *word == name)?;
            words.next()?.split('/').next()?.parse().ok()
        };
        Ok(Self {
            runs: statistic("stat::number_of_executed_units:")
                .context("libFuzzer said nothing at its end")?,
            per_second: statistic("stat::average_exec_per_sec:").unwrap_or(0),
            edges: after("cov:").unwrap_or(0),
            corpus: after("corp:").unwrap_or(0),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} inputs, {} a second, {} edges covered, {} inputs worth keeping",
            self.runs, self.per_second, self.edges, self.corpus
        )
    }
}

/// Finds cargo-fuzz below the target folder, or installs it there.
fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    let root = workspace.target.join(format!("tools/cargo-fuzz-{CARGO_FUZZ}"));
    let program = root.join("bin/cargo-fuzz");
    if !program.is_file() {
        println!(
            "    cargo-fuzz {CARGO_FUZZ}: installing it below {}",
            root.display()
        );
        let mut command = workspace.cargo();
        command
            .args([
                "install",
                "cargo-fuzz",
                "--locked",
                "--version",
                CARGO_FUZZ,
                "--root",
            ])
            .arg(&root);
        process::run(&mut command)?;
    }
    Ok(program)
}

/// The triple of this computer.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = process::output(Command::new(rustc).arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say its host")
}

const CARGO_FUZZ: &str = "0.13.2";

/// In lines that come too often, or say nothing.
const NOISE: [&str; 6] = [
    "NEW",
    "REDUCE",
    "# Uses",
    "######",
    "INFO:",
    "WARNING: Failed to find function",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_that_libfuzzer_printed_last() {
        let log = "#2\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 26Mb\n\
            #500\tDONE   cov: 368 ft: 876 corp: 445/6671b lim: 96 exec/s: 250 rss: 29Mb\n\
            Done 500 runs in 2 second(s)\n\
            stat::number_of_executed_units: 500\n\
            stat::average_exec_per_sec:     250\n";
        let expected = Figures {
            runs: 500,
            per_second: 250,
            edges: 368,
            corpus: 445,
        };
        assert_eq!(Figures::read(log).unwrap(), expected);
        assert!(Figures::read("killed").is_err());
    }
}
