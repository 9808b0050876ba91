//! Everything that is text on the wire: base64, percent-encoding, timeouts, status codes and messages.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use crate::internals::deadline::{TimeoutText, parse_millis};
use crate::metadata::{Kind, ReceivedMetadata, emit_octets};
use crate::percent;
use crate::status::{Code, Status};

/// The first octet chooses the parser, the second the size of its buffer, the rest is the text.
pub fn text(data: &[u8]) {
    let Some(([which, room], text)) = data.split_first_chunk() else {
        return;
    };
    match which % 7 {
        0 => base64_is_read_as_another_library_reads_it(text),
        1 => base64_that_is_written_is_read_again(text),
        2 => percent_is_read_as_another_library_reads_it(text, usize::from(*room)),
        3 => percent_is_written_as_another_library_writes_it(text, usize::from(*room)),
        4 => timeout_is_read_as_wide_numbers_say(text),
        5 => timeout_that_is_written_is_not_shorter(text),
        _ => {
            status_code_is_the_canonical_number(text);
            status_message_keeps_all_that_is_utf8(text);
        }
    }
}

fn base64_is_read_as_another_library_reads_it(text: &[u8]) {
    if text.len() > 256 || text.contains(&b',') || text.trim_ascii() != text {
        return;
    }
    let mut expected = [0; 200];
    let len = STANDARD
        .decode_slice(text, &mut expected)
        .or_else(|_| STANDARD_NO_PAD.decode_slice(text, &mut expected));
    let mut memory = [0; 240];
    let mut received = ReceivedMetadata::new(&mut memory);
    let stored = received.store(Kind::Initial, b"a-bin", text);
    assert_eq!(stored.is_ok(), len.is_ok());
    let expected = len.ok().map(|len| &expected[..len]);
    assert_eq!(received.initial("a-bin").next(), expected);
}

fn base64_that_is_written_is_read_again(octets: &[u8]) {
    let octets = &octets[..octets.len().min(192)];
    let mut memory = [0; 240];
    let mut received = ReceivedMetadata::new(&mut memory);
    let mut fields = 0;
    emit_octets(Kind::Initial, "a-bin", octets, &mut |field| {
        fields += 1;
        let mut expected = [0; 256];
        let len = STANDARD_NO_PAD.encode_slice(octets, &mut expected).unwrap();
        assert_eq!(field.value(), &expected[..len]);
        received
            .store(Kind::Initial, field.name(), field.value())
            .unwrap();
    });
    assert_eq!(fields, 1);
    assert_eq!(received.initial("a-bin").next(), Some(octets));
}

fn percent_is_read_as_another_library_reads_it(text: &[u8], room: usize) {
    let mut memory = [0xee; 256];
    let (len, whole) = percent::decode(text, &mut memory[..room]);
    let mut expected = percent_decode(text);
    assert!(len <= room);
    assert!(memory[..len].iter().copied().eq(expected.by_ref().take(len)));
    let left = expected.count();
    assert_eq!(whole, left == 0);
    // A cut loses at most an unfinished character.
    assert!(whole || len + 3 >= room);
    assert!(memory[room..].iter().all(|octet| *octet == 0xee));
}

fn percent_is_written_as_another_library_writes_it(octets: &[u8], room: usize) {
    let Some(chunk) = octets.utf8_chunks().next() else {
        return;
    };
    let text = chunk.valid();
    let mut memory = [0; 256];
    let written = percent::encode(text, &mut memory[..room]);
    let bare = written.trim_ascii();
    assert_eq!(bare, written, "a field value has no space at an end");
    assert!(written.iter().all(|octet| matches!(octet, 0x20..=0x7e)));
    let (head, rest) = match text.strip_prefix(' ') {
        Some(rest) => ("%20", rest),
        None => ("", text),
    };
    let (middle, tail) = match rest.strip_suffix(' ') {
        Some(middle) => (middle, "%20"),
        None => (rest, ""),
    };
    let expected = head
        .bytes()
        .chain(utf8_percent_encode(middle, ESCAPED).flat_map(str::bytes))
        .chain(tail.bytes());
    if expected.clone().count() <= room {
        return assert!(written.iter().copied().eq(expected));
    }
    // It is cut between two characters.
    let decoded = percent_decode(written);
    let len = decoded.clone().count();
    assert!(decoded.eq(text.bytes().take(len)) && text.is_char_boundary(len));
}

fn timeout_is_read_as_wide_numbers_say(text: &[u8]) {
    let expected = || {
        let (unit, digits) = text.split_last()?;
        if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number: u128 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let nanos = match unit {
            b'H' => 3_600_000_000_000,
            b'M' => 60_000_000_000,
            b'S' => 1_000_000_000,
            b'm' => 1_000_000,
            b'u' => 1_000,
            b'n' => 1,
            _ => return None,
        };
        u64::try_from((number * nanos).div_ceil(1_000_000)).ok()
    };
    assert_eq!(parse_millis(text), expected());
}

fn timeout_that_is_written_is_not_shorter(octets: &[u8]) {
    let Some(octets) = octets.first_chunk() else {
        return;
    };
    // Small numbers as often as large ones.
    let ms = u64::from_be_bytes(*octets) >> (octets[7] % 64);
    let text = TimeoutText::from_millis(ms);
    let text = text.as_bytes();
    assert!((2..=9).contains(&text.len()));
    let read = parse_millis(text).expect("our own timeout is one");
    let longest = 99_999_999 * 3_600_000;
    if ms <= longest {
        assert!(read >= ms, "the peer may not give up before we do");
        // The least exact is the first that has to be told in seconds.
        assert!(read - ms <= ms / 100_000);
    } else {
        assert_eq!(read, longest);
    }
}

fn status_code_is_the_canonical_number(text: &[u8]) {
    let expected = || {
        let number: u32 = std::str::from_utf8(text).ok()?.parse().ok()?;
        (text.len() <= 9 && text[0] != b'+' && (text[0] != b'0' || text.len() == 1)).then_some(number)
    };
    let code = Code::parse(text).map(Code::as_u8);
    let known = |number: u32| if number <= 16 { number as u8 } else { 2 };
    assert_eq!(code, expected().map(known));
}

fn status_message_keeps_all_that_is_utf8(octets: &[u8]) {
    let status = Status::from_peer(Code::ABORTED, octets, false);
    let cut = octets.len() > Status::MESSAGE_CAPACITY;
    assert_eq!(status.is_message_truncated(), cut);
    let kept = status.message().as_bytes();
    assert!(kept.len() <= Status::MESSAGE_CAPACITY && !status.is_local());
    assert!(!cut || kept.len() + 3 >= Status::MESSAGE_CAPACITY);
    assert!(cut || kept.len() == octets.len());
    let expected = octets[..kept.len()].utf8_chunks().flat_map(|chunk| {
        let questions = std::iter::repeat_n(b'?', chunk.invalid().len());
        chunk.valid().bytes().chain(questions)
    });
    assert!(kept.iter().copied().eq(expected));
}

/// All but the printable ASCII characters, and the percent sign.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
