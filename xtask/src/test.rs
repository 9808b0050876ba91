//! `cargo xtask test`: everything that proves behaviour, on this host and on emulated machines.

use std::path::Path;

use anyhow::{Result, bail};
use qemu_harness::checks::{self, Check};

use crate::device::{Boot, PROGRAM};
use crate::firmware::{self, Program};
use crate::go::Peer;
use crate::report::{Report, Skip};
use crate::server::{Profile, PythonServer, Server};
use crate::story::{Mode, Story};
use crate::workspace::Workspace;
use crate::{
    conformance, corpora, examples, guide, interop, process, proof, protobuf, python, qemu, served, witness,
};

/// Adds the steps to `report` and gives the firmware that was built, for further checks. With `update`, the golden files
/// of the proof are rewritten.
pub(crate) fn run(workspace: &Workspace, report: &mut Report, update: bool) -> Vec<Program> {
    let python = report.step("Python's grpcio, to test against a foreign gRPC", || {
        python::ensure(workspace)
    });
    let protoc = report.step("A protoc, to run the generator as its plugin", || {
        python::protoc(workspace)
    });
    report.step("Corpora that the HPACK and HTTP/2 tests read", || {
        corpora::check(workspace)
    });
    report.step(
        "Host tests of all packages, with the examples of their docs",
        || {
            let mut command = workspace.cargo();
            command.args(["test", "--workspace", "--no-fail-fast"]);
            if let Some(python) = &python {
                command.env("RPC_NOSTD_PYTHON", python);
            }
            if let Some(python) = &protoc {
                command.env("RPC_NOSTD_PROTOC_PYTHON", python);
            }
            process::run(&mut command)
        },
    );
    conformance::check(workspace, report);
    protobuf::check(workspace, report);
    let go = report.step("grpc-go, to test against another", || {
        Peer::ensure(workspace, Profile::Test).map_err(|missing| Skip(format!("{missing:#}")).into())
    });
    proof::run(workspace, report, update);
    let programs = firmware::build_everything(workspace, report);
    if report
        .step("The emulator that stands in for boards", qemu::ensure)
        .is_some()
    {
        check_machines(report, &programs);
        run_on_machines(workspace, report, &programs, python.as_deref());
        if let Some(go) = go {
            run_with_go(report, &programs, &go);
        }
        report.step(
            "The examples, on this computer and on the machines, each with each",
            || examples::run(workspace),
        );
        report.step("The guide's pages, and the first service that they build", || {
            guide::check_pages(workspace)?;
            guide::first_service(workspace)
        });
        report.step(
            "The official interop cases, against all peers, in both roles",
            || interop::check(workspace),
        );
    }
    programs
}

fn check_machines(report: &mut Report, programs: &[Program]) {
    let suites: [(&str, &[Check]); 2] = [(SELFTEST, &checks::ALL), (served::PROGRAM, &checks::SERVER)];
    for (name, suite) in suites {
        for program in programs.iter().filter(|program| program.name == name) {
            for check in suite {
                let why = format!("{}: {}", program.machine, check.name);
                report.step(&why, || Ok(check.run(program.machine, &program.elf)?));
            }
        }
    }
}

fn run_with_go(report: &mut Report, programs: &[Program], go: &Peer) {
    for program in programs.iter().filter(|program| program.name == PROGRAM) {
        report.step(&format!("{} calls grpc-go", program.title()), || {
            let mut server = Server::start_go(go)?;
            let story = story_of(program, server.port)?;
            fail_with(&witness::contradictions(&story, &server.calls()?))
        });
    }
    for program in programs.iter().filter(|program| program.name == served::PROGRAM) {
        report.step(&format!("grpc-go calls {}", program.title()), || {
            served::run(program, go, None, &mut |who, text| println!("    {who}: {text}")).map(drop)
        });
    }
}

fn run_on_machines(workspace: &Workspace, report: &mut Report, programs: &[Program], python: Option<&Path>) {
    for program in programs.iter().filter(|program| program.name == PROGRAM) {
        report.step(&format!("{} calls tonic", program.title()), || {
            let mut server = Server::start(workspace, Profile::Test)?;
            let story = story_of(program, server.port)?;
            fail_with(&witness::contradictions(&story, &server.calls()?))
        });
        let Some(python) = python else { continue };
        report.step(&format!("{} calls Python's grpcio", program.title()), || {
            let server = PythonServer::start(workspace, python)?;
            story_of(program, server.port).map(drop)
        });
    }
}

fn story_of(program: &Program, port: u16) -> Result<Story> {
    let mut story = Story::default();
    let boot = Boot {
        program,
        mode: Mode::Interop,
        port,
        capture: None,
    };
    boot.run(&mut |text| {
        println!("    {text}");
        story.hear(text);
    })?;
    fail_with(&story.complaints(Mode::Interop))?;
    Ok(story)
}

fn fail_with(complaints: &[String]) -> Result<()> {
    if !complaints.is_empty() {
        bail!("{}", complaints.join("; "));
    }
    Ok(())
}

/// The firmware that tests machines, drivers and harness.
const SELFTEST: &str = "selftest";
