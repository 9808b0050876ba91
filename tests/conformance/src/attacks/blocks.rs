//! Threats 3, 4, 5, 12, 14 to 18: header blocks that are endless, swell, or do not decode.

use crate::attacks::Attack;
use crate::attacks::core::Core;
use crate::attacks::cost::is_linear;
use crate::attacks::flood::boundless;
use crate::attacks::script::{
    INTERNAL, Reaction, STREAM, cut, on_client, on_server, request_block, response_block, whole,
};
use crate::suite::{Verdict, check};
use crate::wire::{self, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_03_endless_continuation/server",
        run: || endless(on_server, request_block),
    },
    Attack {
        name: "threat_03_endless_continuation/client",
        run: || endless(on_client, response_block),
    },
    Attack {
        name: "threat_03_endless_continuation/h2",
        run: endless_cost,
    },
    Attack {
        name: "threat_04_header_bomb/server",
        run: || bomb(on_server, request_block),
    },
    Attack {
        name: "threat_04_header_bomb/client",
        run: || bomb(on_client, response_block),
    },
    Attack {
        name: "threat_05_thousands_of_tiny_fields/server",
        run: || tiny(on_server, request_block),
    },
    Attack {
        name: "threat_05_thousands_of_tiny_fields/client",
        run: || tiny(on_client, response_block),
    },
    Attack {
        name: "threat_05_thousands_of_tiny_fields/h2",
        run: tiny_cost,
    },
    Attack {
        name: "threat_12_fields_without_name_or_value/server",
        run: || nameless(on_server, request_block),
    },
    Attack {
        name: "threat_12_fields_without_name_or_value/client",
        run: || nameless(on_client, response_block),
    },
    Attack {
        name: "threat_14_empty_headers_and_continuation/server",
        run: || empty_frames(on_server),
    },
    Attack {
        name: "threat_14_empty_headers_and_continuation/client",
        run: || empty_frames(on_client),
    },
    Attack {
        name: "threat_15_hpack_integers/server",
        run: || undecodable(on_server, request_block, INTEGERS),
    },
    Attack {
        name: "threat_15_hpack_integers/client",
        run: || undecodable(on_client, response_block, INTEGERS),
    },
    Attack {
        name: "threat_15_hpack_integers/h2",
        run: padded_integer,
    },
    Attack {
        name: "threat_16_hpack_strings_that_lie/server",
        run: || lies(on_server, request_block),
    },
    Attack {
        name: "threat_16_hpack_strings_that_lie/client",
        run: || lies(on_client, response_block),
    },
    Attack {
        name: "threat_17_huffman_faults/server",
        run: || undecodable(on_server, request_block, HUFFMAN),
    },
    Attack {
        name: "threat_17_huffman_faults/client",
        run: || undecodable(on_client, response_block, HUFFMAN),
    },
    Attack {
        name: "threat_18_indices_and_size_updates/server",
        run: || indices(on_server, request_block, &[0x3f, 0xe2, 0x1f]),
    },
    Attack {
        name: "threat_18_indices_and_size_updates/client",
        run: || indices(on_client, response_block, &[0x3f, 0xe2, 0x01]),
    },
];

/// Who is attacked.
type On = fn(&[u8], Reaction) -> Verdict;
/// A sound block of the kind that it takes.
type Block = fn(&[u8]) -> Vec<u8>;

const CALM: Reaction = Reaction::Connection(STREAM, code::ENHANCE_YOUR_CALM);
const COMPRESSION: Reaction = Reaction::Connection(STREAM, code::COMPRESSION_ERROR);
const MALFORMED: Reaction = Reaction::Stream(code::PROTOCOL_ERROR, INTERNAL);

/// What completes the call behind HEADERS that are taken: for a server its request, for a client nothing (it gives up).
fn completed(headers: Vec<u8>) -> Vec<u8> {
    [
        headers,
        wire::data(STREAM, &wire::message(b"x"), wire::END_STREAM),
    ]
    .concat()
}

// Spec: threat-03
fn endless(on: On, block: Block) -> Verdict {
    let head = wire::frame(wire::HEADERS, 0, STREAM, &block(&[]));
    let field = wire::literal(b"x-more", b"y");
    for piece in [&[][..], &field] {
        let more = wire::continuation(STREAM, piece, 0);
        on(&[head.clone(), more.repeat(9)].concat(), CALM)?;
        on(&[head.clone(), more.repeat(1_000)].concat(), CALM)?;
    }
    // Eight are none too many.
    let long = block(&field.repeat(8));
    on(&completed(cut(&long, long.len().div_ceil(9))), Reaction::Nothing)
}

// Spec: threat-03
fn endless_cost() -> Verdict {
    let mut few = boundless();
    few.budgets.continuations = 3;
    let block = |count: usize| {
        let more = wire::continuation(STREAM, &[], 0).repeat(count);
        [wire::frame(wire::HEADERS, 0, STREAM, &request_block(&[])), more].concat()
    };
    let mut core = Core::server(few);
    let within = core.feed(&block(3));
    let over = core.feed(&wire::continuation(STREAM, &[], 0));
    let named = over.is_some_and(|error| error.reason == "header block in too many CONTINUATION frames");
    check(within.is_none() && named, || format!("{within:?}, {over:?}"))?;
    is_linear(120, |length| {
        let mut core = Core::server(boundless());
        let error = core.feed(&block(length as usize));
        check(error.is_none(), || format!("{error:?}"))?;
        Ok(core.cost())
    })
}

/// An entry of about 140 octets in the table, named so often.
fn swelling(count: usize) -> Vec<u8> {
    let value = [b'v'; 100];
    [&[0x40, 1, b'x', 100], &value[..], &vec![0xbe; count]].concat()
}

// Spec: threat-04
fn bomb(on: On, block: Block) -> Verdict {
    // 8,192 octets are looked at; four times as many end the connection.
    on(&completed(whole(&block(&swelling(200)))), Reaction::Nothing)?;
    for count in [250, 1_000, 15_000] {
        on(&whole(&block(&swelling(count))), CALM)?;
    }
    // And so do 64 KiB of encoded octets, whatever they become.
    let long = wire::literal(b"x-long", &[b'v'; 70_000]);
    on(&cut(&block(&long), 16_384), CALM)
}

/// A field of one octet in the table, named so often: 33 octets each as the size of a list counts.
fn tiny_fields(count: usize) -> Vec<u8> {
    [&[0x40, 1, b'x', 0], &vec![0xbe; count][..]].concat()
}

// Spec: threat-05
fn tiny(on: On, block: Block) -> Verdict {
    on(&completed(whole(&block(&tiny_fields(900)))), Reaction::Nothing)?;
    on(&whole(&block(&tiny_fields(1_000))), CALM)?;
    on(&whole(&block(&tiny_fields(16_000))), CALM)?;
    // Crumbs of a cookie count as others do.
    let crumb = [0x00, 6, b'c', b'o', b'o', b'k', b'i', b'e', 1, b'c'];
    on(&completed(whole(&block(&crumb.repeat(700)))), Reaction::Nothing)?;
    on(&whole(&block(&crumb.repeat(900))), CALM)
}

// Spec: threat-05
fn tiny_cost() -> Verdict {
    let mut config = boundless();
    config.max_header_list_size = 1 << 28;
    is_linear(4_000, |length| {
        let mut core = Core::server(config);
        core.log = Some(Vec::new());
        let fields = tiny_fields(length as usize);
        let error = core.feed(&whole(&request_block(&fields)));
        let reported = core.log.as_ref().map_or(0, Vec::len);
        check(error.is_none() && reported <= 64 + 2, || {
            format!("{error:?}, {reported} events: fields over the limit are not reported")
        })?;
        Ok(core.cost())
    })
}

// Spec: threat-12
fn nameless(on: On, block: Block) -> Verdict {
    for field in [
        &[0x00, 0, 1, b'x'][..],
        &[0x00, 0x80, 1, b'x'],
        &[0x40, 0, 0],
        &[0x00, 0, 0x80],
    ] {
        on(&whole(&block(field)), MALFORMED)?;
    }
    // Without a value they are legal, and 33 octets each.
    for empty in [&[0x00, 1, b'e', 0][..], &[0x00, 1, b'e', 0x80]] {
        on(&completed(whole(&block(&empty.repeat(50)))), Reaction::Nothing)?;
        on(&completed(whole(&block(&empty.repeat(800)))), Reaction::Nothing)?;
        on(&whole(&block(&empty.repeat(1_100))), CALM)?;
    }
    Ok(())
}

// Spec: threat-14
fn empty_frames(on: On) -> Verdict {
    let head = wire::frame(wire::HEADERS, 0, STREAM, &[]);
    on(
        &[head, wire::continuation(STREAM, &[], 0).repeat(9)].concat(),
        CALM,
    )
}

/// Blocks that end in an integer which is none. Spec: RFC 7541 section 5.1.
const INTEGERS: &[&[u8]] = &[
    // An index of 2^63 and more, one of 2^32, and one in ten octets of nothing.
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0x81, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    // The name's index, the length of a name, that of a value, the size of the table.
    &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0x00, 1, b'x', 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    // One that does not end.
    &[0xff],
    &[0xff, 0x80],
];

/// Spec: RFC 7541 section 5.2.
const HUFFMAN: &[&[u8]] = &[
    // EOS, alone and behind an "a".
    &[0x00, 1, b'x', 0x84, 0xff, 0xff, 0xff, 0xff],
    &[0x00, 1, b'x', 0x85, 0x1f, 0xff, 0xff, 0xff, 0xff],
    // Padding of more than 7 bits, and of zeros.
    &[0x00, 1, b'x', 0x82, 0x1f, 0xff],
    &[0x00, 1, b'x', 0x81, 0x18],
    // In a name.
    &[0x00, 0x81, 0x18, 0],
];

/// Each ends the connection, whole and cut at every octet.
// Spec: threat-15, threat-17
fn undecodable(on: On, block: Block, faults: &[&[u8]]) -> Verdict {
    for fault in faults {
        let octets = block(fault);
        on(&whole(&octets), COMPRESSION)?;
        for at in octets.len() - fault.len()..octets.len() {
            let (head, rest) = octets.split_at(at);
            let head = wire::frame(wire::HEADERS, 0, STREAM, head);
            let rest = wire::continuation(STREAM, rest, wire::END_HEADERS);
            on(&[head, rest].concat(), COMPRESSION)?;
        }
    }
    Ok(())
}

/// An integer of a thousand empty octets ends the connection at its first few.
// Spec: threat-15
fn padded_integer() -> Verdict {
    let mut core = Core::server(boundless());
    let head = wire::frame(wire::HEADERS, 0, STREAM, &request_block(&[0xff]));
    core.feed(&head);
    for octets in 1..10 {
        let error = core.feed(&wire::continuation(STREAM, &[0x80], 0));
        if let Some(error) = error {
            return check(error.code.0 == code::COMPRESSION_ERROR && octets <= 6, || {
                format!("{error:?} after {octets} octets")
            });
        }
    }
    check(false, || "an integer of any length is read".into())
}

// Spec: threat-16
fn lies(on: On, block: Block) -> Verdict {
    let lies: [&[u8]; 6] = [
        &[0x00, 5, b'x', b'y'],
        &[0x00, 1, b'x', 5, b'y'],
        &[0x00, 1, b'x'],
        &[0x00, 0x7f, 0x80, 0xff, 0x03, b'x'],
        &[0x00, 1, b'x', 0xff, 0x80, 0xff, 0x03, b'x'],
        // All but 4 GiB.
        &[0x00, 1, b'x', 0x7f, 0x80, 0xff, 0xff, 0xff, 0x07, b'x'],
    ];
    undecodable(on, block, &lies)
}

// Spec: threat-18
fn indices(on: On, block: Block, over_limit: &[u8]) -> Verdict {
    // 0, one past an empty table, its name's index past the table; a size update behind a field.
    undecodable(on, block, &[&[0x80], &[0xbe], &[0x7f, 0x7f, 0], &[0x20]])?;
    on(&whole(&[over_limit, &block(&[])].concat()), COMPRESSION)?;
    // Down to nothing and up again is legal, and so is a block that goes on as before.
    let legal = [&[0x20, 0x3f, 0x41][..], &block(&[])].concat();
    on(&completed(whole(&legal)), Reaction::Nothing)?;
    Ok(())
}
