//! Responses that lie.

use crate::endpoint::{Call, Outcome};
use crate::peer::{HEAD, Server};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, END_STREAM};

pub(super) const CASES: &[Case<Server>] = &[
    Case {
        name: "threat_29/broken_base64_is_dropped_or_fails_its_call_and_nothing_else",
        run: broken_base64,
    },
    Case {
        name: "threat_30/a_length_over_the_limit_is_resource_exhausted_at_its_prefix",
        run: length_over_the_limit,
    },
    Case {
        name: "threat_30/a_message_cut_anywhere_is_never_ok",
        run: cut_anywhere,
    },
    Case {
        name: "threat_31/compressed_messages_are_an_internal_error",
        run: compressed,
    },
    Case {
        name: "threat_32/what_is_no_good_status_is_never_ok",
        run: bad_statuses,
    },
    Case {
        name: "threat_32/two_replies_or_none_are_unimplemented",
        run: cardinality,
    },
    Case {
        name: "threat_32/a_status_in_the_first_section_counts_only_where_it_ends_the_stream",
        run: status_in_odd_places,
    },
    Case {
        name: "threat_34/any_status_message_is_taken_and_cut_at_a_character",
        run: message_bombs,
    },
];

/// How a unary call ends when the server answers it with these frames (made for its stream).
fn outcome_of(server: &mut Server, frames: &dyn Fn(u32) -> Vec<Vec<u8>>) -> Result<Outcome, Fault> {
    let request = server.request(Call::Unary(3))?;
    server.send(&frames(request.stream).concat());
    let outcome = server.client.outcome(request.call);
    // A reset that the client owes for it is of no interest here.
    server.look();
    outcome.ok_or_else(|| Fault("the call did not end".to_owned()))
}

fn expect_code(outcome: &Outcome, codes: &[u32], what: &str) -> Verdict {
    check(
        codes.contains(&outcome.code) && outcome.replies.is_empty(),
        || format!("{what}: one of {codes:?} expected, not {outcome:?}"),
    )
}

fn trailers(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    wire::headers(stream, fields, END_STREAM)
}

fn head(stream: u32) -> Vec<u8> {
    wire::headers(stream, HEAD, 0)
}

// Spec: threat-29
fn broken_base64(server: &mut Server) -> Verdict {
    server.open()?;
    for value in ["!", "a", "ab=c", "====", "YR"] {
        let fields = [("grpc-status", "0"), ("x-bin", value)];
        let outcome = outcome_of(server, &|stream| {
            let message = wire::message(b"reply");
            vec![
                head(stream),
                wire::data(stream, &message, 0),
                trailers(stream, &fields),
            ]
        })?;
        // Nobody asked for the metadata: the call is as good as its status.
        check(outcome.code == 0 || outcome.code == INTERNAL, || {
            format!("{value}: {outcome:?}")
        })?;
        let details = [("grpc-status", "5"), ("grpc-status-details-bin", value)];
        let outcome = outcome_of(server, &|stream| {
            let head = [HEAD, &details[..]].concat();
            vec![trailers(stream, &head)]
        })?;
        expect_code(&outcome, &[NOT_FOUND], "a status whose details are broken")?;
    }
    server.expect_alive()
}

// Spec: threat-30
fn length_over_the_limit(server: &mut Server) -> Verdict {
    server.open()?;
    for length in [2_000_u32, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
        let prefix = [&[0][..], &length.to_be_bytes()].concat();
        let outcome = outcome_of(server, &|stream| {
            vec![head(stream), wire::data(stream, &prefix, 0)]
        })?;
        expect_code(&outcome, &[RESOURCE_EXHAUSTED], "a length over the limit")?;
        check(outcome.message.contains("RECV"), || {
            format!("the limit is not named: {:?}", outcome.message)
        })?;
    }
    server.expect_alive()
}

// Spec: threat-30
fn cut_anywhere(server: &mut Server) -> Verdict {
    server.open()?;
    let message = wire::message(b"hello");
    for end in 1..message.len() {
        let part = message[..end].to_vec();
        let outcome = outcome_of(server, &|stream| {
            vec![
                head(stream),
                wire::data(stream, &part, 0),
                trailers(stream, &[("grpc-status", "0")]),
            ]
        })?;
        expect_code(&outcome, &[INTERNAL], "a message cut by trailers")?;
        let outcome = outcome_of(server, &|stream| {
            vec![head(stream), wire::data(stream, &part, END_STREAM)]
        })?;
        expect_code(&outcome, &[INTERNAL, UNKNOWN], "a message cut by END_STREAM")?;
    }
    server.expect_alive()
}

// Spec: threat-31
fn compressed(server: &mut Server) -> Verdict {
    server.open()?;
    for flag in [1_u8, 2, 128, 255] {
        let mut message = wire::message(b"hello");
        message[0] = flag;
        for encoding in [None, Some("identity"), Some("gzip"), Some("x-made-up")] {
            let mut fields = HEAD.to_vec();
            fields.extend(encoding.map(|value| ("grpc-encoding", value)));
            let outcome = outcome_of(server, &|stream| {
                vec![
                    wire::headers(stream, &fields, 0),
                    wire::data(stream, &message, 0),
                    trailers(stream, &[("grpc-status", "0")]),
                ]
            })?;
            expect_code(&outcome, &[INTERNAL], "a compressed message")?;
        }
    }
    server.expect_alive()
}

// Spec: threat-32
fn bad_statuses(server: &mut Server) -> Verdict {
    server.open()?;
    let with = |fields: &[(&str, &str)]| {
        let fields: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        move |stream: u32| {
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let message = wire::message(b"reply");
            vec![
                head(stream),
                wire::data(stream, &message, 0),
                trailers(stream, &fields),
            ]
        }
    };
    for value in [
        "",
        "x",
        "-1",
        "+0",
        "0x0",
        " ",
        "0 0",
        "4294967296",
        "99999999999999999999",
        "0.0",
        "\u{660}",
    ] {
        let outcome = outcome_of(server, &with(&[("grpc-status", value)]))?;
        expect_code(&outcome, &[UNKNOWN, INTERNAL], value)?;
    }
    for value in ["17", "99", "4294967295"] {
        let outcome = outcome_of(server, &with(&[("grpc-status", value)]))?;
        expect_code(&outcome, &[UNKNOWN], value)?;
    }
    let twice: [&[(&str, &str)]; 3] = [
        &[("grpc-status", "0"), ("grpc-status", "5")],
        &[("grpc-status", "5"), ("grpc-status", "0")],
        &[("grpc-status", "0, 0")],
    ];
    for fields in twice {
        let outcome = outcome_of(server, &with(fields))?;
        check(outcome.code != 0, || format!("{fields:?} passes for OK"))?;
    }
    let outcome = outcome_of(server, &with(&[("x", "y")]))?;
    expect_code(&outcome, &[UNKNOWN, INTERNAL], "trailers without a status")?;
    let outcome = outcome_of(server, &|stream| vec![trailers(stream, HEAD)])?;
    expect_code(&outcome, &[UNKNOWN, INTERNAL], "Trailers-Only without a status")?;
    server.expect_alive()
}

// Spec: threat-32
fn cardinality(server: &mut Server) -> Verdict {
    server.open()?;
    let ok = [("grpc-status", "0")];
    let two = [wire::message(b"one"), wire::message(b"two")].concat();
    let outcome = outcome_of(server, &|stream| {
        vec![head(stream), wire::data(stream, &two, 0), trailers(stream, &ok)]
    })?;
    expect_code(&outcome, &[UNIMPLEMENTED], "two replies")?;
    let outcome = outcome_of(server, &|stream| vec![head(stream), trailers(stream, &ok)])?;
    expect_code(&outcome, &[UNIMPLEMENTED], "no reply")?;
    let outcome = outcome_of(server, &|stream| vec![trailers(stream, &[HEAD, &ok].concat())])?;
    expect_code(&outcome, &[UNIMPLEMENTED], "Trailers-Only, OK")?;
    server.expect_alive()
}

// Spec: threat-32
fn status_in_odd_places(server: &mut Server) -> Verdict {
    server.open()?;
    let message = wire::message(b"reply");
    let early = [HEAD, &[("grpc-status", "0")]].concat();
    // In the first section, which does not end the stream, and nowhere else.
    let outcome = outcome_of(server, &|stream| {
        vec![
            wire::headers(stream, &early, 0),
            wire::data(stream, &message, END_STREAM),
        ]
    })?;
    expect_code(&outcome, &[UNKNOWN, INTERNAL], "a status that is not at the end")?;
    // In both: the last word counts.
    let outcome = outcome_of(server, &|stream| {
        vec![
            wire::headers(stream, &early, 0),
            wire::data(stream, &message, 0),
            trailers(stream, &[("grpc-status", "5")]),
        ]
    })?;
    expect_code(&outcome, &[NOT_FOUND], "a status in both sections")?;
    server.expect_alive()
}

// Spec: threat-34
fn message_bombs(server: &mut Server) -> Verdict {
    server.open()?;
    let long = "%41".repeat(2_000);
    let many = "%E2%98%BA".repeat(500);
    for (text, expected) in [
        ("%", "%"),
        ("%zz", "%zz"),
        ("%4", "%4"),
        ("100%25", "100%"),
        ("%C3%28", "?("),
        ("%00", "\0"),
    ] {
        let fields = [HEAD, &[("grpc-status", "2"), ("grpc-message", text)]].concat();
        let outcome = outcome_of(server, &|stream| vec![trailers(stream, &fields)])?;
        expect_code(&outcome, &[UNKNOWN], text)?;
        check(outcome.message == expected, || {
            format!("{text:?} was read as {:?}, not {expected:?}", outcome.message)
        })?;
    }
    for (text, letter) in [(&long, 'A'), (&many, '\u{263a}')] {
        let fields = [HEAD, &[("grpc-status", "2"), ("grpc-message", text.as_str())]].concat();
        let outcome = outcome_of(server, &|stream| vec![trailers(stream, &fields)])?;
        expect_code(&outcome, &[UNKNOWN], "a long message")?;
        let text = &outcome.message;
        let cut_well = text.len() > 40 && text.chars().all(|found| found == letter);
        check(cut_well, || {
            format!("cut inside a character: {:?}", outcome.message)
        })?;
    }
    server.expect_alive()
}

const UNKNOWN: u32 = 2;
const NOT_FOUND: u32 = 5;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
