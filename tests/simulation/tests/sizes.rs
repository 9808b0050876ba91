//! Every size that a user chooses, in small steps from the least to what is needed and some more: the calls go through,
//! or are refused with the limit's name. Nothing hangs, nothing panics, nothing arrives that was not sent. Sizes below the
//! least are refused when the program is compiled: see `limits`.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use rpc_nostd::client::Unary;
use rpc_nostd::micropb::{
    DecodeError, MessageDecode, MessageEncode, PbDecoder, PbEncoder, PbRead, PbWrite, size,
};
use rpc_nostd::server::{Call, Routes, Server, ServerConfig, ServerResources, Service, find};
use rpc_nostd::{Channel, Code, Config, MetadataEntry, Method, ReceivedMetadata, Resources, Runner, Status};
use rpc_nostd_simulation::executor::Executor;
use rpc_nostd_simulation::message::{Blob, content_len, encoded_len};
use rpc_nostd_simulation::net::{Climate, Dial, Listen, Net};
use rpc_nostd_simulation::plan::{METHODS, UNARY};
use rpc_nostd_simulation::signal::all;
use rpc_nostd_simulation::world::{Trace, World};

/// A `bytes` field, number 1, and another, number 2.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pair(Vec<u8>, Vec<u8>);

impl MessageEncode for Pair {
    const MAX_SIZE: Result<usize, &'static str> = Err("unbounded");

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        for (tag, octets) in [(0x0a, &self.0), (0x12, &self.1)] {
            if !octets.is_empty() {
                encoder.encode_varint32(tag)?;
                encoder.encode_bytes(octets)?;
            }
        }
        Ok(())
    }

    fn compute_size(&self) -> usize {
        let fields = [&self.0, &self.1].into_iter().filter(|octets| !octets.is_empty());
        fields
            .map(|octets| 1 + size::sizeof_len_record(octets.len()))
            .sum()
    }
}

impl MessageDecode for Pair {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            let tag = decoder.decode_varint32()?;
            let mut octets = rpc_nostd::heapless::Vec::<u8, 2_048>::new();
            decoder.decode_bytes(&mut octets, rpc_nostd::micropb::Presence::Explicit)?;
            match tag {
                0x0a => self.0 = octets.to_vec(),
                _ => self.1 = octets.to_vec(),
            }
        }
        Ok(())
    }
}

/// What the server does.
#[derive(Clone, Copy)]
struct Answers {
    /// Octets of content of the first field, and of the second.
    content: [usize; 2],
    /// The text of the status, and octets of details: then it is an error.
    fault: Option<(usize, usize)>,
}

const ECHOES: Answers = Answers {
    content: [10, 0],
    fault: None,
};

impl Routes for Answers {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&METHODS, path)
    }
}

impl Service for Answers {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        let (context, mut requests, mut replies) = call.split::<Blob, Pair>();
        let request = requests.only().await?;
        if let Some((text, details)) = self.fault {
            context.set_details(&vec![8; details])?;
            return Err(Status::with_text(Code::NOT_FOUND, &"t".repeat(text)));
        }
        let first = if self.content[0] == 10 {
            request.0
        } else {
            vec![1; self.content[0]]
        };
        context.add_initial(MetadataEntry::ascii("x-first", VALUE))?;
        context.add_trailing(MetadataEntry::binary("x-last-bin", VALUE.as_bytes()))?;
        replies.send(&Pair(first, vec![2; self.content[1]])).await
    }
}

const VALUE: &str = "a value of 30 octets, no less.";

/// What is called on a channel.
type Test<'t> = &'t dyn for<'c> Fn(Channel<'c>) -> Pin<Box<dyn Future<Output = ()> + 'c>>;

/// A client of this memory, and a server of plenty.
fn client<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    answers: Answers,
    test: Test<'_>,
) {
    let trace = Trace::default();
    let world = World::new(0, &trace);
    let net = Net::new(&world, Climate::Calm);
    let mut memory: Resources<'_, STREAMS, RECV, SEND, TABLE, META, SCRATCH> = Resources::new();
    let made = Channel::new(&mut memory, Dial(&net), &world.clock, Config::new("sizes:1"));
    let mut other = ServerResources::<'_, 1, 8, 600, 2_048, 400, 256>::new();
    let config = ServerConfig::new();
    let (_, server) =
        Server::new(&mut other, [Listen(&net)], &answers, &world.clock, &config).expect("large enough");
    run(&net, made.expect("large enough"), server.run(), test);
}

/// A server of this memory, and a client of plenty.
fn server<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    answers: Answers,
    test: Test<'_>,
) {
    let trace = Trace::default();
    let world = World::new(0, &trace);
    let net = Net::new(&world, Climate::Calm);
    let mut memory: Resources<'_, 8, 600, 2_048, 256, 400, 256> = Resources::new();
    let made = Channel::new(&mut memory, Dial(&net), &world.clock, Config::new("sizes:1"));
    let mut other = ServerResources::<'_, 1, STREAMS, RECV, SEND, META, SCRATCH>::new();
    let config = ServerConfig::new();
    let (_, server) =
        Server::new(&mut other, [Listen(&net)], &answers, &world.clock, &config).expect("large enough");
    run(&net, made.expect("large enough"), server.run(), test);
}

/// Runs both ends and the test, to the test's end.
fn run<'r, 'w>(
    net: &Net<'w>,
    made: (Channel<'r>, Runner<'r, Dial<'_, 'w>>),
    server: impl Future<Output = ()>,
    test: Test<'_>,
) {
    let (channel, runner) = made;
    net.set_listening(true);
    let ended = Cell::new(false);
    let executor = Executor::new(net.world);
    executor.spawn("server", server);
    executor.spawn("client", runner.run());
    executor.spawn("test", async {
        test(channel).await;
        ended.set(true);
    });
    executor.run(&ended);
}

/// One call, with a deadline that it does not need.
async fn echo(mut channel: Channel<'_>, content: usize) -> Result<Pair, Status> {
    let request = Blob(vec![3; content]);
    Unary::new(&mut channel, &UNARY, &request).deadline(LIMIT).await
}

const LIMIT: Duration = Duration::from_secs(100);

/// The call went through, or was refused for want of a size: that is named. Returns whether it went through.
fn through_or_named(result: Result<Pair, Status>, right: &Pair, name: &str) -> bool {
    match result {
        Ok(pair) => {
            assert!(pair == *right, "a wrong answer");
            true
        }
        Err(status) => {
            assert_eq!(status.code(), Code::RESOURCE_EXHAUSTED, "{status:?}");
            assert!(status.message().contains(name), "{status:?}");
            false
        }
    }
}

/// Responses of all lengths around what the receive buffer holds: whole up to there, refused above, and the next is good.
fn responses<const RECV: usize>() {
    let holds = content_len(RECV - 5);
    for len in [0, 1, 127, 128, holds - 1, holds, holds + 1, holds + 40, 3 * RECV] {
        let answers = Answers {
            content: [0, len],
            ..ECHOES
        };
        client::<1, RECV, 384, 0, 128, 48>(answers, &move |channel| {
            Box::pin(async move {
                for _ in 0..2 {
                    let right = Pair(Vec::new(), vec![2; len]);
                    let through = through_or_named(echo(channel, 0).await, &right, "RECV of Resources");
                    assert_eq!(through, len <= holds, "{len} octets in {RECV}");
                }
            })
        });
    }
}

#[test]
fn a_response_fits_recv_or_is_refused_by_name() {
    responses::<261>();
    responses::<262>();
    responses::<263>();
    responses::<264>();
    responses::<300>();
    responses::<390>();
    responses::<391>();
    responses::<700>();
}

/// Requests of all lengths around what a server's receive buffer holds.
fn requests<const RECV: usize>() {
    let holds = content_len(RECV - 5);
    for len in [0, 1, 127, 128, holds - 1, holds, holds + 1, holds + 40, 3 * RECV] {
        server::<1, RECV, 384, 128, 64>(ECHOES, &move |mut channel| {
            Box::pin(async move {
                for _ in 0..2 {
                    let request = Blob(vec![3; len]);
                    let mut buffer = vec![0; 3 * RECV + 50];
                    let call = Unary::new(&mut channel, &UNARY, &request).buffer(&mut buffer);
                    let right = Pair(vec![3; len], Vec::new());
                    let through = through_or_named(call.deadline(LIMIT).await, &right, "RECV");
                    assert_eq!(through, len <= holds, "{len} octets in {RECV}");
                }
            })
        });
    }
}

#[test]
fn a_request_fits_a_servers_recv_or_is_refused_by_name() {
    requests::<261>();
    requests::<262>();
    requests::<263>();
    requests::<264>();
    requests::<391>();
    requests::<700>();
}

/// Request metadata of all lengths: it is sent, or refused by name, and the next call is good. More is never worse.
fn sends<const SEND: usize>() -> usize {
    let most = Rc::new(Cell::new(0));
    let found = most.clone();
    client::<1, 300, SEND, 0, 128, 48>(ECHOES, &move |mut channel| {
        let most = found.clone();
        Box::pin(async move {
            let right = Pair(vec![3; 4], Vec::new());
            for len in 0..SEND {
                let (request, value) = (Blob(vec![3; 4]), "v".repeat(len));
                let entries = [MetadataEntry::ascii("x-of-any-length", &value)];
                let call = Unary::new(&mut channel, &UNARY, &request).metadata(&entries);
                if through_or_named(call.deadline(LIMIT).await, &right, "SEND of Resources") {
                    assert_eq!(most.get(), len, "a longer one was sent than this");
                    most.set(len + 1);
                }
            }
            assert!(through_or_named(echo(channel, 4).await, &right, ""));
        })
    });
    most.get()
}

#[test]
fn metadata_fits_send_or_is_refused_by_name() {
    let most = [
        sends::<384>(),
        sends::<385>(),
        sends::<390>(),
        sends::<400>(),
        sends::<450>(),
        sends::<500>(),
        sends::<512>(),
        sends::<640>(),
    ];
    assert!(most.is_sorted() && most[0] >= 40, "{most:?}");
    // A length of more than 126 takes an octet or two more.
    assert!(most[7] - most[0] >= 640 - 384 - 4, "{most:?}");
}

/// Response metadata and messages through a server's send buffer of this length.
fn server_sends<const SEND: usize>() {
    for len in [0, 1, 60, 300, 590] {
        server::<2, 600, SEND, 200, 64>(ECHOES, &move |channel| {
            Box::pin(async move {
                let right = Pair(vec![3; len], Vec::new());
                assert!(through_or_named(echo(channel, len).await, &right, "never"));
            })
        });
    }
}

#[test]
fn any_send_buffer_of_a_server_sends_everything() {
    server_sends::<384>();
    server_sends::<385>();
    server_sends::<386>();
    server_sends::<400>();
    server_sends::<433>();
    server_sends::<600>();
}

/// Calls with a decoder table of this length, twice: the second time fields come from the table.
fn tables<const TABLE: usize>() {
    client::<1, 300, 384, TABLE, 128, 64>(ECHOES, &|channel| {
        Box::pin(async move {
            for len in 0..5 {
                assert_eq!(echo(channel, len).await, Ok(Pair(vec![3; len], Vec::new())));
            }
        })
    });
}

#[test]
fn a_decoder_table_of_any_length_works() {
    tables::<0>();
    tables::<1>();
    tables::<31>();
    tables::<32>();
    tables::<33>();
    tables::<44>();
    tables::<64>();
    tables::<65>();
    tables::<96>();
    tables::<128>();
    tables::<255>();
    tables::<256>();
    tables::<4_096>();
}

/// Metadata and a status in META of this length, and in memory of any length: all of it is there, or it overflowed.
fn metas<const META: usize>() {
    for room in (0..140).step_by(1) {
        client::<1, 300, 384, 0, META, 64>(ECHOES, &move |mut channel| {
            Box::pin(async move {
                let mut memory = vec![0; room];
                let mut received = ReceivedMetadata::new(&mut memory);
                let request = Blob(vec![3; 4]);
                let call = Unary::new(&mut channel, &UNARY, &request).receive_into(&mut received);
                assert_eq!(call.deadline(LIMIT).await, Ok(Pair(vec![3; 4], Vec::new())));
                let first: Option<&[u8]> = received.initial("x-first").next();
                let last: Option<&[u8]> = received.trailing("x-last-bin").next();
                let value = Some(VALUE.as_bytes());
                assert!(
                    first == value || first.is_none() && received.overflowed(),
                    "{META} {room}"
                );
                assert!(
                    last == value || last.is_none() && received.overflowed(),
                    "{META} {room}"
                );
                assert_eq!(received.overflowed(), META.min(room) < NEEDED, "{META} {room}");
            })
        });
    }
    statuses::<META>();
}

/// Both fields: name, value and 4 octets.
const NEEDED: usize = (7 + 30 + 4) + (10 + 30 + 4);

/// Texts and details of any length in META of this length.
fn statuses<const META: usize>() {
    for (text, details) in [(0, 0), (1, 0), (40, 5), (90, 30), (96, 1), (200, 60)] {
        let answers = Answers {
            fault: Some((text, details)),
            ..ECHOES
        };
        client::<1, 300, 384, 0, META, 256>(answers, &move |mut channel| {
            Box::pin(async move {
                let mut memory = [0; 300];
                let mut received = ReceivedMetadata::new(&mut memory);
                let request = Blob::default();
                let call = Unary::<_, _, Pair>::new(&mut channel, &UNARY, &request);
                let result = call.receive_into(&mut received).deadline(LIMIT).await;
                let status = result.expect_err("the handler fails");
                assert_eq!((status.code(), status.is_local()), (Code::NOT_FOUND, false));
                let sent = "t".repeat(text.min(Status::MESSAGE_CAPACITY));
                assert!(sent.starts_with(status.message()), "{status:?}");
                let whole = status.message() == sent && text <= Status::MESSAGE_CAPACITY;
                // The server's own copy of a text is cut, and nothing on the wire says so.
                let cut = status.is_message_truncated() || text > Status::MESSAGE_CAPACITY;
                assert!(whole || cut, "{META}: {status:?}");
                match received.status_details() {
                    Some(octets) => assert_eq!(octets, vec![8; details]),
                    None => assert!(received.overflowed(), "{META}"),
                }
            })
        });
    }
}

#[test]
fn metadata_and_statuses_of_any_length_are_kept_whole_or_marked() {
    metas::<0>();
    metas::<1>();
    metas::<4>();
    metas::<5>();
    metas::<40>();
    metas::<41>();
    metas::<42>();
    metas::<80>();
    metas::<84>();
    metas::<85>();
    metas::<86>();
    metas::<128>();
    metas::<200>();
}

/// A scratch of this length holds the longest field that the response has, or that is dropped and marked.
fn scratches<const SCRATCH: usize>() {
    client::<1, 300, 384, 0, 200, SCRATCH>(ECHOES, &|mut channel| {
        Box::pin(async move {
            let mut memory = [0; 200];
            let mut received = ReceivedMetadata::new(&mut memory);
            let request = Blob(vec![3; 4]);
            let call = Unary::new(&mut channel, &UNARY, &request).receive_into(&mut received);
            assert_eq!(call.deadline(LIMIT).await, Ok(Pair(vec![3; 4], Vec::new())));
            let last: Option<&[u8]> = received.trailing("x-last-bin").next();
            // 40 octets of base64.
            assert_eq!(last.is_some(), SCRATCH >= 10 + 40, "{SCRATCH}");
            assert_eq!(received.overflowed(), last.is_none(), "{SCRATCH}");
        })
    });
}

#[test]
fn a_scratch_of_any_length_holds_a_field_or_marks_its_loss() {
    scratches::<48>();
    scratches::<49>();
    scratches::<50>();
    scratches::<51>();
    scratches::<64>();
    scratches::<256>();
}

/// Twice as many calls at once as there are streams, on either side.
fn streams<const STREAMS: usize>() {
    let test: Test<'_> = &|channel| {
        Box::pin(async move {
            let calls = (0..(2 * STREAMS).min(8)).map(|len| async move {
                assert_eq!(echo(channel, len).await, Ok(Pair(vec![3; len], Vec::new())));
            });
            all(calls.collect()).await;
        })
    };
    client::<STREAMS, 261, 384, 0, 64, 48>(ECHOES, test);
    server::<STREAMS, 261, 384, 128, 64>(ECHOES, test);
}

#[test]
fn any_number_of_streams_serves_all_calls() {
    streams::<1>();
    streams::<2>();
    streams::<3>();
    streams::<4>();
    streams::<5>();
    streams::<100>();
    streams::<251>();
}

#[test]
fn a_buffer_lent_to_a_unary_call_holds_the_response_or_it_is_refused_by_name() {
    const LEN: usize = 400;
    let needed = encoded_len(LEN);
    for room in (0..20).chain(250..320).chain(needed - 5..needed + 5) {
        let answers = Answers {
            content: [0, LEN],
            ..ECHOES
        };
        client::<1, 300, 384, 0, 128, 64>(answers, &move |mut channel| {
            Box::pin(async move {
                for _ in 0..2 {
                    let mut buffer = vec![0; room];
                    let request = Blob::default();
                    let call = Unary::new(&mut channel, &UNARY, &request).buffer(&mut buffer);
                    let right = Pair(Vec::new(), vec![2; LEN]);
                    let through =
                        through_or_named(call.deadline(LIMIT).await, &right, "lend the call a buffer");
                    assert_eq!(through, room >= needed, "{room}");
                }
            })
        });
    }
}

#[test]
fn a_message_in_pieces_needs_a_scratch_for_its_other_fields_and_pieces_of_any_length() {
    const OTHER: usize = 50;
    let needed = encoded_len(OTHER);
    for (scratch, piece) in (0..needed + 3)
        .map(|len| (len, 64))
        .chain((1..40).map(|len| (needed, len)))
    {
        let answers = Answers {
            content: [500, OTHER],
            ..ECHOES
        };
        client::<1, 261, 384, 0, 128, 64>(answers, &move |channel| {
            Box::pin(async move {
                match pieces(channel, &mut vec![0; scratch], &mut vec![0; piece]).await {
                    Ok(pair) => assert!(scratch >= needed && pair == Pair(vec![1; 500], vec![2; OTHER])),
                    Err(status) => {
                        assert!(scratch < needed, "{scratch}: {status:?}");
                        assert_eq!(status.code(), Code::RESOURCE_EXHAUSTED);
                        assert!(status.message().contains("scratch"), "{status:?}");
                    }
                }
            })
        });
    }
}

async fn pieces(mut channel: Channel<'_>, scratch: &mut [u8], to: &mut [u8]) -> Result<Pair, Status> {
    let request = Blob::default();
    let call = Unary::<_, _, Pair>::new(&mut channel, &UNARY, &request).streamed();
    let mut receiver = call.deadline(LIMIT).await?;
    let mut reader = receiver.next_large(&[1], scratch).await?.expect("one response");
    let mut content = Vec::new();
    assert_eq!(reader.read(&mut []).await, Ok(0), "nothing is asked for");
    loop {
        match reader.read(to).await? {
            0 => break,
            len => content.extend(&to[..len]),
        }
    }
    let rest: Pair = reader.finish()?;
    assert_eq!(receiver.next().await?, None);
    Ok(Pair(content, rest.1))
}
