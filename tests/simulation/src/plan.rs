//! What one call is to be: both sides act by it, so that what each sees can be told right from wrong.

use rpc_nostd::{Code, Method, MethodKind};

use crate::message::content_len;
use crate::random::Random;
use crate::scenario::{Blocking, Scenario};
use crate::service::PREFIX;

/// The service's methods.
pub static UNARY: Method = Method::unary("/simulation.Service/Unary");
/// One request, some responses.
pub static FEED: Method = Method::server_streaming("/simulation.Service/Feed");
/// Some requests, one response.
pub static UPLOAD: Method = Method::client_streaming("/simulation.Service/Upload");
/// Some of both.
pub static CHAT: Method = Method::bidi_streaming("/simulation.Service/Chat");
/// What [`crate::judge`] calls in the end.
pub static PROBE: Method = Method::bidi_streaming("/simulation.Service/Probe");
/// All of them.
pub static METHODS: [&Method; 5] = [&UNARY, &FEED, &UPLOAD, &CHAT, &PROBE];

/// One call, from both sides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The call's number.
    pub id: u32,
    /// Its method.
    pub method: &'static Method,
    /// Octets of content of each request.
    pub requests: Vec<usize>,
    /// Octets of content of each response.
    pub responses: Vec<usize>,
    /// What the handler does first.
    pub order: Order,
    /// How the handler ends.
    pub ending: Ending,
    /// Milliseconds that the handler waits before each step, at most.
    pub handler_pause_ms: u64,
    /// Fields that each side adds.
    pub metadata: bool,
    /// The client's part.
    pub client: ClientPlan,
}

/// The client's part of a plan.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// The deadline in milliseconds; `None`: none at all.
    pub deadline_ms: Option<u64>,
    /// Whether the call waits for a server that cannot be reached.
    pub wait_for_ready: bool,
    /// When the call is given up.
    pub patience: Patience,
    /// Milliseconds between messages, at most.
    pub pause_ms: u64,
    /// Messages of any size go and come in pieces.
    pub in_pieces: bool,
    /// Waiting for a message is given up and begun again.
    pub restless: bool,
}

/// What a handler does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Reads all requests, then sends all responses.
    ReadFirst,
    /// Sends all responses, then reads the requests.
    WriteFirst,
    /// One of each in turn.
    Alternate,
}

/// How a handler ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With OK, when all is read and sent.
    Good,
    /// With OK, when all is sent: it does not read more than it did.
    Early,
    /// With this code, after so many responses.
    Fault(Code, usize),
    /// It never ends by itself.
    Never,
}

/// When a call is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Never.
    Endless,
    /// After so many milliseconds.
    Time(u64),
    /// When it was polled so often.
    Polls(u64),
}

impl Plan {
    /// A call by the dice.
    pub fn new(id: u32, random: &Random, scenario: &Scenario) -> Self {
        let method = random.pick(&[&UNARY, &FEED, &UPLOAD, &CHAT]);
        let kind = method.kind();
        let one_request = matches!(kind, MethodKind::Unary | MethodKind::ServerStreaming);
        let one_response = matches!(kind, MethodKind::Unary | MethodKind::ClientStreaming);
        let mut requests = lengths(random, one_request);
        let mut responses = lengths(random, one_response);
        let ending = ending(random, responses.len());
        let mut order = random.pick(&[Order::ReadFirst, Order::WriteFirst, Order::Alternate]);
        let sequential = scenario.blocking == Some(Blocking::Client);
        if kind == MethodKind::ClientStreaming {
            // Its response is taken whole.
            let whole = content_len(scenario.client.recv - PREFIX);
            responses.iter_mut().for_each(|len| *len = (*len).min(whole));
        }
        if kind != MethodKind::BidiStreaming || sequential {
            // Who neither reads nor lets the other end would wait for ever: such clients send first.
            order = Order::ReadFirst;
            if ending == Ending::Early {
                let small =
                    |lengths: &mut Vec<usize>| lengths.iter_mut().for_each(|len| *len = (*len).min(20));
                small(&mut requests);
                small(if one_response {
                    &mut responses
                } else {
                    &mut requests
                });
            }
        }
        Self {
            id,
            method,
            order,
            ending,
            handler_pause_ms: random.pick(&[0, 0, 0, 5, 400]),
            metadata: random.percent(50),
            client: ClientPlan::new(random, scenario, ending),
            requests,
            responses,
        }
    }

    /// The text of the status with which the handler ends it.
    pub fn fault_text(&self) -> String {
        format!("fault of call {}: {}% \u{fc}", self.id, self.id * 7)
    }

    /// Octets for `x-data-bin`.
    pub fn data(&self) -> [u8; 8] {
        (u64::from(self.id) * 0x0101_0307_0b0d_1113).to_be_bytes()
    }
}

impl ClientPlan {
    fn new(random: &Random, scenario: &Scenario, ending: Ending) -> Self {
        let deadline_ms = if scenario.is_calm() {
            random.pick(&[None, Some(AMPLE_MS), Some(AMPLE_MS), Some(50), Some(1_000)])
        } else {
            Some(random.pick(&[0, 1, 20, 300, 2_000, 9_000, 30_000, 30_000, 90_000]))
        };
        let deadline_ms = match ending {
            Ending::Never => deadline_ms.map(|ms| ms.min(1_000)).or(Some(3_000)),
            _ => deadline_ms,
        };
        let patience = match random.below(12) {
            0 => Patience::Time(random.below(3_000)),
            1 => Patience::Time(0),
            2 | 3 => Patience::Polls(1 + random.below(12)),
            _ => Patience::Endless,
        };
        Self {
            deadline_ms,
            wait_for_ready: random.percent(60),
            patience,
            pause_ms: random.pick(&[0, 0, 0, 30, 1_500]),
            in_pieces: random.percent(25),
            restless: random.percent(20),
        }
    }
}

fn lengths(random: &Random, one: bool) -> Vec<usize> {
    let count = if one { 1 } else { random.pick(&[0, 1, 1, 2, 3, 9]) };
    (0..count)
        .map(|_| {
            let limit = random.pick(&[1, 20, 120, 256, 300, 700, 3_000]);
            random.index(limit)
        })
        .collect()
}

fn ending(random: &Random, responses: usize) -> Ending {
    match random.below(12) {
        0 | 1 => {
            let code = random.pick(&[
                Code::ABORTED,
                Code::NOT_FOUND,
                Code::UNAVAILABLE,
                Code::CANCELLED,
                Code::UNKNOWN,
            ]);
            Ending::Fault(code, random.index(responses + 1))
        }
        2 => Ending::Early,
        3 => Ending::Never,
        _ => Ending::Good,
    }
}

/// More than any call takes on a link that is good.
pub const AMPLE_MS: u64 = 3_000_000;
