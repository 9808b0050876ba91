//! Percent-encoding of `grpc-message`. Decoding never fails and never drops the text.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md` "Responses", Status-Message.

/// Decodes `from` into `to`: a `%` that two hex digits do not follow stays as it is. Returns the octets
/// written, and whether all of `from` found room. A cut falls on a character boundary of what was written.
pub(crate) fn decode(from: &[u8], to: &mut [u8]) -> (usize, bool) {
    let mut rest = from;
    let mut written = 0usize;
    let mut whole = true;
    while let Some((octet, after)) = next(rest) {
        let Some(place) = to.get_mut(written) else {
            whole = false;
            break;
        };
        *place = octet;
        written = written.saturating_add(1);
        rest = after;
    }
    if !whole {
        let filled = to.get(..written).unwrap_or_default();
        written = complete_utf8_prefix(filled);
    }
    (written, whole)
}

/// Encodes `from` into `to`, as much of it as finds room; a character is encoded whole or not at all. Returns the
/// octets written. A space at either end is encoded, too: a field value may not begin or end with one (RFC 9113
/// section 8.2.1).
#[cfg(feature = "server")]
pub(crate) fn encode<'a>(from: &str, to: &'a mut [u8]) -> &'a [u8] {
    let mut written = 0usize;
    let mut characters = from.chars();
    while let Some(character) = characters.next() {
        let at_an_end = written == 0 || characters.as_str().is_empty();
        let mut utf8 = [0; 4];
        let octets = character.encode_utf8(&mut utf8).as_bytes();
        // Spec: grpc-message-encoded
        let plain = match octets {
            [b' '] => !at_an_end,
            _ => matches!(octets, [0x21..=0x24 | 0x26..=0x7e]),
        };
        let len = if plain { 1 } else { octets.len().saturating_mul(3) };
        let end = written.saturating_add(len);
        let Some(room) = to.get_mut(written..end) else {
            // The cut must not leave a space at the end.
            let kept = to.get(..written).unwrap_or_default();
            return kept.trim_ascii_end();
        };
        if plain {
            for (to, from) in room.iter_mut().zip(octets) {
                *to = *from;
            }
        } else {
            for (place, octet) in room.chunks_exact_mut(3).zip(octets) {
                let escape = [b'%', hex_digit(octet >> 4), hex_digit(octet & 0xf)];
                for (to, from) in place.iter_mut().zip(escape) {
                    *to = from;
                }
            }
        }
        written = end;
    }
    to.get(..written).unwrap_or_default()
}

/// As [`decode`], of a text whose end was cut off: what is left of an escape or of a character there is left out.
pub(crate) fn decode_beginning(text: &[u8], to: &mut [u8]) -> (usize, bool) {
    let text = match text {
        [before @ .., b'%'] | [before @ .., b'%', _] => before,
        _ => text,
    };
    let (written, whole) = decode(text, to);
    let written = complete_utf8_prefix(to.get(..written).unwrap_or_default());
    (written, whole)
}

/// An upper-case digit.
#[cfg(feature = "server")]
fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0'.wrapping_add(nibble)
    } else {
        b'A'.wrapping_add(nibble.wrapping_sub(10))
    }
}

fn next(text: &[u8]) -> Option<(u8, &[u8])> {
    // Spec: grpc-message-decoded, grpc-message-broken
    if let [b'%', high, low, rest @ ..] = text
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
    {
        return Some((high << 4 | low, rest));
    }
    text.split_first().map(|(octet, rest)| (*octet, rest))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// The longest prefix of `text` of at most `limit` octets that does not end inside a UTF-8 sequence.
pub(crate) fn floor_char_boundary(text: &[u8], limit: usize) -> &[u8] {
    match text.get(..limit) {
        Some(cut) if text.len() > limit => cut.get(..complete_utf8_prefix(cut)).unwrap_or_default(),
        _ => text,
    }
}

/// Length of `text` without an unfinished UTF-8 sequence at its end. Bad octets elsewhere stay.
fn complete_utf8_prefix(text: &[u8]) -> usize {
    let mut tail = 0usize;
    for octet in text.iter().rev().take(4) {
        tail = tail.saturating_add(1);
        let sequence = match octet {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        return if sequence > tail {
            text.len().saturating_sub(tail)
        } else {
            text.len()
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        let mut to = [0; 256];
        let (n, whole) = decode(text.as_bytes(), &mut to);
        assert!(whole);
        to[..n].to_vec()
    }

    // Spec: grpc-message-decoded
    #[test]
    fn decode_reads_the_interop_special_status_message() {
        let encoded =
            "%09%09test with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0a";
        let text = "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
        assert_eq!(decoded(encoded).len(), text.len());
        assert_eq!(decoded(&encoded.replacen("%09%09", "%09%0A", 1)), text.as_bytes());
    }

    // Spec: grpc-message-broken
    #[test]
    fn decode_leaves_a_broken_percent_as_it_is() {
        for text in ["%", "%4", "%zz", "100%", "%%41", "%C3%2"] {
            let got = decoded(text);
            assert!(!got.is_empty(), "{text}");
        }
        assert_eq!(decoded("%"), b"%");
        assert_eq!(decoded("%zz%41"), b"%zzA");
        assert_eq!(decoded("%%41"), b"%A");
    }

    #[test]
    fn decode_cuts_at_every_length_on_a_character_boundary() {
        let encoded = "a%E2%98%BAb%F0%9F%98%88c";
        let text = "a\u{263a}b\u{1f608}c";
        for room in 0..=text.len() {
            let mut to = vec![0; room];
            let (n, whole) = decode(encoded.as_bytes(), &mut to);
            assert_eq!(whole, room == text.len(), "{room}");
            assert!(text.is_char_boundary(n), "{room}");
            assert_eq!(&to[..n], &text.as_bytes()[..n]);
            assert!(n + 4 > room);
        }
    }

    // Spec: grpc-message-encoded
    #[cfg(feature = "server")]
    #[test]
    fn encoding_escapes_all_but_printable_ascii_and_the_percent_sign() {
        let mut to = [0; 96];
        assert_eq!(encode("a b~!", &mut to), b"a b~!");
        assert_eq!(encode(" a b ", &mut to), b"%20a b%20");
        assert_eq!(encode("  ", &mut to), b"%20%20");
        assert_eq!(encode("a bc", &mut [0; 2]), b"a");
        assert_eq!(encode("100%\t\u{7f}\u{263a}", &mut to), b"100%25%09%7F%E2%98%BA");
        let mut back = [0; 32];
        let encoded = encode("\t\nUnicode \u{263a} \u{1f608}%\r\n", &mut to).to_vec();
        let (len, whole) = decode(&encoded, &mut back);
        assert_eq!(
            (&back[..len], whole),
            ("\t\nUnicode \u{263a} \u{1f608}%\r\n".as_bytes(), true)
        );
    }

    #[cfg(feature = "server")]
    #[test]
    fn encoding_stops_at_a_whole_character_where_room_ends() {
        for size in 0..12 {
            let mut to = vec![0; size];
            let expected: &[u8] = match size {
                0 => b"",
                1..10 => b"a",
                10 => b"a%E2%98%BA",
                _ => b"a%E2%98%BAb",
            };
            assert_eq!(encode("a\u{263a}b", &mut to), expected, "{size}");
        }
    }
}
