//! Takes one large field out of a message while that arrives.

use super::Path;
use super::error::FilterError;
use super::rest::{OpenRecord, Rest};
use super::varint::{Tag, Varint};

/// Divides the octets of one message into the content of its large field and all the rest.
///
/// [`next`](Self::next) is called with the message's octets in pieces of any length and gives the content as parts
/// of its input, in order. The rest is gathered in the scratch buffer and is, after [`finish`](Self::finish), a
/// message of the same type without the large field. It never takes more octets than the message has beside the
/// large field's content.
///
/// - Fields that the type does not know are kept: the filter has no schema, so it cannot tell them from others, and
///   the decoder skips them.
/// - The message fields on the path stay, with what else is in them and also when that is nothing, so that presence
///   survives. Their lengths may be varints with leading zero bits, which every protobuf decoder takes.
/// - Where the large field comes more than once, protobuf's last one wins. What was given out cannot be taken back,
///   so one that follows a non-empty one is [`FilterError::Duplicate`]; empty ones before it are passed over.
/// - The content of a `string` is not checked to be UTF-8.
///
/// After an error every call gives that error again.
///
/// Spec: Protocol Buffers encoding, "Message Structure", "Last One Wins".
pub(crate) struct LargeFieldFilter<'s> {
    path: Path,
    state: State,
    total_len: u32,
    /// Octets of the message that were seen.
    seen: u32,
    /// The message fields of the path that the next octet is in, the outer one first.
    open: [Level; Path::MAX_DEPTH],
    depth: usize,
    content_len: Option<u32>,
    rest: Rest<'s>,
}

/// What the next octet belongs to.
#[derive(Clone, Copy)]
enum State {
    Tag(Varint),
    /// The value of a field of wire type 0, or the length of a record.
    Number(Tag, Varint),
    /// A field that goes into the rest. `left` is not 0.
    Other {
        left: u32,
    },
    /// The large field. `left` is not 0.
    Content {
        left: u32,
    },
    Failed(FilterError),
}

/// A message field of the path.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Where it ends, in octets from the start of the whole message.
    end: u32,
    record: OpenRecord,
}

impl<'s> LargeFieldFilter<'s> {
    /// For a message of `total_len` octets; `scratch` is for all of it but the large field's content.
    ///
    /// With an empty path all of the message is content, and `scratch` may be empty.
    pub(crate) fn new(path: Path, total_len: u32, scratch: &'s mut [u8]) -> Self {
        let mut filter = Self {
            path,
            state: State::Tag(Varint::default()),
            total_len,
            seen: 0,
            open: [Level::default(); Path::MAX_DEPTH],
            depth: 0,
            content_len: None,
            rest: Rest::new(scratch),
        };
        if path.is_empty() {
            filter.content_len = Some(total_len);
            if total_len > 0 {
                filter.state = State::Content { left: total_len };
            }
        }
        filter
    }

    /// Takes octets from the front of `input` up to the end of the next piece of content, and gives that piece: a
    /// part of `input`, never empty. `None`: `input` is used up.
    ///
    /// # Errors
    /// The message is malformed, the path does not fit it, or the scratch buffer is too small.
    pub(crate) fn next<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<&'i [u8]>, FilterError> {
        let result = self.advance(input);
        if let Err(error) = result {
            self.state = State::Failed(error);
        }
        result
    }

    /// Octets of the large field; `None` as long as it was not there. The last one's, where empty ones preceded it.
    pub(crate) const fn content_len(&self) -> Option<u32> {
        self.content_len
    }

    /// The message without its large field, from the scratch buffer.
    ///
    /// # Errors
    /// [`FilterError::Truncated`] if octets are missing, or the last field has no end; or what `next` failed with.
    pub(crate) fn finish(self) -> Result<&'s [u8], FilterError> {
        match self.state {
            State::Failed(error) => Err(error),
            // All records that end with the message are closed here: their ends are where it has its end.
            State::Tag(tag) if tag.is_empty() && self.seen == self.total_len => Ok(self.rest.into_octets()),
            _ => Err(FilterError::Truncated),
        }
    }

    fn advance<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<&'i [u8]>, FilterError> {
        while !input.is_empty() {
            match self.state {
                State::Failed(error) => return Err(error),
                State::Tag(varint) => self.recv_tag(varint, input)?,
                State::Number(tag, varint) => self.recv_number(tag, varint, input)?,
                State::Other { left } => {
                    let (octets, left) = self.take_up_to(left, input);
                    self.rest.push(octets);
                    self.enter(left, State::Other { left });
                }
                State::Content { left } => {
                    let (octets, left) = self.take_up_to(left, input);
                    self.enter(left, State::Content { left });
                    return Ok(Some(octets));
                }
            }
        }
        // An error is kept also from a caller that has no more octets.
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok(None),
        }
    }

    fn recv_tag(&mut self, mut varint: Varint, input: &mut &[u8]) -> Result<(), FilterError> {
        let octet = self.take(input)?;
        self.state = match varint.push(octet)? {
            None => State::Tag(varint),
            Some(value) => {
                let tag = Tag::parse(value)?;
                let is_on_path = self.step().is_some_and(|number| number == tag.number());
                match tag.wire_type() {
                    micropb::WIRE_TYPE_LEN => State::Number(tag, Varint::default()),
                    3 | 4 => return Err(FilterError::Group),
                    6 | 7 => return Err(FilterError::Tag),
                    _ if is_on_path => return Err(FilterError::WireType { number: tag.number() }),
                    micropb::WIRE_TYPE_I32 => return self.start_fixed(tag, 4),
                    micropb::WIRE_TYPE_I64 => return self.start_fixed(tag, 8),
                    _ => State::Number(tag, Varint::default()),
                }
            }
        };
        Ok(())
    }

    fn recv_number(&mut self, tag: Tag, mut varint: Varint, input: &mut &[u8]) -> Result<(), FilterError> {
        let octet = self.take(input)?;
        let Some(value) = varint.push(octet)? else {
            self.state = State::Number(tag, varint);
            return Ok(());
        };
        if tag.wire_type() == micropb::WIRE_TYPE_LEN {
            self.start_record(tag, value)
        } else {
            self.rest.push_number(tag, value)?;
            self.end_field();
            Ok(())
        }
    }

    fn start_fixed(&mut self, tag: Tag, len: u32) -> Result<(), FilterError> {
        if len > self.left_around() {
            return Err(FilterError::Overrun);
        }
        self.rest.start_fixed(tag, len)?;
        self.enter(len, State::Other { left: len });
        Ok(())
    }

    fn start_record(&mut self, tag: Tag, len: u64) -> Result<(), FilterError> {
        let len = u32::try_from(len).map_err(|_| FilterError::Overrun)?;
        if len > self.left_around() {
            return Err(FilterError::Overrun);
        }
        if self.step() != Some(tag.number()) {
            self.rest.start_record(tag, len)?;
            self.enter(len, State::Other { left: len });
        } else if self.depth.saturating_add(1) == self.path.numbers().len() {
            if self.content_len.is_some_and(|before| before > 0) {
                return Err(FilterError::Duplicate);
            }
            self.content_len = Some(len);
            self.enter(len, State::Content { left: len });
        } else {
            let record = self.rest.open(tag, len)?;
            let end = self.seen.saturating_add(len);
            if let Some(level) = self.open.get_mut(self.depth) {
                *level = Level { end, record };
            }
            self.depth = self.depth.saturating_add(1);
            self.enter(len, State::Tag(Varint::default()));
        }
        Ok(())
    }

    /// Goes to `state` for a field of which `left` octets are to come, or past its end.
    fn enter(&mut self, left: u32, state: State) {
        if left == 0 {
            self.end_field();
        } else {
            self.state = state;
        }
    }

    /// A field ends here, and with it all records of the path that have the same end.
    fn end_field(&mut self) {
        while let Some(level) = self.innermost().filter(|level| level.end == self.seen) {
            self.rest.close(level.record);
            self.depth = self.depth.saturating_sub(1);
        }
        self.state = State::Tag(Varint::default());
    }

    /// The next octet of a tag, value or length.
    fn take(&mut self, input: &mut &[u8]) -> Result<u8, FilterError> {
        if self.left_around() == 0 {
            return Err(match self.state {
                State::Tag(tag) if tag.is_empty() => FilterError::Trailing,
                _ => FilterError::Overrun,
            });
        }
        let (octet, after) = input.split_first().ok_or(FilterError::Truncated)?;
        *input = after;
        self.seen = self.seen.saturating_add(1);
        Ok(*octet)
    }

    /// As much as there is of the next `left` octets, and how many are then left.
    fn take_up_to<'i>(&mut self, left: u32, input: &mut &'i [u8]) -> (&'i [u8], u32) {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let (octets, after) = input.split_at_checked(len).unwrap_or_default();
        *input = after;
        let taken = u32::try_from(octets.len()).unwrap_or(left);
        self.seen = self.seen.saturating_add(taken);
        (octets, left.saturating_sub(taken))
    }

    /// The field number that leads one step on along the path from here.
    fn step(&self) -> Option<u32> {
        self.path.numbers().get(self.depth).copied()
    }

    /// Octets up to the end of the message that the next field is in.
    fn left_around(&self) -> u32 {
        let end = self.innermost().map_or(self.total_len, |level| level.end);
        end.saturating_sub(self.seen)
    }

    fn innermost(&self) -> Option<Level> {
        let index = self.depth.checked_sub(1)?;
        self.open.get(index).copied()
    }
}
