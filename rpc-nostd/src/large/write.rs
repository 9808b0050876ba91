//! Sends a message in pieces: its small fields first, then the content of its large field.

use core::task::Poll;

use h2_lite::Instant;

use super::{LargeFieldHead, Path, TooLong};
use crate::codec::{Framed, Outgoing};
use crate::framing::{self, PREFIX_LEN};
use crate::link::{Link, SendError};
use crate::slot::SlotKey;
use crate::status::Status;

/// A message whose large field's content is sent as it comes.
#[derive(Debug)]
pub(crate) struct LargeWrite {
    head: LargeFieldHead,
    prefix: [u8; PREFIX_LEN],
    /// Octets of the content that were not sent yet.
    left: usize,
    /// END_STREAM comes with the last octet.
    end: bool,
}

impl LargeWrite {
    /// For `small`, and `content_len` octets of the field at `path`. `end`: END_STREAM comes with the last octet.
    ///
    /// # Errors
    /// `INTERNAL`: `path` is no path. `RESOURCE_EXHAUSTED`: the message is longer than a prefix can say.
    pub(crate) fn new(
        path: &[u32],
        small: &dyn Outgoing,
        content_len: usize,
        end: bool,
    ) -> Result<Self, Status> {
        let head = LargeFieldHead::new(&Path::new(path)?, small.message_len(), content_len)?;
        let message_len = usize::try_from(head.message_len()).map_err(|_| TooLong)?;
        Ok(Self {
            head,
            prefix: framing::prefix(message_len).ok_or(TooLong)?,
            left: content_len,
            end,
        })
    }

    /// Sends all that comes before the content: prefix, small fields, tags and lengths. `small` is what [`Self::new`] was
    /// given; `sent` starts at 0 and is kept between polls. `Pending`: the sender's waker is to be set.
    pub(crate) fn poll_start<H>(
        &self,
        link: &mut Link<'_, H>,
        key: SlotKey,
        small: &dyn Outgoing,
        sent: &mut usize,
        now: Instant,
    ) -> Poll<Result<(), SendError>> {
        let framed = Framed {
            message: &self.head.after(small),
            prefix: self.prefix,
            end: self.ends_with_head(),
        };
        link.poll_send_message(key, &framed, sent, now)
    }

    /// Sends octets of the content: what credit and room allow of `from`, and no more than the message has room
    /// for. Returns how many went.
    ///
    /// # Errors
    /// [`SendError::NotNow`]: nothing went; the sender's waker is to be set.
    pub(crate) fn write<H>(
        &mut self,
        link: &mut Link<'_, H>,
        key: SlotKey,
        from: &[u8],
        now: Instant,
    ) -> Result<usize, SendError> {
        let from = from.get(..from.len().min(self.left)).unwrap_or_default();
        if from.is_empty() {
            return Ok(0);
        }
        let end = self.end && from.len() == self.left;
        let mut fill = |to: &mut [u8]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        };
        let len = link.send_piece(key, from.len(), end, &mut fill, now)?;
        self.left = self.left.saturating_sub(len);
        Ok(len)
    }

    /// Octets of the content that are still to be written.
    pub(crate) const fn left(&self) -> usize {
        self.left
    }

    /// The prefix of the message.
    pub(crate) const fn prefix(&self) -> [u8; PREFIX_LEN] {
        self.prefix
    }

    /// All that comes before the content, as a message of its own.
    pub(crate) const fn before<'m>(&'m self, small: &'m dyn Outgoing) -> impl Outgoing + 'm {
        self.head.after(small)
    }

    /// Whether END_STREAM comes before any content: there is none.
    pub(crate) const fn ends_with_head(&self) -> bool {
        self.end && self.left == 0
    }
}
