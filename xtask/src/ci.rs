//! `cargo xtask ci`: what a pull request must pass. Cheap checks come first.

use qemu_harness::Machine;

use crate::licences::Reach;
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{
    firmware, guide, hygiene, layers, licences, package, process, proof, sizes, test, trace, variants,
};

/// Adds the steps to `report`. With `update`, golden files are rewritten.
pub(crate) fn run(workspace: &Workspace, report: &mut Report, update: bool) {
    report.step("Formatting", || {
        for folder in [
            workspace.root.clone(),
            workspace.firmware(),
            workspace.root.join(guide::FIRST_SERVICE),
        ] {
            let mut command = workspace.cargo();
            process::run(command.current_dir(folder).args(["fmt", "--all", "--check"]))?;
        }
        Ok(())
    });
    report.step("Length of files, open tasks, unsafe code", || {
        hygiene::check(workspace)
    });
    report.step("Rules: each enforced in code and proved by a test", || {
        trace::run(workspace, &trace::Options::default())
    });
    report.step("Layers: who imports whom", || layers::check(workspace));
    report.step("Licences and sources of dependencies", || {
        licences::check(workspace, &workspace.root, Reach::Host)?;
        licences::check(workspace, &workspace.firmware(), Reach::Product)
    });
    lints(workspace, report);
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
    let programs = test::run(workspace, report, update);
    sizes::check(workspace, report, &programs, update);
}

/// Everything, as the compiler's lints have it; a warning is an error.
fn lints(workspace: &Workspace, report: &mut Report) {
    report.step("Lints", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        process::run(workspace.cargo().args(arguments))?;
        // Tests may be long scripts; other functions may not.
        let arguments = [
            "clippy",
            "--workspace",
            "--lib",
            "--bins",
            "--",
            "-D",
            "warnings",
            "-D",
            LONG_FUNCTIONS,
        ];
        process::run(workspace.cargo().args(arguments))
    });
    for machine in Machine::ALL {
        report.step(&format!("Lints of the firmware for {machine}"), || {
            firmware::lint(workspace, machine)
        });
    }
    report.step("Lints of the images of the proof", || proof::lint(workspace));
    report.step("Lints of the guide's firmware", || guide::lint(workspace));
}

const LONG_FUNCTIONS: &str = "clippy::too_many_lines";
