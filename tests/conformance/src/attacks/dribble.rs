//! Threat 7: a window that is opened octet by octet, and small windows that are no attack.

use crate::attacks::Attack;
use crate::attacks::cost::{Cost, is_linear};
use crate::attacks::flood::boundless;
use crate::attacks::restored::{client_is_restored, server_is_restored, without_credit};
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer};
use crate::peer::{Answer, Client, Server};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, Frame, code};

use rpc_nostd::Config;
use rpc_nostd::server::ServerConfig;

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_07_data_dribble/server",
        run: dribble_on_server,
    },
    Attack {
        name: "threat_07_data_dribble/client",
        run: dribble_on_client,
    },
    Attack {
        name: "threat_07_data_dribble_of_the_connection/server",
        run: dribble_of_the_connection,
    },
    Attack {
        name: "threat_07_dribble_by_settings/server",
        run: dribble_by_settings,
    },
    Attack {
        name: "threat_07_small_windows_make_progress/server",
        run: small_windows_on_server,
    },
    Attack {
        name: "threat_07_small_windows_make_progress/client",
        run: small_windows_on_client,
    },
    Attack {
        name: "threat_07_credit_for_what_is_wanted_next_is_enough/server",
        run: asks_for_little,
    },
    Attack {
        name: "threat_05_window_that_never_opens/server",
        run: shut_window,
    },
];

/// The peer's INITIAL_WINDOW_SIZE.
const SMALL: u32 = 600;
/// Content of a message that is larger than that.
const LARGE: usize = 1_000;
/// What its prefix and its field take.
const FRAMING: usize = 8;
/// How long a small piece waits for a larger window.
const PATIENCE_MS: u64 = 100;
/// A piece of so many octets is worth a frame of its own.
const ENOUGH: usize = 256;

/// A server whose client has opened a window of so many octets, and asked for an echo of so many.
fn asked(config: &ServerConfig, window: u32, content: usize) -> Result<Client, Fault> {
    let mut client = Client::new(OurServer::new(config));
    client.open_with(&[(4, window)])?;
    client.call(1, &vec![b'd'; content]);
    Ok(client)
}

fn pieces(frames: &[Frame]) -> Vec<usize> {
    let data = frames.iter().filter(|frame| frame.kind == wire::DATA);
    data.map(|frame| frame.payload.len()).collect()
}

fn generous() -> ServerConfig {
    let mut config = ServerConfig::new();
    config.budgets = boundless().budgets;
    config
}

// Spec: threat-07
fn dribble_on_server() -> Verdict {
    let mut client = asked(&generous(), SMALL, LARGE)?;
    let first = pieces(&client.look());
    check(first.iter().sum::<usize>() == SMALL as usize, || {
        format!("the whole window at once: {first:?}")
    })?;
    // Each octet of credit alone, and each is handled before the next: the first is sent at once, then no frame is for less
    // than a worthwhile piece.
    let left = LARGE + FRAMING - SMALL as usize;
    for _ in 0..left {
        client.send(&wire::window_update(1, 1));
    }
    let rest = pieces(&client.look());
    check(rest == [1, ENOUGH, left - 1 - ENOUGH], || {
        format!("{left} octets, one by one, went in {rest:?}")
    })?;
    Answer::of(&client.heard.frames, 1)?.expect_echo(&[b'd'; LARGE])?;
    let cost = |length: u32| {
        let mut client = asked(&generous(), SMALL, LARGE)?;
        client.look();
        let (work, sent) = (client.server.work(), client.heard.octets_sent);
        for _ in 0..length {
            client.send(&wire::window_update(1, 1));
        }
        let work = client.server.work().since(work);
        Ok(Cost {
            received: client.heard.octets_sent - sent,
            steps: work.steps(),
            written: work.written,
        })
    };
    is_linear(200, cost)?;
    client.send(&wire::settings(&[(4, 65_535)]));
    server_is_restored(&mut client)
}

// Spec: threat-07
fn dribble_on_client() -> Verdict {
    let mut config = Config::new("test.local:1");
    config.budgets = boundless().budgets;
    let mut server = Server::new(OurClient::new(config));
    server.open_with(&[(4, SMALL)])?;
    let call = server.client.call(Call::Unary(LARGE));
    let first = pieces(&server.look());
    check(first.iter().sum::<usize>() == SMALL as usize, || {
        format!("the whole window at once: {first:?}")
    })?;
    let left = LARGE + FRAMING - SMALL as usize;
    for _ in 0..left {
        server.send(&wire::window_update(3, 1));
    }
    let rest = pieces(&server.look());
    check(rest == [1, ENOUGH, left - 1 - ENOUGH], || {
        format!("{left} octets, one by one, went in {rest:?}")
    })?;
    server.respond(3, b"received");
    server.expect_outcome(call, 0, b"received")?;
    server.expect_alive()?;
    client_is_restored(&mut server)
}

// Spec: threat-07
fn dribble_of_the_connection() -> Verdict {
    let mut client = Client::new(OurServer::new(&generous()));
    client.open()?;
    // 65 answers leave 15 octets of the connection's window; the next call finds the rest of it, and then none.
    let mut stream = 1;
    for _ in 0..65 {
        client.call(stream, &vec![b'e'; LARGE]);
        Answer::of(&client.look(), stream)?.expect_echo(&[b'e'; LARGE])?;
        stream += 2;
    }
    client.call(stream, &vec![b'f'; LARGE]);
    let first = pieces(&client.look());
    check(first == [15], || format!("what is left of the window: {first:?}"))?;
    let left = LARGE + FRAMING - 15;
    for _ in 0..left {
        client.send(&wire::window_update(0, 1));
    }
    let rest = pieces(&client.look());
    check(rest.len() <= left / ENOUGH + 1, || {
        format!("{left} octets, one by one, went in {rest:?}")
    })?;
    Answer::of(&client.heard.frames, stream)?.expect_echo(&[b'f'; LARGE])?;
    client.send(&wire::window_update(0, 65_535));
    server_is_restored(&mut client)
}

// Spec: threat-07
fn dribble_by_settings() -> Verdict {
    let mut client = asked(&generous(), SMALL, LARGE)?;
    client.look();
    let left = LARGE + FRAMING - SMALL as usize;
    for more in 1..=left {
        client.send(&wire::settings(&[(4, SMALL + more as u32)]));
    }
    let frames = client.look();
    let acks = frames.iter().filter(|frame| frame.kind == wire::SETTINGS).count();
    check(acks == left, || format!("{acks} acknowledgements of {left}"))?;
    let rest = pieces(&frames);
    check(rest == [1, ENOUGH, left - 1 - ENOUGH], || {
        format!("{left} octets, one by one, went in {rest:?}")
    })?;
    Answer::of(&client.heard.frames, 1)?.expect_echo(&[b'd'; LARGE])?;
    client.send(&wire::settings(&[(4, 65_535)]));
    server_is_restored(&mut client)
}

/// A receiver of a small window that credits what it has, in one of the ways in which receivers do: once so much of it
/// is used. Returns the pieces that came.
fn receive(
    window: u32,
    threshold: u32,
    mut exchange: impl FnMut(Option<u32>) -> Vec<Frame>,
) -> Result<Vec<usize>, Fault> {
    let (mut all, mut used) = (Vec::new(), 0);
    let mut frames = exchange(None);
    for _ in 0..10_000 {
        let came = pieces(&frames);
        used += came.iter().sum::<usize>() as u32;
        all.extend(&came);
        check(used <= window, || {
            format!("{used} octets in a window of {window}")
        })?;
        if frames.iter().any(|frame| frame.has(wire::END_STREAM)) {
            return Ok(all);
        }
        let credit = used >= threshold.max(1);
        frames = exchange(credit.then_some(used));
        used = if credit { 0 } else { used };
        check(credit || !frames.is_empty(), || {
            format!("with {used} of {window} used and a threshold of {threshold} nothing comes")
        })?;
    }
    Err(Fault("no end".into()))
}

// Spec: threat-07, trap-split-not-refused
fn small_windows_on_server() -> Verdict {
    for window in [1, 2, 3, 5, 7, 100, 255, 256, 257, 511, 512, 700] {
        for threshold in [1, window / 3, window / 2, window - 1, window] {
            let mut client = asked(&ServerConfig::new(), window, LARGE)?;
            let pieces = receive(window, threshold, |credit| {
                if let Some(credit) = credit {
                    client.send(&[wire::window_update(1, credit), wire::window_update(0, credit)].concat());
                }
                client.look()
            })?;
            let good = pieces.iter().sum::<usize>() == LARGE + FRAMING;
            check(good, || {
                format!("window {window}, threshold {threshold}: {pieces:?}")
            })?;
            Answer::of(&client.heard.frames, 1)?.expect_echo(&[b'd'; LARGE])?;
        }
    }
    Ok(())
}

// Spec: threat-07, trap-split-not-refused
fn small_windows_on_client() -> Verdict {
    for window in [1, 2, 3, 5, 100, 257, 512, 700] {
        for threshold in [1, window / 2, window] {
            let mut server = Server::new(OurClient::default());
            let first = server.client.call(Call::Unary(LARGE));
            // What is sent before our SETTINGS arrive may use the default window.
            server.meet(&[(4, window)])?;
            let call = server.client.call(Call::Unary(LARGE));
            let mut frames = Some(server.look());
            let pieces = receive(window, threshold, |credit| {
                if let Some(credit) = credit {
                    server.send(&[wire::window_update(3, credit), wire::window_update(0, credit)].concat());
                }
                frames.take().unwrap_or_else(|| server.look())
            })?;
            let good = pieces.iter().sum::<usize>() == LARGE + FRAMING;
            check(good, || {
                format!("window {window}, threshold {threshold}: {pieces:?}")
            })?;
            for (stream, call) in [(1, first), (3, call)] {
                server.respond(stream, b"received");
                server.expect_outcome(call, 0, b"received")?;
            }
        }
    }
    Ok(())
}

/// A receiver that gives credit for the few octets that it wants next, and gives none before it has them: it gets them,
/// though not at once.
// Spec: threat-07
fn asks_for_little() -> Verdict {
    let mut client = asked(&ServerConfig::new(), SMALL, LARGE)?;
    client.look();
    let left = LARGE + FRAMING - SMALL as usize;
    for round in 0..=left / 10 {
        client.send(&wire::window_update(1, 10));
        // The first ten, and the end of the message, go at once.
        if round > 0 && round < left / 10 {
            let early = client.look();
            check(early.is_empty(), || {
                format!("ten octets again at once: {early:?}")
            })?;
            client.server.pass(PATIENCE_MS);
        }
        let pieces = pieces(&client.look());
        check(pieces == [10.min(left - 10 * round)], || {
            format!("ten octets after a while: {pieces:?}")
        })?;
    }
    Answer::of(&client.heard.frames, 1)?.expect_echo(&[b'd'; LARGE])?;
    client.expect_alive()
}

// Spec: threat-05, threat-35
fn shut_window() -> Verdict {
    let mut client = Client::new(OurServer::default());
    client.open_with(&[(4, 0)])?;
    client.call(1, b"held up");
    client.look();
    for _ in 0..2 {
        client.server.pass(119_000);
        client.send(&wire::ping(*b"i'm here"));
        let frames = without_credit(client.look());
        check(matches!(&frames[..], [pong] if pong.kind == wire::PING), || {
            format!("too early: {frames:?}")
        })?;
    }
    client.server.pass(63_000);
    let frames = without_credit(client.look());
    let reset = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
        && reset.stream == 1 && reset.u32_at(0) == Some(code::CANCEL));
    check(reset && client.server.handlers() == 0, || {
        format!("after five minutes the call is given up: {frames:?}")
    })?;
    client.send(&wire::settings(&[(4, 65_535)]));
    client.look();
    client.expect_alive()?;
    server_is_restored(&mut client)
}
