//! Pseudo-header fields of requests. Spec: RFC 9113 section 8.3; gRFC A41.

use crate::cases::server::kit::{UNARY, each, echoes, last_data, resets};
use crate::peer::{Client, request, request_with};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-8.3-undefined, threat-26
    Case::new("pseudo/a_field_that_is_not_defined_is_malformed", undefined),
    // Spec: h2-8.3-direction, threat-26
    Case::new("pseudo/the_field_of_a_response_is_malformed", of_response),
    // Spec: h2-8.3-trailers, threat-26
    Case::new("pseudo/any_in_trailers_is_malformed", in_trailers),
    // Spec: h2-8.3-order, threat-26
    Case::new("pseudo/any_behind_a_regular_field_is_malformed", behind_regular),
    // Spec: h2-8.3-order
    Case::new("pseudo/any_order_among_themselves_is_taken", any_order),
    // Spec: h2-8.3.1-missing
    Case::new("pseudo/without_method_is_malformed", no_method),
    // Spec: h2-8.3.1-missing
    Case::new("pseudo/without_scheme_is_malformed", no_scheme),
    // Spec: h2-8.3.1-missing
    Case::new("pseudo/without_path_is_malformed", no_path),
    // Spec: h2-8.3.1-missing
    Case::new("pseudo/without_several_of_them_is_malformed", several_missing),
    // Spec: h2-8.3.1-empty-path
    Case::new("pseudo/an_empty_path_is_malformed", empty_path),
    // Spec: h2-8.3.1-empty-path, h2-8.3.1-missing
    Case::new("pseudo/an_empty_method_or_scheme_is_malformed", empty_others),
    // Spec: h2-8.3-repeated, threat-26
    Case::new("pseudo/method_twice_is_malformed", two_methods),
    // Spec: h2-8.3-repeated, threat-26
    Case::new("pseudo/scheme_twice_is_malformed", two_schemes),
    // Spec: h2-8.3-repeated, threat-26
    Case::new("pseudo/path_twice_is_malformed", two_paths),
    // Spec: h2-8.3-repeated, threat-26
    Case::new("pseudo/authority_twice_is_malformed", two_authorities),
    // Spec: h2-8.3.1-host-for-authority
    Case::new("pseudo/authority_may_be_missing", no_authority),
    // Spec: h2-8.3.1-host-discarded
    Case::new("pseudo/host_beside_authority_is_no_error", host_beside_authority),
    // Spec: threat-28
    Case::new("pseudo/any_scheme_is_taken", any_scheme),
];

/// A request of these fields is reset.
fn malformed(client: &mut Client, fields: &[(&str, &str)]) -> Verdict {
    resets(
        client,
        |stream| wire::headers(stream, fields, 0),
        code::PROTOCOL_ERROR,
    )
}

/// A request of these fields is answered.
fn sound(client: &mut Client, fields: &[(&str, &str)]) -> Verdict {
    echoes(
        client,
        |stream| [wire::headers(stream, fields, 0), last_data(stream, b"sound")].concat(),
        b"sound",
    )
}

/// With this field in front.
fn before<'a>(field: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    let mut fields = request(UNARY);
    fields.insert(0, field);
    fields
}

fn without(names: &[&str]) -> Vec<(&'static str, &'static str)> {
    let fields = request(UNARY).into_iter();
    fields.filter(|(name, _)| !names.contains(name)).collect()
}

fn undefined(client: &mut Client) -> Verdict {
    let names = [
        ":unknown",
        ":",
        ":Method",
        ":methods",
        ":protocol",
        "::path",
        ":host",
        ":version",
    ];
    each(client, names, |client, name| {
        malformed(client, &before((name, "value")))
    })
}

fn of_response(client: &mut Client) -> Verdict {
    malformed(client, &before((":status", "200")))
}

fn in_trailers(client: &mut Client) -> Verdict {
    let names = [":method", ":scheme", ":path", ":authority", ":status", ":unknown"];
    each(client, names, |client, name| {
        let octets = |stream| {
            let trailers = wire::headers(stream, &[("x-trailer", "x"), (name, "200")], wire::END_STREAM);
            let alone = wire::headers(stream, &[(name, "200")], wire::END_STREAM);
            let trailers = if *name == ":status" { trailers } else { alone };
            [wire::headers(stream, &request(UNARY), 0), trailers].concat()
        };
        resets(client, octets, code::PROTOCOL_ERROR)
    })
}

fn behind_regular(client: &mut Client) -> Verdict {
    each(
        client,
        [":method", ":scheme", ":path", ":authority"],
        |client, name| {
            let mut fields = request(UNARY);
            let at = fields.iter().position(|(found, _)| found == name).unwrap_or(0);
            let field = fields.remove(at);
            fields.push(field);
            malformed(client, &fields)
        },
    )
}

fn any_order(client: &mut Client) -> Verdict {
    each(client, 0..4, |client, turn| {
        let mut fields = request(UNARY);
        fields[..4].rotate_left(*turn);
        sound(client, &fields)?;
        client.reconnect();
        fields[..4].reverse();
        sound(client, &fields)
    })
}

fn no_method(client: &mut Client) -> Verdict {
    malformed(client, &without(&[":method"]))
}

fn no_scheme(client: &mut Client) -> Verdict {
    malformed(client, &without(&[":scheme"]))
}

fn no_path(client: &mut Client) -> Verdict {
    malformed(client, &without(&[":path"]))
}

fn several_missing(client: &mut Client) -> Verdict {
    let missing: [&[&str]; 4] = [
        &[":method", ":path"],
        &[":method", ":scheme", ":path"],
        &[":method", ":scheme", ":path", ":authority"],
        &[":scheme", ":authority"],
    ];
    each(client, missing, |client, missing| {
        malformed(client, &without(missing))
    })?;
    // No field at all.
    client.reconnect();
    malformed(client, &[])
}

fn empty_path(client: &mut Client) -> Verdict {
    malformed(client, &request_with(&[(":path", "")]))
}

fn empty_others(client: &mut Client) -> Verdict {
    each(client, [":method", ":scheme"], |client, name| {
        malformed(client, &request_with(&[(name, "")]))
    })
}

/// This field a second time, with the same value and with another.
fn twice(client: &mut Client, name: &str, other: &str) -> Verdict {
    let same = request(UNARY)
        .into_iter()
        .find(|(found, _)| *found == name)
        .map_or("", |(_, value)| value);
    each(client, [same, other], |client, value| {
        malformed(client, &before((name, value)))
    })
}

fn two_methods(client: &mut Client) -> Verdict {
    twice(client, ":method", "GET")
}

fn two_schemes(client: &mut Client) -> Verdict {
    twice(client, ":scheme", "https")
}

fn two_paths(client: &mut Client) -> Verdict {
    twice(client, ":path", "/other.Service/Method")
}

fn two_authorities(client: &mut Client) -> Verdict {
    twice(client, ":authority", "other.local")
}

fn no_authority(client: &mut Client) -> Verdict {
    let mut fields = without(&[":authority"]);
    sound(client, &fields)?;
    client.reconnect();
    fields.push(("host", "test.local"));
    sound(client, &fields)
}

fn host_beside_authority(client: &mut Client) -> Verdict {
    each(client, ["test.local", "other.local", ""], |client, host| {
        sound(client, &request_with(&[("host", host)]))
    })
}

fn any_scheme(client: &mut Client) -> Verdict {
    each(client, ["http", "https", "coap", "x"], |client, scheme| {
        sound(client, &request_with(&[(":scheme", scheme)]))
    })
}
