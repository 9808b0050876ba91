//! The server's own windows, which bind the client. Spec: RFC 9113 sections 5.2 and 6.9.

use crate::cases::server::kit::{
    CHAT, DEFAULT_WINDOW, UNARY, WAIT, credit, expect, expect_handlers, half_closed, is_reset,
    reset_by_server, stream_window,
};
use crate::ours::STREAMS;
use crate::peer::{Answer, Client, request};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, Frame, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.9.1-exceeded, threat-21
    Case::new("receive_window/of_a_stream_takes_what_it_says_and_not_one_octet_more", stream_exactly),
    // Spec: h2-6.9.1-padding-counts, trap-padding-in-window
    Case::new("receive_window/of_a_stream_counts_padding", padding_counts),
    // Spec: h2-6.9.1-exceeded, h2-6.9-counts-all
    Case::new("receive_window/of_the_connection_is_65535_octets_over_all_streams", connection_exactly),
    // Spec: h2-6.9.3-before-ack, h2-6.5.3-bind-from-ack
    Case::new("receive_window/is_65535_octets_until_the_acknowledgement", before_ack),
    // Spec: h2-6.9.2-own-windows
    Case::new("receive_window/shrinks_by_the_difference_at_the_acknowledgement", shrinks_at_ack),
    // Spec: h2-6.9.3-before-ack, threat-21
    Case::new("receive_window/that_overran_its_buffer_before_the_acknowledgement_is_waited_for_a_second", overrun_before_ack),
    // Spec: h2-6.9-counts-all, manners-window-updates
    Case::new("receive_window/credit_lets_a_client_send_for_ever_in_worthwhile_amounts", for_ever),
    // Spec: h2-6.9-counts-all, trap-prefix-in-window
    Case::new("receive_window/credit_comes_when_the_rest_of_a_message_needs_it", rest_of_message),
    // Spec: threat-22, h2-6.9-counts-all
    Case::new("receive_window/padding_is_credited", padding_credited),
    // Spec: threat-22, h2-6.9-counts-all
    Case::new("receive_window/data_on_a_reset_stream_is_credited_to_the_connection", reset_credited),
    // Spec: threat-22, h2-6.9-counts-all
    Case::new("receive_window/data_on_a_refused_stream_is_credited_to_the_connection", refused_credited),
    // Spec: threat-22, h2-6.9-counts-all
    Case::new("receive_window/data_that_resets_its_stream_is_credited_to_the_connection", in_error_credited),
    // Spec: threat-22, h2-6.9-counts-all
    Case::new("receive_window/data_that_nobody_read_is_credited_to_the_connection", unread_credited),
    // Spec: h2-5.1-closed-silence, h2-6.9-closed
    Case::new("receive_window/a_stream_that_ended_gets_no_credit", none_after_end),
];

/// What a client may still send, as it counts.
struct Account {
    connection: usize,
    stream: usize,
}

impl Account {
    /// So many octets were sent already, for which no credit came.
    fn after(client: &Client, spent: usize) -> Self {
        Self {
            connection: DEFAULT_WINDOW - spent,
            stream: stream_window(client),
        }
    }

    /// Sends a frame of DATA with so many octets of payload for which there is credit; what comes back is counted.
    fn send(&mut self, client: &mut Client, stream: u32, frame: &[u8]) -> Result<Vec<Frame>, Fault> {
        let octets = frame.len() - 9;
        check(octets <= self.connection, || {
            format!("{octets} octets, {} left for the connection", self.connection)
        })?;
        check(octets <= self.stream, || {
            format!("{octets} octets, {} left for the stream", self.stream)
        })?;
        self.connection -= octets;
        self.stream -= octets;
        client.send(frame);
        let frames = client.look();
        self.connection += credit(&frames, 0);
        self.stream += credit(&frames, stream);
        check(self.connection <= DEFAULT_WINDOW, || {
            format!("{} octets: too much credit", self.connection)
        })?;
        Ok(frames)
    }

    /// The connection lacks less than what is credited in one go.
    fn expect_restored(&self) -> Verdict {
        check(self.connection > DEFAULT_WINDOW / 2, || {
            format!("{} octets are left for the connection", self.connection)
        })
    }
}

/// An open call whose handler reads nothing, and the stream's window.
fn unread(client: &mut Client) -> Result<(u32, usize), Fault> {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(WAIT), 0));
    client.expect_silence()?;
    expect_handlers(client, 2)?;
    Ok((stream, stream_window(client)))
}

fn stream_exactly(client: &mut Client) -> Verdict {
    let (stream, window) = unread(client)?;
    client.send(&wire::data(stream, &vec![0; window - 1], 0));
    client.send(&wire::data(stream, &[0], 0));
    // What is empty needs no window.
    client.send(&wire::data(stream, &[], 0));
    client.expect_silence()?;
    client.send(&wire::data(stream, &[0], 0));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::FLOW_CONTROL_ERROR)?;
    client.reconnect();
    let (stream, window) = unread(client)?;
    client.send(&wire::data(stream, &vec![0; window + 1], wire::END_STREAM));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::FLOW_CONTROL_ERROR)
}

fn padding_counts(client: &mut Client) -> Verdict {
    let (stream, window) = unread(client)?;
    client.send(&wire::data(stream, &vec![0; window - 100], 0));
    // With the octet of the pad length.
    client.send(&wire::padded_data(stream, &[], 99, 0));
    client.expect_silence()?;
    client.reconnect();
    let (stream, window) = unread(client)?;
    client.send(&wire::data(stream, &vec![0; window - 100], 0));
    client.send(&wire::padded_data(stream, &[], 100, 0));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::FLOW_CONTROL_ERROR)
}

/// Before the acknowledgement no credit is given to the connection, and what is not gRPC is read over. Two streams, on
/// which `octets` come in all; the last stream is returned.
fn two_streams(client: &mut Client, octets: usize) -> Result<u32, Fault> {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let streams = [client.next_stream(), client.next_stream()];
    for stream in streams {
        client.send(&wire::headers(stream, &request(UNARY)[..4], 0));
    }
    let (first, second) = (40_000, octets - 40_000);
    for (stream, octets) in streams.into_iter().zip([first, second]) {
        for frame in vec![0; octets].chunks(10_000) {
            client.send(&wire::data(stream, frame, 0));
        }
    }
    Ok(streams[1])
}

fn connection_exactly(client: &mut Client) -> Verdict {
    let last = two_streams(client, DEFAULT_WINDOW)?;
    let frames = client.look();
    let none = frames
        .iter()
        .all(|frame| !matches!(frame.kind, wire::GOAWAY | wire::RST_STREAM));
    expect(&frames, none, "no error")?;
    client.send(&wire::settings_ack());
    for stream in [last - 2, last] {
        client.send(&wire::rst_stream(stream, code::CANCEL));
    }
    client.look();
    client.expect_alive()?;
    client.reconnect();
    let last = two_streams(client, DEFAULT_WINDOW + 1)?;
    let frames = client.look();
    let goaway = frames.last().is_some_and(|goaway| {
        goaway.kind == wire::GOAWAY
            && goaway.u32_at(0) == Some(last)
            && goaway.u32_at(4) == Some(code::FLOW_CONTROL_ERROR)
    });
    expect(
        &frames,
        goaway && client.server.is_closed(),
        "GOAWAY(FLOW_CONTROL_ERROR) and the end",
    )
}

fn before_ack(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(CHAT), 0));
    let message = wire::message(&[5; 500]);
    let mut all = Vec::new();
    for _ in 0..60_000 / message.len() {
        client.send(&wire::data(stream, &message, 0));
        all.extend(client.look());
    }
    client.send(&wire::data(stream, &message, wire::END_STREAM));
    all.extend(client.look());
    let answer = Answer::of(&all, stream)?;
    let count = wire::contents(&answer.content).unwrap_or_default().len();
    check(
        count == 60_000 / message.len() + 1 && answer.ended && answer.reset.is_none(),
        || format!("{count} messages came back, reset: {:?}", answer.reset),
    )
}

fn shrinks_at_ack(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let window = stream_window(client);
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(WAIT), 0));
    client.send(&wire::data(stream, &[0; 500], 0));
    client.send(&wire::settings_ack());
    client.send(&wire::data(stream, &vec![0; window - 500], 0));
    client.expect_silence()?;
    expect_handlers(client, 1)?;
    client.send(&wire::data(stream, &[0], 0));
    expect_handlers(client, 0)?;
    client.expect_stream_error(stream, code::FLOW_CONTROL_ERROR)
}

fn overrun_before_ack(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let window = stream_window(client);
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(WAIT), 0));
    // Within the window of 65,535, and more than is kept: legal, so it is no error at once.
    client.send(&wire::data(stream, &vec![0; window + 1], 0));
    client.send(&wire::settings_ack());
    client.server.pass(999);
    client.expect_silence()?;
    expect_handlers(client, 1)?;
    client.server.pass(1);
    expect_handlers(client, 0)?;
    client.expect_stream_error(stream, code::FLOW_CONTROL_ERROR)
}

fn for_ever(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(CHAT), 0));
    client.send(&wire::window_update(stream, 1_000_000));
    client.send(&wire::window_update(0, 1_000_000));
    let mut account = Account::after(client, 0);
    let window = account.stream;
    let message = wire::message(&[3; 200]);
    let (mut echoed, mut updates) = (0, Vec::new());
    for _ in 0..2_000 {
        let frames = account.send(client, stream, &wire::data(stream, &message, 0))?;
        echoed += frames.iter().filter(|frame| frame.kind == wire::DATA).count();
        updates.extend(
            frames
                .into_iter()
                .filter(|frame| frame.kind == wire::WINDOW_UPDATE),
        );
    }
    check(echoed == 2_000, || {
        format!("{echoed} echoes in frames of their own")
    })?;
    let worthwhile = updates.iter().all(|update| {
        let enough = if update.stream == 0 {
            DEFAULT_WINDOW / 4
        } else {
            window / 4
        };
        update.u32_at(0).is_some_and(|octets| octets as usize >= enough)
    });
    check(worthwhile, || format!("credit in small amounts: {updates:?}"))
}

fn rest_of_message(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(CHAT), 0));
    let mut account = Account::after(client, 0);
    // The largest that the buffer holds, which needs all of the window, behind some that leave too little of it.
    let largest = wire::message(&vec![1; account.stream - 5 - 3]);
    assert_eq!(largest.len(), account.stream, "the largest message");
    for small in [1, 100, 250, 400] {
        account.send(
            client,
            stream,
            &wire::data(stream, &wire::message(&vec![2; small]), 0),
        )?;
        let mut rest = &largest[..];
        while !rest.is_empty() {
            let now = rest.len().min(account.stream);
            check(now > 0, || {
                format!("no credit for the last {} octets of a message", rest.len())
            })?;
            account.send(client, stream, &wire::data(stream, &rest[..now], 0))?;
            rest = &rest[now..];
        }
    }
    client.send(&wire::data(stream, &[], wire::END_STREAM));
    let frames = client.look();
    check(Answer::of(&frames, stream)?.ended, || {
        format!("the end of the call expected: {frames:?}")
    })?;
    client.expect_alive()
}

fn padding_credited(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(CHAT), 0));
    let mut account = Account::after(client, 0);
    for _ in 0..1_000 {
        let frame = wire::padded_data(stream, &wire::message(b"p"), 255, 0);
        account.send(client, stream, &frame)?;
        client.send(&wire::window_update(stream, 8));
        client.send(&wire::window_update(0, 8));
        account.connection += credit(&client.look(), 0);
    }
    account.expect_restored()
}

/// 200 KB of DATA in frames of 1,000 octets, which nobody wants, on `stream`; there is credit for all of it.
fn unwanted(client: &mut Client, stream: u32, spent: usize) -> Verdict {
    let mut account = Account::after(client, spent);
    for _ in 0..200 {
        account.stream = DEFAULT_WINDOW;
        let frames = account.send(client, stream, &wire::data(stream, &[0; 1_000], 0))?;
        let only = frames
            .iter()
            .all(|frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == 0);
        expect(&frames, only, "credit for the connection alone")?;
    }
    account.expect_restored()?;
    client.expect_alive()
}

fn reset_credited(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = reset_by_server(client)?;
    unwanted(client, stream, SMALL)
}

fn refused_credited(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let mut last = 0;
    for _ in 1..STREAMS {
        last = half_closed(client)?;
    }
    let refused = client.next_stream();
    client.begin(refused);
    let frames = client.look();
    let reset = matches!(&frames[..], [reset] if is_reset(reset, refused, code::REFUSED_STREAM));
    expect(&frames, reset, "RST_STREAM(REFUSED_STREAM) alone")?;
    client.send(&wire::rst_stream(last, code::CANCEL));
    unwanted(client, refused, STREAMS * SMALL)
}

fn in_error_credited(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let mut account = Account::after(client, SMALL);
    // Each frame is the error: too much for its stream, or after the end of it.
    for _ in 0..30 {
        let stream = half_closed(client)?;
        account.stream = DEFAULT_WINDOW;
        account.connection -= SMALL;
        let mut frames = account.send(client, stream, &wire::data(stream, &[0; 2_000], 0))?;
        frames.retain(|frame| frame.kind != wire::WINDOW_UPDATE);
        let reset = matches!(&frames[..], [reset] if is_reset(reset, stream, code::STREAM_CLOSED));
        expect(&frames, reset, "RST_STREAM(STREAM_CLOSED)")?;
        let stream = client.next_stream();
        client.send(&wire::headers(stream, &request(WAIT), 0));
        account.stream = DEFAULT_WINDOW;
        let mut frames = account.send(client, stream, &wire::data(stream, &[0; 2_000], 0))?;
        frames.retain(|frame| frame.kind != wire::WINDOW_UPDATE);
        let reset = matches!(&frames[..], [reset] if is_reset(reset, stream, code::FLOW_CONTROL_ERROR));
        expect(&frames, reset, "RST_STREAM(FLOW_CONTROL_ERROR)")?;
    }
    account.expect_restored()?;
    expect_handlers(client, 1)?;
    client.expect_alive()
}

fn unread_credited(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let mut account = Account::after(client, SMALL);
    let window = account.stream;
    for round in 0..15 {
        let stream = client.next_stream();
        client.send(&wire::headers(stream, &request(WAIT), 0));
        account.stream = window;
        account.send(client, stream, &wire::data(stream, &vec![0; window], 0))?;
        expect_handlers(client, 2)?;
        client.send(&wire::rst_stream(stream, code::CANCEL));
        expect_handlers(client, 1)?;
        account.connection += credit(&client.look(), 0);
        check(round < 10 || account.connection > 0, || "no credit".to_owned())?;
    }
    // The client's resets are not without limit: what comes next is read by nobody either, and is reset by the server.
    for _ in 0..60 {
        let stream = client.next_stream();
        client.send(&wire::headers(stream, &request(WAIT), 0));
        account.stream = window;
        account.send(client, stream, &wire::data(stream, &vec![0; window], 0))?;
        client.send(&wire::window_update(stream, 0));
        account.connection += credit(&client.look(), 0);
    }
    account.expect_restored()?;
    client.expect_alive()
}

fn none_after_end(client: &mut Client) -> Verdict {
    client.open()?;
    let content = vec![1; stream_window(client) - 100];
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(UNARY), 0));
    client.send(&wire::data(stream, &wire::message(&content), wire::END_STREAM));
    let frames = client.look();
    expect(&frames, credit(&frames, stream) == 0, "no credit")?;
    Answer::of(&frames, stream)?.expect_echo(&content)?;
    client.expect_alive()
}

/// What an empty message takes, and the half of the innocent request that is sent at first.
const SMALL: usize = 7;
