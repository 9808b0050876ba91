//! Names and values of fields, and fields that HTTP/2 has not. Spec: RFC 9113 sections 8.2 and 8.1.1.

use crate::cases::server::kit::{UNARY, each, expect, headers_of, is_reset, last_data, resets};
use crate::peer::{Client, request, request_with};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-8.2-upper-case, h2-8.1.1-reset
    Case::new("fields/an_upper_case_name_is_malformed", upper_case),
    // Spec: h2-8.2-upper-case, h2-8.2.1-name-bytes, h2-8.2.1-name-colon, threat-25
    Case::new("fields/every_octet_that_no_name_may_have_is_malformed", name_octets),
    // Spec: h2-8.2.1-name-bytes
    Case::new("fields/every_octet_that_a_name_may_have_is_taken", good_name_octets),
    // Spec: threat-12
    Case::new("fields/an_empty_name_is_malformed", empty_name),
    // Spec: h2-8.2.1-value-bytes, threat-25
    Case::new("fields/nul_cr_and_lf_in_a_value_are_malformed", value_octets),
    // Spec: h2-8.2.1-value-edges, threat-25
    Case::new("fields/blanks_around_a_value_are_malformed", value_edges),
    // Spec: h2-8.2.1-value-bytes, grpc-metadata-odd-values
    Case::new("fields/every_other_octet_of_a_value_is_taken", good_value_octets),
    // Spec: threat-12
    Case::new("fields/an_empty_value_is_taken", empty_value),
    // Spec: h2-8.2.1-value-bytes, h2-8.2.1-value-edges
    Case::new("fields/values_of_pseudo_header_fields_are_no_exception", pseudo_values),
    // Spec: h2-8.2.2-connection-fields, threat-26
    Case::new("fields/fields_of_a_connection_are_malformed", connection_fields),
    // Spec: h2-8.2.2-te, threat-28
    Case::new("fields/te_other_than_trailers_is_malformed", te),
    // Spec: h2-8.2-upper-case, h2-8.2.1-value-bytes, h2-8.2.2-connection-fields
    Case::new("fields/trailers_obey_the_same_rules", in_trailers),
    // Spec: h2-8.3.1-host-repeated, threat-26
    Case::new("fields/host_twice_is_malformed", two_hosts),
    // Spec: h2-8.1.1-reset, h2-8.7-refused-untouched
    Case::new("fields/a_malformed_request_is_reset_as_soon_as_it_is_known", at_once),
];

/// A request with this field, of any octets.
fn with_field(stream: u32, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut block = wire::block(&request(UNARY));
    block.extend(wire::literal(name, value));
    headers_of(stream, &block, 0)
}

/// Each of these fields makes a request malformed: RST_STREAM(PROTOCOL_ERROR) for each, and nothing else.
fn all_malformed(client: &mut Client, fields: &[(Vec<u8>, Vec<u8>)]) -> Verdict {
    // The budget for errors is 100 at once.
    for some in fields.chunks(90) {
        client.reconnect();
        client.open_with_innocent()?;
        for (name, value) in some {
            let stream = client.next_stream();
            client.send(&with_field(stream, name, value));
            let frames = client.look();
            let reset = matches!(&frames[..], [reset] if is_reset(reset, stream, code::PROTOCOL_ERROR));
            expect(
                &frames,
                reset,
                &format!("{name:02x?}: {value:02x?}: RST_STREAM(PROTOCOL_ERROR) alone"),
            )?;
        }
        client.expect_alive()?;
    }
    Ok(())
}

/// Each of these fields is taken.
fn all_taken(client: &mut Client, fields: &[(Vec<u8>, Vec<u8>)]) -> Verdict {
    client.open_with_innocent()?;
    for (name, value) in fields {
        let stream = client.next_stream();
        client.send(&[with_field(stream, name, value), last_data(stream, b"taken")].concat());
        let answer = client.answer(stream)?;
        answer
            .expect_echo(b"taken")
            .map_err(|fault| crate::suite::Fault(format!("{name:02x?}: {value:02x?}: {fault}")))?;
    }
    client.expect_alive()
}

fn upper_case(client: &mut Client) -> Verdict {
    let names = [&b"X-name"[..], b"x-namE", b"TE", b"Content-Type"];
    let fields: Vec<_> = names.iter().map(|name| (name.to_vec(), b"v".to_vec())).collect();
    all_malformed(client, &fields)
}

/// What a name may have: lower-case tokens.
fn in_names(octet: u8) -> bool {
    octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

fn name_octets(client: &mut Client) -> Verdict {
    let wrong = (0..=u8::MAX).filter(|octet| !in_names(*octet));
    let fields: Vec<_> = wrong
        .map(|octet| (vec![b'x', octet, b'x'], b"v".to_vec()))
        .collect();
    all_malformed(client, &fields)
}

fn good_name_octets(client: &mut Client) -> Verdict {
    let good = (0..=u8::MAX).filter(|octet| in_names(*octet));
    let fields: Vec<_> = good
        .map(|octet| (vec![b'x', octet, b'x'], b"v".to_vec()))
        .collect();
    all_taken(client, &fields)
}

fn empty_name(client: &mut Client) -> Verdict {
    all_malformed(
        client,
        &[(b"".to_vec(), b"v".to_vec()), (b"".to_vec(), b"".to_vec())],
    )
}

/// The same value octet at the front, within, and at the end.
fn everywhere(octets: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let values = octets
        .iter()
        .flat_map(|octet| [vec![*octet, b'v'], vec![b'v', *octet, b'v'], vec![b'v', *octet]]);
    values.map(|value| (b"x-name".to_vec(), value)).collect()
}

fn value_octets(client: &mut Client) -> Verdict {
    all_malformed(client, &everywhere(b"\0\r\n"))
}

fn value_edges(client: &mut Client) -> Verdict {
    let values = [&b" v"[..], b"v ", b"\tv", b"v\t", b" ", b"\t", b"  "];
    let fields: Vec<_> = values
        .iter()
        .map(|value| (b"x-name".to_vec(), value.to_vec()))
        .collect();
    all_malformed(client, &fields)
}

fn good_value_octets(client: &mut Client) -> Verdict {
    let good = (0..=u8::MAX).filter(|octet| !b"\0\r\n".contains(octet));
    let fields: Vec<_> = good
        .map(|octet| (b"x-name".to_vec(), vec![b'v', octet, b'v']))
        .collect();
    all_taken(client, &fields)
}

fn empty_value(client: &mut Client) -> Verdict {
    all_taken(client, &[(b"x-name".to_vec(), b"".to_vec())])
}

fn pseudo_values(client: &mut Client) -> Verdict {
    for name in [":method", ":scheme", ":path", ":authority"] {
        let value = request(UNARY)
            .into_iter()
            .find(|(found, _)| *found == name)
            .map_or("", |(_, value)| value);
        let values = [
            format!("{value}\r"),
            format!("{value}\0"),
            format!(" {value}"),
            format!("{value} "),
        ];
        each(client, values, |client, value| {
            let fields = request_with(&[(name, value)]);
            resets(
                client,
                |stream| wire::headers(stream, &fields, 0),
                code::PROTOCOL_ERROR,
            )
        })?;
    }
    Ok(())
}

fn connection_fields(client: &mut Client) -> Verdict {
    let fields = [
        ("connection", "close"),
        ("connection", "keep-alive"),
        ("connection", ""),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "h2c"),
    ];
    let octets = |text: &str| text.as_bytes().to_vec();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (octets(name), octets(value)))
        .collect();
    all_malformed(client, &fields)
}

fn te(client: &mut Client) -> Verdict {
    let values = [
        "",
        "gzip",
        "trailers, deflate",
        "trailers;q=0.5",
        "Trailers",
        "chunked",
    ];
    let fields: Vec<_> = values
        .iter()
        .map(|value| (b"te".to_vec(), value.as_bytes().to_vec()))
        .collect();
    all_malformed(client, &fields)?;
    // Without it, and twice, the request is sound.
    client.reconnect();
    all_taken(client, &[(b"te".to_vec(), b"trailers".to_vec())])
}

fn in_trailers(client: &mut Client) -> Verdict {
    let trailers: [(&[u8], &[u8]); 6] = [
        (b"X-upper", b"v"),
        (b"x name", b"v"),
        (b"x-name", b"v\n"),
        (b"x-name", b" v"),
        (b"connection", b"close"),
        (b"te", b"gzip"),
    ];
    each(client, trailers, |client, (name, value)| {
        let octets = |stream| {
            let trailers = headers_of(stream, &wire::literal(name, value), wire::END_STREAM);
            [wire::headers(stream, &request(UNARY), 0), trailers].concat()
        };
        resets(client, octets, code::PROTOCOL_ERROR)
    })
}

fn two_hosts(client: &mut Client) -> Verdict {
    each(client, ["test.local", "other.local"], |client, second| {
        let mut fields = request(UNARY);
        fields.extend([("host", "test.local"), ("host", second)]);
        resets(
            client,
            |stream| wire::headers(stream, &fields, 0),
            code::PROTOCOL_ERROR,
        )
    })
}

fn at_once(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    let mut block = wire::block(&request(UNARY));
    block.extend(wire::literal(b"Upper", b"case"));
    // The block goes on: the reset need not wait for its end.
    client.send(&wire::frame(wire::HEADERS, 0, stream, &block));
    let frames = client.look();
    let reset = matches!(&frames[..], [reset] if is_reset(reset, stream, code::PROTOCOL_ERROR));
    expect(&frames, reset, "RST_STREAM(PROTOCOL_ERROR) alone")?;
    client.send(&wire::continuation(
        stream,
        &wire::block(&[("x-more", "fields")]),
        wire::END_HEADERS,
    ));
    client.send(&last_data(stream, b"on its way"));
    client.expect_ignored()
}
