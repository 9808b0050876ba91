//! Both directions against a full protobuf implementation (prost), and against the decoder that users have (micropb).

mod sending;

use micropb::{DecodeError, MessageDecode, PbDecoder, PbRead};
use prost::Message;

use super::{FilterError, LargeFieldFilter, LargeFieldHead, Path};
use crate::codec::Outgoing;
use crate::status::{Code, Status};

#[derive(Clone, PartialEq, Message)]
struct Payload {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(bytes = "vec", tag = "2")]
    body: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct EchoStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The official interop test's request, as far as it matters here.
#[derive(Clone, PartialEq, Message)]
struct SimpleRequest {
    #[prost(int32, tag = "1")]
    response_type: i32,
    #[prost(int32, tag = "2")]
    response_size: i32,
    #[prost(message, optional, tag = "3")]
    payload: Option<Payload>,
    #[prost(bool, tag = "4")]
    fill_username: bool,
    #[prost(message, optional, tag = "7")]
    response_status: Option<EchoStatus>,
    #[prost(fixed32, tag = "20")]
    four: u32,
    #[prost(double, tag = "21")]
    eight: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(message, optional, tag = "2")]
    request: Option<SimpleRequest>,
    #[prost(string, tag = "3")]
    name: String,
}

/// A message type whose large field is known to the test.
trait Large: Message + Default + Clone + PartialEq + core::fmt::Debug {
    const PATH: &'static [u32];

    fn body(&mut self) -> Option<&mut Vec<u8>>;
}

impl Large for Payload {
    const PATH: &'static [u32] = &[2];

    fn body(&mut self) -> Option<&mut Vec<u8>> {
        Some(&mut self.body)
    }
}

impl Large for SimpleRequest {
    const PATH: &'static [u32] = &[3, 2];

    fn body(&mut self) -> Option<&mut Vec<u8>> {
        Some(&mut self.payload.as_mut()?.body)
    }
}

impl Large for Envelope {
    const PATH: &'static [u32] = &[2, 3, 2];

    fn body(&mut self) -> Option<&mut Vec<u8>> {
        self.request.as_mut()?.body()
    }
}

struct Encoded(Vec<u8>);

impl Outgoing for Encoded {
    fn message_len(&self) -> usize {
        self.0.len()
    }

    fn write_from(&self, skip: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.0[skip..skip + to.len()]);
    }
}

/// Content, and the rest, of a message that arrives in these pieces.
type Filtered = Result<(Vec<u8>, Vec<u8>), FilterError>;

fn filter_pieces(path: &[u32], total_len: usize, pieces: &[&[u8]], scratch: &mut [u8]) -> Filtered {
    let path = Path::new(path).unwrap();
    let mut filter = LargeFieldFilter::new(path, u32::try_from(total_len).unwrap(), scratch);
    let mut content = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match filter.next(&mut input) {
                Ok(Some(part)) => {
                    assert!(!part.is_empty() && piece.as_ptr_range().contains(&part.as_ptr()));
                    content.extend_from_slice(part);
                }
                Ok(None) => break assert!(input.is_empty()),
                Err(error) => {
                    assert_eq!(filter.next(&mut &[][..]), Err(error), "an error stays");
                    assert_eq!(filter.finish().unwrap_err(), error, "an error stays");
                    return Err(error);
                }
            }
        }
    }
    let len = filter.content_len();
    let rest = filter.finish()?.to_vec();
    assert_eq!(len.unwrap_or(0) as usize, content.len());
    Ok((content, rest))
}

fn filter(path: &[u32], message: &[u8]) -> Filtered {
    filter_pieces(path, message.len(), &[message], &mut vec![0xee; message.len()])
}

/// The message in pieces of `size` octets, which must give what the whole gives.
fn check_pieces(path: &[u32], message: &[u8], size: usize, whole: &Filtered) {
    let pieces: Vec<&[u8]> = message.chunks(size).collect();
    let split = filter_pieces(path, message.len(), &pieces, &mut vec![0xee; message.len()]);
    assert_eq!(&split, whole, "pieces of {size} of {message:02x?}");
}

/// What the filter says must be what prost says, where both can read it.
fn check_against_prost<M: Large>(message: &[u8]) -> Filtered {
    let filtered = filter(M::PATH, message);
    match (&filtered, M::decode(message)) {
        (Ok((content, rest)), Ok(mut expected)) => {
            let body = expected.body().map(core::mem::take).unwrap_or_default();
            assert_eq!(content, &body, "{message:02x?}");
            // Compared as octets: a changed double may be a NaN.
            let rest_read = M::decode(rest.as_slice()).unwrap();
            assert_eq!(
                rest_read.encode_to_vec(),
                expected.encode_to_vec(),
                "{message:02x?}"
            );
            assert!(rest.len() <= message.len() - content.len(), "{message:02x?}");
        }
        // What is wrong inside a field that is not on the path is the decoder's to find, afterwards.
        (Ok((_, rest)), Err(_)) => assert!(M::decode(rest.as_slice()).is_err(), "{message:02x?}"),
        // These are valid protobuf that the filter refuses, as its documentation says.
        (Err(FilterError::Duplicate | FilterError::Group), _) | (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => panic!("{error:?}: {message:02x?}"),
    }
    filtered
}

fn simple(body_len: usize) -> SimpleRequest {
    let octet = |index: usize| u8::try_from(index % 251).unwrap();
    SimpleRequest {
        response_type: -1,
        response_size: 314_159,
        payload: Some(Payload {
            kind: 7,
            body: (0..body_len).map(octet).collect(),
        }),
        fill_username: true,
        response_status: Some(EchoStatus {
            code: 2,
            message: "seven".into(),
        }),
        four: 0xa0a1_a2a3,
        eight: -2.5,
    }
}

fn envelope(body_len: usize) -> Envelope {
    Envelope {
        number: u64::MAX,
        request: Some(simple(body_len)),
        name: "outer".into(),
    }
}

/// Encodings with the large field first, in the middle, last, absent, empty, split and repeated.
fn simple_requests() -> Vec<Vec<u8>> {
    let hex = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b' ').collect();
        let octet = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(octet).collect()
    };
    vec![
        simple(5).encode_to_vec(),
        simple(200).encode_to_vec(),
        simple(0).encode_to_vec(),
        hex(""),
        hex("0801 2001"),                             // no payload
        hex("1a00 2001"),                             // a payload without fields
        hex("1a04 1202 abcd 0801"),                   // first
        hex("0801 1a04 1202 abcd"),                   // last
        hex("1a08 1202 abcd 0801 1807"),              // first within the payload, an unknown field after it
        hex("1a02 0807 2001 1a04 1202 abcd"),         // the payload in two records
        hex("1a04 1202 abcd 1a02 0807"),              // and the large field in the first of them
        hex("1a02 1200 1a04 1202 abcd"),              // an empty one, then another
        hex("1a04 1202 abcd 1a03 1201 ef"),           // twice
        hex("1a04 1202 abcd 1a02 1200"),              // twice, then empty
        hex("9a80 8000 8780 00 9280 0082 00 abcd"),   // longer varints than need be
        hex("1a04 1202 abcd a2 0600 aa06 03 010203"), // unknown fields with longer tags
    ]
}

#[test]
fn any_order_of_fields_gives_what_protobuf_says() {
    for message in simple_requests() {
        check_against_prost::<SimpleRequest>(&message).map_or_else(
            |error| assert_eq!(error, FilterError::Duplicate, "{message:02x?}"),
            |(content, _)| assert!([0, 2, 5, 200].contains(&content.len())),
        );
    }
    for body_len in [0, 1, 100, 300] {
        let message = simple(body_len).payload.unwrap().encode_to_vec();
        assert_eq!(
            check_against_prost::<Payload>(&message).unwrap().0.len(),
            body_len
        );
        let message = envelope(body_len).encode_to_vec();
        assert_eq!(
            check_against_prost::<Envelope>(&message).unwrap().0.len(),
            body_len
        );
    }
}

#[test]
fn any_split_of_the_message_gives_the_same() {
    let mut messages: Vec<_> = simple_requests()
        .into_iter()
        .map(|message| (SimpleRequest::PATH, message))
        .collect();
    messages.push((Envelope::PATH, envelope(40).encode_to_vec()));
    messages.push((Payload::PATH, simple(40).payload.unwrap().encode_to_vec()));
    messages.push((&[], envelope(3).encode_to_vec()));
    for (path, message) in messages {
        let whole = filter(path, &message);
        for size in 1..=message.len() {
            check_pieces(path, &message, size, &whole);
            let (first, second) = message.split_at(size);
            let split = filter_pieces(
                path,
                message.len(),
                &[first, &[], second],
                &mut vec![0; message.len()],
            );
            assert_eq!(split, whole, "{size} of {message:02x?}");
        }
    }
}

#[test]
fn any_octet_changed_is_an_error_or_what_protobuf_says() {
    for message in simple_requests().iter().filter(|message| message.len() < 100) {
        check_corrupted::<SimpleRequest>(message);
    }
    check_corrupted::<Envelope>(&envelope(3).encode_to_vec());
}

fn check_corrupted<M: Large>(message: &[u8]) {
    for index in 0..message.len() {
        for octet in 0..=u8::MAX {
            let mut changed = message.to_vec();
            changed[index] = octet;
            let whole = check_against_prost::<M>(&changed);
            check_pieces(M::PATH, &changed, 1, &whole);
        }
    }
}

#[test]
fn message_that_ends_anywhere_is_truncated_or_whole() {
    check_cut::<Envelope>(&envelope(5).encode_to_vec());
    check_cut::<SimpleRequest>(&simple(5).encode_to_vec());
    check_cut::<Payload>(&simple(5).payload.unwrap().encode_to_vec());
}

fn check_cut<M: Large>(message: &[u8]) {
    for len in 0..message.len() {
        // The prefix announced more than came.
        let cut = filter_pieces(M::PATH, message.len(), &[&message[..len]], &mut [0; 200]);
        assert_eq!(cut, Err(FilterError::Truncated), "{len}");
        // The prefix announced what came, and the field runs on.
        match check_against_prost::<M>(&message[..len]) {
            Ok(_) | Err(FilterError::Truncated | FilterError::Overrun) => {}
            other => panic!("{len}: {other:?}"),
        }
        // The prefix announced less than came.
        let longer = filter_pieces(M::PATH, len, &[message], &mut [0; 200]);
        assert!(
            matches!(longer, Err(FilterError::Trailing | FilterError::Overrun)),
            "{len}: {longer:?}"
        );
    }
}

#[test]
fn scratch_of_any_length_is_enough_or_says_what_is_needed() {
    let mut long = envelope(200);
    let status = long.request.as_mut().unwrap().response_status.as_mut();
    status.unwrap().message = "m".repeat(150);
    check_scratch::<Envelope>(&long.encode_to_vec());
    check_scratch::<Envelope>(&envelope(3).encode_to_vec());
    // So that each kind of field comes last.
    for message in simple_requests() {
        if check_against_prost::<SimpleRequest>(&message).is_ok() {
            check_scratch::<SimpleRequest>(&message);
        }
    }
    let four = SimpleRequest {
        four: 4,
        ..SimpleRequest::default()
    };
    check_scratch::<SimpleRequest>(&four.encode_to_vec());
}

fn check_scratch<M: Large>(message: &[u8]) {
    let mut expected = M::decode(message).unwrap();
    let body = expected.body().map(core::mem::take).unwrap_or_default();
    // What the documentation promises to be enough.
    let documented = message.len() - body.len();
    let mut was_enough = false;
    for len in 0..=message.len() {
        let mut scratch = vec![0xee; len];
        match filter_pieces(M::PATH, message.len(), &[message], &mut scratch) {
            Ok((content, rest)) => {
                was_enough = true;
                assert_eq!(content, body, "{message:02x?}");
                assert_eq!(M::decode(rest.as_slice()).unwrap(), expected, "{message:02x?}");
            }
            Err(FilterError::ScratchTooSmall { needed }) => {
                assert!(needed > len && needed <= documented, "{needed} with {len}");
                assert!(!was_enough && len < documented, "{len} of {message:02x?}");
            }
            Err(error) => panic!("{error:?} with {len}"),
        }
    }
    assert!(was_enough);
}

#[test]
fn empty_path_gives_all_octets_and_needs_no_scratch() {
    for message in [&[][..], &[0xff; 300]] {
        let (content, rest) = filter_pieces(&[], message.len(), &[message], &mut []).unwrap();
        assert_eq!((content.as_slice(), rest.len()), (message, 0));
        let error = filter_pieces(&[], message.len(), &[message, &[0]], &mut []);
        assert_eq!(error, Err(FilterError::Trailing));
        let error = filter_pieces(&[], message.len() + 1, &[message], &mut []);
        assert_eq!(error, Err(FilterError::Truncated));
    }
}

#[test]
fn presence_of_the_fields_on_the_path_survives() {
    let message = SimpleRequest {
        payload: Some(
            simple(9)
                .payload
                .map(|payload| Payload { kind: 0, ..payload })
                .unwrap(),
        ),
        ..SimpleRequest::default()
    };
    let (_, rest) = filter(SimpleRequest::PATH, &message.encode_to_vec()).unwrap();
    assert_eq!(rest, [0x1a, 0]);
}

#[test]
fn each_malformation_has_its_name() {
    let cases: [(&[u8], FilterError); 14] = [
        (&[0x00, 0], FilterError::Tag),
        (&[0x0e, 0], FilterError::Tag),
        (&[0x0f, 0], FilterError::Tag),
        (&[0x80, 0x80, 0x80, 0x80, 0x10], FilterError::Tag),
        (&[0x0b, 0x0c], FilterError::Group),
        (&[0x0c], FilterError::Group),
        (
            &[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
            FilterError::Varint,
        ),
        (&[0x18, 1], FilterError::WireType { number: 3 }),
        (&[0x1a, 2, 0x10, 1], FilterError::WireType { number: 2 }),
        (&[0x1a, 3, 0x12, 2, 9, 9], FilterError::Overrun),
        (&[0x1a, 1, 0x12, 0], FilterError::Overrun),
        (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], FilterError::Overrun),
        (&[0x0d, 1, 2, 3], FilterError::Overrun),
        (&[0x08, 0x80], FilterError::Truncated),
    ];
    for (message, error) in cases {
        assert_eq!(filter(&[3, 2], message), Err(error), "{message:02x?}");
        let code = Status::from(error).code();
        assert_eq!(code, Code::INTERNAL);
    }
    let too_small = Status::from(FilterError::ScratchTooSmall { needed: 9 });
    assert_eq!(too_small.code(), Code::RESOURCE_EXHAUSTED);
    assert!(too_small.message().contains("scratch"));
}
