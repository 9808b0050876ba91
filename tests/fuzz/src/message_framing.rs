//! Messages behind their five-octet prefixes, from the pieces in which a stream delivers them.

use micropb::{MessageEncode, PbEncoder, PbWrite};

use crate::codec::{Outgoing, write_framed};
use crate::framing::{self, PREFIX_LEN};
use crate::pieces::Pieces;
use crate::slot::{Front, RecvBuffer};

/// Three octets choose the buffer, the cuts, and how messages are taken; the rest is a stream's content.
pub fn message_framing(data: &[u8]) {
    let Some(([room, cuts, way], stream)) = data.split_first_chunk() else {
        return;
    };
    let room = PREFIX_LEN + usize::from(room % 96);
    let mut expected = Reference { rest: stream, room };
    match way % 3 {
        0 => messages_are_taken_whole(&mut expected, stream, room, *cuts),
        1 => messages_are_taken_in_pieces(&mut expected, stream, room, *cuts),
        _ => a_message_is_written_the_same_in_any_pieces(stream, *cuts),
    }
}

fn messages_are_taken_whole(expected: &mut Reference<'_>, stream: &[u8], room: usize, cuts: u8) {
    let mut memory = [0; 5 + 96];
    let mut recv = RecvBuffer::new(&mut memory[..room]);
    for piece in Pieces::new(stream, cuts) {
        let mut piece = piece;
        while !piece.is_empty() {
            // As flow control does: no more arrives than there is room.
            let (fits, later) = piece.split_at(piece.len().min(recv.room()));
            assert!(!fits.is_empty() && recv.append(fits));
            piece = later;
            loop {
                match recv.front() {
                    Front::Whole { len } => {
                        assert_eq!(expected.next(), Some(Message::Whole(recv.message(len))));
                        recv.consume(len + PREFIX_LEN);
                    }
                    Front::Flag(flag) => return assert_eq!(expected.next(), Some(Message::Flag(flag))),
                    Front::TooLarge { len } => {
                        return assert_eq!(expected.next(), Some(Message::TooLarge(len)));
                    }
                    Front::Partial { missing } => {
                        assert!(
                            missing > 0 && missing <= recv.room(),
                            "it could never become whole"
                        );
                        break;
                    }
                    Front::Empty => {
                        assert_eq!(recv.room(), room);
                        break;
                    }
                }
            }
        }
    }
    assert_eq!(expected.next(), None);
}

fn messages_are_taken_in_pieces(expected: &mut Reference<'_>, stream: &[u8], room: usize, cuts: u8) {
    let mut memory = [0; 5 + 96];
    let mut recv = RecvBuffer::new(&mut memory[..room]);
    // What the whole messages hold must come out, octet for octet.
    expected.room = usize::MAX;
    let mut left: &[u8] = &[];
    for piece in Pieces::new(stream, cuts) {
        let mut piece = piece;
        while !piece.is_empty() {
            let (fits, later) = piece.split_at(piece.len().min(recv.room()));
            assert!(recv.append(fits));
            piece = later;
            loop {
                if recv.opened() > 0 {
                    let there = recv.piece();
                    if there.is_empty() {
                        break;
                    }
                    let (now, later) = left.split_at(there.len());
                    assert_eq!(there, now);
                    left = later;
                    recv.consume_piece(now.len());
                    continue;
                }
                match recv.front() {
                    Front::Whole { len } | Front::TooLarge { len } => {
                        left = match expected.next() {
                            Some(Message::Whole(message)) if message.len() == len => message,
                            // The stream ends within it.
                            None => &stream[stream.len() - expected.rest.len() + PREFIX_LEN..],
                            other => panic!("{other:?} instead of {len}"),
                        };
                        recv.consume(PREFIX_LEN);
                        recv.open(len);
                    }
                    Front::Flag(flag) => return assert_eq!(expected.next(), Some(Message::Flag(flag))),
                    Front::Partial { .. } | Front::Empty => break,
                }
            }
        }
    }
}

fn a_message_is_written_the_same_in_any_pieces(content: &[u8], cuts: u8) {
    let content = &content[..content.len().min(MAX_CONTENT)];
    let message = Record(content);
    let len = message.message_len();
    let prefix = framing::prefix(len).expect("a short message");
    let parsed = framing::parse(&prefix).expect("a whole prefix");
    assert_eq!((parsed.flag, parsed.len as usize), (0, len));
    let mut memory = [0; MAX_CONTENT + 8];
    let whole = &mut memory[..PREFIX_LEN + len];
    whole[..PREFIX_LEN].copy_from_slice(&prefix);
    prost::encoding::bytes::encode(1, &content.to_vec(), &mut &mut whole[PREFIX_LEN..]);
    let mut skip = 0;
    for piece in Pieces::new(whole, cuts) {
        let mut written = [0xee; MAX_CONTENT + 8];
        let written = &mut written[..piece.len()];
        write_framed(&message, prefix, skip, written);
        assert_eq!(written, piece);
        skip += piece.len();
    }
}

/// A message of one field.
struct Record<'o>(&'o [u8]);

impl MessageEncode for Record<'_> {
    const MAX_SIZE: Result<usize, &'static str> = Err("unbounded");

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        encoder.encode_varint32(0x0a)?;
        encoder.encode_bytes(self.0)
    }

    fn compute_size(&self) -> usize {
        1 + micropb::size::sizeof_len_record(self.0.len())
    }
}

/// The messages of a stream, read from the whole of it.
struct Reference<'s> {
    rest: &'s [u8],
    room: usize,
}

#[derive(Debug, PartialEq)]
enum Message<'s> {
    Whole(&'s [u8]),
    TooLarge(usize),
    Flag(u8),
}

impl<'s> Reference<'s> {
    fn next(&mut self) -> Option<Message<'s>> {
        let [flag, length @ ..] = *self.rest.first_chunk::<PREFIX_LEN>()?;
        let len = u32::from_be_bytes(length) as usize;
        if flag != 0 {
            return Some(Message::Flag(flag));
        }
        if len.saturating_add(PREFIX_LEN) > self.room {
            return Some(Message::TooLarge(len));
        }
        let message = self.rest[PREFIX_LEN..].get(..len)?;
        self.rest = &self.rest[PREFIX_LEN + len..];
        Some(Message::Whole(message))
    }
}

/// Octets of the field of a message that is written; its length takes at most two.
const MAX_CONTENT: usize = 512;
