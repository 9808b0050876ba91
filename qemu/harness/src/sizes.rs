//! Flash and RAM of an image.

use std::path::Path;

use object::{Object, ObjectSection, ObjectSymbol, SectionFlags};

use crate::Error;

/// What an image occupies, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Flash: code, constants, vector table and the initial values of variables.
    pub flash: u64,
    /// Statically allocated RAM: variables, task futures, buffers. The stack is not in it.
    pub static_ram: u64,
    /// RAM set aside for the stack.
    pub stack: u64,
}

impl Sizes {
    /// Reads the sections of an ELF file.
    ///
    /// # Errors
    /// The file cannot be read or is no ELF file.
    pub fn of(elf: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(elf).map_err(Error::at(elf.display()))?;
        let file = object::File::parse(bytes.as_slice()).map_err(Error::at(elf.display()))?;
        let mut sizes = Self {
            flash: 0,
            static_ram: 0,
            stack: 0,
        };
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else {
                continue;
            };
            if sh_flags & u64::from(object::elf::SHF_ALLOC) == 0 {
                continue;
            }
            let has_bytes = section.file_range().is_some();
            let writable = sh_flags & u64::from(object::elf::SHF_WRITE) != 0;
            sizes.flash += if has_bytes { section.size() } else { 0 };
            sizes.static_ram += if writable { section.size() } else { 0 };
        }
        let symbol = |name: &str| {
            file.symbols()
                .find(|symbol| symbol.name() == Ok(name))
                .map_or(0, |symbol| symbol.address())
        };
        sizes.stack = symbol("_stack_start").saturating_sub(symbol("_stack_end"));
        Ok(sizes)
    }
}
