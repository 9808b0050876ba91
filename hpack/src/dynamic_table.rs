//! The decoder's dynamic table (RFC 7541 sections 2.3.2 and 4) over lent memory. Called by the decoder.
//!
//! A log: entries lie one behind the other, oldest first, each in one piece, so that it can be lent out.
//!
//! ```text
//!            start                                                end
//!   | evicted  | oldest entry | ...                | newest entry | draft | free |
//!                 entry: name_len u16, value_len u16, name, value, entry length u16
//! ```
//!
//! The lengths in front lead from the oldest entry on (eviction), the length behind from the newest one back
//! (search by index). They take 6 of the 32 octets that section 4.1 adds to each entry, so whatever fits by
//! the RFC's arithmetic fits here, once the live part has been moved to the front.

use crate::copy;
use crate::piece::{Piece, Region};

/// What section 4.1 adds to the length of name and value.
pub(crate) const ENTRY_OVERHEAD: usize = 32;

/// More memory than this is not used: lengths inside the table are 16 bits wide.
pub(crate) const MAX_MEMORY: usize = u16::MAX as usize;

/// Where an entry's octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    start: usize,
    name_len: usize,
    value_len: usize,
}

impl Entry {
    /// Name and value.
    pub(crate) fn pieces(self) -> (Piece, Piece) {
        Piece::pair(Region::Table, self.start, self.name_len, self.value_len)
    }
}

/// The table. At most one draft, an entry whose end has not arrived, lies behind the newest entry.
#[derive(Debug)]
pub(crate) struct DynamicTable<'m> {
    memory: &'m mut [u8],
    start: usize,
    end: usize,
    /// Sum of the entries' sizes by section 4.1, the draft's excluded.
    size: usize,
    max_size: usize,
    /// Octets of name and value in the draft.
    draft_len: usize,
}

impl<'m> DynamicTable<'m> {
    /// An empty table of maximum size 0.
    pub(crate) fn new(memory: &'m mut [u8]) -> Self {
        let used = memory.len().min(MAX_MEMORY);
        let memory = memory.get_mut(..used).unwrap_or_default();
        Self {
            memory,
            start: 0,
            end: 0,
            size: 0,
            max_size: 0,
            draft_len: 0,
        }
    }

    /// Evicts everything, and drops the draft.
    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
        self.size = 0;
        self.draft_len = 0;
    }

    /// Sets the maximum, at most the memory's length, and evicts down to it.
    /// Spec: RFC 7541 section 4.3.
    pub(crate) fn set_max_size(&mut self, octets: usize) {
        self.max_size = octets.min(self.memory.len());
        self.evict_to(self.max_size);
    }

    /// Starts a draft; one that was never committed is forgotten.
    pub(crate) fn begin(&mut self) {
        self.draft_len = 0;
        if self.size == 0 {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Makes sure that the draft can grow by `more` octets, at the cost of the oldest entries. An entry larger
    /// than the table empties it, and is none of its entries: `false`. Spec: RFC 7541 section 4.4.
    pub(crate) fn reserve(&mut self, more: usize) -> bool {
        let draft = self.draft_len.saturating_add(more);
        let Some(others) = self.max_size.checked_sub(draft.saturating_add(ENTRY_OVERHEAD)) else {
            self.clear();
            return false;
        };
        self.evict_to(others);
        let last = self.end.saturating_add(draft).saturating_add(HEAD_LEN + TAIL_LEN);
        if last > self.memory.len() {
            self.move_to_front();
        }
        true
    }

    /// Where the draft goes on: as much as fits without eviction and without moving.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        let allowed = self
            .max_size
            .saturating_sub(self.size)
            .saturating_sub(ENTRY_OVERHEAD);
        let first = self.end.saturating_add(HEAD_LEN);
        let last = first
            .saturating_add(allowed)
            .min(self.memory.len().saturating_sub(TAIL_LEN));
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

    /// Begins a draft with the name of an entry, which the draft may evict. `from`: where the name is.
    pub(crate) fn push_own(&mut self, from: usize, len: usize) -> bool {
        self.begin();
        let Some(others) = self.max_size.checked_sub(len.saturating_add(ENTRY_OVERHEAD)) else {
            self.clear();
            return false;
        };
        self.evict_to(others);
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
    pub(crate) fn commit(&mut self, name_len: usize) {
        let value_len = self.draft_len.saturating_sub(name_len);
        let entry_len = self.draft_len.saturating_add(HEAD_LEN + TAIL_LEN);
        let next = self.end.saturating_add(entry_len);
        self.write_u16(self.end, name_len);
        self.write_u16(self.end.saturating_add(2), value_len);
        self.write_u16(next.saturating_sub(TAIL_LEN), entry_len);
        self.end = next;
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
        let mut end = self.end;
        for _ in 0..index {
            end = self.step_back(end)?;
        }
        self.entry_at(self.step_back(end)?)
    }

    /// Octets of the table's memory.
    pub(crate) fn slice(&self, start: usize, len: usize) -> &[u8] {
        self.memory
            .get(start..)
            .and_then(|rest| rest.get(..len))
            .unwrap_or_default()
    }

    /// Where the entry that ends at `end` begins.
    fn step_back(&self, end: usize) -> Option<usize> {
        if end <= self.start {
            return None;
        }
        let entry_len = self.read_u16(end.checked_sub(TAIL_LEN)?)?;
        end.checked_sub(entry_len)
    }

    fn entry_at(&self, at: usize) -> Option<Entry> {
        let name_len = self.read_u16(at)?;
        let value_len = self.read_u16(at.checked_add(2)?)?;
        Some(Entry {
            start: at.checked_add(HEAD_LEN)?,
            name_len,
            value_len,
        })
    }

    /// Evicts the oldest entries until the rest is no larger than `octets`.
    fn evict_to(&mut self, octets: usize) {
        while self.size > octets {
            let Some(oldest) = self.entry_at(self.start) else {
                return self.clear();
            };
            let len = oldest.name_len.saturating_add(oldest.value_len);
            self.start = self.start.saturating_add(len).saturating_add(HEAD_LEN + TAIL_LEN);
            self.size = self.size.saturating_sub(len.saturating_add(ENTRY_OVERHEAD));
        }
    }

    /// Moves entries and draft to the front of the memory, over what was evicted.
    fn move_to_front(&mut self) {
        let (start, last) = (
            self.start,
            self.end.saturating_add(HEAD_LEN).saturating_add(self.draft_len),
        );
        let used = last.min(self.memory.len());
        move_down(self.memory.get_mut(..used).unwrap_or_default(), start);
        self.end = self.end.saturating_sub(start);
        self.start = 0;
    }

    fn read_u16(&self, at: usize) -> Option<usize> {
        let octets = self.memory.get(at..)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_le_bytes(*octets)))
    }

    fn write_u16(&mut self, at: usize, value: usize) {
        let [low, high, ..] = value.to_le_bytes();
        if let Some(octets) = self
            .memory
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<2>())
        {
            *octets = [low, high];
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
        first.reverse();
        second.reverse();
        octets.reverse();
    }
}

/// Octets in front of an entry's name: the lengths of name and value.
const HEAD_LEN: usize = 4;

/// Octets behind an entry's value: the length of all of it.
const TAIL_LEN: usize = 2;

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::DynamicTable;

    fn field(table: &DynamicTable<'_>, index: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let (name, value) = table.get(index)?.pieces();
        Some((
            table.slice(name.start, name.len).to_vec(),
            table.slice(value.start, value.len).to_vec(),
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
                assert!(table.push_own(own.start, own.len));
                assert!(table.push(&[0xEE; 45]));
                table.commit(own.len);
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
