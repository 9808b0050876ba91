//! All fields but the large one, gathered as a message of their own in the caller's buffer.

use super::error::FilterError;
use super::varint::{self, Tag};

/// The buffer, and how much of it is filled.
pub(super) struct Rest<'s> {
    scratch: &'s mut [u8],
    len: usize,
}

/// A record whose length is not known yet: octets are kept free for it.
#[derive(Clone, Copy, Default)]
pub(super) struct OpenRecord {
    length_at: usize,
    content_at: usize,
}

impl<'s> Rest<'s> {
    pub(super) const fn new(scratch: &'s mut [u8]) -> Self {
        Self { scratch, len: 0 }
    }

    /// A whole field of wire type 0.
    pub(super) fn push_number(&mut self, tag: Tag, value: u64) -> Result<(), FilterError> {
        self.check_room(varint::len(tag.value()).saturating_add(varint::len(value)))?;
        self.push_varint(tag.value(), varint::len(tag.value()));
        self.push_varint(value, varint::len(value));
        Ok(())
    }

    /// The tag of a field of `value_len` octets that follow: checked before anything of it is stored.
    pub(super) fn start_fixed(&mut self, tag: Tag, value_len: u32) -> Result<(), FilterError> {
        self.check_room(varint::len(tag.value()).saturating_add(octets(value_len)))?;
        self.push_varint(tag.value(), varint::len(tag.value()));
        Ok(())
    }

    /// Tag and length of a record of `content_len` octets that follow: checked before anything of it is stored.
    pub(super) fn start_record(&mut self, tag: Tag, content_len: u32) -> Result<(), FilterError> {
        let length = u64::from(content_len);
        let head_len = varint::len(tag.value()).saturating_add(varint::len(length));
        self.check_room(head_len.saturating_add(octets(content_len)))?;
        self.push_varint(tag.value(), varint::len(tag.value()));
        self.push_varint(length, varint::len(length));
        Ok(())
    }

    /// Octets of the field that was started. There is room for them.
    pub(super) fn push(&mut self, octets: &[u8]) {
        for (to, from) in self.advance(octets.len()).iter_mut().zip(octets) {
            *to = *from;
        }
    }

    /// Starts a record of which not all goes into the rest: at most `declared_len` octets.
    pub(super) fn open(&mut self, tag: Tag, declared_len: u32) -> Result<OpenRecord, FilterError> {
        // The length takes as many octets as the longest that fits here would: it may have leading zero bits.
        let room = self.scratch.len().saturating_sub(self.len);
        let longest = u64::try_from(room)
            .unwrap_or(u64::MAX)
            .min(u64::from(declared_len));
        let width = varint::len(longest);
        self.check_room(varint::len(tag.value()).saturating_add(width))?;
        self.push_varint(tag.value(), varint::len(tag.value()));
        let length_at = self.len;
        self.push_varint(0, width);
        Ok(OpenRecord {
            length_at,
            content_at: self.len,
        })
    }

    /// Ends the record that was opened last.
    pub(super) fn close(&mut self, record: OpenRecord) {
        let len = u64::try_from(self.len.saturating_sub(record.content_at)).unwrap_or(u64::MAX);
        let length = self.scratch.get_mut(record.length_at..record.content_at);
        varint::write(len, length.unwrap_or_default());
    }

    /// What was gathered.
    pub(super) fn into_octets(self) -> &'s [u8] {
        let (filled, _) = self.scratch.split_at_checked(self.len).unwrap_or_default();
        filled
    }

    fn check_room(&self, len: usize) -> Result<(), FilterError> {
        let needed = self.len.saturating_add(len);
        if needed > self.scratch.len() {
            return Err(FilterError::ScratchTooSmall { needed });
        }
        Ok(())
    }

    fn push_varint(&mut self, value: u64, width: usize) {
        varint::write(value, self.advance(width));
    }

    /// The next `len` octets, counted as filled.
    fn advance(&mut self, len: usize) -> &mut [u8] {
        let start = self.len;
        self.len = start.saturating_add(len).min(self.scratch.len());
        self.scratch.get_mut(start..self.len).unwrap_or_default()
    }
}

fn octets(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
