//! Metadata: the fields that an application adds to a call, and those it gets back.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md` "Requests", Custom-Metadata.

mod base64;

use hpack_lite::Field;

use self::base64::{BinaryError, MAX_BASE64, decode_base64, encode_base64};
use crate::status::{Code, Status};

/// One field of request metadata.
///
/// Names are `[0-9a-z_.-]`, and not gRPC's or HTTP's own. A name that ends in `-bin` takes
/// [`MetadataValue::Binary`], any other [`MetadataValue::Ascii`]. A call with a field that is not so
/// fails before anything is sent.
///
/// `Debug` shows no value of `authorization`, `proxy-authorization` and `cookie`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MetadataEntry<'a> {
    /// The field's name, lower case.
    pub name: &'a str,
    /// The field's value.
    pub value: MetadataValue<'a>,
}

/// A value of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataValue<'a> {
    /// Printable ASCII, 0x20 to 0x7e, with no space at its ends.
    Ascii(&'a str),
    /// Any octets; base64 on the wire. At most [`MAX_BINARY_VALUE`] octets.
    Binary(&'a [u8]),
}

/// Octets of the longest binary value that a call can send.
pub const MAX_BINARY_VALUE: usize = 192;

impl<'a> MetadataEntry<'a> {
    /// A text field.
    pub const fn ascii(name: &'a str, value: &'a str) -> Self {
        Self {
            name,
            value: MetadataValue::Ascii(value),
        }
    }

    /// A binary field; `name` ends in `-bin`.
    pub const fn binary(name: &'a str, value: &'a [u8]) -> Self {
        Self {
            name,
            value: MetadataValue::Binary(value),
        }
    }

    /// Refuses what may not be sent (RFC 9113 section 8.2, and gRPC's own names).
    pub(crate) fn check(&self) -> Result<(), Status> {
        let name = self.name.as_bytes();
        // Spec: grpc-metadata-names
        let legal = |octet: &u8| matches!(octet, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'.' | b'-');
        if name.is_empty() || !name.iter().all(legal) {
            return refuse("a metadata name is not made of 0-9 a-z _ . -");
        }
        // Spec: grpc-reserved-names, h2-8.2.2-never-generated
        if is_reserved(name) {
            return refuse("a metadata name belongs to gRPC or HTTP: choose another");
        }
        match self.value {
            MetadataValue::Ascii(value) => check_ascii(name, value),
            MetadataValue::Binary(value) => check_binary(name, value),
        }
    }

    /// Gives the field to a header section, as it stands on the wire.
    pub(crate) fn emit<'r>(&self, emit: &mut dyn FnMut(Field<'_, 'r>)) {
        emit_octets(Kind::Initial, self.name, self.value_octets(), emit);
    }

    /// The value, not encoded.
    pub(crate) const fn value_octets(&self) -> &'a [u8] {
        match self.value {
            MetadataValue::Ascii(value) => value.as_bytes(),
            MetadataValue::Binary(value) => value,
        }
    }
}

impl core::fmt::Debug for MetadataEntry<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut entry = f.debug_struct("MetadataEntry");
        entry.field("name", &self.name);
        // A log is read by more people than a token is meant for.
        if SENSITIVE.contains(&self.name.as_bytes()) {
            entry.finish_non_exhaustive()
        } else {
            entry.field("value", &self.value).finish()
        }
    }
}

/// Gives a field with this name and value, which `check` would pass, to a header section; `-bin` values in base64.
pub(crate) fn emit_octets<'r>(kind: Kind, name: &str, value: &[u8], emit: &mut dyn FnMut(Field<'_, 'r>)) {
    let details = kind == Kind::Details;
    let name = if details { DETAILS_NAME } else { name.as_bytes() };
    let mut text = [0; MAX_BASE64];
    // Spec: grpc-metadata-delivered, grpc-bin-unpadded
    let value = if details || name.ends_with(b"-bin") {
        encode_base64(value, &mut text)
    } else {
        Some(value)
    };
    let Some(value) = value else { return };
    // Spec: hpack-7.1.3-secrets
    if SENSITIVE.contains(&name) {
        emit(Field::NeverIndexed { name, value });
    } else {
        emit(Field::Literal { name, value });
    }
}

const DETAILS_NAME: &[u8] = b"grpc-status-details-bin";
/// What HPACK must never put into a table (RFC 7541 section 7.1.3).
const SENSITIVE: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"cookie"];

fn check_ascii(name: &[u8], value: &str) -> Result<(), Status> {
    if name.ends_with(b"-bin") {
        return refuse("a metadata name that ends in -bin takes a binary value");
    }
    let edge = value.starts_with(' ') || value.ends_with(' ');
    // Spec: grpc-metadata-values, h2-8.2.1-never-generated
    if edge || !value.bytes().all(|octet| matches!(octet, 0x20..=0x7e)) {
        return refuse("a metadata value is not printable ASCII, or has a space at an end: use a -bin field");
    }
    Ok(())
}

fn check_binary(name: &[u8], value: &[u8]) -> Result<(), Status> {
    if !name.ends_with(b"-bin") {
        return refuse("a metadata name with a binary value must end in -bin");
    }
    if cfg!(not(feature = "base64")) {
        return refuse("binary metadata needs the feature `base64` of rpc-nostd");
    }
    if value.len() > MAX_BINARY_VALUE {
        return refuse("a binary metadata value is longer than MAX_BINARY_VALUE");
    }
    Ok(())
}

fn refuse(reason: &'static str) -> Result<(), Status> {
    Err(Status::new(Code::INTERNAL, reason))
}

/// Names that calls set themselves or that HTTP/2 forbids (RFC 9113 section 8.2.2).
fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(b"grpc-") || RESERVED.contains(&name)
}

/// As a list, because a match over them is ten times the code.
const RESERVED: [&[u8]; 10] = [
    b"te",
    b"content-type",
    b"content-length",
    b"user-agent",
    b"host",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"upgrade",
];

/// Where a received field stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Initial,
    Trailing,
    /// The percent-decoded `grpc-message`; its name is empty.
    Message,
    /// The decoded `grpc-status-details-bin`; its name is empty.
    Details,
    /// A message or details that turned out not to count.
    Forgotten,
}

impl Kind {
    fn from_u8(number: u8) -> Option<Self> {
        [
            Self::Initial,
            Self::Trailing,
            Self::Message,
            Self::Details,
            Self::Forgotten,
        ]
        .into_iter()
        .find(|kind| kind.as_u8() == number)
    }

    const fn as_u8(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::Trailing => 1,
            Self::Message => 2,
            Self::Details => 3,
            Self::Forgotten => 4,
        }
    }
}

/// What came with a response beside the message: metadata before it, metadata after it, and the details
/// of an error. It keeps them in the memory that it is lent.
///
/// ```
/// # use rpc_nostd::ReceivedMetadata;
/// let mut memory = [0; 256];
/// let received = ReceivedMetadata::new(&mut memory);
/// // telemetry.report(&request).receive_into(&mut received).await?;
/// assert_eq!(received.initial("x-served-by").next(), None);
/// ```
///
/// Each field takes its name, its value and 4 octets. Binary values are held decoded. A field is kept whole or
/// not at all: [`ReceivedMetadata::overflowed`] tells that one found no room, either here or in the `META`
/// octets of the stream's slot.
pub struct ReceivedMetadata<'b> {
    memory: &'b mut [u8],
    len: usize,
    overflowed: bool,
    message_cut: bool,
}

impl<'b> ReceivedMetadata<'b> {
    /// Empty storage over `memory`.
    pub const fn new(memory: &'b mut [u8]) -> Self {
        Self {
            memory,
            len: 0,
            overflowed: false,
            message_cut: false,
        }
    }

    /// Values of the initial metadata's fields of this name, in order. `-bin` values are decoded.
    pub fn initial<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.named(Kind::Initial, name)
    }

    /// Values of the trailing metadata's fields of this name, in order. `-bin` values are decoded.
    pub fn trailing<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.named(Kind::Trailing, name)
    }

    /// All fields of the initial metadata: name and value, in order.
    pub fn all_initial(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all(Kind::Initial)
    }

    /// All fields of the trailing metadata: name and value, in order.
    pub fn all_trailing(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all(Kind::Trailing)
    }

    /// `grpc-status-details-bin`: a serialized `google.rpc.Status`, by convention.
    pub fn status_details(&self) -> Option<&[u8]> {
        self.first(Kind::Details)
    }

    /// Whether something found no room. Raise the octets lent to this value, or `META` and `SCRATCH` of
    /// [`Resources`](crate::Resources).
    pub const fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The percent-decoded `grpc-message`, and whether it was cut for want of room.
    pub(crate) fn message(&self) -> (&[u8], bool) {
        (self.first(Kind::Message).unwrap_or_default(), self.message_cut)
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.overflowed = false;
        self.message_cut = false;
    }

    pub(crate) fn mark_overflow(&mut self) {
        self.overflowed = true;
    }

    /// Forgets the message and details of a status that stood before the response's message: as `grpc-status`
    /// itself they count only at the end.
    pub(crate) fn forget_status(&mut self) {
        self.message_cut = false;
        self.retag(&[Kind::Message, Kind::Details], Kind::Forgotten);
    }

    /// Counts the initial metadata as trailing: the response is Trailers-Only.
    pub(crate) fn mark_trailers_only(&mut self) {
        self.retag(&[Kind::Initial], Kind::Trailing);
    }

    fn retag(&mut self, from: &[Kind], to: Kind) {
        let mut rest = self.memory.get_mut(..self.len).unwrap_or_default();
        while let Some((head, after)) = rest.split_first_chunk_mut::<RECORD_HEAD>() {
            let [kind, name_len, high, low] = head;
            if from.iter().any(|from| from.as_u8() == *kind) {
                *kind = to.as_u8();
            }
            let value_len = usize::from(u16::from_be_bytes([*high, *low]));
            let record = usize::from(*name_len).saturating_add(value_len);
            rest = after.get_mut(record..).unwrap_or_default();
        }
    }

    /// Stores one field as it came from the wire.
    ///
    /// # Errors
    /// The reason for which the call must fail: a binary value that is no base64.
    pub(crate) fn store(&mut self, kind: Kind, name: &[u8], value: &[u8]) -> Result<(), &'static str> {
        if !name.ends_with(b"-bin") {
            // Spec: grpc-metadata-odd-values, grpc-metadata-order, grpc-metadata-delivered
            self.append(kind, name, |to| copy_whole(value, to));
            return Ok(());
        }
        // Several values may share a line; they are split before they are decoded.
        // Spec: grpc-bin-split
        for text in value.split(|octet| *octet == b',') {
            self.store_binary(kind, name, text.trim_ascii())?;
        }
        Ok(())
    }

    /// Stores the status message; one that is too long, or was `cut` before, is marked so.
    pub(crate) fn store_message(&mut self, encoded: &[u8], cut: bool) {
        let decode = if cut {
            crate::percent::decode_beginning
        } else {
            crate::percent::decode
        };
        let whole = self.try_append(Kind::Message, b"", |to| Ok(decode(encoded, to)));
        self.message_cut = cut || whole != Some(true);
    }

    /// Stores the status details.
    ///
    /// # Errors
    /// As for [`Self::store`].
    pub(crate) fn store_details(&mut self, text: &[u8]) -> Result<(), &'static str> {
        self.store_binary(Kind::Details, b"", text)
    }

    fn store_binary(&mut self, kind: Kind, name: &[u8], text: &[u8]) -> Result<(), &'static str> {
        let mut malformed = false;
        self.append(kind, name, |to| match decode_base64(text, to) {
            Ok(decoded) => Ok((decoded.len(), true)),
            Err(BinaryError::NoRoom) => Err(()),
            Err(BinaryError::Malformed) => {
                malformed = true;
                Err(())
            }
        });
        if malformed {
            // Spec: grpc-bin-malformed
            Err("a -bin field of the response is not base64")
        } else {
            Ok(())
        }
    }

    /// Adds a record; `fill` writes the value and says how long it is and whether it is whole.
    fn append(&mut self, kind: Kind, name: &[u8], fill: impl FnOnce(&mut [u8]) -> Result<(usize, bool), ()>) {
        self.overflowed |= self.try_append(kind, name, fill) != Some(true);
    }

    fn try_append(
        &mut self,
        kind: Kind,
        name: &[u8],
        fill: impl FnOnce(&mut [u8]) -> Result<(usize, bool), ()>,
    ) -> Option<bool> {
        let name_len = u8::try_from(name.len()).ok()?;
        let room = self.memory.get_mut(self.len..)?;
        let (head, room) = room.split_first_chunk_mut::<RECORD_HEAD>()?;
        let (name_room, room) = room.split_at_mut_checked(name.len())?;
        let limit = room.len().min(usize::from(u16::MAX));
        let (value_len, whole) = fill(room.get_mut(..limit)?).ok()?;
        copy_whole(name, name_room).ok()?;
        let [high, low] = u16::try_from(value_len).ok()?.to_be_bytes();
        *head = [kind.as_u8(), name_len, high, low];
        let record = RECORD_HEAD.saturating_add(name.len()).saturating_add(value_len);
        self.len = self.len.saturating_add(record);
        Some(whole)
    }

    /// Keeps a field that this side will send; its value is not encoded yet. Whole or not at all.
    #[cfg(feature = "server")]
    pub(crate) fn keep_entry(&mut self, kind: Kind, name: &str, value: &[u8]) -> bool {
        self.try_append(kind, name.as_bytes(), |to| copy_whole(value, to)) == Some(true)
    }

    /// Calls `f` with name and value of each field of this kind.
    #[cfg(feature = "server")]
    pub(crate) fn each(&self, kind: Kind, f: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.all(kind) {
            f(name, value);
        }
    }

    fn records(&self) -> Records<'_> {
        Records {
            rest: self.memory.get(..self.len).unwrap_or_default(),
        }
    }

    fn first(&self, wanted: Kind) -> Option<&[u8]> {
        self.records()
            .find(|(kind, ..)| *kind == wanted)
            .map(|(_, _, value)| value)
    }

    fn all(&self, wanted: Kind) -> impl Iterator<Item = (&str, &[u8])> {
        self.records()
            .filter(move |(kind, ..)| *kind == wanted)
            .map(|(_, name, value)| (core::str::from_utf8(name).unwrap_or_default(), value))
    }

    fn named<'a>(&'a self, wanted: Kind, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.records()
            .filter(move |(kind, found, _)| *kind == wanted && *found == name.as_bytes())
            .map(|(_, _, value)| value)
    }
}

impl core::fmt::Debug for ReceivedMetadata<'_> {
    /// Names, and no values: there may be secrets among them.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list()
            .entries(
                self.all_initial()
                    .chain(self.all_trailing())
                    .map(|(name, _)| name),
            )
            .finish()
    }
}

/// Somewhere to keep what came with a response, whatever its memory's lifetime.
pub(crate) trait KeepMetadata {
    /// Copies all of `other` but the message, which goes into the call's [`Status`].
    fn keep(&mut self, other: &ReceivedMetadata<'_>);
}

impl KeepMetadata for ReceivedMetadata<'_> {
    fn keep(&mut self, other: &ReceivedMetadata<'_>) {
        self.clear();
        self.overflowed = other.overflowed;
        let counts = |kind| !matches!(kind, Kind::Message | Kind::Forgotten);
        for (kind, name, value) in other.records().filter(|(kind, ..)| counts(*kind)) {
            self.append(kind, name, |to| copy_whole(value, to));
        }
    }
}

/// Kind, length of the name, length of the value in two octets.
const RECORD_HEAD: usize = 4;

struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Records<'a> {
    type Item = (Kind, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.rest.split_first_chunk::<RECORD_HEAD>()?;
        let [kind, name_len, high, low] = *head;
        let (name, rest) = rest.split_at_checked(usize::from(name_len))?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        self.rest = rest;
        Some((Kind::from_u8(kind)?, name, value))
    }
}

fn copy_whole(from: &[u8], to: &mut [u8]) -> Result<(usize, bool), ()> {
    let room = to.get_mut(..from.len()).ok_or(())?;
    for (to, from) in room.iter_mut().zip(from) {
        *to = *from;
    }
    Ok((from.len(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: grpc-reserved-names, grpc-metadata-names, h2-8.2.2-never-generated
    #[test]
    fn names_of_grpc_and_http_are_refused() {
        for name in [
            "grpc-timeout",
            "te",
            "content-type",
            "connection",
            "",
            "Upper",
            "a b",
            ":path",
            "x\n",
        ] {
            assert!(MetadataEntry::ascii(name, "v").check().is_err(), "{name:?}");
        }
        for name in ["x-device-id", "0", "a_b.c-d", "authorization"] {
            assert!(MetadataEntry::ascii(name, "v").check().is_ok(), "{name:?}");
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let entry = MetadataEntry::ascii("authorization", "Bearer secret");
        assert!(!format!("{entry:?}").contains("secret"));
        assert!(format!("{:?}", MetadataEntry::ascii("x", "shown")).contains("shown"));
        let mut memory = [0; 64];
        let mut received = ReceivedMetadata::new(&mut memory);
        received
            .store(Kind::Initial, b"authorization", b"Bearer secret")
            .unwrap();
        assert_eq!(format!("{received:?}"), "[\"authorization\"]");
    }

    // Spec: grpc-metadata-values, h2-8.2.1-never-generated
    #[test]
    fn values_that_would_be_malformed_are_refused() {
        for value in [" v", "v ", "a\r\nb", "a\0", "\u{e9}", "\t"] {
            assert!(MetadataEntry::ascii("x", value).check().is_err(), "{value:?}");
        }
        assert!(MetadataEntry::ascii("x", "").check().is_ok());
        assert!(MetadataEntry::ascii("x-bin", "v").check().is_err());
        assert!(MetadataEntry::binary("x", b"v").check().is_err());
        assert_eq!(
            MetadataEntry::binary("x-bin", &[0; MAX_BINARY_VALUE])
                .check()
                .is_ok(),
            cfg!(feature = "base64")
        );
        assert!(
            MetadataEntry::binary("x-bin", &[0; MAX_BINARY_VALUE + 1])
                .check()
                .is_err()
        );
    }

    // Spec: grpc-bin-split, grpc-bin-padded, grpc-bin-unpadded
    #[cfg(feature = "base64")]
    #[test]
    fn binary_values_are_split_before_they_are_decoded_and_take_both_paddings() {
        let mut memory = [0; 128];
        let mut received = ReceivedMetadata::new(&mut memory);
        received
            .store(Kind::Trailing, b"x-bin", b"q6ur,q6w=,qw==, qw")
            .unwrap();
        let values: Vec<_> = received.trailing("x-bin").collect();
        assert_eq!(values, [&[0xab, 0xab, 0xab][..], &[0xab, 0xac], &[0xab], &[0xab]]);
        assert!(!received.overflowed());
        assert!(received.store(Kind::Trailing, b"x-bin", b"q6u%").is_err());
    }

    // Spec: grpc-metadata-order
    #[test]
    fn repeated_names_keep_their_order_and_sections_are_apart() {
        let mut memory = [0; 128];
        let mut received = ReceivedMetadata::new(&mut memory);
        received.store(Kind::Initial, b"a", b"1").unwrap();
        received.store(Kind::Trailing, b"a", b"2").unwrap();
        received.store(Kind::Initial, b"b", b"").unwrap();
        received.store(Kind::Initial, b"a", b"3").unwrap();
        assert_eq!(received.initial("a").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(
            received.all_initial().map(|(name, _)| name).collect::<Vec<_>>(),
            ["a", "b", "a"]
        );
        assert_eq!(received.trailing("a").collect::<Vec<_>>(), [b"2"]);
    }

    #[test]
    fn every_memory_size_stores_the_field_or_says_that_it_did_not() {
        for size in 0..32 {
            let mut memory = vec![0; size];
            let mut received = ReceivedMetadata::new(&mut memory);
            received.store(Kind::Initial, b"name", b"value").unwrap();
            assert_eq!(received.overflowed(), size < 13, "{size}");
            assert_eq!(received.initial("name").count(), usize::from(size >= 13));
        }
    }

    #[test]
    fn a_status_message_is_cut_where_memory_ends() {
        let mut memory = [0; 10];
        let mut received = ReceivedMetadata::new(&mut memory);
        received.store_message(b"0123456789", false);
        assert_eq!(received.message(), (&b"012345"[..], true));
    }

    // Spec: threat-34
    #[test]
    fn a_status_message_that_was_cut_before_ends_with_a_whole_character() {
        for (encoded, kept) in [
            (&b"abc"[..], &b"abc"[..]),
            (b"abc%", b"abc"),
            (b"abc%4", b"abc"),
            (b"abc%41", b"abcA"),
            (b"abc%E2%98", b"abc"),
            (b"abc%E2%98%B", b"abc"),
            (b"abc%E2%98%BA", b"abc\xe2\x98\xba"),
            (b"%zz", b"%zz"),
        ] {
            let mut memory = [0; 40];
            let mut received = ReceivedMetadata::new(&mut memory);
            received.store_message(encoded, true);
            assert_eq!(received.message(), (kept, true));
        }
    }
}
