//! Checks of linked firmware: that flash and static RAM do not grow unseen, and that no allocator got in.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSymbol};
use qemu_harness::Sizes;

use crate::firmware::Program;
use crate::report::Report;
use crate::workspace::Workspace;

/// Adds both checks of each program to `report`. With `update`, golden files are rewritten.
pub(crate) fn check(workspace: &Workspace, report: &mut Report, programs: &[Program], update: bool) {
    for program in programs {
        report.step(&format!("No allocator in {}", program.title()), || {
            check_no_allocator(&program.elf)
        });
        report.step(&format!("Flash and RAM of {}", program.title()), || {
            compare(
                &program.title(),
                Sizes::of(&program.elf)?,
                &program.golden_sizes(workspace),
                update,
            )
        });
    }
}

/// Proves that no heap is linked in.
///
/// # Errors
/// Names the symbols of an allocator, or says that the program has no symbols to look at.
fn check_no_allocator(program: &Path) -> Result<()> {
    let data = fs::read(program).with_context(|| program.display().to_string())?;
    let file = object::File::parse(&*data).with_context(|| program.display().to_string())?;
    let names: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    ensure!(
        names.len() > FEWEST_SYMBOLS,
        "{} has no symbol table to search",
        program.display()
    );
    let found = allocator_symbols(&names);
    ensure!(
        found.is_empty(),
        "{} links an allocator: {found:?}; find out who asks for it: cargo tree -e features -i <crate>, in qemu/",
        program.display()
    );
    println!(
        "    {}: {} symbols, none of an allocator",
        file_name(program),
        names.len()
    );
    Ok(())
}

/// The names that only a program with a heap has.
fn allocator_symbols<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let is_of_an_allocator = |name: &str| ALLOCATOR_SYMBOLS.iter().any(|part| name.contains(part));
    names
        .iter()
        .copied()
        .filter(|name| is_of_an_allocator(name))
        .collect()
}

/// Compares measured sizes with the golden file, or rewrites that.
///
/// # Errors
/// The program grew by more than the tolerance, or there is no golden file.
fn compare(program: &str, sizes: Sizes, golden: &Path, update: bool) -> Result<()> {
    println!(
        "    {program}: flash {} B, static RAM {} B",
        sizes.flash, sizes.static_ram
    );
    if update {
        return fs::write(golden, render(sizes)).with_context(|| golden.display().to_string());
    }
    let text = fs::read_to_string(golden).with_context(|| {
        format!(
            "no golden sizes in {}; make them with: cargo xtask sizes --update",
            golden.display()
        )
    })?;
    let wanted = parse(&text).with_context(|| golden.display().to_string())?;
    for (what, now, before) in [
        ("flash", sizes.flash, wanted.flash),
        ("static RAM", sizes.static_ram, wanted.static_ram),
    ] {
        let tolerance = before / TOLERANCE_DIVISOR;
        if now > before + tolerance {
            bail!("{program}: {what} grew from {before} to {now} B; if it must: cargo xtask sizes --update");
        }
        if now + tolerance < before {
            println!(
                "    {program}: {what} shrank from {before} to {now} B; keep it: cargo xtask sizes --update"
            );
        }
    }
    Ok(())
}

fn render(sizes: Sizes) -> String {
    let mut text =
        String::from("# Octets in the linked release build; rewritten by: cargo xtask sizes --update\n");
    let _ = writeln!(text, "flash = {}", sizes.flash);
    let _ = writeln!(text, "ram = {}", sizes.static_ram);
    text
}

fn parse(text: &str) -> Result<Sizes> {
    let value = |name: &str| -> Result<u64> {
        let mut pairs = text.lines().filter_map(|line| line.split_once(" = "));
        let (_, number) = pairs
            .find(|(found, _)| *found == name)
            .with_context(|| format!("no line `{name} = `"))?;
        number
            .trim()
            .parse()
            .with_context(|| format!("`{name}` is not a number"))
    };
    Ok(Sizes {
        flash: value("flash")?,
        static_ram: value("ram")?,
        stack: 0,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Another compiler release lays code out a little differently: 2 per cent are no finding.
const TOLERANCE_DIVISOR: u64 = 50;

/// A stripped program has only a handful.
const FEWEST_SYMBOLS: usize = 50;

/// What the compiler makes for a global allocator, and everything of the crate `alloc` in both ways of writing symbols:
/// an allocator may be inlined without a trace, what is kept on the heap is not.
const ALLOCATOR_SYMBOLS: [&str; 9] = [
    "_ZN5alloc",
    "_5alloc",
    "$LT$alloc..",
    "__rust_alloc",
    "__rust_realloc",
    "__rg_alloc",
    "__rdl_alloc",
    "GlobalAlloc",
    "alloc_error_handler",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(flash: u64, static_ram: u64) -> Sizes {
        Sizes {
            flash,
            static_ram,
            stack: 0,
        }
    }

    #[test]
    fn parse_gives_back_what_render_wrote() {
        assert_eq!(
            parse(&render(sizes(123_456, 7_890))).unwrap(),
            sizes(123_456, 7_890)
        );
    }

    #[test]
    fn parse_missing_line_is_named() {
        assert!(parse("flash = 1\n").unwrap_err().to_string().contains("ram"));
    }

    #[test]
    fn allocator_symbols_are_found_in_both_manglings_and_nothing_else() {
        let heap = [
            "_RNvCsfLfy6EI15iL_7___rustc12___rust_alloc",
            "_RNvCsfLfy6EI15iL_7___rustc26___rust_alloc_error_handler",
            "_RNvNtCsgW8XzJOlkgF_5alloc7raw_vec12handle_error",
            "_ZN5alloc7raw_vec20RawVecInner$LT$A$GT$14grow_amortized17hafddd9971b79ea6eE",
            "_ZN63_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..clone..Clone$GT$5clone17h0E",
            "_ZN4demo4Bump$u20$as$u20$core..alloc..global..GlobalAlloc",
        ];
        assert_eq!(allocator_symbols(&heap), heap);
        let none = [
            "_ZN7smoltcp7storage11ring_buffer19RingBuffer$LT$T$GT$17dequeue_allocated17hceaca7a680b2b17bE",
            "_RNvCsfLfy6EI15iL_7___rustc17rust_begin_unwind",
            "main",
        ];
        assert!(allocator_symbols(&none).is_empty());
    }

    #[test]
    fn compare_growth_above_tolerance_fails() {
        let golden = std::env::temp_dir().join(format!("xtask-sizes-{}.size", std::process::id()));
        let before = sizes(10_000, 1_000);
        compare("p", before, &golden, true).unwrap();
        assert!(compare("p", sizes(10_200, 1_020), &golden, false).is_ok());
        assert!(compare("p", sizes(10_201, 1_000), &golden, false).is_err());
        assert!(compare("p", sizes(9_000, 1_021), &golden, false).is_err());
        fs::remove_file(golden).unwrap();
    }
}
