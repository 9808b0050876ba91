//! Header blocks in, header fields out (RFC 7541 sections 3 and 6). Called by HTTP/2's header-block code.

use crate::dynamic_table::{DynamicTable, ENTRY_OVERHEAD};
use crate::integer::Integer;
use crate::literal::Literal;
use crate::piece::{Piece, Region};
use crate::representation::Kind;
use crate::static_table;
use crate::{DecodeError, HeaderField};

/// What the caller wants to see of a header block. Anything above is decoded and counted, but not yielded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sum of name length + value length + 32 over the fields yielded of one block, in octets. A field that
    /// would exceed it is skipped; a smaller one behind it may still be yielded.
    pub max_list_size: u32,
    /// Number of fields yielded of one block.
    pub max_fields: u16,
}

/// What a whole header block held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlockSummary {
    /// All fields of the block, yielded and skipped; saturating.
    pub fields: u32,
    /// Fields that were not yielded, or not in full, because they were above a limit, or fitted in no memory; saturating.
    pub skipped: u32,
    /// Sum of name length + value length + 32 over all fields, skipped ones included; saturating.
    pub list_size: u32,
    /// Octets of the encoded block; saturating.
    pub encoded_size: u32,
}

/// The decoder of one connection, with the dynamic table that it shares with the peer's encoder.
///
/// # Calling contract
///
/// For each header block, in the order in which they arrive, and whether or not anybody wants its fields:
/// give every fragment to [`decode`](Self::decode) until that returns `None`, then call
/// [`finish`](Self::finish). A block that is not decoded to its end puts the table out of step for good.
///
/// An error is final: every later call returns it, until [`reset`](Self::reset).
///
/// # What is skipped
///
/// A field is yielded if it is within [`Limits`] and lies in one piece somewhere: in the static table, in the
/// dynamic table, or in the scratch (the strings of a literal that the tables do not hold). So the scratch
/// bounds literals: value alone where the name is indexed and the field is not, name + value otherwise. A
/// literal for the dynamic table that outgrows the scratch moves there while it is decoded. Of a value for which there
/// is no room, the beginning is yielded ([`HeaderField::truncated`]). Everything else is decoded, entered into the table
/// where it must, counted, and not yielded.
///
/// # Cost
///
/// Time is linear in the octets of the block. One field looks at no more entries than the table holds.
///
/// Spec: RFC 7541 section 3.
#[derive(Debug)]
pub struct Decoder<'m> {
    table: DynamicTable<'m>,
    literal: Literal<'m>,
    limits: Limits,
    /// Size updates may go this far: our SETTINGS_HEADER_TABLE_SIZE.
    limit: usize,
    /// The peer must first send a size update no larger than this.
    required: Option<usize>,
    state: State,
    /// The one under way, if `state` says so.
    integer: Integer,
    /// Of the literal under way.
    kind: Kind,
    /// Where its name is, if not before its value.
    name: Option<Piece>,
    name_len: usize,
    /// The field that is being yielded.
    found: Found,
    summary: BlockSummary,
    yielded_fields: u16,
    yielded_size: u32,
}

impl<'m> Decoder<'m> {
    /// A decoder whose dynamic table lives in `table`, and whose literals are gathered in `scratch`. Any lengths
    /// will do; of each at most 65,535 octets are used.
    ///
    /// The table's maximum starts at 4,096 octets (RFC 9113 section 6.5.2), or at `table.len()` if that is less.
    /// With less, the peer must have received a SETTINGS_HEADER_TABLE_SIZE of at most `table.len()` before it
    /// encodes: a client can rely on it, a server cannot.
    pub fn new(table: &'m mut [u8], scratch: &'m mut [u8], limits: Limits) -> Self {
        let mut decoder = Self {
            table: DynamicTable::new(table),
            literal: Literal::new(scratch),
            limits,
            limit: 0,
            required: None,
            state: State::BlockStart,
            integer: Integer::after_prefix(0),
            kind: Kind::Plain,
            name: None,
            name_len: 0,
            found: Found::NOTHING,
            summary: BlockSummary::default(),
            yielded_fields: 0,
            yielded_size: 0,
        };
        decoder.reset();
        decoder
    }

    /// Starts a fresh connection on the same memory: an empty table, no error, the initial maximum.
    pub fn reset(&mut self) {
        self.limit = self.table.capacity().min(INITIAL_MAX_SIZE);
        self.table.clear();
        self.table.set_max_size(self.limit);
        self.required = None;
        self.begin_block();
    }

    /// Our SETTINGS_HEADER_TABLE_SIZE became binding: the peer acknowledged it. Between two blocks only.
    /// More than the table's memory counts as all of it.
    ///
    /// After a reduction below what the table holds, the next block must begin with a size update. After any
    /// other reduction it may: some peers that never index send none.
    ///
    /// Spec: RFC 7541 section 4.2, RFC 9113 section 4.3.1.
    pub fn set_max_table_size(&mut self, octets: u32) {
        let octets = usize::try_from(octets).unwrap_or(usize::MAX);
        self.limit = octets.min(self.table.capacity());
        // Spec: h2-4.3.1-decoder-update
        if self.table.size() > self.limit {
            self.required = Some(self.required.map_or(self.limit, |least| least.min(self.limit)));
        } else if self.required.is_none() && self.table.max_size() > self.limit {
            self.table.set_max_size(self.limit);
        }
    }

    /// Consumes from `fragment` up to and including one field that is to be yielded. `None`: the fragment is
    /// used up, and the next one, or [`finish`](Self::finish), is due. Fragments may be split anywhere.
    ///
    /// # Errors
    ///
    /// Each [`DecodeError`] but `Truncated`. It is final.
    pub fn decode<'a>(&'a mut self, fragment: &mut &[u8]) -> Result<Option<HeaderField<'a>>, DecodeError> {
        let before = fragment.len();
        let found = self.run(fragment);
        let consumed = u32::try_from(before.saturating_sub(fragment.len())).unwrap_or(u32::MAX);
        self.summary.encoded_size = self.summary.encoded_size.saturating_add(consumed);
        match found {
            Ok(true) => Ok(Some(self.field())),
            Ok(false) => {
                self.found = Found::NOTHING;
                Ok(None)
            }
            Err(error) => {
                self.found = Found::NOTHING;
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    /// The field that the last [`decode`](Self::decode) yielded, again: for a caller that cannot hold on to it
    /// while it decides. Empty if that yielded none.
    pub fn field(&self) -> HeaderField<'_> {
        HeaderField {
            name: self.resolve(self.found.name),
            value: self.resolve(self.found.value),
            never_indexed: self.found.never_indexed,
            truncated: self.found.truncated,
        }
    }

    /// The block is complete (END_HEADERS). Says what was in it, and starts the next one.
    ///
    /// # Errors
    ///
    /// `Truncated` if it ended inside a field, or the error that [`decode`](Self::decode) returned before.
    pub fn finish(&mut self) -> Result<BlockSummary, DecodeError> {
        match self.state {
            State::BlockStart | State::Field => {
                let summary = self.summary;
                self.begin_block();
                Ok(summary)
            }
            State::Failed(error) => Err(error),
            _ => {
                // Spec: hpack-5.2-truncated
                self.state = State::Failed(DecodeError::Truncated);
                Err(DecodeError::Truncated)
            }
        }
    }

    /// List size of the block so far, over all fields, skipped ones included; saturating. For a budget against
    /// blocks that are small on the wire and huge decoded.
    pub fn list_size(&self) -> u32 {
        self.summary.list_size
    }

    fn begin_block(&mut self) {
        self.state = State::BlockStart;
        self.summary = BlockSummary::default();
        self.yielded_fields = 0;
        self.yielded_size = 0;
    }

    /// Runs the state machine until a field is to be yielded, `true`, or the fragment is used up.
    // Spec: hpack-2.1-order
    fn run(&mut self, fragment: &mut &[u8]) -> Result<bool, DecodeError> {
        loop {
            let yielded = match self.state {
                State::String(part) => {
                    // Before the next octet is looked for, because a string may be empty.
                    if !self.literal.take(&mut self.table, fragment)? {
                        return Ok(false);
                    }
                    self.end_string(part)
                }
                state => {
                    let Some((octet, rest)) = fragment.split_first() else {
                        return Ok(false);
                    };
                    *fragment = rest;
                    // What nearly all octets are, in the shortest way.
                    if matches!(octet, 0x80..=0xFE) && matches!(state, State::BlockStart | State::Field) {
                        self.take_indexed(usize::from(octet & 0x7F))?
                    } else {
                        self.take_octet(*octet)?
                    }
                }
            };
            if yielded {
                return Ok(true);
            }
        }
    }

    /// Takes an octet of anything but a string.
    fn take_octet(&mut self, octet: u8) -> Result<bool, DecodeError> {
        match self.state {
            State::BlockStart | State::Field => {
                let (kind, prefix_max) = Kind::of(octet);
                self.check_position(kind)?;
                let prefix = octet & prefix_max;
                if prefix < prefix_max {
                    return self.take_index(kind, usize::from(prefix));
                }
                self.state = State::Index(kind);
                self.integer = Integer::after_prefix(prefix_max);
            }
            State::Index(kind) => {
                if let Some(value) = self.integer.push(octet)? {
                    return self.take_index(kind, usize::try_from(value).unwrap_or(usize::MAX));
                }
            }
            State::Length(part) => {
                let huffman = octet & 0x80 != 0;
                let prefix = octet & 0x7F;
                if prefix < 0x7F {
                    self.begin_string(part, huffman, u32::from(prefix));
                } else {
                    self.state = State::LengthRest(part, huffman);
                    self.integer = Integer::after_prefix(0x7F);
                }
            }
            State::LengthRest(part, huffman) => {
                if let Some(length) = self.integer.push(octet)? {
                    self.begin_string(part, huffman, length);
                }
            }
            State::String(_) => {}
            State::Failed(error) => return Err(error),
        }
        Ok(false)
    }

    /// A size update may stand only at the start of a block, and must where the table has become too large.
    /// Spec: RFC 7541 section 4.2.
    fn check_position(&self, kind: Kind) -> Result<(), DecodeError> {
        if kind == Kind::SizeUpdate {
            // Spec: hpack-4.2-update-start
            if !matches!(self.state, State::BlockStart) {
                return Err(DecodeError::SizeUpdatePosition);
            }
        // Spec: h2-4.3.1-decoder-update
        } else if self.required.is_some() {
            return Err(DecodeError::SizeUpdateMissing);
        }
        Ok(())
    }

    /// The integer that a representation begins with is complete.
    fn take_index(&mut self, kind: Kind, index: usize) -> Result<bool, DecodeError> {
        match kind {
            Kind::Indexed => {
                let (name, value) = self.look_up(index)?;
                self.state = State::Field;
                self.found = Found {
                    name,
                    value,
                    never_indexed: false,
                    truncated: false,
                };
                return Ok(self.count(usize::from(name.len), usize::from(value.len), Held::Whole));
            }
            Kind::SizeUpdate => self.update_size(index)?,
            Kind::Incremental | Kind::Plain | Kind::NeverIndexed => {
                self.kind = kind;
                self.literal.begin(kind == Kind::Incremental);
                self.name = None;
                self.state = State::Length(Part::Name);
                if index > 0 {
                    self.begin_value(index)?;
                }
            }
        }
        Ok(false)
    }

    /// An indexed field. Spec: RFC 7541 section 6.1.
    fn take_indexed(&mut self, index: usize) -> Result<bool, DecodeError> {
        self.check_position(Kind::Indexed)?;
        let (name, value) = self.look_up(index)?;
        self.state = State::Field;
        self.found = Found {
            name,
            value,
            never_indexed: false,
            truncated: false,
        };
        Ok(self.count(usize::from(name.len), usize::from(value.len), Held::Whole))
    }

    /// Spec: RFC 7541 sections 4.2 and 6.3.
    fn update_size(&mut self, octets: usize) -> Result<(), DecodeError> {
        // Spec: hpack-6.3-limit
        if octets > self.limit {
            return Err(DecodeError::SizeUpdateTooLarge);
        }
        // After several changes of the setting the smallest one comes first.
        if self.required.is_some_and(|least| octets > least) {
            return Err(DecodeError::SizeUpdateMissing);
        }
        self.required = None;
        self.table.set_max_size(octets);
        self.state = State::BlockStart;
        Ok(())
    }

    /// The name of a literal is that of the entry at `index`; its value follows.
    fn begin_value(&mut self, index: usize) -> Result<(), DecodeError> {
        let (name, _) = self.look_up(index)?;
        self.name_len = usize::from(name.len);
        if self.kind == Kind::Incremental {
            self.literal.push_name(&mut self.table, name);
        } else {
            self.name = Some(name);
        }
        self.state = State::Length(Part::Value);
        Ok(())
    }

    fn begin_string(&mut self, part: Part, huffman: bool, length: u32) {
        if part == Part::Value {
            self.literal.begin_value();
        }
        self.literal.begin_string(&mut self.table, huffman, length);
        self.state = State::String(part);
    }

    /// A string of a literal is complete; with the value, so is the literal.
    fn end_string(&mut self, part: Part) -> bool {
        let len = self.literal.string_len();
        if part == Part::Name {
            self.name_len = len;
            self.state = State::Length(Part::Value);
            return false;
        }
        self.state = State::Field;
        let strings = self.literal.finish(&mut self.table, self.name_len);
        let Some((name, value)) = strings else {
            return self.count(self.name_len, len, Held::Not);
        };
        let truncated = usize::from(value.len) < len;
        self.found = Found {
            name: self.name.unwrap_or(name),
            value,
            // Spec: hpack-6.2.3-never-indexed
            never_indexed: self.kind == Kind::NeverIndexed,
            truncated,
        };
        let held = if truncated { Held::Beginning } else { Held::Whole };
        self.count(self.name_len, len, held)
    }

    /// Name and value of an index. Spec: RFC 7541 section 2.3.3.
    fn look_up(&self, index: usize) -> Result<(Piece, Piece), DecodeError> {
        let found = match index.checked_sub(static_table::LEN + 1) {
            // Spec: hpack-6.1-index-0
            None => static_table::Entry::at(index).map(|entry| entry.pieces()),
            Some(index) => self.table.get(index).map(|entry| entry.pieces()),
        };
        // Spec: hpack-2.3.3-index
        found.ok_or(DecodeError::InvalidIndex)
    }

    /// Counts a field. Is it to be yielded? Not unless it is `held` in some memory.
    fn count(&mut self, name_len: usize, value_len: usize, held: Held) -> bool {
        // Spec: grpc-header-limit, grpc-header-limit-size, grpc-bin-size
        let size = name_len.saturating_add(value_len).saturating_add(ENTRY_OVERHEAD);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.summary.fields = self.summary.fields.saturating_add(1);
        self.summary.list_size = self.summary.list_size.saturating_add(size);
        let yielded_size = self.yielded_size.saturating_add(size);
        let within =
            self.yielded_fields < self.limits.max_fields && yielded_size <= self.limits.max_list_size;
        let yielded = within && held != Held::Not;
        if yielded {
            self.yielded_fields = self.yielded_fields.saturating_add(1);
            self.yielded_size = yielded_size;
        }
        if !yielded || held == Held::Beginning {
            self.summary.skipped = self.summary.skipped.saturating_add(1);
        }
        yielded
    }

    fn resolve(&self, piece: Piece) -> &[u8] {
        piece.of(match piece.region {
            Region::Static => static_table::text(),
            Region::Table => self.table.memory(),
            Region::Scratch => self.literal.scratch(),
        })
    }
}

/// What is expected next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// A size update or a field, or the end of the block.
    BlockStart,
    /// A field, or the end of the block.
    Field,
    /// More octets of the integer that a representation begins with.
    Index(Kind),
    /// The first octet of a string's length.
    Length(Part),
    /// More octets of a string's length; whether it is Huffman-coded.
    LengthRest(Part, bool),
    /// The octets of a string, none if it is empty.
    String(Part),
    /// Nothing: the tables of the two ends may differ.
    Failed(DecodeError),
}

/// The strings of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Value,
}

/// How much of a field there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Whole,
    /// The name, and the first octets of the value.
    Beginning,
    Not,
}

/// A field that is to be yielded.
#[derive(Debug, Clone, Copy)]
struct Found {
    name: Piece,
    value: Piece,
    never_indexed: bool,
    truncated: bool,
}

impl Found {
    const NOTHING: Self = {
        let (name, value) = Piece::pair(Region::Scratch, 0, 0, 0);
        Self {
            name,
            value,
            never_indexed: false,
            truncated: false,
        }
    };
}

/// What a table's maximum is before any SETTINGS. Spec: RFC 9113 section 6.5.2.
const INITIAL_MAX_SIZE: usize = 4_096;
