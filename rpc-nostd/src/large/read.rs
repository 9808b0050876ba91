//! Takes a message apart as it arrives on a connection.

use micropb::MessageDecode;

use super::{FilterError, LargeFieldFilter, Path};
use crate::codec::{self, DecodeFault};
use crate::link::Link;
use crate::slot::SlotKey;
use crate::status::{Code, Status};

/// A message that is read in pieces: the content of its large field is handed out, the rest of it gathered.
///
/// It is what [`Link::open_message`] began. Dropped early, [`Link::front`] skips what is left of the message.
pub(crate) struct LargeRead<'s> {
    filter: LargeFieldFilter<'s>,
    /// Octets of the message that were not taken yet.
    left: usize,
}

impl<'s> LargeRead<'s> {
    /// For a message of `len` octets, as its prefix said. `scratch` is for all of it but the large field's content.
    ///
    /// # Errors
    /// `INTERNAL`: `path` is no path.
    pub(crate) fn new(len: usize, path: &[u32], scratch: &'s mut [u8]) -> Result<Self, Status> {
        let total_len = u32::try_from(len).unwrap_or(u32::MAX);
        Ok(Self {
            filter: LargeFieldFilter::new(Path::new(path)?, total_len, scratch),
            left: len,
        })
    }

    /// Fills `to` from the content, as far as it has arrived, and credits what it takes. Returns how many octets;
    /// `Some(0)`: the message is complete (or `to` is empty). `None`: nothing is there yet.
    ///
    /// # Errors
    /// What [`LargeFieldFilter::next`] says of the message.
    pub(crate) fn poll_read<H>(
        &mut self,
        link: &mut Link<'_, H>,
        key: SlotKey,
        to: &mut [u8],
    ) -> Result<Option<usize>, Status> {
        let mut unfilled = to;
        let wanted = unfilled.len();
        while self.left > 0 && !unfilled.is_empty() {
            let mut result = Ok(0);
            // No more octets than `to` takes, for all of them may be content.
            let taken = link.take_octets(key, unfilled.len(), &mut |octets| {
                result = self.filter_into(octets, unfilled);
                octets.len()
            });
            self.left = self.left.saturating_sub(taken);
            let (_, rest) = core::mem::take(&mut unfilled)
                .split_at_mut_checked(result?)
                .unwrap_or_default();
            unfilled = rest;
            if taken == 0 {
                break;
            }
        }
        match wanted.saturating_sub(unfilled.len()) {
            0 if self.left > 0 && wanted > 0 => Ok(None),
            filled => Ok(Some(filled)),
        }
    }

    /// The octets of the large field, as soon as that is known.
    pub(crate) const fn content_len(&self) -> Option<u32> {
        self.filter.content_len()
    }

    /// The message without its large field. `words` says what each side calls a message that cannot be decoded.
    ///
    /// # Errors
    /// `INTERNAL`: the message was not read to its end, or is no message of the type. `RESOURCE_EXHAUSTED`: a field
    /// has too small a capacity.
    pub(crate) fn finish<M: MessageDecode + Default>(
        self,
        words: fn(DecodeFault) -> Status,
    ) -> Result<M, Status> {
        if self.left > 0 {
            return Err(UNREAD);
        }
        let mut message = M::default();
        codec::decode_message(self.filter.finish()?, &mut message).map_err(words)?;
        Ok(message)
    }

    /// Copies the content in `octets` to `to`, which is as long. Returns its length.
    fn filter_into(&mut self, mut octets: &[u8], to: &mut [u8]) -> Result<usize, FilterError> {
        let mut filled = 0usize;
        while let Some(content) = self.filter.next(&mut octets)? {
            for (to, from) in to.iter_mut().skip(filled).zip(content) {
                *to = *from;
            }
            filled = filled.saturating_add(content.len());
        }
        Ok(filled)
    }
}

const UNREAD: Status = Status::new(
    Code::INTERNAL,
    "the message has not been read to its end: call read() until it returns 0 before finish()",
);
