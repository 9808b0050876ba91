//! `cargo xtask test`: everything that proves behaviour, on this host and on emulated machines.

use crate::report::Report;
use crate::workspace::Workspace;
use crate::{process, python};

/// Adds the steps to `report`.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let python = report.step("Python's grpcio, to test against a foreign gRPC", || {
        python::ensure(workspace)
    });
    report.step(
        "Host tests of all packages, with the examples of their docs",
        || {
            let mut command = workspace.cargo();
            command.args(["test", "--workspace", "--no-fail-fast"]);
            if let Some(python) = &python {
                command.env("RPC_NOSTD_PYTHON", python);
            }
            process::run(&mut command)
        },
    );
}
