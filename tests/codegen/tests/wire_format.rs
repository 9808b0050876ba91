//! The rules of the wire format, case by case, for our code and prost side by side.
//!
//! Each case says what the encoding guide of Protocol Buffers asks for. Where our code or prost does something else, the
//! case says so, and why: these lines are the list of all known differences.
//!
//! Spec: Protocol Buffers encoding, <https://protobuf.dev/programming-guides/encoding/>

use prost_reflect::{DynamicMessage, MessageDescriptor};
use rpc_nostd_codegen_tests::Kind;
use rpc_nostd_codegen_tests::wire::{EGROUP, I32, I64, LEN, SGROUP, VARINT, int, len, tag, varint};

use Outcome::{Means, Refused};

/// What a decoder makes of octets.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    /// The message that these octets stand for, which need no rule.
    Means(Vec<u8>),
    Refused,
}

struct Case {
    name: &'static str,
    message: &'static str,
    octets: Vec<u8>,
    rule: Outcome,
    /// What our code does instead, and why.
    ours: Option<(Outcome, &'static str)>,
    /// What prost does instead.
    prost: Option<Outcome>,
}

impl Case {
    fn ours(mut self, outcome: Outcome, why: &'static str) -> Self {
        self.ours = Some((outcome, why));
        self
    }

    fn prost(mut self, outcome: Outcome) -> Self {
        self.prost = Some(outcome);
        self
    }
}

#[test]
fn each_rule_of_the_wire_format_is_kept_or_its_breach_is_listed() {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let kind = Kind::of(case.message);
        let descriptor = kind.descriptor();
        let expected = case.ours.as_ref().map_or(&case.rule, |(outcome, _)| outcome);
        let ours = match (kind.recode)(&case.octets) {
            Ok(recoded) => Means(recoded.octets),
            Err(_) => Refused,
        };
        if !same(&descriptor, &ours, expected) {
            wrong.push(format!("{}: ours: {ours:x?}, expected {expected:x?}", case.name));
        }
        let expected = case.prost.as_ref().unwrap_or(&case.rule);
        let theirs = kind.theirs.expect("a message of the corpus");
        let theirs = theirs(&case.octets).map_or(Refused, Means);
        if !same(&descriptor, &theirs, expected) {
            wrong.push(format!(
                "{}: prost: {theirs:x?}, expected {expected:x?}",
                case.name
            ));
        }
        for (what, other) in [
            ("ours", case.ours.as_ref().map(|(outcome, _)| outcome)),
            ("prost", case.prost.as_ref()),
        ] {
            if other.is_some_and(|other| same(&descriptor, other, &case.rule)) {
                wrong.push(format!(
                    "{}: {what} does what the rule says, so it is no difference",
                    case.name
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// No octet may be the last one before the end: what is cut in the middle of a field is refused.
#[test]
fn what_ends_in_the_middle_of_a_field_is_refused() {
    let fields = [
        int(3, 300),
        len(14, b"text"),
        [tag(9, I32), vec![1; 4]].concat(),
        [tag(10, I64), vec![1; 8]].concat(),
        len(33, &len(2, &len(1, &len(1, b"end")))),
        [tag(2047, SGROUP), int(1, 300), tag(2047, EGROUP)].concat(),
        len(2046, b"unknown"),
    ];
    let kind = Kind::of("everything.v1.Singles");
    for field in fields {
        assert!((kind.recode)(&field).is_ok(), "{field:x?}");
        for end in 1..field.len() {
            assert!((kind.recode)(&field[..end]).is_err(), "{:x?}", &field[..end]);
        }
    }
}

/// Whether two outcomes are the same, the order of map entries aside.
fn same(descriptor: &MessageDescriptor, a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Means(a), Means(b)) => {
            let decode =
                |octets: &[u8]| DynamicMessage::decode(descriptor.clone(), octets).expect("plain octets");
            a == b || decode(a) == decode(b)
        }
        (Refused, Refused) => true,
        _ => false,
    }
}

fn cases() -> Vec<Case> {
    let groups = [
        scalars,
        varints,
        lists,
        messages,
        maps,
        unknown_fields,
        malformed,
        proto2,
    ];
    groups.into_iter().flat_map(|group| group()).collect()
}

fn on(message: &'static str, name: &'static str, octets: impl AsRef<[u8]>, rule: Outcome) -> Case {
    Case {
        name,
        message,
        octets: octets.as_ref().to_vec(),
        rule,
        ours: None,
        prost: None,
    }
}

fn singles(name: &'static str, octets: impl AsRef<[u8]>, rule: Outcome) -> Case {
    on("everything.v1.Singles", name, octets, rule)
}

fn scalars() -> Vec<Case> {
    let minus_zero = [tag(1, I64), (-0.0_f64).to_le_bytes().to_vec()].concat();
    let minus_zero_float = [tag(2, I32), (-0.0_f32).to_le_bytes().to_vec()].concat();
    let nan = [tag(2, I32), 0x7fc0_1234_u32.to_le_bytes().to_vec()].concat();
    vec![
        singles("an empty message is a message", [], Means(vec![])),
        singles(
            "the last of several values wins",
            [int(3, 5), int(3, 7)].concat(),
            Means(int(3, 7)),
        ),
        singles(
            "the last value wins if it is the default",
            [int(3, 5), int(3, 0)].concat(),
            Means(vec![]),
        ),
        singles(
            "the last string wins",
            [len(14, b"long"), len(14, b"ab")].concat(),
            Means(len(14, b"ab")),
        ),
        singles(
            "the last string wins if it is empty",
            [len(14, b"ab"), len(14, b"")].concat(),
            Means(vec![]),
        ),
        singles(
            "the last bytes win if they are empty",
            [len(15, b"ab"), len(15, b"")].concat(),
            Means(vec![]),
        ),
        singles(
            "an optional field is there though it is zero",
            int(18, 0),
            Means(int(18, 0)),
        ),
        singles(
            "an optional string is there though it is empty",
            len(29, b""),
            Means(len(29, b"")),
        ),
        singles(
            "fields come in any order",
            [int(13, 1), int(3, 5)].concat(),
            Means([int(3, 5), int(13, 1)].concat()),
        ),
        singles(
            "minus zero is not the default",
            &minus_zero,
            Means(minus_zero.clone()),
        )
        .ours(
            Means(vec![]),
            "micropb leaves out what is equal to zero, and minus zero is",
        )
        .prost(Means(vec![])),
        singles(
            "minus zero of a float is not the default",
            &minus_zero_float,
            Means(minus_zero_float.clone()),
        )
        .ours(Means(vec![]), "as for double")
        .prost(Means(vec![])),
        singles("a NaN keeps its bits", &nan, Means(nan.clone())),
        singles(
            "the field with the highest number",
            int(536_870_911, 1),
            Means(int(536_870_911, 1)),
        ),
    ]
}

fn varints() -> Vec<Case> {
    let minus_one = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let with = |number, value: &[u8]| [tag(number, VARINT), value.to_vec()].concat();
    vec![
        singles(
            "a varint may be longer than it must",
            with(3, &[0x85, 0x80, 0x00]),
            Means(int(3, 5)),
        ),
        singles(
            "a length may be longer than it must",
            [tag(14, LEN), vec![0x81, 0x00, b'x']].concat(),
            Means(len(14, b"x")),
        ),
        singles(
            "a negative int32 has ten octets",
            with(3, &minus_one),
            Means(with(3, &minus_one)),
        ),
        singles(
            "an int32 is cut to 32 bits",
            with(3, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
            Means(with(3, &minus_one)),
        ),
        singles(
            "a uint32 is cut to 32 bits",
            int(5, 0x1_0000_0005),
            Means(int(5, 5)),
        ),
        singles(
            "a sint32 is cut to 32 bits",
            int(7, 0x1_0000_0003),
            Means(int(7, 3)),
        ),
        singles(
            "an enum is cut to 32 bits",
            int(31, 0x1_0000_0001),
            Means(int(31, 1)),
        ),
        singles(
            "an enum's number need not be known",
            int(31, 99),
            Means(int(31, 99)),
        ),
        singles("any number but 0 is true", int(13, 2), Means(int(13, 1))),
        singles(
            "a bool is true by its high bits too",
            int(13, 1 << 40),
            Means(int(13, 1)),
        ),
        singles(
            "a varint of eleven octets is none",
            with(6, &[[0x80; 10].as_slice(), &[0]].concat()),
            Refused,
        ),
        singles(
            "an unknown varint of eleven octets is none",
            with(900, &[[0x80; 10].as_slice(), &[0]].concat()),
            Refused,
        ),
        singles(
            "a varint of more than 64 bits is cut",
            with(6, &[[0xff; 9].as_slice(), &[0x7f]].concat()),
            Means(int(6, u64::MAX)),
        )
        .prost(Refused),
        singles(
            "a tag may be longer than it must",
            [0x98, 0x00, 5],
            Means(int(3, 5)),
        ),
        singles(
            "a tag of more than 32 bits is none",
            [varint(1 << 35 | 3 << 3), vec![5]].concat(),
            Refused,
        ),
        singles(
            "a field number of more than 29 bits is none",
            [varint(1 << 32 | 3 << 3), vec![5]].concat(),
            Refused,
        ),
    ]
}

fn lists() -> Vec<Case> {
    let list = |name, octets: Vec<u8>, rule| on("everything.v1.Lists", name, octets, rule);
    let packed = len(3, &[1, 2, 3]);
    let apart = [int(18, 1), int(18, 2), int(18, 3)].concat();
    vec![
        list(
            "packed elements may come apart",
            [int(3, 1), int(3, 2), int(3, 3)].concat(),
            Means(packed.clone()),
        ),
        list(
            "unpacked elements may come packed",
            len(18, &[1, 2, 3]),
            Means(apart),
        ),
        list(
            "packed elements may come in pieces",
            [len(3, &[1]), int(3, 2), len(3, &[3])].concat(),
            Means(packed),
        ),
        list("a packed list may be empty", len(3, &[]), Means(vec![])),
        list(
            "fixed elements may come apart",
            [tag(9, I32), vec![1, 0, 0, 0]].concat(),
            Means(len(9, &[1, 0, 0, 0])),
        ),
        list(
            "bools are packed like numbers",
            len(13, &[0, 1, 2]),
            Means(len(13, &[0, 1, 1])),
        ),
        list(
            "enums are packed like numbers",
            len(29, &[1, 99]),
            Means(len(29, &[1, 99])),
        ),
        list(
            "an empty string is an element",
            [len(14, b""), len(14, b"a")].concat(),
            Means([len(14, b""), len(14, b"a")].concat()),
        ),
        list(
            "an empty message is an element",
            len(31, b""),
            Means(len(31, b"")),
        ),
        list(
            "half a fixed element is none",
            len(9, &[1, 0, 0, 0, 1, 0]),
            Refused,
        ),
        list("half a varint is no element", len(3, &[1, 0x80]), Refused),
        list(
            "an element that ends after the list is none",
            [len(3, &[1, 0x80]), vec![0x01]].concat(),
            Refused,
        ),
    ]
}

fn messages() -> Vec<Case> {
    let choice = |name, octets: Vec<u8>, rule| on("everything.v1.Choices", name, octets, rule);
    let (number, deeper) = (int(1, 6), len(2, &len(1, &len(1, b"x"))));
    let both = [number.clone(), deeper.clone()].concat();
    vec![
        singles(
            "an empty message field is there",
            len(33, b""),
            Means(len(33, b"")),
        ),
        singles(
            "a message that comes in pieces is merged",
            [len(33, &number), int(3, 1), len(33, &deeper)].concat(),
            Means([int(3, 1), len(33, &both)].concat()),
        ),
        singles(
            "messages in messages are merged",
            [
                len(33, &len(2, &len(1, &len(1, b"x")))),
                len(33, &len(2, &len(1, &int(2, 1)))),
            ]
            .concat(),
            Means(len(33, &len(2, &len(1, &[len(1, b"x"), int(2, 1)].concat())))),
        ),
        choice(
            "the last field of a oneof wins",
            [int(3, 5), len(14, b"ab")].concat(),
            Means(len(14, b"ab")),
        ),
        choice(
            "the last value of a oneof's field wins",
            [int(3, 5), int(3, 6)].concat(),
            Means(int(3, 6)),
        ),
        choice(
            "a oneof's field is there though it is zero",
            int(3, 0),
            Means(int(3, 0)),
        ),
        choice(
            "a oneof's message that comes in pieces is merged",
            [len(17, &number), len(17, &deeper)].concat(),
            Means(len(17, &both)),
        ),
        choice(
            "a oneof's message begins anew after another field",
            [len(17, &number), int(3, 5), len(17, &deeper)].concat(),
            Means(len(17, &deeper)),
        ),
        choice(
            "two oneofs do not touch each other",
            [int(3, 5), int(2047, 1)].concat(),
            Means([int(3, 5), int(2047, 1)].concat()),
        ),
    ]
}

fn maps() -> Vec<Case> {
    let key = |name, octets: Vec<u8>, rule| on("everything.v1.Keys", name, octets, rule);
    let value = |name, octets: Vec<u8>, rule| on("everything.v1.Values", name, octets, rule);
    let entry = |parts: &[Vec<u8>]| len(3, &parts.concat());
    let (one, zero_key) = (entry(&[int(1, 7), int(2, 8)]), entry(&[int(1, 0), int(2, 8)]));
    let nested = |parts: &[Vec<u8>]| len(21, &[vec![len(1, b"k")], parts.to_vec()].concat().concat());
    let (number, deeper) = (int(1, 6), len(2, &len(1, &len(1, b"x"))));
    vec![
        key(
            "an entry's key may be left out",
            entry(&[int(2, 8)]),
            Means(zero_key),
        ),
        key(
            "an entry's value may be left out",
            entry(&[int(1, 7)]),
            Means(entry(&[int(1, 7), int(2, 0)])),
        ),
        key(
            "an entry may be empty",
            entry(&[]),
            Means(entry(&[int(1, 0), int(2, 0)])),
        ),
        key(
            "a value may come before its key",
            entry(&[int(2, 8), int(1, 7)]),
            Means(one.clone()),
        ),
        key(
            "the last entry of a key wins",
            [entry(&[int(1, 7), int(2, 9)]), one.clone()].concat(),
            Means(one.clone()),
        ),
        key(
            "the last key of an entry wins",
            entry(&[int(1, 9), int(1, 7), int(2, 8)]),
            Means(one.clone()),
        ),
        key(
            "an entry's unknown fields are skipped",
            entry(&[int(3, 9), int(1, 7), len(4, b"x"), int(2, 8)]),
            Means(one.clone()),
        ),
        key(
            "an entry's unknown group is skipped",
            entry(&[int(1, 7), tag(3, SGROUP), tag(3, EGROUP), int(2, 8)]),
            Means(one),
        ),
        key(
            "a key that is no UTF-8 is none",
            len(12, &[len(1, &[0xff]), int(2, 1)].concat()),
            Refused,
        ),
        key(
            "an entry that ends after its map is none",
            [tag(3, LEN), varint(3), int(1, 7), int(2, 8)].concat(),
            Refused,
        ),
        key(
            "field number 0 is none in an entry",
            entry(&[vec![0, 0], int(1, 7), int(2, 8)]),
            Refused,
        ),
        key(
            "a key of another wire type is unknown",
            entry(&[len(1, b"a"), int(2, 8)]),
            Means(entry(&[int(1, 0), int(2, 8)])),
        )
        .ours(Refused, WRONG_TYPE)
        .prost(Refused),
        value(
            "a value that is no UTF-8 is none",
            len(14, &[int(1, 1), len(2, &[0xc0, 0x80])].concat()),
            Refused,
        ),
        value(
            "an entry's message that comes in pieces is merged",
            nested(&[len(2, &number), len(2, &deeper)]),
            Means(nested(&[len(2, &[number.clone(), deeper.clone()].concat())])),
        ),
        value(
            "entries of one key are not merged",
            [nested(&[len(2, &number)]), nested(&[len(2, &deeper)])].concat(),
            Means(nested(&[len(2, &deeper)])),
        ),
        value(
            "an entry's message may be left out",
            nested(&[]),
            Means(nested(&[len(2, b"")])),
        ),
        value(
            "an entry's enum need not be known",
            len(20, &[len(1, b"k"), int(2, 77)].concat()),
            Means(len(20, &[len(1, b"k"), int(2, 77)].concat())),
        ),
    ]
}

fn unknown_fields() -> Vec<Case> {
    let known = int(3, 5);
    let around = |unknown: Vec<u8>| [unknown.clone(), int(3, 5), unknown].concat();
    let group = |inside: &[u8]| [tag(900, SGROUP), inside.to_vec(), tag(900, EGROUP)].concat();
    let deep = |depth| {
        [vec![tag(900, SGROUP); depth], vec![tag(900, EGROUP); depth]]
            .concat()
            .concat()
    };
    vec![
        singles(
            "an unknown varint is skipped",
            around(int(900, u64::MAX)),
            Means(known.clone()),
        ),
        singles(
            "an unknown fixed64 is skipped",
            around([tag(900, I64), vec![0xff; 8]].concat()),
            Means(known.clone()),
        ),
        singles(
            "an unknown fixed32 is skipped",
            around([tag(900, I32), vec![0xff; 4]].concat()),
            Means(known.clone()),
        ),
        singles(
            "an unknown length is skipped",
            around(len(900, &[0xff; 200])),
            Means(known.clone()),
        ),
        singles(
            "an unknown group is skipped",
            around(group(&[len(1, b"x"), int(3, 9)].concat())),
            Means(known.clone()),
        ),
        singles(
            "an empty group is skipped",
            around(group(&[])),
            Means(known.clone()),
        ),
        singles(
            "a group in a group is skipped",
            around(group(&group(&int(3, 9)))),
            Means(known.clone()),
        ),
        singles(
            "groups lie in groups 16 deep",
            around(deep(16)),
            Means(known.clone()),
        ),
        singles(
            "groups lie in groups deeper",
            around(deep(17)),
            Means(known.clone()),
        )
        .ours(Refused, "each level costs stack: more than 16 are refused"),
        singles(
            "a group in a message is skipped",
            len(33, &[group(&int(1, 1)), int(1, 6)].concat()),
            Means(len(33, &int(1, 6))),
        ),
    ]
}

fn malformed() -> Vec<Case> {
    vec![
        singles("field number 0 is none", [0, 0], Refused),
        singles("field number 0 is none, whatever its type", [2, 0], Refused),
        singles("wire type 6 is none", [tag(900, 6), vec![0]].concat(), Refused),
        singles("wire type 7 is none", [tag(3, 7), vec![0]].concat(), Refused),
        singles("a group's end without its beginning", tag(900, EGROUP), Refused),
        singles(
            "a group's end that is another's",
            [tag(900, SGROUP), tag(901, EGROUP)].concat(),
            Refused,
        ),
        singles(
            "a group without its end",
            [tag(900, SGROUP), int(3, 5)].concat(),
            Refused,
        ),
        singles(
            "a group that ends after its message",
            [len(33, &tag(900, SGROUP)), tag(900, EGROUP)].concat(),
            Refused,
        ),
        singles("a string that is no UTF-8", len(14, &[0xff]), Refused),
        singles(
            "a string with half of a surrogate pair",
            len(14, &[0xed, 0xa0, 0x80]),
            Refused,
        ),
        singles(
            "a string with an overlong character",
            len(14, &[0xc1, 0x81]),
            Refused,
        ),
        singles(
            "a string longer than its message",
            [tag(14, LEN), vec![5, b'x']].concat(),
            Refused,
        ),
        singles(
            "a message longer than the one around it",
            [tag(33, LEN), vec![5, 0x08]].concat(),
            Refused,
        ),
        singles(
            "a field that ends after its message",
            [tag(33, LEN), vec![1], int(1, 6)].concat(),
            Refused,
        ),
        singles(
            "a string that ends after its message",
            [tag(35, LEN), vec![3], len(2, b"abc")].concat(),
            Refused,
        ),
        singles(
            "a length of ten octets",
            [tag(14, LEN), vec![0xff; 9], vec![1]].concat(),
            Refused,
        ),
        singles(
            "a length of more than 32 bits",
            [tag(14, LEN), varint(1 << 32 | 1), vec![b'x']].concat(),
            Refused,
        )
        .ours(
            Means(len(14, b"x")),
            "micropb reads the low 32 bits of a length, and gRPC's messages have no longer one",
        ),
        singles(
            "a number of another wire type is unknown",
            len(3, b"ab"),
            Means(vec![]),
        )
        .ours(Refused, WRONG_TYPE)
        .prost(Refused),
        singles(
            "a string of another wire type is unknown",
            int(14, 5),
            Means(vec![]),
        )
        .ours(Refused, WRONG_TYPE)
        .prost(Refused),
        singles(
            "a message of another wire type is unknown",
            int(33, 5),
            Means(vec![]),
        )
        .ours(Refused, WRONG_TYPE)
        .prost(Refused),
        singles(
            "a fixed number of another size is unknown",
            [tag(9, I64), vec![1; 8]].concat(),
            Means(vec![]),
        )
        .ours(Refused, WRONG_TYPE)
        .prost(Refused),
    ]
}

fn proto2() -> Vec<Case> {
    let meter = |name, octets: Vec<u8>, rule| on("legacy.MeterReading", name, octets, rule);
    let required = [int(1, 7), tag(2, I32), vec![9, 0, 0, 0]].concat();
    let with = |more: Vec<u8>| [required.clone(), more].concat();
    vec![
        meter(
            "required fields are there though they are zero",
            [int(1, 0), tag(2, I32), vec![0; 4]].concat(),
            Means([int(1, 0), tag(2, I32), vec![0; 4]].concat()),
        ),
        meter("a required field that is missing", int(1, 7), Refused)
            .ours(
                Means(int(1, 7)),
                "a required field is an `Option`, and who needs it looks",
            )
            .prost(Means([int(1, 7), tag(2, I32), vec![0; 4]].concat())),
        meter(
            "a field that is left out stays so, whatever its default",
            required.clone(),
            Means(required.clone()),
        ),
        meter(
            "a field that is its default is there",
            with(int(7, 1)),
            Means(with(int(7, 1))),
        ),
        meter(
            "an extension that nobody declared is skipped",
            with(len(150, b"x")),
            Means(required.clone()),
        ),
        meter(
            "an extension is skipped",
            with(len(100, b"x")),
            Means(required.clone()),
        ),
        meter(
            "unpacked elements may come packed",
            with(len(10, &[1, 2])),
            Means(with([int(10, 1), int(10, 2)].concat())),
        ),
        meter(
            "a closed enum's unknown number is an unknown field",
            with(int(5, 77)),
            Means(required.clone()),
        )
        .ours(
            Means(with(int(5, 77))),
            "enums are open in Rust: the number is kept",
        )
        .prost(Means(with(int(5, 77)))),
        meter(
            "a string need not be UTF-8",
            with(len(4, &[0xff])),
            Means(with(len(4, &[0xff]))),
        )
        .ours(Refused, "a Rust string is UTF-8")
        .prost(Refused),
    ]
}

const WRONG_TYPE: &str =
    "a field of another wire type means that the two .proto files disagree: it is told, not hidden";
