//! `cargo xtask ci`: what a pull request must pass. Cheap checks come first.

use crate::report::Report;
use crate::workspace::Workspace;
use crate::{hygiene, layers, licences, package, process, test, variants};

/// Adds the steps to `report`. With `update`, golden files are rewritten.
pub(crate) fn run(workspace: &Workspace, report: &mut Report, _update: bool) {
    report.step("Formatting", || {
        process::run(workspace.cargo().args(["fmt", "--all", "--check"]))
    });
    report.step("Length of files, open tasks, unsafe code", || {
        hygiene::check(workspace)
    });
    report.step("Layers: who imports whom", || layers::check(workspace));
    report.step("Licences and sources of dependencies", || {
        licences::check(workspace, &workspace.root)
    });
    report.step("Lints", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        process::run(workspace.cargo().args(arguments))
    });
    report.step("Documentation without warnings", || {
        let mut command = workspace.cargo();
        command
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings");
        process::run(&mut command)
    });
    report.step(
        "Every feature alone, none, all; on this host and bare metal",
        || variants::check(workspace),
    );
    report.step("Oldest compiler that we promise", || {
        package::check_oldest_compiler(workspace)
    });
    report.step("Packages as users get them", || package::check(workspace));
    test::run(workspace, report);
}
