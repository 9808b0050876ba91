//! Which trait each vtable of an image is for, as the debug information says.

use addr2line::gimli::{self, AttributeValue, Dwarf, EndianSlice, LittleEndian, Operation, Unit};
use anyhow::Result;

/// A vtable: where it lies, and for which trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vtable {
    /// First octet.
    pub(crate) start: u64,
    /// First octet behind it.
    pub(crate) end: u64,
    /// The trait with its arguments, as Rust writes it.
    pub(crate) of: String,
}

/// All vtables that the image has.
///
/// # Errors
/// The debug information is broken.
pub(crate) fn read(dwarf: &Dwarf<EndianSlice<'_, LittleEndian>>) -> Result<Vec<Vtable>> {
    let mut vtables = Vec::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries();
        while let Some((_, entry)) = entries.next_dfs()? {
            if entry.tag() != gimli::DW_TAG_variable {
                continue;
            }
            let Some(name) = text(dwarf, &unit, entry)? else {
                continue;
            };
            let Some(implemented) = name.strip_suffix("::{vtable}") else {
                continue;
            };
            let (Some(start), Some(size)) = (address(&unit, entry)?, size(&unit, entry)?) else {
                continue;
            };
            let (_, of) = implemented.rsplit_once(" as ").unwrap_or(("", implemented));
            vtables.push(Vtable {
                start,
                end: start + size,
                of: of.trim_end_matches('>').to_owned(),
            });
        }
    }
    Ok(vtables)
}

type Slice<'d> = EndianSlice<'d, LittleEndian>;
type Entry<'e, 'd> = gimli::DebuggingInformationEntry<'e, 'e, Slice<'d>>;

fn text(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>, entry: &Entry<'_, '_>) -> Result<Option<String>> {
    let Some(value) = entry.attr_value(gimli::DW_AT_name)? else {
        return Ok(None);
    };
    let name = dwarf.attr_string(unit, value)?;
    Ok(Some(name.to_string_lossy().into_owned()))
}

/// Where a variable lies; `None` for one that is in no memory.
fn address(unit: &Unit<Slice<'_>>, entry: &Entry<'_, '_>) -> Result<Option<u64>> {
    let Some(AttributeValue::Exprloc(expression)) = entry.attr_value(gimli::DW_AT_location)? else {
        return Ok(None);
    };
    let first = expression.operations(unit.encoding()).next()?;
    Ok(match first {
        Some(Operation::Address { address }) => Some(address),
        _ => None,
    })
}

/// The size of a variable's type.
fn size(unit: &Unit<Slice<'_>>, entry: &Entry<'_, '_>) -> Result<Option<u64>> {
    let Some(AttributeValue::UnitRef(offset)) = entry.attr_value(gimli::DW_AT_type)? else {
        return Ok(None);
    };
    let of = unit.entry(offset)?;
    Ok(of
        .attr_value(gimli::DW_AT_byte_size)?
        .and_then(|value| value.udata_value()))
}
