//! `cargo xtask conformance`: HTTP/2 as others test it. h2spec calls an ordinary gRPC server of ours, h2specd is called
//! by an ordinary client of ours. Both must run all their cases, and all must pass.

mod bench;
mod cases;
mod transcript;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::interop::Role;
use crate::report::{Report, Skip};
use crate::workspace::Workspace;
use crate::{go, process};

use bench::{Bench, CLIENT_PORTS, Run, Subject};
use cases::{Cases, Judgement};

/// Which of the tests to run; all of them by default.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Only our server
    #[arg(long)]
    server: bool,
    /// Only our client
    #[arg(long, conflicts_with = "server")]
    client: bool,
    /// Only this section or case, such as http2/6.5, hpack/2.3.3/1 or client/5.1; may be given several times
    #[arg(long = "case", value_name = "SECTION")]
    sections: Vec<String>,
    /// Test this instead of ours: with --server the HOST:PORT of a server, with --client a command that takes a URL
    #[arg(long, value_name = "ADDRESS|COMMAND")]
    in_place_of_ours: Option<String>,
}

/// Runs what `options` choose.
///
/// # Errors
/// A case failed or was not run, or on CI something could not be had.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut report = Report::new(workspace.ci);
    add_steps(workspace, &mut report, options);
    report.finish()
}

/// Adds all of it to `report`.
pub(crate) fn check(workspace: &Workspace, report: &mut Report) {
    add_steps(workspace, report, &Options::default());
}

fn add_steps(workspace: &Workspace, report: &mut Report, options: &Options) {
    let bench = report.step("h2spec and h2specd, by which others test HTTP/2", || {
        set_up(workspace, options)
    });
    let Some(bench) = bench else { return };
    if options.in_place_of_ours.is_none() {
        let built = report.step("Our ordinary server and client, to test by them", || {
            let arguments = ["build", "--package", "rpc-nostd-interop-host"];
            process::run(workspace.cargo().args(arguments))
        });
        if built.is_none() {
            return;
        }
    }
    report.step(
        "All cases of h2spec against our server, of h2specd against our client",
        || judge(&play(&bench, rows(options, &bench)?)?),
    );
}

fn set_up(workspace: &Workspace, options: &Options) -> Result<Bench> {
    let sources = workspace.root.join("tests/conformance/h2spec");
    let bench = Bench {
        tools: workspace.target.join("conformance/tools"),
        programs: workspace.target.join("debug"),
        logs: workspace.target.join("conformance/logs"),
        sections: options.sections.clone(),
        server_cases: Cases::read(&sources.join("server-cases.txt"), SERVER_CASES)?,
        client_cases: Cases::read(&sources.join("client-cases.txt"), CLIENT_CASES)?,
        client_ports: bench::free_ports(CLIENT_PORTS * MAX_ROWS)?,
    };
    for section in &options.sections {
        let is_known = [&bench.server_cases, &bench.client_cases]
            .iter()
            .any(|cases| cases.has(section));
        ensure!(
            is_known,
            "there is no case {section}: the files in {} list all",
            sources.display()
        );
    }
    ensure!(
        options.in_place_of_ours.is_none() || options.server || options.client,
        "--in-place-of-ours needs --server or --client, to say what it is"
    );
    for folder in [&bench.tools, &bench.logs] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let installed = go::build_tools(&sources, &bench.tools, "h2spec");
    installed.map_err(|missing| anyhow::Error::from(Skip(format!("{missing:#}"))))?;
    Ok(bench)
}

/// Something to test.
struct Row {
    role: Role,
    subject: Subject,
    /// Known to be bad: a tool that finds nothing wrong with it proves nothing.
    is_bad: bool,
}

impl Row {
    fn title(&self) -> String {
        match (self.is_bad, self.role) {
            (false, _) => self.subject.title(),
            (true, Role::Server) => "a server that hangs up at once".to_owned(),
            (true, Role::Client) => "a client that does nothing".to_owned(),
        }
    }
}

fn rows(options: &Options, bench: &Bench) -> Result<Vec<Row>> {
    let row = |role, subject, is_bad| Row {
        role,
        subject,
        is_bad,
    };
    let mut rows = Vec::new();
    match &options.in_place_of_ours {
        Some(other) => rows.extend([
            row(Role::Server, Subject::Address(other.clone()), false),
            row(Role::Client, Subject::Command(other.clone()), false),
        ]),
        None => {
            rows.extend(OURS.map(|(role, program, flags)| row(role, Subject::Ours(program, flags), false)));
            rows.push(row(Role::Server, Subject::Address(slammer()?), true));
            rows.push(row(Role::Client, Subject::Command("false".to_owned()), true));
        }
    }
    rows.retain(|row| match row.role {
        Role::Server => !options.client && bench.has_cases(Role::Server),
        Role::Client => !options.server && bench.has_cases(Role::Client),
    });
    ensure!(
        !rows.is_empty(),
        "the sections are of the other side than the one to test"
    );
    Ok(rows)
}

/// The address of a server that closes every connection at once.
fn slammer() -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    let address = listener.local_addr().context("no free port")?;
    thread::spawn(move || listener.incoming().for_each(drop));
    Ok(address.to_string())
}

/// Servers one after the other, which takes a moment; then clients side by side: most of the time h2specd waits.
fn play(bench: &Bench, rows: Vec<Row>) -> Result<Vec<(Row, Run)>> {
    let (servers, clients): (Vec<_>, Vec<_>) = (0..).zip(rows).partition(|(_, row)| row.role == Role::Server);
    let mut played = Vec::new();
    for (number, row) in servers {
        let run = bench.run(row.role, &row.subject, number)?;
        played.push((row, run));
    }
    let runs: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = clients
            .iter()
            .map(|(number, row)| scope.spawn(|| bench.run(row.role, &row.subject, *number)))
            .collect();
        started.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for ((_, row), run) in clients.into_iter().zip(runs) {
        let run = run.map_err(|_| anyhow!("a run of h2specd panicked"))??;
        played.push((row, run));
    }
    Ok(played)
}

/// Prints the table, and below it everything that is wrong.
///
/// # Errors
/// Anything is.
fn judge(played: &[(Row, Run)]) -> Result<()> {
    let mut wrong = Vec::new();
    println!(
        "    {:<8} {:<38} {:>10} {:>8}",
        "tool", "tested", "passed", "time"
    );
    for (row, run) in played {
        let (tool, title) = (bench::tool(row.role), row.title());
        let Judgement {
            wanted,
            passed,
            complaints,
        } = &run.judgement;
        let verdict = match (row.is_bad, complaints.is_empty()) {
            (false, true) => "",
            (false, false) => "  FAILED",
            (true, false) => "  found to be bad, as it is",
            (true, true) => "  FAILED: not found to be bad",
        };
        println!(
            "    {tool:<8} {title:<38} {:>10} {:>6.1} s{verdict}",
            format!("{passed} of {wanted}"),
            run.took.as_secs_f64()
        );
        if row.is_bad == complaints.is_empty() {
            let log = run.log.display();
            wrong.push(format!(
                "{tool}, {title}: {passed} of {wanted}; all that it printed is in {log}"
            ));
            wrong.extend(complaints.iter().map(|complaint| format!("  {complaint}")));
        }
    }
    if !wrong.is_empty() {
        println!("    {}", wrong.join("\n    "));
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// Our programs, and the options with which they are tested. A server of a device's size has two connections, but h2spec
/// leaves some open that it needs no more; with blocking servers there are more. h2specd wants a client to stay after its
/// response, and takes the end of the connection within 2 seconds for an answer to frames that may also be ignored.
const OURS: [(Role, &str, &[&str]); 7] = [
    (Role::Server, "interop_server", &[]),
    (Role::Server, "interop_server", &["--blocking"]),
    (Role::Server, "interop_server", &["--blocking", "--small"]),
    (Role::Client, "grpc_call", &["--stay", "1"]),
    (Role::Client, "grpc_call", &["--stay", "1", "--small"]),
    (Role::Client, "grpc_call", &["--stay", "1", "--blocking"]),
    (
        Role::Client,
        "grpc_call",
        &["--stay", "1", "--blocking", "--small"],
    ),
];

/// Ours, and the two that are bad on purpose.
const MAX_ROWS: u16 = 9;
/// Of h2spec 2.2.1, strict ones included.
const SERVER_CASES: usize = 146;
/// Of its h2specd.
const CLIENT_CASES: usize = 57;
