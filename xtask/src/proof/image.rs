//! A linked image as a graph: its functions, what each calls, and whose address is taken.
//!
//! The image is linked with `--emit-relocs`, so every reference from one function to another is written down by the
//! linker, and with a `.stack_sizes` section, in which the compiler says how much stack each function takes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use object::elf;
use object::{File, Object, ObjectSection, ObjectSymbol, RelocationFlags, SymbolKind};

use super::thumb;

/// A function of the image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    /// Its name as written in Rust; several, where the linker or the compiler put equal functions together.
    pub(crate) names: Vec<String>,
    /// First octet.
    pub(crate) address: u64,
    /// Octets of code.
    pub(crate) size: u64,
    /// Octets of stack that it takes itself.
    pub(crate) frame: u64,
    /// Addresses of the functions that it calls, or jumps to as its last act.
    pub(crate) calls: BTreeSet<u64>,
    /// Addresses of the functions that it names without calling them.
    pub(crate) takes: BTreeSet<u64>,
    /// It calls what a pointer points to.
    pub(crate) calls_pointers: bool,
}

impl Function {
    /// The name to show.
    pub(crate) fn name(&self) -> &str {
        self.names.first().map_or("?", String::as_str)
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// How one function refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    /// Its last act, or a step of a loop.
    Jump,
    Name,
}

/// All functions of an image by address, and what is referenced from constants.
#[derive(Debug, Default)]
pub(crate) struct Image {
    /// By address.
    pub(crate) functions: BTreeMap<u64, Function>,
    /// Functions whose address stands in a constant or a variable, vtables most of all: the place, and the function.
    pub(crate) in_data: BTreeSet<(u64, u64)>,
    /// The compiler's name and version.
    pub(crate) compiler: String,
    /// The names of all symbols, as Rust writes them.
    pub(crate) symbols: Vec<String>,
    /// Where functions are called from or named: first the function, then the place.
    pub(crate) sites: BTreeSet<(u64, u64)>,
}

impl Image {
    /// Reads the octets of an ELF file.
    ///
    /// # Errors
    /// It is none, or it lacks symbols, relocations or stack sizes.
    pub(crate) fn read(data: &[u8]) -> Result<Self> {
        let file = File::parse(data)?;
        let mut image = Self::default();
        image.add_functions(&file);
        ensure!(
            image.functions.len() >= FEWEST_FUNCTIONS,
            "there is no symbol table: do not strip the image"
        );
        image.compiler = compiler(&file).context("no section .comment names a rustc")?;
        let known = image.add_frames(&file)?;
        image.add_references(&file)?;
        image.look_at_code(&file, &known)?;
        Ok(image)
    }

    /// The function that holds `address`.
    pub(crate) fn function_at(&self, address: u64) -> Option<&Function> {
        let (_, function) = self.functions.range(..=address).next_back()?;
        (address < function.address + function.size.max(1)).then_some(function)
    }

    fn add_functions(&mut self, file: &File<'_>) {
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            if name.is_empty() || name.starts_with('$') {
                continue;
            }
            let name = format!("{:#}", rustc_demangle::demangle(name));
            self.symbols.push(name.clone());
            let has_code = symbol
                .section_index()
                .and_then(|index| file.section_by_index(index).ok())
                .is_some_and(|section| section.kind() == object::SectionKind::Text);
            if symbol.kind() != SymbolKind::Text || !has_code {
                continue;
            }
            // The lowest bit says that it is Thumb code.
            let address = symbol.address() & !1;
            let function = self.functions.entry(address).or_default();
            function.address = address;
            function.size = function.size.max(symbol.size());
            function.names.push(name);
            function.names.sort();
        }
    }

    /// Returns the functions whose frame the compiler says.
    fn add_frames(&mut self, file: &File<'_>) -> Result<BTreeSet<u64>> {
        let section = file
            .section_by_name(".stack_sizes")
            .context("no section .stack_sizes: the image was built without -Z emit-stack-sizes")?;
        let mut rest = section.data()?;
        let mut known = BTreeSet::new();
        while let Some((address, after)) = rest.split_first_chunk::<4>() {
            let address = u64::from(u32::from_le_bytes(*address)) & !1;
            let (frame, after) = leb128(after).context("the section .stack_sizes is cut off")?;
            rest = after;
            if let Some(function) = self.functions.get_mut(&address) {
                function.frame = function.frame.max(frame);
                known.insert(address);
            }
        }
        Ok(known)
    }

    fn add_references(&mut self, file: &File<'_>) -> Result<()> {
        let mut count = 0;
        for section in file.sections() {
            let object::SectionFlags::Elf { sh_flags } = section.flags() else {
                continue;
            };
            if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
                continue;
            }
            // The processor's own table of what it calls at reset and at exceptions.
            if section.name() == Ok(".vector_table") {
                continue;
            }
            let data = section.data()?;
            for (place, relocation) in section.relocations() {
                count += 1;
                let RelocationFlags::Elf { r_type } = relocation.flags() else {
                    continue;
                };
                let start = usize::try_from(place - section.address())?;
                let octets = data.get(start..).unwrap_or_default();
                let target = match r_type {
                    elf::R_ARM_NONE => continue,
                    elf::R_ARM_ABS32 | elf::R_ARM_TARGET1 => thumb::word(octets),
                    elf::R_ARM_THM_PC22 | elf::R_ARM_THM_JUMP24 | elf::R_ARM_THM_JUMP19 => {
                        thumb::branch_target(octets, place)
                    }
                    // Distances to tables and constants, never to functions; and the two halves of an address.
                    _ => symbol_address(file, &relocation),
                };
                let kind = match r_type {
                    elf::R_ARM_THM_PC22 => Kind::Call,
                    elf::R_ARM_THM_JUMP24 | elf::R_ARM_THM_JUMP19 => Kind::Jump,
                    _ => Kind::Name,
                };
                let target = target.with_context(|| format!("relocation {r_type} at {place:#x}"))?;
                self.add_reference(place, target & !1, kind);
            }
        }
        ensure!(
            count > 0,
            "no relocations: the image was linked without --emit-relocs"
        );
        Ok(())
    }

    fn add_reference(&mut self, place: u64, target: u64, kind: Kind) {
        if !self.functions.contains_key(&target) {
            return;
        }
        self.sites.insert((target, place));
        let from = self.function_at(place).map(|function| function.address);
        match from.and_then(|from| self.functions.get_mut(&from)) {
            // A loop: its frame is gone before the jump.
            Some(function) if kind == Kind::Jump && function.address == target => {}
            Some(function) if kind == Kind::Name => drop(function.takes.insert(target)),
            Some(function) => drop(function.calls.insert(target)),
            None => drop(self.in_data.insert((place, target))),
        }
    }

    /// Finds calls through pointers, and the frames that the compiler does not say: those of assembly.
    fn look_at_code(&mut self, file: &File<'_>, known: &BTreeSet<u64>) -> Result<()> {
        let data = data_ranges(file);
        for function in self.functions.values_mut() {
            let Some(section) = file.sections().find(|section| {
                (section.address()..section.address() + section.size()).contains(&function.address)
            }) else {
                continue;
            };
            let start = usize::try_from(function.address - section.address())?;
            let end = start + usize::try_from(function.size)?;
            let code = section.data()?.get(start..end).unwrap_or_default();
            let seen = thumb::look_at(code, |offset| data.contains(&(function.address + offset)));
            function.calls_pointers = seen.calls_pointers;
            for offset in seen.calls {
                let place = usize::try_from(offset)?;
                let call = code.get(place..).unwrap_or_default();
                function
                    .calls
                    .extend(thumb::branch_target(call, function.address + offset));
            }
            if !known.contains(&function.address) {
                function.frame = seen.pushed;
            }
        }
        Ok(())
    }
}

/// Addresses of octets between instructions that are none: mapping symbols say where they begin and end.
fn data_ranges(file: &File<'_>) -> BTreeSet<u64> {
    let mut marks: Vec<(u64, bool)> = file
        .symbols()
        .filter_map(|symbol| {
            let name = symbol.name().ok()?;
            let is_data = name.starts_with("$d");
            (is_data || name.starts_with("$t")).then_some((symbol.address() & !1, is_data))
        })
        .collect();
    marks.sort_unstable();
    let ends = marks.iter().skip(1).map(|(address, _)| *address);
    let ranges = marks.iter().zip(ends).filter(|((_, is_data), _)| *is_data);
    ranges
        .flat_map(|((start, _), end)| (*start..end).step_by(2))
        .collect()
}

/// The first compiler that the image names, without its commit.
fn compiler(file: &File<'_>) -> Option<String> {
    let data = file.section_by_name(".comment")?.data().ok()?;
    let texts = data.split(|octet| *octet == 0).map(String::from_utf8_lossy);
    let rustc = texts.into_iter().find(|text| text.starts_with("rustc version"))?;
    Some(rustc.split(" (").next().unwrap_or_default().to_owned())
}

fn symbol_address(file: &File<'_>, relocation: &object::Relocation) -> Option<u64> {
    let object::RelocationTarget::Symbol(index) = relocation.target() else {
        return None;
    };
    file.symbol_by_index(index).ok().map(|symbol| symbol.address())
}

/// An unsigned number in the code of DWARF, and what follows.
fn leb128(octets: &[u8]) -> Option<(u64, &[u8])> {
    let len = octets.iter().position(|octet| octet & 0x80 == 0)? + 1;
    let (number, rest) = octets.split_at(len);
    let value = number.iter().rev().try_fold(0_u64, |value, octet| {
        Some(value.checked_mul(128)? | u64::from(octet & 0x7f))
    });
    Some((value?, rest))
}

/// A stripped image has none.
const FEWEST_FUNCTIONS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leb128_reads_numbers_of_any_length() {
        assert_eq!(leb128(&[0x08, 1]), Some((8, &[1][..])));
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26]), Some((624_485, &[][..])));
        assert_eq!(leb128(&[0x80]), None);
    }
}
