//! The decoder's dynamic table (RFC 7541 sections 2.3.2 and 4) over lent memory. Called by the decoder.
//!
//! A log: entries lie one behind the other, oldest first, each in one piece, so that it can be lent out. From
//! the other end of the memory grows a list of where they start, newest first, so that an index costs one look.
//!
//! ```text
//!   0         start                                end              list              list_end
//!   | evicted | oldest entry | ... | newest entry | draft | free | newest | ... | oldest | evicted |
//!               entry: name_len u16, value_len u16, name, value     u16 each
//! ```
//!
//! Both take 6 of the 32 octets that section 4.1 adds to each entry, so whatever fits by the RFC's arithmetic
//! fits here, once what is evicted has been squeezed out.

use crate::copy;
use crate::piece::{MAX_REGION, Piece, Region, within};

/// What section 4.1 adds to the length of name and value.
pub(crate) const ENTRY_OVERHEAD: usize = 32;

/// Where an entry's octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    start: u16,
    name_len: u16,
    value_len: u16,
}

impl Entry {
    /// Name and value.
    pub(crate) fn pieces(self) -> (Piece, Piece) {
        Piece::pair(Region::Table, self.start, self.name_len, self.value_len)
    }

    const fn len(self) -> usize {
        usize::saturating_add(self.name_len as usize, self.value_len as usize)
    }
}

/// The table. At most one draft, an entry whose end has not arrived, lies behind the newest entry.
#[derive(Debug)]
pub(crate) struct DynamicTable<'m> {
    memory: &'m mut [u8],
    start: usize,
    end: usize,
    list: usize,
    list_end: usize,
    /// Sum of the entries' sizes by section 4.1, the draft's excluded.
    size: usize,
    max_size: usize,
    /// Octets of name and value in the draft.
    draft_len: usize,
}

impl<'m> DynamicTable<'m> {
    /// An empty table of maximum size 0.
    pub(crate) fn new(memory: &'m mut [u8]) -> Self {
        let used = memory.len().min(MAX_REGION);
        let memory = memory.get_mut(..used).unwrap_or_default();
        Self {
            memory,
            start: 0,
            end: 0,
            list: used,
            list_end: used,
            size: 0,
            max_size: 0,
            draft_len: 0,
        }
    }

    /// Evicts everything, and drops the draft.
    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
        self.list = self.memory.len();
        self.list_end = self.memory.len();
        self.size = 0;
        self.draft_len = 0;
    }

    /// Sets the maximum, at most the memory's length, and evicts down to it.
    /// Spec: RFC 7541 section 4.3.
    pub(crate) fn set_max_size(&mut self, octets: usize) {
        self.max_size = octets.min(self.memory.len());
        // Spec: hpack-4.3-evicts
        self.evict_to(self.max_size);
    }

    /// Starts a draft; one that was never committed is forgotten.
    pub(crate) fn begin(&mut self) {
        self.draft_len = 0;
        if self.size == 0 {
            self.clear();
        }
    }

    /// Makes sure that the draft can grow by `more` octets, at the cost of the oldest entries. An entry larger
    /// than the table empties it, and is none of its entries: `false`. Spec: RFC 7541 section 4.4.
    pub(crate) fn reserve(&mut self, more: usize) -> bool {
        let draft = self.draft_len.saturating_add(more);
        // Spec: hpack-4.4-larger-than-table
        let Some(others) = self.max_size.checked_sub(draft.saturating_add(ENTRY_OVERHEAD)) else {
            self.clear();
            return false;
        };
        self.evict_to(others);
        let last = self
            .end
            .saturating_add(draft)
            .saturating_add(HEAD_LEN + LISTED_LEN);
        if last > self.list {
            self.squeeze();
        }
        true
    }

    /// Where the draft goes on: as much as fits without eviction and without squeezing.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        let allowed = self
            .max_size
            .saturating_sub(self.size)
            .saturating_sub(ENTRY_OVERHEAD);
        let first = self.end.saturating_add(HEAD_LEN);
        let last = first
            .saturating_add(allowed)
            .min(self.list.saturating_sub(LISTED_LEN));
        self.memory
            .get_mut(first.saturating_add(self.draft_len)..last)
            .unwrap_or_default()
    }

    /// The draft has grown by `octets`, written to the front of [`room`](Self::room).
    pub(crate) fn advance(&mut self, octets: usize) {
        self.draft_len = self.draft_len.saturating_add(octets);
    }

    /// Appends to the draft; `false` as in [`reserve`](Self::reserve).
    pub(crate) fn push(&mut self, octets: &[u8]) -> bool {
        let reserved = self.reserve(octets.len());
        if reserved {
            let copied = copy(self.room(), octets);
            self.advance(copied);
        }
        reserved
    }

    /// Begins a draft with the name of an entry, which the draft may evict.
    pub(crate) fn push_own(&mut self, name: Piece) -> bool {
        let (from, len) = (usize::from(name.start), usize::from(name.len));
        self.begin();
        let Some(others) = self.max_size.checked_sub(len.saturating_add(ENTRY_OVERHEAD)) else {
            self.clear();
            return false;
        };
        self.evict_to(others);
        // Spec: hpack-4.4-name-from-evicted
        if from < self.start {
            // Evicted, but still there: the head of its entry, the name, garbage, entries become entries, head,
            // name, garbage.
            let head = from.saturating_sub(HEAD_LEN);
            let garbage = self.start.saturating_sub(head);
            if let Some(octets) = self.memory.get_mut(head..self.end) {
                rotate_left(octets, garbage);
            }
            self.start = head;
            self.end = self.end.saturating_sub(garbage);
            self.relist(garbage);
        } else {
            let from = from.saturating_sub(self.start);
            self.reserve(len);
            let from = from.saturating_add(self.start);
            let to = self.end.saturating_add(HEAD_LEN);
            if let Some((entries, free)) = self.memory.split_at_mut_checked(to) {
                let name = entries.get(from..).unwrap_or_default();
                copy(free, name.get(..len).unwrap_or_default());
            }
        }
        self.draft_len = len;
        true
    }

    /// The draft is the newest entry now. Its first `name_len` octets are the name.
    // Spec: hpack-2.3.2-duplicates
    pub(crate) fn commit(&mut self, name_len: usize) {
        let value_len = self.draft_len.saturating_sub(name_len);
        self.write_u16(self.end, within(name_len));
        self.write_u16(self.end.saturating_add(2), within(value_len));
        self.list = self.list.saturating_sub(LISTED_LEN);
        self.write_u16(self.list, within(self.end));
        self.end = self.end.saturating_add(self.draft_len).saturating_add(HEAD_LEN);
        self.size = self
            .size
            .saturating_add(self.draft_len)
            .saturating_add(ENTRY_OVERHEAD);
        self.draft_len = 0;
    }

    /// Sum of the entries' sizes. Spec: RFC 7541 section 4.1.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The maximum in force.
    pub(crate) fn max_size(&self) -> usize {
        self.max_size
    }

    /// Octets of memory that are used at all.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// The entry at `index`, counted from the newest one, which is 0.
    pub(crate) fn get(&self, index: usize) -> Option<Entry> {
        // No overflow: the list has fewer octets than a region.
        let listed = self
            .list
            .wrapping_add(index.min(MAX_REGION).wrapping_mul(LISTED_LEN));
        if listed >= self.list_end {
            return None;
        }
        let octets = self.memory.get(listed..)?.first_chunk::<LISTED_LEN>()?;
        self.entry_at(u16::from_le_bytes(*octets))
    }

    /// The memory that entries are pieces of.
    pub(crate) fn memory(&self) -> &[u8] {
        self.memory
    }

    fn entry_at(&self, at: u16) -> Option<Entry> {
        let [a, b, c, d] = *self.memory.get(usize::from(at)..)?.first_chunk::<HEAD_LEN>()?;
        let (name_len, value_len) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        Some(Entry {
            start: at.wrapping_add(HEAD_LEN_U16),
            name_len,
            value_len,
        })
    }

    /// Evicts the oldest entries until the rest is no larger than `octets`.
    fn evict_to(&mut self, octets: usize) {
        while self.size > octets {
            let Some(oldest) = self.entry_at(within(self.start)) else {
                return self.clear();
            };
            self.start = self.start.saturating_add(oldest.len()).saturating_add(HEAD_LEN);
            self.list_end = self.list_end.saturating_sub(LISTED_LEN);
            self.size = self
                .size
                .saturating_sub(oldest.len().saturating_add(ENTRY_OVERHEAD));
        }
    }

    /// Moves entries and draft to the front of the memory, and the list to its back.
    fn squeeze(&mut self) {
        let (start, last) = (
            self.start,
            self.end.saturating_add(HEAD_LEN).saturating_add(self.draft_len),
        );
        let used = last.min(self.list);
        move_down(self.memory.get_mut(..used).unwrap_or_default(), start);
        self.start = 0;
        self.end = self.end.saturating_sub(start);
        self.relist(start);
    }

    /// The entries have moved `by` octets to the front. Moves the list to the back of the memory, too.
    fn relist(&mut self, by: usize) {
        let (mut from, mut to) = (self.list_end, self.memory.len());
        while from > self.list {
            from = from.saturating_sub(LISTED_LEN);
            to = to.saturating_sub(LISTED_LEN);
            let octets = self
                .memory
                .get(from..)
                .and_then(|rest| rest.first_chunk::<LISTED_LEN>());
            let at = octets.map_or(0, |octets| u16::from_le_bytes(*octets));
            self.write_u16(to, at.saturating_sub(within(by)));
        }
        self.list = to;
        self.list_end = self.memory.len();
    }

    fn write_u16(&mut self, at: usize, value: u16) {
        if let Some(octets) = self
            .memory
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<2>())
        {
            *octets = value.to_le_bytes();
        }
    }
}

/// Moves everything `by` octets to the front, over what is there. Not `copy_within`, which can panic; pieces of
/// `by` octets do not overlap, so each is one fast copy.
fn move_down(octets: &mut [u8], by: usize) {
    let mut octets = octets;
    while by > 0
        && let Some((to, from)) = octets.split_at_mut_checked(by)
        && !from.is_empty()
    {
        copy(to, from);
        octets = from;
    }
}

/// The first `count` octets become the last ones.
fn rotate_left(octets: &mut [u8], count: usize) {
    if let Some((first, second)) = octets.split_at_mut_checked(count) {
        reverse(first);
        reverse(second);
        reverse(octets);
    }
}

/// Unlike the slice's own method it leaves no panic in the image at any optimisation level.
fn reverse(octets: &mut [u8]) {
    let mut octets = octets.iter_mut();
    while let (Some(first), Some(last)) = (octets.next(), octets.next_back()) {
        core::mem::swap(first, last);
    }
}

/// Octets in front of an entry's name: the lengths of name and value.
const HEAD_LEN: usize = HEAD_LEN_U16 as usize;
const HEAD_LEN_U16: u16 = 4;

/// Octets of an entry's place in the list.
const LISTED_LEN: usize = 2;

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::DynamicTable;

    fn field(table: &DynamicTable<'_>, index: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let (name, value) = table.get(index)?.pieces();
        Some((
            name.of(table.memory()).to_vec(),
            value.of(table.memory()).to_vec(),
        ))
    }

    fn insert(table: &mut DynamicTable<'_>, name: &[u8], value: &[u8]) -> bool {
        table.begin();
        let fits = table.push(name) && table.push(value);
        if fits {
            table.commit(name.len());
        }
        fits
    }

    /// The table against a queue of owned entries, for every memory size: same entries after each insertion.
    #[test]
    fn log_holds_what_the_arithmetic_of_section_4_1_allows() {
        for memory_len in 0..=300 {
            let mut memory = vec![0; memory_len];
            let mut table = DynamicTable::new(&mut memory);
            table.set_max_size(memory_len);
            let mut model: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            let size = |model: &[(Vec<u8>, Vec<u8>)]| -> usize {
                model
                    .iter()
                    .map(|(name, value)| name.len() + value.len() + 32)
                    .sum()
            };
            for step in 0..200_usize {
                let entry = (
                    vec![step as u8; step * 7 % 23],
                    vec![step as u8 ^ 0x55; step * step % 61],
                );
                let fits = entry.0.len() + entry.1.len() + 32 <= memory_len;
                assert_eq!(insert(&mut table, &entry.0, &entry.1), fits);
                model.insert(0, entry);
                while size(&model) > memory_len {
                    model.pop();
                }
                assert_eq!(table.size(), size(&model));
                for (index, entry) in model.iter().enumerate() {
                    assert_eq!(field(&table, index).as_ref(), Some(entry));
                }
                assert_eq!(table.get(model.len()), None);
            }
        }
    }

    /// Section 4.4: the name is that of an entry which the insertion evicts, and there is no other copy of it.
    // Spec: hpack-4.4-name-from-evicted
    #[test]
    fn name_of_an_own_entry_survives_its_eviction_at_every_size() {
        for (memory_len, age) in (100..=400).flat_map(|len| (0..6).map(move |age| (len, age))) {
            let mut memory = vec![0; memory_len];
            let mut table = DynamicTable::new(&mut memory);
            table.set_max_size(memory_len);
            for step in 0..30_u8 {
                let name: Vec<u8> = (0..10 + step % 7).map(|octet| octet ^ step).collect();
                assert!(insert(&mut table, &name, &[step; 11]));
                let before: Vec<_> = (0..10).map_while(|index| field(&table, index)).collect();
                let Some((expected, _)) = before.get(age) else {
                    continue;
                };
                let (own, _) = table.get(age).unwrap().pieces();
                assert!(table.push_own(own));
                assert!(table.push(&[0xEE; 45]));
                table.commit(usize::from(own.len));
                assert_eq!(field(&table, 0), Some((expected.clone(), vec![0xEE; 45])));
                let kept: Vec<_> = (1..10).map_while(|index| field(&table, index)).collect();
                assert_eq!(kept, before[..kept.len()]);
                let size = |kept: &[(Vec<u8>, Vec<u8>)]| -> usize {
                    kept.iter()
                        .map(|(name, value)| name.len() + value.len() + 32)
                        .sum()
                };
                let fits = |count: usize| size(&before[..count]) + expected.len() + 45 + 32 <= memory_len;
                assert!(fits(kept.len()) && (kept.len() == before.len() || !fits(kept.len() + 1)));
            }
        }
    }

    #[test]
    fn draft_given_up_leaves_the_entries_that_it_did_not_evict() {
        let mut memory = [0; 100];
        let mut table = DynamicTable::new(&mut memory);
        table.set_max_size(100);
        assert!(insert(&mut table, b"a", b"1"));
        assert!(insert(&mut table, b"b", b"2"));
        table.begin();
        assert!(table.push(b"abc"));
        table.begin();
        assert_eq!(field(&table, 0), Some((b"b".to_vec(), b"2".to_vec())));
        assert_eq!(table.get(1), None);
        assert!(!table.push(&[0; 69]));
        assert_eq!((table.size(), table.get(0)), (0, None));
    }

    // Spec: hpack-4.3-evicts
    #[test]
    fn smaller_maximum_evicts_the_oldest() {
        let mut memory = [0; 100];
        let mut table = DynamicTable::new(&mut memory);
        table.set_max_size(500);
        assert_eq!(table.max_size(), 100);
        assert!(insert(&mut table, b"a", b"1"));
        assert!(insert(&mut table, b"b", b"2"));
        table.set_max_size(67);
        assert_eq!(field(&table, 0), Some((b"b".to_vec(), b"2".to_vec())));
        assert_eq!(table.get(1), None);
        table.set_max_size(33);
        assert_eq!(table.get(0), None);
    }
}
