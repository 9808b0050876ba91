//! The public API of `h2-lite`, and a request whose answer comes as a script.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use h2_lite::{Config, Connection, EncoderEntry, Event, Field, Instant, Memory, Role, Stream};
use proof::keep::keep;

#[entry]
fn main() -> ! {
    keep_all();
    proof::end(request().is_some())
}

#[inline(never)]
fn keep_all() {
    keep_connection();
    keep_values();
    keep_frames();
    keep_payloads();
}

fn keep_connection() {
    keep(h2_lite::Connection::new as *const ());
    keep(h2_lite::Connection::reset as *const ());
    keep(h2_lite::Connection::handle_input as *const ());
    keep(h2_lite::Connection::wants_input as *const ());
    keep(h2_lite::Connection::take_transmit as *const ());
    keep(h2_lite::Connection::give_back as *const ());
    keep(h2_lite::Connection::wants_transmit as *const ());
    keep(h2_lite::Connection::poll_timeout as *const ());
    keep(h2_lite::Connection::handle_timeout as *const ());
    keep(h2_lite::Connection::is_free as *const ());
    keep(h2_lite::Connection::can_open as *const ());
    keep(h2_lite::Connection::send_request as *const ());
    keep(h2_lite::Connection::send_response as *const ());
    keep(h2_lite::Connection::send_trailers as *const ());
    keep(h2_lite::Connection::data_room as *const ());
    keep(h2_lite::Connection::send_data as *const ());
    keep(h2_lite::Connection::send_window as *const ());
    keep(h2_lite::Connection::release_capacity as *const ());
    keep(h2_lite::Connection::require_capacity as *const ());
    keep(h2_lite::Connection::reset_stream as *const ());
    keep(h2_lite::Connection::excuse_reset as *const ());
    keep(h2_lite::Connection::go_away as *const ());
    keep(h2_lite::Connection::shut_down as *const ());
    keep(h2_lite::Connection::reserve_slot as *const ());
    keep(h2_lite::Connection::send_ping as *const ());
    keep(h2_lite::Connection::error as *const ());
    keep(h2_lite::Connection::is_closed as *const ());
    keep(h2_lite::Connection::peer_settings as *const ());
    keep(h2_lite::Connection::settings_acknowledged as *const ());
    keep(h2_lite::Connection::settings_received as *const ());
    keep(h2_lite::Transmit::bytes as *const ());
}

fn keep_values() {
    keep(h2_lite::Budget::new as *const ());
    keep(h2_lite::Stream::new as *const ());
    keep(h2_lite::refusal as *const ());
    keep(h2_lite::ErrorCode::name as *const ());
    keep(h2_lite::StreamId::new as *const ());
    keep(h2_lite::StreamId::value as *const ());
    keep(h2_lite::StreamId::is_connection as *const ());
    keep(h2_lite::StreamId::is_client_initiated as *const ());
    keep(h2_lite::Instant::from_millis as *const ());
    keep(h2_lite::Instant::as_millis as *const ());
    keep(h2_lite::Instant::checked_add_millis as *const ());
    keep(h2_lite::Instant::saturating_add_millis as *const ());
    keep(h2_lite::Instant::millis_since as *const ());
}

fn keep_frames() {
    keep(h2_lite::frame::FrameReader::new as *const ());
    keep(h2_lite::frame::FrameReader::header as *const ());
    keep(h2_lite::frame::FrameReader::is_at_header as *const ());
    keep(h2_lite::frame::FrameReader::remaining as *const ());
    keep(h2_lite::frame::FrameReader::padding_len as *const ());
    keep(h2_lite::frame::FrameReader::next as *const ());
    keep(h2_lite::frame::FrameHeader::decode as *const ());
    keep(h2_lite::frame::FrameHeader::encode as *const ());
    keep(h2_lite::frame::FrameHeader::has as *const ());
}

fn keep_payloads() {
    keep(h2_lite::frame::Continuation::encode as *const ());
    keep(h2_lite::frame::Data::encode as *const ());
    keep(h2_lite::frame::GoAway::decode as *const ());
    keep(h2_lite::frame::GoAway::encode as *const ());
    keep(h2_lite::frame::Headers::encode as *const ());
    keep(h2_lite::frame::Ping::encode as *const ());
    keep(h2_lite::frame::Priority::decode as *const ());
    keep(h2_lite::frame::Priority::encode as *const ());
    keep(h2_lite::frame::Priority::header as *const ());
    keep(h2_lite::frame::PushPromise::decode as *const ());
    keep(h2_lite::frame::PushPromise::encode as *const ());
    keep(h2_lite::frame::RstStream::decode as *const ());
    keep(h2_lite::frame::RstStream::encode as *const ());
    keep(h2_lite::frame::Setting::decode as *const ());
    keep(h2_lite::frame::Setting::encode as *const ());
    keep(h2_lite::frame::Settings::encode as *const ());
    keep(h2_lite::frame::WindowUpdate::decode as *const ());
    keep(h2_lite::frame::WindowUpdate::encode as *const ());
}

/// Sends a request with content, and reads the answer to its end.
fn request() -> Option<()> {
    let (mut streams, mut send, mut table) = ([const { Stream::new() }; 4], [0; 512], [0; 256]);
    let (mut entries, mut scratch) = ([EncoderEntry::new(); 8], [0; 256]);
    let memory = Memory {
        streams: &mut streams,
        send: &mut send,
        decoder_table: &mut table,
        encoder_table: &mut entries,
        scratch: &mut scratch,
    };
    let now = black_box(Instant::from_millis(1));
    let mut connection = Connection::new(Role::Client, Config::default(), memory).ok()?;
    let fields: h2_lite::Fields<'_, '_> = &|push| {
        FIELDS
            .iter()
            .for_each(|(name, value)| push(Field::Literal { name, value }));
    };
    let stream = connection.send_request(0, fields, false, now).ok()?;
    let mut fill = |to: &mut [u8]| to.fill(b'.');
    connection.send_data(stream, 100, true, &mut fill, now).ok()?;
    let mut ended = false;
    for mut input in black_box(ANSWER).iter().copied() {
        while let Some(transmit) = connection.take_transmit(now) {
            let written = black_box(transmit.bytes()).len();
            connection.give_back(transmit, written, now);
        }
        while let Some(event) = connection.handle_input(&mut input, now).ok()? {
            if let Event::Data { bytes, stream, .. } = event {
                let octets = u32::try_from(bytes.len()).ok()?;
                connection.release_capacity(stream, octets);
            } else if let Event::HeadersEnd { end_stream, .. } = event {
                ended |= end_stream;
            }
        }
        connection.handle_timeout(now).ok()?;
    }
    ended.then_some(())
}

const FIELDS: [(&[u8], &[u8]); 5] = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/proof.v1.Proof/Get"),
    (b":authority", b"telemetry.local"),
    (b"te", b"trailers"),
];

/// SETTINGS and its acknowledgement; response headers with a field that enters the table; content, a PING, and trailers
/// cut in two.
const ANSWER: &[&[u8]] = &[
    b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x10\0\0\0\x04\x01\0\0\0\0",
    b"\0\0\x0a\x01\x04\0\0\0\x01\x88\x40\x03abc\x03def",
    b"\0\0\x05\0\0\0\0\0\x01hello\0\0\x08\x06\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08",
    b"\0\0\x01\x01\x01\0\0\0\x01\xbe\0\0\x01\x09\x04\0\0\0\x01\xbe",
];
