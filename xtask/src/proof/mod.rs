//! `cargo xtask proof`: what linked images say about panics, allocators, unsafe code and the depth of the stack.
//!
//! The images are those of `qemu/proof`: one for each role, with the public API of that role and nothing else. Three
//! more are controls that break a rule each: the checks must find that.

mod golden;
mod image;
mod lines;
mod names;
mod run;
mod stack;
mod surface;
mod symbols;
mod thumb;
mod unsafe_code;
mod vtables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use self::golden::Golden;
use self::image::Image;
use self::lines::Lines;
use crate::report::Report;
use crate::toolchain::BareMetal;
use crate::workspace::{PUBLISHED, Workspace};
use crate::{layers, process, qemu};

/// Adds the steps to `report`. With `update`, golden files are rewritten.
pub(crate) fn run(workspace: &Workspace, report: &mut Report, update: bool) {
    report.step("No unsafe code in ours, nor in what is generated", || {
        unsafe_code::check(workspace)
    });
    report.step("Every public function is in an image of the proof", || {
        let named = surface::paths_in(&folder(workspace).join("src"))?;
        for published in PUBLISHED.iter().filter(|published| published.no_std) {
            surface::check(workspace, published.package, &named)?;
        }
        Ok(())
    });
    let Some(images) = report.step("Images that hold the public API, and nothing else", || {
        build(workspace)
    }) else {
        return;
    };
    report.step("The proof finds what the controls do wrong", || {
        check_controls(&images)
    });
    if report
        .step("The emulator on which their stack is painted", qemu::ensure)
        .is_none()
    {
        return;
    }
    for (name, elf) in images.iter().filter(|(name, _)| !name.starts_with(CONTROL)) {
        report.step(&format!("No panic, no allocator, bounded stack: {name}"), || {
            check_image(workspace, name, elf, update)
        });
    }
}

/// Lints the images' sources; a warning is an error.
///
/// # Errors
/// There is no compiler for them, or there are findings.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    let bare_metal = BareMetal::ensure(workspace)?;
    let target = workspace.firmware_target();
    let target = target.to_str().context("the target folder's path is not UTF-8")?;
    let arguments = ["--release", "-p", "proof", "--target-dir", target];
    process::run(&mut bare_metal.lint(workspace, &workspace.firmware(), TARGET, &arguments))
}

fn check_image(workspace: &Workspace, name: &str, elf: &Path, update: bool) -> Result<()> {
    let data = fs::read(elf).with_context(|| elf.display().to_string())?;
    let image = Image::read(&data)?;
    symbols::check_no_allocator(&image)?;
    let resumed = symbols::resumed(&image)?;
    let dwarf = lines::dwarf(&data)?;
    let vtables = vtables::read(&dwarf)?;
    let lines = Lines::new(dwarf)?;
    let resumed = ours(&lines, &resumed)?;
    let depth = stack::analyse(&image, &vtables)?;
    let painted = run::painted_stack(elf)?;
    println!(
        "    {} functions, none allocates; panics: {}",
        image.functions.len(),
        match resumed.len() {
            0 => "none".to_owned(),
            count => format!("none but those of {count} async fns that nobody polls once more"),
        }
    );
    println!("    stack: {painted} B in a run, {} B at worst", depth.worst);
    ensure!(
        painted <= depth.worst,
        "the stack was {painted} B deep on the emulator, but {} B is the worst that was found",
        depth.worst
    );
    let compiler = image.compiler.clone();
    let golden = Golden {
        compiler,
        resumed,
        depth,
        painted,
    };
    golden.check(&folder(workspace).join(format!("golden/{name}.toml")), update)
}

/// Names of the `async fn`s of ours at these places: those of the programs are not. An `async` block goes by the name of
/// the `async fn` in which it stands.
///
/// # Errors
/// One place is in neither.
fn ours(lines: &Lines<'_>, places: &[u64]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for place in places {
        let name = names::plain(&lines.function_at(*place)?);
        let is_async = name.ends_with("}") && name.contains(ASYNC_FN);
        ensure!(is_async, "{name} is no async fn, and panics");
        let name = match name.split_once(ASYNC_FN) {
            Some((function, _)) => format!("{function}{ASYNC_FN}"),
            None => name,
        };
        if OURS
            .iter()
            .any(|start| name.trim_start_matches('<').starts_with(start))
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// What the compiler makes of the body of an `async fn`.
const ASYNC_FN: &str = "::{closure#0}";

/// How the names of our functions begin, generated ones included.
const OURS: [&str; 2] = ["rpc_nostd::", "proof::generated::"];

/// The controls break a rule each.
fn check_controls(images: &BTreeMap<String, PathBuf>) -> Result<()> {
    for (control, wanted, check) in CONTROLS {
        let name = format!("{CONTROL}{control}");
        let elf = images.get(&name).with_context(|| format!("no image {name}"))?;
        match check(&Image::read(&fs::read(elf)?)?) {
            Ok(()) => bail!("{name} passes: the proof is blind for what it does"),
            Err(error) if error.to_string().contains(wanted) => println!("    {name}: {error:#}"),
            Err(error) => bail!("{name} fails, but not because {wanted}: {error:#}"),
        }
    }
    Ok(())
}

type Check = fn(&Image) -> Result<()>;

/// Names of controls, what must be said of them, and by which check.
const CONTROLS: [(&str, &str, Check); 3] = [
    ("panic", "it can panic", |image| symbols::resumed(image).map(drop)),
    ("alloc", "it allocates", symbols::check_no_allocator),
    ("recursion", "calls itself", |image| {
        stack::analyse(image, &[]).map(drop)
    }),
];
const CONTROL: &str = "control_";

/// Builds all images, as firmware is built, and with what the proofs read: relocations and stack sizes.
fn build(workspace: &Workspace) -> Result<BTreeMap<String, PathBuf>> {
    let bare_metal = BareMetal::ensure(workspace)?;
    let setup = bare_metal.setup(TARGET);
    let mut command = match &setup {
        Some(setup) => Command::new(setup.cargo),
        None => workspace.cargo(),
    };
    let target = workspace.firmware_target().join("proof");
    command.current_dir(workspace.firmware());
    command.args([
        "build",
        "--release",
        "-p",
        "proof",
        "--target",
        TARGET,
        "--target-dir",
    ]);
    command.arg(&target);
    if let Some(setup) = setup {
        command.args(setup.arguments).envs(setup.variables);
        command.env_remove("RUSTUP_TOOLCHAIN");
    }
    // Stack sizes are an unstable option; nothing else of the build is unstable.
    command.env("RUSTC_BOOTSTRAP", "1");
    command.env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.env("RUSTFLAGS", "-Z emit-stack-sizes -C link-arg=--emit-relocs");
    process::run(&mut command)?;
    let folder = target.join(TARGET).join("release");
    names(workspace)?
        .into_iter()
        .map(|name| {
            let elf = folder.join(&name);
            ensure!(elf.is_file(), "cargo built no {}", elf.display());
            Ok((name, elf))
        })
        .collect()
}

fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let metadata = layers::metadata(workspace, &workspace.firmware())?;
    let targets = layers::package(&metadata, "proof")?["targets"]
        .as_array()
        .context("no targets")?;
    let binaries = targets.iter().filter(|target| target["kind"][0] == "bin");
    Ok(binaries
        .filter_map(|target| target["name"].as_str())
        .map(str::to_owned)
        .collect())
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.firmware().join("proof")
}

/// The smallest machine that we promise.
const TARGET: &str = "thumbv7m-none-eabi";
