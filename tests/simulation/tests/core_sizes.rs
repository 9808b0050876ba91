//! Every buffer that is lent to `h2_lite::Connection`, at every length from 0 up to what is needed and some more: it is
//! refused, with the limit's name and what would do, or a call goes through, or the call is refused by name. Nothing
//! hangs, and nothing arrives that was not sent.

use h2_lite::{
    Config, ConfigError, Connection, EncoderEntry, Event, Field, Instant, Memory, Role, Section, Stream,
    StreamKey, UseError,
};

/// The lengths of all that is lent to one side.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    streams: usize,
    send: usize,
    table: usize,
    entries: usize,
    scratch: usize,
    window: u32,
}

/// What is ample for the call below.
const AMPLE: Lengths = Lengths {
    streams: 2,
    send: 700,
    table: 4_096,
    entries: 8,
    scratch: 300,
    window: 400,
};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All of it arrived, but for so many fields that were skipped.
    Through { skipped: u32 },
    /// A connection could not be made.
    Refused(ConfigError),
    /// The request, or the response, can never be sent.
    TooLarge(Role),
}

const NOW: Instant = Instant::from_millis(0);
const CONTENT: usize = 300;
const LONG: &[u8] = &[b'v'; 60];

fn content(place: usize) -> u8 {
    (place * 7) as u8
}

/// What one side saw of the other's message.
#[derive(Default)]
struct Seen {
    stream: Option<StreamKey>,
    fields: usize,
    skipped: u32,
    octets: usize,
    ended: bool,
}

/// Moves all octets that can be moved from one side to the other.
fn pass(from: &mut Connection<'_>, to: &mut Connection<'_>, seen: &mut Seen) -> bool {
    let Some(transmit) = from.take_transmit(NOW) else {
        return false;
    };
    let octets = transmit.bytes().to_vec();
    from.give_back(transmit, octets.len(), NOW);
    let mut input = octets.as_slice();
    loop {
        let mut release = None;
        match to.handle_input(&mut input, NOW).expect("an honest peer") {
            Some(Event::HeaderField { stream, field, .. }) => {
                seen.stream = Some(stream);
                // The beginning of a field that does not fit is counted as skipped.
                seen.fields += usize::from(!field.truncated);
                let right = field.name != b"x-long" || field.value == LONG;
                assert!(
                    right || field.truncated && LONG.starts_with(field.value),
                    "another value"
                );
            }
            Some(Event::HeadersEnd {
                stream,
                section,
                end_stream,
                skipped,
            }) => {
                // Where all fields are skipped this is the first that is heard of the stream.
                seen.stream = Some(stream);
                seen.skipped += skipped;
                seen.ended |= end_stream;
                assert!(section == Section::Headers || end_stream);
            }
            Some(Event::Data {
                stream,
                bytes,
                end_stream,
            }) => {
                for octet in bytes {
                    assert_eq!(*octet, content(seen.octets), "octet {}", seen.octets);
                    seen.octets += 1;
                }
                seen.ended |= end_stream;
                release = Some((stream, bytes.len() as u32));
            }
            Some(Event::Reset { code, .. }) => panic!("reset: {code}"),
            Some(_) => {}
            None => break,
        }
        if let Some((stream, octets)) = release {
            to.release_capacity(stream, octets);
        }
    }
    assert!(input.is_empty(), "an honest peer is held up");
    true
}

/// Sends as much content as there is room for; the last of it ends the stream if `end`.
fn send_content(side: &mut Connection<'_>, stream: StreamKey, sent: &mut usize, end: bool) {
    let left = CONTENT - *sent;
    let len = side.data_room(stream).expect("an open stream").min(left);
    if len == 0 {
        return;
    }
    let begin = *sent;
    let mut fill = |to: &mut [u8]| {
        for (place, octet) in to.iter_mut().enumerate() {
            *octet = content(begin + place);
        }
    };
    side.send_data(stream, len, end && len == left, &mut fill, NOW)
        .expect("there is room");
    *sent += len;
}

fn request<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    push(Field::Indexable {
        name: b":method",
        value: b"POST",
    });
    push(Field::Indexable {
        name: b":scheme",
        value: b"http",
    });
    push(Field::Indexable {
        name: b":path",
        value: b"/a/path",
    });
    push(Field::Indexable {
        name: b":authority",
        value: b"example",
    });
    push(Field::Literal {
        name: b"x-long",
        value: LONG,
    });
}

fn response<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    push(Field::Indexable {
        name: b":status",
        value: b"200",
    });
    push(Field::Literal {
        name: b"x-long",
        value: LONG,
    });
}

fn trailers<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    push(Field::Literal {
        name: b"x-last",
        value: b"1",
    });
}

/// What was sent; `None`: not now; `Err`: it never can be.
fn settled<T>(sent: Result<T, UseError>) -> Result<Option<T>, ()> {
    match sent {
        Ok(sent) => Ok(Some(sent)),
        Err(UseError::NoRoom | UseError::TooManyStreams) => Ok(None),
        Err(UseError::TooLarge { needed, available }) => {
            assert!(needed > available, "{needed} octets fit {available}");
            Err(())
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Two connections of these lengths, and one call between them: content both ways, and trailers.
fn call(client: Lengths, server: Lengths) -> Outcome {
    let (mut up, mut down) = match (connection(Role::Client, client), connection(Role::Server, server)) {
        (Ok(up), Ok(down)) => (up, down),
        (Err(error), _) | (_, Err(error)) => return Outcome::Refused(error),
    };
    up.reset(NOW);
    down.reset(NOW);
    let (mut at_server, mut at_client) = (Seen::default(), Seen::default());
    let (mut key, mut answered, mut trailed) = (None, false, false);
    let (mut sent, mut replied) = (0, 0);
    for _ in 0..MOST_ROUNDS {
        match key {
            None => match settled(up.send_request(0, &|push| request(push), false, NOW)) {
                Ok(opened) => key = opened,
                Err(()) => return Outcome::TooLarge(Role::Client),
            },
            Some(stream) if sent < CONTENT => send_content(&mut up, stream, &mut sent, true),
            Some(_) => {}
        }
        if let Some(stream) = at_server.stream.filter(|_| at_server.ended) {
            if !answered {
                match settled(down.send_response(stream, &|push| response(push), false, NOW)) {
                    Ok(sent) => answered = sent.is_some(),
                    Err(()) => return Outcome::TooLarge(Role::Server),
                }
            } else if replied < CONTENT {
                send_content(&mut down, stream, &mut replied, false);
            } else if !trailed {
                match settled(down.send_trailers(stream, &|push| trailers(push), NOW)) {
                    Ok(sent) => trailed = sent.is_some(),
                    Err(()) => return Outcome::TooLarge(Role::Server),
                }
            }
        }
        while pass(&mut up, &mut down, &mut at_server) | pass(&mut down, &mut up, &mut at_client) {}
        if at_client.ended {
            assert_eq!((at_server.octets, at_client.octets), (CONTENT, CONTENT));
            assert!(up.is_free(0) && down.is_free(0), "a slot is lost");
            let skipped = at_server.skipped + at_client.skipped;
            assert_eq!(
                at_server.fields + at_client.fields + skipped as usize,
                8,
                "a field is lost"
            );
            return Outcome::Through { skipped };
        }
    }
    panic!("it hangs: {client:?} {server:?}");
}

/// A connection whose memory has these lengths; it is not given back.
fn connection(role: Role, lengths: Lengths) -> Result<Connection<'static>, ConfigError> {
    let config = Config {
        initial_window_size: lengths.window,
        ..Config::default()
    };
    let streams: Vec<Stream> = (0..lengths.streams).map(|_| Stream::new()).collect();
    let memory = Memory {
        streams: streams.leak(),
        send: vec![0; lengths.send].leak(),
        decoder_table: vec![0; lengths.table].leak(),
        encoder_table: vec![EncoderEntry::new(); lengths.entries].leak(),
        scratch: vec![0; lengths.scratch].leak(),
    };
    Connection::new(role, config, memory)
}

/// Every length in `lengths`, in the place that `set` names, of either side: what becomes of it.
fn at_every_length(
    lengths: impl Iterator<Item = usize> + Clone,
    set: fn(&mut Lengths, usize),
) -> [Vec<Outcome>; 2] {
    let changed = |len| {
        let mut lengths = AMPLE;
        set(&mut lengths, len);
        lengths
    };
    [
        lengths.clone().map(|len| call(changed(len), AMPLE)).collect(),
        lengths.map(|len| call(AMPLE, changed(len))).collect(),
    ]
}

/// Refused below the length that the refusal itself names, and in no other way than `rest` says from there on.
fn refused_up_to(outcomes: &[Outcome], limit: &str, rest: impl Fn(Outcome) -> bool) {
    let needed = outcomes
        .iter()
        .find_map(|outcome| match outcome {
            Outcome::Refused(error) => Some(error.needed),
            _ => None,
        })
        .unwrap_or(0);
    for (len, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Outcome::Refused(error) => {
                assert!(len < needed, "{len}: {error:?}");
                assert_eq!((error.limit, error.given, error.needed), (limit, len, needed));
                assert!(!error.advice.is_empty());
            }
            other => assert!(len >= needed && rest(*other), "{limit} of {len}: {other:?}"),
        }
    }
    let last = outcomes.last().expect("some lengths");
    assert_eq!(*last, Outcome::Through { skipped: 0 }, "{limit}");
}

#[test]
fn a_send_buffer_of_any_length_is_refused_or_sends_or_says_what_it_can_never_send() {
    let both = at_every_length(0..700, |lengths, len| lengths.send = len);
    for (role, outcomes) in [Role::Client, Role::Server].into_iter().zip(both) {
        refused_up_to(&outcomes, "send buffer", |outcome| match outcome {
            Outcome::TooLarge(of) => of == role,
            other => other == Outcome::Through { skipped: 0 },
        });
        // Once it is large enough it is so at any greater length.
        let first = outcomes
            .iter()
            .position(|outcome| matches!(outcome, Outcome::Through { .. }));
        let rest = &outcomes[first.expect("some are large enough")..];
        assert!(
            rest.iter()
                .all(|outcome| matches!(outcome, Outcome::Through { .. }))
        );
    }
}

#[test]
fn a_decoder_table_of_any_length_works_for_a_client_and_from_4096_on_for_a_server() {
    let lengths = (0..200).chain(4_000..4_100);
    let [client, _] = at_every_length(lengths, |lengths, len| lengths.table = len);
    assert!(
        client
            .iter()
            .all(|outcome| *outcome == Outcome::Through { skipped: 0 })
    );
    let [_, server] = at_every_length(0..4_200, |lengths, len| lengths.table = len);
    refused_up_to(&server, "decoder table", |outcome| {
        outcome == Outcome::Through { skipped: 0 }
    });
}

#[test]
fn an_encoder_table_of_any_length_works() {
    let both = at_every_length(0..20, |lengths, len| lengths.entries = len);
    let good = |outcome: &Outcome| *outcome == Outcome::Through { skipped: 0 };
    assert!(both.iter().flatten().all(good));
}

#[test]
fn a_scratch_of_any_length_works_and_skips_what_it_cannot_hold() {
    for outcomes in at_every_length(0..200, |lengths, len| lengths.scratch = len) {
        let skipped: Vec<u32> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Through { skipped } => *skipped,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(skipped.is_sorted_by(|more, less| more >= less), "{skipped:?}");
        assert!(skipped[0] > 0 && skipped.ends_with(&[0]), "{skipped:?}");
    }
}

#[test]
fn any_number_of_slots_is_refused_or_works() {
    for outcomes in at_every_length(0..164, |lengths, len| lengths.streams = len) {
        refused_up_to(&outcomes, "stream slots", |outcome| {
            outcome == Outcome::Through { skipped: 0 }
        });
    }
    let [client, server] = at_every_length([255, 256, 1_000].into_iter(), |lengths, len| {
        lengths.streams = len;
        lengths.window = 257;
    });
    for outcomes in [client, server] {
        assert_eq!(outcomes[0], Outcome::Through { skipped: 0 });
        for outcome in &outcomes[1..] {
            assert!(
                matches!(outcome, Outcome::Refused(error) if error.limit == "stream slots" && error.needed == 255)
            );
        }
    }
}

#[test]
fn any_window_is_refused_or_works() {
    for outcomes in at_every_length(0..400, |lengths, len| lengths.window = len as u32) {
        assert!(matches!(outcomes[0], Outcome::Refused(error) if error.limit == "initial_window_size"));
        assert!(
            outcomes[1..]
                .iter()
                .all(|outcome| *outcome == Outcome::Through { skipped: 0 })
        );
    }
    // Two slots share the connection's 65,535.
    for outcomes in at_every_length(32_767..32_770, |lengths, len| lengths.window = len as u32) {
        assert_eq!(outcomes[0], Outcome::Through { skipped: 0 });
        for outcome in &outcomes[1..] {
            assert!(
                matches!(outcome, Outcome::Refused(error) if error.limit == "initial_window_size" && error.needed == 32_767)
            );
        }
    }
}

/// A window of one octet moves one octet a round.
const MOST_ROUNDS: usize = 4 * CONTENT;
