//! Messages larger than memory: one `bytes` or `string` field of them passes in pieces.
//!
//! Protobuf lets fields come in any order, and merges the records of a message field that comes more than once.
//! So a message can be sent as "small message, head, content": the small message holds all other fields, the
//! [`LargeFieldHead`] says the tags and lengths that lead to the large field, and its content comes last. The
//! [`LargeFieldFilter`] does the reverse for any order of fields: it hands out the content and gathers all other
//! fields as a message of their own.
//!
//! Both are sans-IO, and know neither frames nor the prefix of a gRPC message.
//!
//! Spec: Protocol Buffers encoding, "Message Structure", "Length-Delimited Records", "Last One Wins".

mod error;
mod filter;
mod head;
mod read;
mod rest;
#[cfg(test)]
mod tests;
mod varint;
mod write;

pub(crate) use self::{
    error::{FilterError, PathError, TooLong},
    filter::LargeFieldFilter,
    head::LargeFieldHead,
    read::LargeRead,
    write::LargeWrite,
};

/// Where the large field is: field numbers from the outer message to the field itself.
///
/// The last is a `bytes` or `string` field, the others are message fields, and none of them is `repeated`: a
/// `repeated` message is not merged, each record of it is an element. An empty path means the whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    numbers: [u32; Path::MAX_DEPTH],
    depth: usize,
}

impl Path {
    /// Fields in the longest path.
    pub(crate) const MAX_DEPTH: usize = 8;

    /// Checks and copies a path.
    ///
    /// # Errors
    /// More than [`MAX_DEPTH`](Self::MAX_DEPTH) numbers, or one that is not 1 to 536,870,911.
    pub(crate) fn new(path: &[u32]) -> Result<Self, PathError> {
        let legal = path.iter().all(|number| (1..=MAX_FIELD_NUMBER).contains(number));
        if path.len() > Self::MAX_DEPTH || !legal {
            return Err(PathError);
        }
        let mut numbers = [0; Self::MAX_DEPTH];
        for (to, from) in numbers.iter_mut().zip(path) {
            *to = *from;
        }
        Ok(Self {
            numbers,
            depth: path.len(),
        })
    }

    /// The field numbers, the outer message's first.
    pub(crate) fn numbers(&self) -> &[u32] {
        self.numbers.get(..self.depth).unwrap_or_default()
    }

    /// Whether the whole message is the content.
    pub(crate) const fn is_empty(&self) -> bool {
        self.depth == 0
    }
}

/// Spec: Protocol Buffers language guide, "Assigning Field Numbers".
const MAX_FIELD_NUMBER: u32 = 0x1fff_ffff;
