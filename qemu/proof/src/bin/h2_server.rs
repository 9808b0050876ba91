//! `h2-lite` in the other role: a request that comes as a script is answered. Its API is kept by `h2_client`.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use h2_lite::{Config, Connection, EncoderEntry, Event, Field, Instant, Memory, Role, Section, Stream};

#[entry]
fn main() -> ! {
    proof::end(answer() == Some(true))
}

/// Reads a request with content, and answers it. Returns whether all of the answer left.
fn answer() -> Option<bool> {
    let (mut streams, mut send, mut table) = ([const { Stream::new() }; 4], [0; 512], [0; 4_096]);
    let (mut entries, mut scratch) = ([EncoderEntry::new(); 8], [0; 256]);
    let memory = Memory {
        streams: &mut streams,
        send: &mut send,
        decoder_table: &mut table,
        encoder_table: &mut entries,
        scratch: &mut scratch,
    };
    let now = black_box(Instant::from_millis(1));
    let mut connection = Connection::new(Role::Server, Config::default(), memory).ok()?;
    let mut asked = None;
    for mut input in black_box(REQUEST).iter().copied() {
        while let Some(event) = connection.handle_input(&mut input, now).ok()? {
            match event {
                Event::Data { bytes, stream, .. } => {
                    let octets = u32::try_from(bytes.len()).ok()?;
                    connection.release_capacity(stream, octets);
                }
                Event::HeadersEnd {
                    stream,
                    section: Section::Trailers,
                    ..
                } => asked = Some(stream),
                _ => {}
            }
        }
        if let Some(stream) = asked.take() {
            respond(&mut connection, stream, now)?;
        }
        while let Some(transmit) = connection.take_transmit(now) {
            let written = black_box(transmit.bytes()).len();
            connection.give_back(transmit, written, now);
        }
        connection.handle_timeout(now).ok()?;
    }
    Some(connection.is_free(0) && !connection.wants_transmit())
}

fn respond(connection: &mut Connection<'_>, stream: h2_lite::StreamKey, now: Instant) -> Option<()> {
    let headers: h2_lite::Fields<'_, '_> = &|push| {
        push(Field::Indexable {
            name: b":status",
            value: b"200",
        });
        push(Field::NeverIndexed {
            name: b"set-cookie",
            value: b"secret",
        });
    };
    let trailers: h2_lite::Fields<'_, '_> = &|push| {
        push(Field::Indexable {
            name: b"grpc-status",
            value: b"0",
        });
    };
    connection.send_response(stream, headers, false, now).ok()?;
    let mut fill = |to: &mut [u8]| to.fill(b'.');
    connection.send_data(stream, 100, false, &mut fill, now).ok()?;
    connection.send_trailers(stream, trailers, now).ok()
}

/// The preface, SETTINGS and an acknowledgement; a request cut in two by CONTINUATION, with priority, padding and a Huffman
/// code; content with padding; a window update and trailers.
const REQUEST: &[&[u8]] = &[
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x10\0\0\0\x04\x01\0\0\0\0",
    b"\0\0\x09\x01\x28\0\0\0\x01\x01\0\0\0\0\x0f\x83\x86\0\0\0\x13\x09\x04\0\0\0\x01\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\x40\x01a\0",
    b"\0\0\x09\0\x08\0\0\0\x01\x03hello\0\0\0",
    b"\0\0\x04\x08\0\0\0\0\0\0\0\x10\0\0\0\x05\x01\x05\0\0\0\x01\x10\x01b\x01c",
];
