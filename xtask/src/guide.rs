//! `cargo xtask guide`: the guide's first service as a reader builds it, and whether its pages show the code that is run.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use qemu_harness::{Machine, Run};

use crate::device::LIMIT;
use crate::toolchain::BareMetal;
use crate::workspace::Workspace;
use crate::{process, python, qemu};

/// Compares the pages with the code, builds the firmware of the first page, and lets it call its server.
///
/// # Errors
/// A page shows other code than is run, something cannot be set up, or the call does not do what the page says.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    println!("==> The guide's code is the code that is run");
    check_pages(workspace)?;
    println!("\n==> The emulator that stands in for a board");
    qemu::ensure()?;
    println!("\n==> The guide's first service");
    first_service(workspace)
}

/// Looks at every page.
///
/// # Errors
/// Lists the blocks that are not what their files say, and the files of the first service that its page lacks.
pub(crate) fn check_pages(workspace: &Workspace) -> Result<()> {
    let (mut findings, mut count) = (Vec::new(), 0);
    let mut shown = Vec::new();
    for page in pages(workspace)? {
        let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
        for block in blocks(&text) {
            count += 1;
            let path = workspace.root.join(block.path);
            let file = fs::read_to_string(&path).with_context(|| block.path.to_owned())?;
            if !block.is_in(&file) {
                findings.push(format!("{}: not as in {}", page.display(), block.path));
            }
            shown.push(path);
        }
    }
    for file in FIRST_SERVICE_FILES {
        let path = workspace.root.join(FIRST_SERVICE).join(file);
        if !shown.contains(&path) {
            findings.push(format!("{FIRST_SERVICE}/{file} is on no page"));
        }
    }
    if !findings.is_empty() {
        bail!("{} findings:\n    {}", findings.len(), findings.join("\n    "));
    }
    println!("    {count} blocks of code");
    Ok(())
}

/// Lints the first service; a warning is an error.
///
/// # Errors
/// There is no compiler for it, or there are findings.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    let folder = workspace.firmware_target();
    let folder = folder.to_str().context("the target folder's path is not UTF-8")?;
    let package = workspace.root.join(FIRST_SERVICE);
    let arguments = ["--release", "--target-dir", folder];
    let bare_metal = BareMetal::ensure(workspace)?;
    process::run(&mut bare_metal.lint(workspace, &package, Machine::Lm3s6965evb.target(), &arguments))
}

/// Runs server and firmware as the page says.
///
/// # Errors
/// One of the tools is missing, or one of the two does not say what it should.
pub(crate) fn first_service(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join(FIRST_SERVICE);
    let python = python::environment(
        &workspace.target.join("guide-python"),
        &folder.join("requirements.txt"),
        "grpc, grpc_tools",
    )?;
    let mut server = Server::start(&python, &folder)?;
    let device = boot(workspace, &folder)?;
    ensure!(
        device.contains(DEVICE_SAYS),
        "the device did not log `{DEVICE_SAYS}`, but:\n{device}"
    );
    let heard = server.line()?;
    ensure!(
        heard == SERVER_SAYS,
        "the server did not print `{SERVER_SAYS}`, but `{heard}`"
    );
    println!("    server: {heard}");
    Ok(())
}

/// `cargo device`, or where the compiler for bare metal is another one, the same in two steps.
fn boot(workspace: &Workspace, folder: &Path) -> Result<String> {
    let Some(setup) = BareMetal::ensure(workspace)?.setup(Machine::Lm3s6965evb.target()) else {
        let mut command = workspace.cargo();
        command.current_dir(folder).arg("device");
        command.env("CARGO_TARGET_DIR", workspace.firmware_target());
        println!("    $ {}", process::line(&command));
        let log = process::output(&mut command)?;
        log.lines().for_each(|line| println!("    device: {line}"));
        return Ok(log);
    };
    let mut command = Command::new(setup.cargo);
    command
        .current_dir(folder)
        .args(["build", "--release", "--target", Machine::Lm3s6965evb.target()]);
    command.args(setup.arguments).envs(setup.variables);
    command.env("CARGO_TARGET_DIR", workspace.firmware_target());
    command.env_remove("RUSTUP_TOOLCHAIN");
    process::run(&mut command)?;
    let images = workspace.firmware_target().join(Machine::Lm3s6965evb.target());
    let image = images.join("release/first-service");
    let run = Run::new(Machine::Lm3s6965evb, &image).limit(LIMIT);
    let outcome = run.start(|line| println!("    device: {line}"))?.wait();
    outcome.check()?;
    let said = outcome.lines.iter().map(|line| line.message.clone());
    Ok(said.collect::<Vec<_>>().join("\n"))
}

fn pages(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.root.join("docs/guide");
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        pages.push(entry?.path());
    }
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    ensure!(!pages.is_empty(), "{}: no pages", folder.display());
    Ok(pages)
}

/// A fenced block of a page that says where its code is from.
struct Block<'p> {
    path: &'p str,
    is_whole: bool,
    text: String,
}

impl Block<'_> {
    /// The whole file, or some lines of it, indented or not.
    fn is_in(&self, file: &str) -> bool {
        if self.is_whole {
            return self.text == file;
        }
        let wanted: Vec<&str> = self.text.lines().map(str::trim).collect();
        let lines: Vec<&str> = file.lines().map(str::trim).collect();
        !wanted.is_empty() && lines.windows(wanted.len()).any(|window| window == wanted)
    }
}

/// Blocks whose first line is "```rust file=path" or "```rust part=path".
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let body: String = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .map(|line| format!("{line}\n"))
            .collect();
        let source = info.split(' ').find_map(|word| match word.split_once('=')? {
            ("file", path) => Some((path, true)),
            ("part", path) => Some((path, false)),
            _ => None,
        });
        if let Some((path, is_whole)) = source {
            let text = body;
            blocks.push(Block { path, is_whole, text });
        }
    }
    blocks
}

/// The page's server.
struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(python: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(python);
        command.current_dir(folder).arg("server.py");
        println!("    $ {}", process::line(&command));
        let mut child = command.stdout(Stdio::piped()).spawn().context("server.py")?;
        let output = child.stdout.take().context("no pipe from server.py")?;
        let output = BufReader::new(output);
        let mut server = Self { child, output };
        let first = server.line()?;
        ensure!(
            first == "serving",
            "server.py does not serve on port 50051: another program may have the port"
        );
        Ok(server)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).context("server.py is gone")?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its folder.
pub(crate) const FIRST_SERVICE: &str = "examples/first-service";

/// What a reader types or copies.
const FIRST_SERVICE_FILES: [&str; 8] = [
    ".cargo/config.toml",
    "Cargo.toml",
    "build.rs",
    "proto/fleet.proto",
    "proto/fleet.toml",
    "requirements.txt",
    "server.py",
    "src/main.rs",
];

const DEVICE_SAYS: &str = "next report in 60 s: thank you";
const SERVER_SAYS: &str = "pump-17: 3300 mV, [-5, 21] degrees";

#[cfg(test)]
mod tests {
    use super::blocks;

    const PAGE: &str = "a\n```rust file=a.rs\nfn a() {}\n```\n```text\nno code\n```\n```toml part=b.toml\n  b = 1\nc = 2\n```\n";

    #[test]
    fn block_with_a_source_is_compared_and_any_other_is_not() {
        let blocks = blocks(PAGE);
        let paths: Vec<&str> = blocks.iter().map(|block| block.path).collect();
        assert_eq!(paths, ["a.rs", "b.toml"]);
    }

    #[test]
    fn whole_file_is_the_same_to_the_letter() {
        let blocks = blocks(PAGE);
        assert!(blocks[0].is_in("fn a() {}\n"));
        assert!(!blocks[0].is_in("fn a() {}\n\n"));
    }

    #[test]
    fn part_is_a_run_of_lines() {
        let blocks = blocks(PAGE);
        assert!(blocks[1].is_in("a = 0\nb = 1\n    c = 2\nd = 3\n"));
        assert!(!blocks[1].is_in("b = 1\nd = 3\nc = 2\n"));
    }
}
