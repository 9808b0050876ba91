//! Threats 19, 23 to 26: identifiers, streams beyond the limit, tables that must stay in step, and fields that lie.

use h2_lite::{Config as CoreConfig, Field, UseError};

use crate::attacks::Attack;
use crate::attacks::core::Core;
use crate::attacks::restored::{client_is_restored, server_is_restored};
use crate::attacks::script::{
    INTERNAL, Reaction, STREAM, on_client, on_server, request_block, response_block, whole,
};
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer, STREAMS};
use crate::peer::{Client, HEAD, Server, request_with};
use crate::suite::{Verdict, check};
use crate::wire::{self, END_HEADERS, END_STREAM, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_19_blocks_nobody_wants/server",
        run: desync_on_server,
    },
    Attack {
        name: "threat_19_blocks_nobody_wants/client",
        run: desync_on_client,
    },
    Attack {
        name: "threat_23_stream_identifiers/server",
        run: identifiers_on_server,
    },
    Attack {
        name: "threat_23_stream_identifiers/client",
        run: identifiers_on_client,
    },
    Attack {
        name: "threat_24_more_streams_than_allowed/server",
        run: too_many,
    },
    Attack {
        name: "threat_25_header_injection/server",
        run: injection_on_server,
    },
    Attack {
        name: "threat_25_header_injection/client",
        run: injection_on_client,
    },
    Attack {
        name: "threat_25_header_injection_sent/h2",
        run: injection_sent,
    },
    Attack {
        name: "threat_26_smuggling/server",
        run: smuggling_on_server,
    },
    Attack {
        name: "threat_26_smuggling/client",
        run: smuggling_on_client,
    },
];

const PATH: &[u8] = b"/test.Echo/Unary";

/// A request whose path goes into the table; these fields are behind it.
fn inserting(stream: u32, more: &[u8], flags: u8) -> Vec<u8> {
    let before = wire::block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "test.local"),
    ]);
    let path = [&[0x44, PATH.len() as u8], PATH].concat();
    let behind = wire::block(&[("te", "trailers"), ("content-type", "application/grpc")]);
    wire::frame(
        wire::HEADERS,
        END_HEADERS | flags,
        stream,
        &[&before, &path, &behind, more].concat(),
    )
}

/// A request whose path is the table's newest entry: understood only if the tables are in step.
fn referring(stream: u32) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "test.local"),
    ];
    let behind = wire::block(&[("te", "trailers"), ("content-type", "application/grpc")]);
    let block = [&wire::block(&fields)[..], &[0xbe], &behind].concat();
    let data = wire::data(stream, &wire::message(b"in step"), END_STREAM);
    [wire::frame(wire::HEADERS, END_HEADERS, stream, &block), data].concat()
}

/// Blocks of streams that are malformed, beyond a limit, reset by either side, or refused.
// Spec: threat-19
fn desync_on_server() -> Verdict {
    let unwanted: [(&[u8], Vec<u8>); 5] = [
        (
            b"malformed",
            inserting(STREAM, &wire::block(&[("Upper", "case")]), END_STREAM),
        ),
        (
            b"over the limit",
            inserting(
                STREAM,
                &wire::literal(b"x-long", &[b'l'; 20_000][..9_000]),
                END_STREAM,
            ),
        ),
        (
            b"cancelled",
            [inserting(STREAM, &[], 0), wire::rst_stream(STREAM, code::CANCEL)].concat(),
        ),
        (
            b"reset by us",
            [
                wire::headers(STREAM, &request_with(&[("Upper", "case")]), 0),
                inserting(STREAM, &[], 0),
            ]
            .concat(),
        ),
        (
            b"of a method that is none",
            [
                inserting(STREAM, &wire::block(&[("x", "y")]), 0),
                wire::data(STREAM, &[], END_STREAM),
            ]
            .concat(),
        ),
    ];
    for (which, octets) in unwanted {
        let mut client = Client::new(OurServer::default());
        client.open_with_innocent()?;
        client.note_used(STREAM);
        client.send(&octets);
        client.look();
        let stream = client.next_stream();
        client.send(&referring(stream));
        let answer = client.answer(stream)?;
        answer
            .expect_echo(b"in step")
            .map_err(|fault| crate::suite::Fault(format!("{}: {fault}", String::from_utf8_lossy(which))))?;
        client.expect_alive()?;
        server_is_restored(&mut client)?;
    }
    refused_block()
}

fn refused_block() -> Verdict {
    let mut client = Client::new(OurServer::default());
    client.open_with_innocent()?;
    for _ in 1..STREAMS {
        let stream = client.next_stream();
        client.begin(stream);
    }
    let refused = client.next_stream();
    client.send(&inserting(refused, &[], END_STREAM));
    let frames = client.look();
    check(
        matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM && reset.stream == refused
            && reset.u32_at(0) == Some(code::REFUSED_STREAM)),
        || format!("{frames:?}"),
    )?;
    for n in 1..STREAMS as u32 {
        client.send(&wire::rst_stream(1 + 2 * n, code::CANCEL));
    }
    let stream = client.next_stream();
    client.send(&referring(stream));
    client.answer(stream)?.expect_echo(b"in step")?;
    client.expect_alive()?;
    server_is_restored(&mut client)
}

// Spec: threat-19
fn desync_on_client() -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    let request = server.request(Call::Unary(5))?;
    server.client.cancel(request.call);
    server.look();
    // Its response has the content type, which goes into the table.
    let kind = b"application/grpc";
    let inserting = [
        &wire::block(&[(":status", "200")])[..],
        &[0x5f, kind.len() as u8],
        kind,
    ]
    .concat();
    server.send(&wire::frame(
        wire::HEADERS,
        END_HEADERS,
        request.stream,
        &inserting,
    ));
    let next = server.request(Call::Unary(5))?;
    let referring = [&wire::block(&[(":status", "200")])[..], &[0xbe]].concat();
    let frames = [
        wire::frame(wire::HEADERS, END_HEADERS, next.stream, &referring),
        wire::data(next.stream, &wire::message(b"in step"), 0),
        wire::headers(next.stream, &[("grpc-status", "0")], END_STREAM),
    ];
    server.send(&frames.concat());
    server.expect_outcome(next.call, 0, b"in step")?;
    server.expect_alive()?;
    client_is_restored(&mut server)
}

// Spec: threat-23
fn identifiers_on_server() -> Verdict {
    let protocol = |last| Reaction::Connection(last, code::PROTOCOL_ERROR);
    let request = |stream| wire::headers(stream, &request_with(&[]), 0);
    let from_five = |octets: Vec<u8>| [request(5), octets].concat();
    on_server(&request(2), protocol(1))?;
    on_server(&request(0), protocol(1))?;
    on_server(&from_five(request(3)), protocol(5))?;
    for idle in [
        wire::data(3, b"x", 0),
        wire::rst_stream(3, 8),
        wire::window_update(3, 1),
        wire::window_update(4, 1),
    ] {
        on_server(&idle, protocol(1))?;
    }
    // Trailers in the place of a request that was sent before.
    on_server(
        &[request(3), request(3)].concat(),
        Reaction::Stream(code::PROTOCOL_ERROR, 0),
    )?;
    // The last identifier there is: it is served, and then the client must connect anew.
    let mut client = Client::new(OurServer::default());
    client.open_with_innocent()?;
    client.call(0x7fff_ffff, b"the last one");
    client.answer(0x7fff_ffff)?.expect_echo(b"the last one")?;
    client.expect_innocent_completes()?;
    client.send(&request(5));
    client.expect_connection_error(0x7fff_ffff, code::PROTOCOL_ERROR)?;
    client.reconnect();
    client.open_with_innocent()?;
    client.expect_alive()?;
    server_is_restored(&mut client)
}

// Spec: threat-23
fn identifiers_on_client() -> Verdict {
    let protocol = Reaction::Connection(0, code::PROTOCOL_ERROR);
    for stream in [0, 2, 5, 0x7fff_ffff] {
        on_client(&wire::headers(stream, HEAD, 0), protocol)?;
        on_client(&wire::data(stream, b"x", 0), protocol)?;
        on_client(&wire::rst_stream(stream, 8), protocol)?;
    }
    on_client(&wire::window_update(5, 1), protocol)
}

// Spec: threat-24
fn too_many() -> Verdict {
    let mut client = Client::new(OurServer::default());
    // The server's SETTINGS are not acknowledged: nobody can know its limit yet.
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let streams: Vec<u32> = (0..100).map(|n| 1 + 2 * n).collect();
    for stream in &streams {
        client.begin(*stream);
    }
    let frames = client.look();
    let refused = frames
        .iter()
        .filter(|frame| frame.kind == wire::RST_STREAM && frame.u32_at(0) == Some(code::REFUSED_STREAM));
    let refused: Vec<u32> = refused.map(|frame| frame.stream).collect();
    check(
        refused == streams[STREAMS..] && frames.len() == refused.len(),
        || format!("all but {STREAMS} are refused: {frames:?}"),
    )?;
    client.send(&wire::settings_ack());
    // Those that were taken complete.
    for stream in &streams[..STREAMS] {
        client.send(&wire::data(*stream, &wire::message(b"taken"), END_STREAM));
        client.answer(*stream)?.expect_echo(b"taken")?;
    }
    client.expect_alive()?;
    server_is_restored(&mut client)?;
    // Refusals are work as well: without end they end the connection.
    let mut core = Core::server(CoreConfig::default());
    let mut error = None;
    for n in 0..1_100 {
        error = error.or(core.feed(&wire::headers(1 + 2 * n, &request_with(&[]), 0)));
    }
    let named = error.is_some_and(|error| {
        error.code.0 == code::ENHANCE_YOUR_CALM && error.reason == "flood of frames on streams that are over"
    });
    check(named, || format!("{error:?}"))
}

/// Fields that no message may have. Spec: RFC 9113 section 8.2.1.
fn injections() -> Vec<Vec<u8>> {
    let fields: [(&[u8], &[u8]); 14] = [
        (b"x", b"a\r\nhost: evil"),
        (b"x", b"a\nb"),
        (b"x", b"a\0b"),
        (b"x", b"a\r"),
        (b"x", b" leading"),
        (b"x", b"trailing "),
        (b"x", b"\ttab"),
        (b"x", b"tab\t"),
        (b"Upper", b"case"),
        (b"a:b", b"c"),
        (b"a b", b"c"),
        (b"a\r\nb", b"c"),
        (b"\x7f", b"c"),
        (b"\xff", b"c"),
    ];
    fields
        .iter()
        .map(|(name, value)| wire::literal(name, value))
        .collect()
}

const MALFORMED: Reaction = Reaction::Stream(code::PROTOCOL_ERROR, INTERNAL);

// Spec: threat-25
fn injection_on_server() -> Verdict {
    injections()
        .iter()
        .try_for_each(|field| on_server(&whole(&request_block(field)), MALFORMED))
}

// Spec: threat-25
fn injection_on_client() -> Verdict {
    injections()
        .iter()
        .try_for_each(|field| on_client(&whole(&response_block(field)), MALFORMED))
}

/// What an application asks for is not sent either, and nothing is left of the attempt.
// Spec: threat-25
fn injection_sent() -> Verdict {
    let fields: [(&[u8], &[u8]); 8] = [
        (b"x", b"a\r\nhost: evil"),
        (b"x", b"a\0b"),
        (b"x", b" leading"),
        (b"Upper", b"case"),
        (b"a:b", b"c"),
        (b"", b"c"),
        (b"connection", b"close"),
        (b":status", b"200"),
    ];
    for (name, value) in fields {
        let mut core = Core::client(CoreConfig::default());
        let written = core.cost().written;
        let request = |emit: &mut dyn FnMut(Field<'_, 'static>)| {
            let sound: [(&[u8], &[u8]); 4] = [
                (b":method", b"POST"),
                (b":scheme", b"http"),
                (b":path", b"/"),
                (b":authority", b"a"),
            ];
            for (name, value) in sound {
                emit(Field::Literal { name, value });
            }
            emit(Field::Literal { name, value });
        };
        let sent = core
            .conn
            .send_request(0, &request, true, h2_lite::Instant::from_millis(0));
        check(sent == Err(UseError::InvalidField), || {
            format!("{name:?}: {sent:?}")
        })?;
        core.write();
        check(core.cost().written == written && core.conn.is_free(0), || {
            format!("{name:?} has left something")
        })?;
        core.request(0, true);
    }
    Ok(())
}

// Spec: threat-26
fn smuggling_on_server() -> Verdict {
    let sound = request_with(&[]);
    let mut requests: Vec<Vec<(&str, &str)>> = Vec::new();
    // Each pseudo-header field missing, twice, and late.
    for field in sound
        .iter()
        .filter(|(name, _)| name.starts_with(':') && *name != ":authority")
    {
        requests.push(sound.iter().filter(|other| *other != field).copied().collect());
        requests.push([&sound[..1], &[*field], &sound[1..], &[*field]].concat());
        let rest: Vec<_> = sound.iter().filter(|other| *other != field).copied().collect();
        requests.push([&rest[..], &[*field]].concat());
    }
    for field in [
        (":status", "200"),
        (":unknown", "x"),
        ("connection", "te"),
        ("transfer-encoding", "chunked"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("upgrade", "h2c"),
    ] {
        requests.push([&[field], &sound[..]].concat());
        requests.push([&sound[..], &[field]].concat());
    }
    requests.push(request_with(&[("te", "gzip")]));
    requests.push(request_with(&[(":path", "")]));
    for fields in &requests {
        on_server(&whole(&wire::block(fields)), MALFORMED)
            .map_err(|fault| crate::suite::Fault(format!("{fields:?}: {fault}")))?;
    }
    // Content that is not as long as it says, and pseudo-header fields in trailers.
    let begun = |length| wire::headers(STREAM, &request_with(&[("content-length", length)]), 0);
    let message = wire::message(b"content");
    let lies = [
        [begun("13"), wire::data(STREAM, &message, END_STREAM)].concat(),
        [begun("15"), wire::data(STREAM, &message, END_STREAM)].concat(),
        [
            begun("14"),
            wire::data(STREAM, &message, 0),
            wire::data(STREAM, b"x", 0),
        ]
        .concat(),
        [begun("14"), wire::headers(STREAM, &[(":path", "/x")], END_STREAM)].concat(),
        begun("1x"),
        begun("-1"),
        begun("18446744073709551616"),
    ];
    for octets in lies {
        on_server(&octets, MALFORMED)?;
    }
    Ok(())
}

// Spec: threat-26
fn smuggling_on_client() -> Verdict {
    let responses: [&[(&str, &str)]; 7] = [
        &[("content-type", "application/grpc")],
        &[(":status", "200"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
        &[("content-type", "application/grpc"), (":status", "200")],
        &[(":status", "2x0")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), ("transfer-encoding", "chunked")],
    ];
    for fields in responses {
        on_client(&whole(&wire::block(fields)), MALFORMED)
            .map_err(|fault| crate::suite::Fault(format!("{fields:?}: {fault}")))?;
    }
    Ok(())
}
