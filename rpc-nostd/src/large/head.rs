//! What stands between a small message and the content of its large field.

use super::varint::{self, Tag};
use super::{Path, TooLong};
use crate::codec::Outgoing;

/// The tags and lengths that lead to a large field, for "small message, head, content" on the wire.
///
/// The receiver merges: each message field of the path is in the small message (if it is set there) and once more
/// in the head. So the small message leaves the large field empty, and sets no other member of a `oneof` that the
/// path goes through: the later one would win.
///
/// The head is at most 80 octets, inside this value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LargeFieldHead {
    octets: [u8; MAX_HEAD],
    /// The head is what comes from here on: it is written from its end.
    start: usize,
    small_len: usize,
    message_len: u32,
}

impl LargeFieldHead {
    /// The head for a field of `content_len` octets at `path`, after a small message of `small_len` octets.
    ///
    /// With an empty path the content is the whole message: there is no head, and the small message is left out.
    ///
    /// # Errors
    /// The whole would be longer than `u32::MAX` octets.
    pub(crate) fn new(path: &Path, small_len: usize, content_len: usize) -> Result<Self, TooLong> {
        let mut octets = [0; MAX_HEAD];
        let mut unused = octets.as_mut_slice();
        let mut record_len = u32::try_from(content_len).map_err(|_| TooLong)?;
        // From the inside out: an outer length counts the tags and lengths inside it.
        for number in path.numbers().iter().rev() {
            let before = unused.len();
            unused = prepend(u64::from(record_len), unused);
            unused = prepend(Tag::record(*number).value(), unused);
            let added = u32::try_from(before.saturating_sub(unused.len())).map_err(|_| TooLong)?;
            record_len = record_len.checked_add(added).ok_or(TooLong)?;
        }
        let start = unused.len();
        let small_len = if path.is_empty() { 0 } else { small_len };
        let message_len = u32::try_from(small_len)
            .ok()
            .and_then(|len| len.checked_add(record_len))
            .ok_or(TooLong)?;
        Ok(Self {
            octets,
            start,
            small_len,
            message_len,
        })
    }

    /// Octets of the whole message: small message, head and content. It is what the gRPC prefix says.
    pub(crate) const fn message_len(&self) -> u32 {
        self.message_len
    }

    /// Octets of the message before the content: small message and head.
    pub(crate) fn content_offset(&self) -> usize {
        self.small_len.saturating_add(self.head().len())
    }

    /// Small message and head, to be written piece by piece. `small` is the message whose length `new` was given.
    pub(crate) const fn after<'m>(&'m self, small: &'m dyn Outgoing) -> BeforeContent<'m> {
        BeforeContent { head: self, small }
    }

    fn head(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }
}

/// All of a message that comes before the content of its large field.
///
/// Its `message_len` is [`LargeFieldHead::content_offset`], not the length that the prefix says.
pub(crate) struct BeforeContent<'m> {
    head: &'m LargeFieldHead,
    small: &'m dyn Outgoing,
}

impl Outgoing for BeforeContent<'_> {
    fn message_len(&self) -> usize {
        self.head.content_offset()
    }

    fn write_from(&self, skip: usize, to: &mut [u8]) {
        let small_len = self.head.small_len.saturating_sub(skip).min(to.len());
        let (small, after) = to.split_at_mut_checked(small_len).unwrap_or_default();
        if !small.is_empty() {
            self.small.write_from(skip, small);
        }
        let skip_head = skip.saturating_sub(self.head.small_len);
        let head = self.head.head().get(skip_head..).unwrap_or_default();
        for (to, from) in after.iter_mut().zip(head) {
            *to = *from;
        }
    }
}

/// Writes `value` at the end of `unused`, and returns what is left of it.
fn prepend(value: u64, unused: &mut [u8]) -> &mut [u8] {
    let start = unused.len().saturating_sub(varint::len(value));
    let (unused, to) = unused.split_at_mut_checked(start).unwrap_or_default();
    varint::write(value, to);
    unused
}

/// A tag and a length, each of 32 bits and so of at most 5 octets, for each field of the path.
const MAX_HEAD: usize = Path::MAX_DEPTH * 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::write_framed;
    use crate::framing::PREFIX_LEN;

    struct Small(Vec<u8>);

    impl Outgoing for Small {
        fn message_len(&self) -> usize {
            self.0.len()
        }

        fn write_from(&self, skip: usize, to: &mut [u8]) {
            to.copy_from_slice(&self.0[skip..skip + to.len()]);
        }
    }

    fn written(head: &LargeFieldHead, small: &Small) -> Vec<u8> {
        let before = head.after(small);
        let mut octets = vec![0xee; before.message_len()];
        before.write_from(0, &mut octets);
        octets
    }

    #[test]
    fn lengths_nest() {
        let path = Path::new(&[1, 2, 16]).unwrap();
        let head = LargeFieldHead::new(&path, 2, 300).unwrap();
        let octets = written(&head, &Small(vec![0x20, 7]));
        // 300 octets, in 304, in 307.
        let expected = [0x20, 7, 0x0a, 0xb3, 2, 0x12, 0xb0, 2, 0x82, 1, 0xac, 2];
        assert_eq!(octets, expected);
        assert_eq!(head.content_offset(), 12);
        assert_eq!(head.message_len(), 312);
    }

    #[test]
    fn empty_path_is_the_content_alone() {
        let path = Path::new(&[]).unwrap();
        let head = LargeFieldHead::new(&path, 9, 1000).unwrap();
        assert_eq!((head.content_offset(), head.message_len()), (0, 1000));
        assert_eq!(written(&head, &Small(vec![1; 9])), []);
    }

    #[test]
    fn every_window_gives_the_octets_of_the_whole() {
        let small = Small((0..20).collect());
        let path = Path::new(&[3, 2]).unwrap();
        let head = LargeFieldHead::new(&path, 20, 271_828).unwrap();
        let whole = written(&head, &small);
        let before = head.after(&small);
        for from in 0..=whole.len() {
            for to in from..=whole.len() {
                let mut window = vec![0xee; to - from];
                before.write_from(from, &mut window);
                assert_eq!(window, whole[from..to], "{from}..{to}");
            }
        }
        let mut framed = vec![0; PREFIX_LEN + whole.len()];
        write_framed(&before, [0, 1, 2, 3, 4], 0, &mut framed);
        assert_eq!(framed[..PREFIX_LEN], [0, 1, 2, 3, 4]);
        assert_eq!(framed[PREFIX_LEN..], whole);
    }

    #[test]
    fn deepest_path_of_the_longest_numbers_fits() {
        let path = Path::new(&[0x1fff_ffff; 8]).unwrap();
        let content_len = u32::MAX as usize - 80;
        let head = LargeFieldHead::new(&path, 0, content_len).unwrap();
        assert_eq!((head.content_offset(), head.message_len()), (80, u32::MAX));
        assert!(LargeFieldHead::new(&path, 1, content_len).is_err());
        assert!(LargeFieldHead::new(&path, 0, content_len + 1).is_err());
    }

    #[test]
    fn message_longer_than_its_prefix_can_say_is_refused() {
        let whole = Path::new(&[]).unwrap();
        assert!(LargeFieldHead::new(&whole, 0, u32::MAX as usize).is_ok());
        assert!(LargeFieldHead::new(&whole, 0, usize::MAX).is_err());
        let field = Path::new(&[1]).unwrap();
        assert!(LargeFieldHead::new(&field, usize::MAX, 0).is_err());
    }

    #[test]
    fn path_is_at_most_8_field_numbers() {
        assert!(Path::new(&[1; 9]).is_err());
        assert!(Path::new(&[1, 0]).is_err());
        assert!(Path::new(&[0x2000_0000]).is_err());
        assert_eq!(Path::new(&[3, 2]).unwrap().numbers(), [3, 2]);
    }
}
