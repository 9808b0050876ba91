//! Which function's source an instruction comes from, whatever it was inlined into.

use addr2line::Context;
use addr2line::gimli::{self, Dwarf, EndianSlice, LittleEndian};
use anyhow::{Context as _, Result};
use object::{File, Object, ObjectSection};

/// The debug information of an image.
pub(crate) struct Lines<'d>(Context<EndianSlice<'d, LittleEndian>>);

impl<'d> Lines<'d> {
    /// # Errors
    /// The debug information is broken.
    pub(crate) fn new(dwarf: Dwarf<EndianSlice<'d, LittleEndian>>) -> Result<Self> {
        Ok(Self(Context::from_dwarf(dwarf)?))
    }

    /// The innermost function at `address`, as Rust writes it.
    pub(crate) fn function_at(&self, address: u64) -> Result<String> {
        let mut frames = self.0.find_frames(address).skip_all_loads()?;
        let frame = frames.next()?.and_then(|frame| frame.function);
        let name = frame.with_context(|| format!("no debug information at {address:#x}"))?;
        Ok(format!("{:#}", rustc_demangle::demangle(&name.raw_name()?)))
    }
}

/// The debug information of an ELF file.
///
/// # Errors
/// It is none.
pub(crate) fn dwarf(data: &[u8]) -> Result<Dwarf<EndianSlice<'_, LittleEndian>>> {
    let file = File::parse(data)?;
    Ok(Dwarf::load(|section| {
        let section = file.section_by_name(section.name());
        let data = section.and_then(|section| section.data().ok());
        Ok::<_, gimli::Error>(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
    })?)
}
