//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, one after the other, for a time or a number of inputs.

mod corpus;
mod engine;
mod record;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

use engine::{Engine, Figures};
use record::{Record, Run};

/// What to run, for how long, and what to keep.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target; without one, all in turn
    #[arg(value_parser = TARGETS.map(|target| target.name))]
    target: Option<String>,
    /// Minutes for each target; 1 unless --runs is given
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: Option<u64>,
    /// Inputs for each target
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Add how many inputs were run to tests/fuzz/RECORD.md
    #[arg(long)]
    record: bool,
    /// With --record: run nothing, take the figures from what libFuzzer printed earlier
    #[arg(long, value_name = "LOG", requires = "record", requires = "target", conflicts_with_all = ["minutes", "runs"])]
    log: Option<PathBuf>,
    /// Afterwards put the smallest set of inputs with the same coverage into tests/fuzz/corpus
    #[arg(long)]
    minimise: bool,
}

impl Options {
    fn chosen(&self) -> impl Iterator<Item = &'static Target> {
        TARGETS
            .iter()
            .filter(|target| self.target.as_ref().is_none_or(|name| name == target.name))
    }

    /// How long a target runs: as libFuzzer's arguments, and as ours.
    fn limits(&self) -> (Vec<String>, String) {
        let (mut engine, mut ours) = (Vec::new(), String::new());
        if let Some(runs) = self.runs {
            engine.push(format!("-runs={runs}"));
            ours += &format!(" --runs {runs}");
        }
        if let Some(minutes) = self.minutes.or(self.runs.is_none().then_some(1)) {
            engine.push(format!("-max_total_time={}", minutes * 60));
            ours += &format!(" --minutes {minutes}");
        }
        (engine, ours)
    }
}

/// One function of `tests/fuzz/src`.
struct Target {
    name: &'static str,
    /// Octets of the longest input: more cost time and show nothing new.
    max_len: u32,
    /// Whether it is news that an input passes an edge more often. For a whole connection everything is.
    counts: bool,
}

impl Target {
    /// A parser.
    const fn of_octets(name: &'static str) -> Self {
        Self {
            name,
            max_len: 96,
            counts: true,
        }
    }

    /// A target of more than a few hundred edges, with an input of so many octets.
    const fn large(name: &'static str, max_len: u32) -> Self {
        Self {
            name,
            max_len,
            counts: false,
        }
    }
}

/// Runs the chosen targets.
///
/// # Errors
/// A tool is missing and cannot be had, or an input broke a promise: the message says which and how to see it again.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut record = Record::read(workspace)?;
    if let (Some(log), Some(target)) = (&options.log, options.chosen().next()) {
        let figures = Figures::read(&std::fs::read_to_string(log)?)?;
        record.add(Run::of(
            target.name,
            &figures,
            &format!("cargo xtask fuzz {} --runs {}", target.name, figures.runs),
        )?);
        return record.write();
    }
    let (limits, ours) = options.limits();
    let engine = Engine::ensure(workspace, options.target.as_deref())?;
    let mut failed = Vec::new();
    for target in options.chosen() {
        println!("\n==> {}: {}", target.name, ours.trim());
        corpus::prepare(workspace, target.name)?;
        let outcome = engine.fuzz(target, &limits)?;
        println!("    {}", outcome.figures);
        if options.record {
            let command = format!("cargo xtask fuzz {}{ours}", target.name);
            record.add(Run::of(target.name, &outcome.figures, &command)?);
            record.write()?;
        }
        if let Some(input) = outcome.finding {
            corpus::keep_finding(workspace, target.name, &input)?;
            failed.push(target.name);
        } else if options.minimise {
            engine.minimise(target)?;
        }
    }
    if !failed.is_empty() {
        bail!("a promise was broken: {}", failed.join(", "));
    }
    Ok(())
}

/// Cheap ones first.
const TARGETS: [Target; 11] = [
    Target::of_octets("text"),
    Target::of_octets("message_framing"),
    Target::of_octets("frame_decoder"),
    Target::of_octets("large_field"),
    Target::large("hpack_decoder", 96),
    Target::large("generated_decoders", 96),
    Target::large("server_bytes", 64),
    Target::large("client_bytes", 64),
    Target::large("end_to_end", 97),
    Target::large("grpc_server_bytes", 64),
    Target::large("grpc_client_bytes", 64),
];
