//! How much memory the types of the output take, by the rules of rustc and of heapless.
//!
//! Rust promises no layout. What is computed here is what rustc does: it orders the fields of a struct so that nothing but
//! the end is padded, and puts `None` where a type has values to spare. For a oneof it may find a smaller layout than the
//! one that is computed, and the figure is an upper bound, marked as such. Tests compare it with `size_of`.

use std::collections::BTreeMap;

use super::types::{Definition, Member, Rust, Types};

/// Size and alignment in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) size: u64,
    pub(super) align: u64,
    /// How many values there are to spare, at least.
    niche: u64,
    /// False if it may be smaller.
    pub(super) is_exact: bool,
}

/// Layouts for one kind of machine.
pub(super) struct Layouts<'t> {
    types: &'t Types,
    /// Size of a pointer in bytes.
    word: u64,
    /// Of the output's types, each computed once. `None`: it holds a type of the user's.
    known: BTreeMap<String, Option<Layout>>,
}

impl<'t> Layouts<'t> {
    pub(super) fn new(types: &'t Types, word: u64) -> Self {
        Self {
            types,
            word,
            known: BTreeMap::new(),
        }
    }

    /// `None` if it holds what only the user's crate knows.
    pub(super) fn of(&mut self, rust: &Rust) -> Option<Layout> {
        Some(match rust {
            Rust::Number(size) => Layout::plain(*size, *size),
            Rust::Bool => Layout {
                niche: 254,
                ..Layout::plain(1, 1)
            },
            Rust::Bytes(len) => self.vec(Layout::plain(1, 1), *len),
            Rust::List(of, len) => {
                let of = self.of(of)?;
                self.vec(of, *len)
            }
            Rust::Map(key, value, len) => {
                let bucket = together(&[Layout::plain(2, 2), self.of(key)?, self.of(value)?]);
                let entries = self.vec(bucket, *len);
                together(&[entries, Layout::plain(4_u64.saturating_mul(*len), 4)])
            }
            Rust::Option(of) => option(self.of(of)?),
            Rust::Borrowed => Layout {
                niche: 1,
                ..Layout::plain(2 * self.word, self.word)
            },
            Rust::Local(path) => return self.named(path),
            Rust::Foreign => return None,
        })
    }

    /// Of the output's type at `path`.
    pub(super) fn named(&mut self, path: &str) -> Option<Layout> {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let types = self.types;
        let layout = match types.get(path)? {
            Definition::Struct(fields) => self.all(fields).map(|fields| together(&fields)),
            Definition::Enum(variants) => self.all(variants).map(|variants| one_of(&variants)),
        };
        self.known.insert(path.to_owned(), layout);
        layout
    }

    fn all(&mut self, members: &[Member]) -> Option<Vec<Layout>> {
        members.iter().map(|member| self.of(&member.of)).collect()
    }

    /// heapless' `Vec`: a length and room for `len` elements, with no value to spare.
    fn vec(&self, of: Layout, len: u64) -> Layout {
        let room = Layout {
            size: of.size.saturating_mul(len),
            niche: 0,
            ..of
        };
        together(&[Layout::plain(self.word, self.word), room])
    }
}

impl Layout {
    fn plain(size: u64, align: u64) -> Self {
        Self {
            size,
            align,
            niche: 0,
            is_exact: true,
        }
    }
}

/// A struct: in order of alignment, only the end is padded.
fn together(fields: &[Layout]) -> Layout {
    let align = fields.iter().map(|field| field.align).max().unwrap_or(1);
    let sum = fields
        .iter()
        .fold(0_u64, |sum, field| sum.saturating_add(field.size));
    Layout {
        size: padded(sum, align),
        align,
        niche: fields.iter().map(|field| field.niche).max().unwrap_or(0),
        is_exact: fields.iter().all(|field| field.is_exact),
    }
}

fn padded(size: u64, align: u64) -> u64 {
    size.checked_next_multiple_of(align).unwrap_or(u64::MAX)
}

fn option(of: Layout) -> Layout {
    if of.niche > 0 {
        return Layout {
            niche: of.niche - 1,
            ..of
        };
    }
    Layout {
        size: of.size.saturating_add(of.align),
        // The tag is a byte, of which two values are taken.
        niche: 254,
        ..of
    }
}

/// An enum whose variants hold one value each.
fn one_of(variants: &[Layout]) -> Layout {
    let align = variants.iter().map(|variant| variant.align).max().unwrap_or(1);
    let is_exact = variants.iter().all(|variant| variant.is_exact);
    let count = u64::try_from(variants.len()).unwrap_or(u64::MAX);
    let Some(largest) = variants.iter().max_by_key(|variant| variant.size) else {
        return Layout::plain(0, 1);
    };
    if count == 1 {
        return *largest;
    }
    let others = count - 1;
    let empty = variants.iter().filter(|variant| variant.size == 0).count();
    if largest.niche >= others && u64::try_from(empty).is_ok_and(|empty| empty == others) {
        return Layout {
            niche: largest.niche - others,
            align,
            is_exact,
            ..*largest
        };
    }
    // A tag, and behind it the variant, where its alignment lets it begin.
    let end = variants
        .iter()
        .map(|variant| variant.align.max(1).saturating_add(variant.size))
        .max()
        .unwrap_or(1);
    // The others may fit beside what the largest has to spare, which also takes the spare values of the tag away.
    let may_be_smaller = largest.niche >= others || !is_exact;
    Layout {
        size: padded(end, align),
        align,
        niche: if may_be_smaller {
            0
        } else {
            256_u64.saturating_sub(count)
        },
        is_exact: !may_be_smaller,
    }
}
