//! Reads a linked firmware: how much flash and static RAM it takes, and whether an allocator got in.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::read::elf::ElfFile32;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionFlags, elf};

/// Static sizes of one linked program, in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Code, constants and the initial values of variables.
    pub(crate) flash: u64,
    /// Variables, initialised or not. The stack is not in it.
    pub(crate) ram: u64,
}

/// Adds up the loaded sections of the program.
///
/// # Errors
/// The file is missing, or not a 32-bit ELF.
pub(crate) fn measure(program: &Path) -> Result<Sizes> {
    let data = fs::read(program).with_context(|| program.display().to_string())?;
    let file = ElfFile32::<Endianness>::parse(&*data).with_context(|| program.display().to_string())?;
    let mut sizes = Sizes::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        if !sh_flags.contains(elf::SHF_ALLOC) {
            continue;
        }
        let is_written = sh_flags.contains(elf::SHF_WRITE);
        // A section with file contents is loaded from flash, even if it is then copied to RAM.
        if section.file_range().is_some() {
            sizes.flash += section.size();
        }
        if is_written {
            sizes.ram += section.size();
        }
    }
    Ok(sizes)
}

/// Proves that no heap is linked in.
///
/// # Errors
/// Names the symbols of an allocator, or says that the program has no symbols to look at.
pub(crate) fn check_no_allocator(program: &Path) -> Result<()> {
    let data = fs::read(program).with_context(|| program.display().to_string())?;
    let file = ElfFile32::<Endianness>::parse(&*data).with_context(|| program.display().to_string())?;
    let names: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    ensure!(
        names.len() > FEWEST_SYMBOLS,
        "{} has no symbol table to search",
        program.display()
    );
    let found: Vec<&&str> = names
        .iter()
        .filter(|name| ALLOCATOR_SYMBOLS.iter().any(|part| name.contains(part)))
        .collect();
    ensure!(
        found.is_empty(),
        "{} links an allocator: {found:?}",
        program.display()
    );
    println!(
        "    {}: {} symbols, none of an allocator",
        file_name(program),
        names.len()
    );
    Ok(())
}

/// Compares measured sizes with the golden file, or rewrites that.
///
/// # Errors
/// The program grew by more than the tolerance, or there is no golden file.
pub(crate) fn compare(program: &str, sizes: Sizes, golden: &Path, update: bool) -> Result<()> {
    println!(
        "    {program}: flash {} B, static RAM {} B",
        sizes.flash, sizes.ram
    );
    if update {
        return fs::write(golden, render(sizes)).with_context(|| golden.display().to_string());
    }
    let text = fs::read_to_string(golden).with_context(|| {
        format!(
            "no golden sizes in {}; make them with: cargo xtask ci --update",
            golden.display()
        )
    })?;
    let wanted = parse(&text).with_context(|| golden.display().to_string())?;
    for (what, now, before) in [
        ("flash", sizes.flash, wanted.flash),
        ("static RAM", sizes.ram, wanted.ram),
    ] {
        let tolerance = before / TOLERANCE_DIVISOR;
        if now > before + tolerance {
            bail!("{program}: {what} grew from {before} to {now} B; if it must: cargo xtask ci --update");
        }
        if now + tolerance < before {
            println!(
                "    {program}: {what} shrank from {before} to {now} B; keep it: cargo xtask ci --update"
            );
        }
    }
    Ok(())
}

fn render(sizes: Sizes) -> String {
    let mut text =
        String::from("# Octets in the linked release build; rewritten by: cargo xtask ci --update\n");
    let _ = writeln!(text, "flash = {}", sizes.flash);
    let _ = writeln!(text, "ram = {}", sizes.ram);
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
        ram: value("ram")?,
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

const ALLOCATOR_SYMBOLS: [&str; 6] = [
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

    #[test]
    fn parse_gives_back_what_render_wrote() {
        let sizes = Sizes {
            flash: 123_456,
            ram: 7_890,
        };
        assert_eq!(parse(&render(sizes)).unwrap(), sizes);
    }

    #[test]
    fn parse_missing_line_is_named() {
        assert!(parse("flash = 1\n").unwrap_err().to_string().contains("ram"));
    }

    #[test]
    fn compare_growth_above_tolerance_fails() {
        let golden = std::env::temp_dir().join(format!("xtask-sizes-{}.size", std::process::id()));
        let before = Sizes {
            flash: 10_000,
            ram: 1_000,
        };
        compare("p", before, &golden, true).unwrap();
        assert!(
            compare(
                "p",
                Sizes {
                    flash: 10_200,
                    ram: 1_020
                },
                &golden,
                false
            )
            .is_ok()
        );
        assert!(
            compare(
                "p",
                Sizes {
                    flash: 10_201,
                    ram: 1_000
                },
                &golden,
                false
            )
            .is_err()
        );
        assert!(
            compare(
                "p",
                Sizes {
                    flash: 9_000,
                    ram: 1_021
                },
                &golden,
                false
            )
            .is_err()
        );
        fs::remove_file(golden).unwrap();
    }
}
