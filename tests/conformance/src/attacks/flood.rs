//! Floods: the same over and over, each time at the cost of a budget.

use h2_lite::Config as CoreConfig;
use rpc_nostd::server::ServerConfig;
use rpc_nostd::{Budget, Budgets, Config};

use crate::attacks::core::Core;
use crate::attacks::cost::{Cost, is_linear};
use crate::attacks::restored::{UNARY, client_is_restored, server_is_restored};
use crate::ours::{OurClient, OurServer};
use crate::peer::{Client, Server};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, code};

/// A flood, and what ends it.
#[derive(Clone, Copy)]
pub struct Flood {
    /// The octets of a round; rounds count from 0.
    pub round: fn(u32) -> Vec<u8>,
    /// Rounds within the default budget; the next one is too many.
    pub allowed: u32,
    /// The last stream that our GOAWAY names after so many rounds.
    pub last: fn(u32) -> u32,
    /// Whose budget it is.
    pub budget: fn(&mut Budgets) -> &mut Budget,
    /// What our error says.
    pub reason: &'static str,
}

impl std::fmt::Debug for Flood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason)
    }
}

/// Rounds of the attacks whose cost is measured. Below what budgets can be set to.
const LONG: u32 = 2_000;
/// Rounds of the longest, against the HTTP/2 layer alone.
const LONGEST: u32 = 50_000;

impl Flood {
    /// So many rounds, from the given one on.
    #[must_use]
    pub fn rounds(&self, from: u32, count: u32) -> Vec<u8> {
        (from..from + count).flat_map(self.round).collect()
    }

    /// All of the below against a server.
    ///
    /// # Errors
    /// What does not hold.
    pub fn against_a_server(&self) -> Verdict {
        self.server_within()?;
        self.server_over()?;
        self.server_configured()?;
        self.server_reason()?;
        is_linear(LONG, |length| self.server_cost(length))?;
        is_linear(LONGEST, |length| self.core_cost(opened(boundless()), length))
    }

    /// All of the below against a client.
    ///
    /// # Errors
    /// What does not hold.
    pub fn against_a_client(&self) -> Verdict {
        self.client_within()?;
        self.client_over()?;
        self.client_configured()?;
        is_linear(LONG, |length| self.client_cost(length))?;
        is_linear(LONGEST, |length| {
            let mut core = Core::client(boundless());
            core.request(0, false);
            self.core_cost(core, length)
        })
    }

    /// Within the budget an innocent stream completes, and all is restored.
    pub(super) fn server_within(&self) -> Verdict {
        let mut client = Client::new(OurServer::default());
        client.open_with_innocent()?;
        client.send(&self.rounds(0, self.allowed / 2));
        self.skip_streams(&mut client, self.allowed / 2);
        no_goodbye(client.look())?;
        client.expect_alive()?;
        server_is_restored(&mut client)
    }

    /// Over the budget the connection ends, exactly then; the next client is served at once, again and again.
    pub(super) fn server_over(&self) -> Verdict {
        let mut client = Client::new(OurServer::default());
        for _ in 0..3 {
            client.open_with_innocent()?;
            client.send(&self.rounds(0, self.allowed));
            no_goodbye(client.look())?;
            client.send(&self.rounds(self.allowed, 1));
            client.expect_connection_error((self.last)(self.allowed + 1), code::ENHANCE_YOUR_CALM)?;
            client.reconnect();
        }
        client.open_with_innocent()?;
        client.expect_alive()?;
        server_is_restored(&mut client)
    }

    /// A budget that is configured is the one that holds.
    fn server_configured(&self) -> Verdict {
        for burst in [9, self.allowed as u16 * 2] {
            let mut config = ServerConfig::new();
            *(self.budget)(&mut config.budgets) = Budget::new(burst, 0);
            let allowed = self.allowed_of(burst);
            let mut client = Client::new(OurServer::new(&config));
            client.open_with_innocent()?;
            client.send(&self.rounds(0, allowed));
            no_goodbye(client.look())?;
            client.send(&self.rounds(allowed, 1));
            client.expect_connection_error((self.last)(allowed + 1), code::ENHANCE_YOUR_CALM)?;
        }
        Ok(())
    }

    /// What the server's error says: no API of a server shows it, but the layer below does.
    fn server_reason(&self) -> Verdict {
        let mut core = opened(CoreConfig::default());
        for round in 0..self.allowed {
            let error = core.feed(&self.rounds(round, 1));
            check(error.is_none(), || format!("{error:?} in round {round}"))?;
        }
        let error = core.feed(&self.rounds(self.allowed, 1));
        let named =
            error.is_some_and(|error| error.reason == self.reason && error.code.0 == code::ENHANCE_YOUR_CALM);
        check(named, || format!("{:?} expected, not {error:?}", self.reason))
    }

    fn server_cost(&self, length: u32) -> Result<Cost, Fault> {
        let mut config = ServerConfig::new();
        config.budgets = boundless().budgets;
        let mut client = Client::new(OurServer::new(&config));
        client.open_with_innocent()?;
        let (work, sent) = (client.server.work(), client.heard.octets_sent);
        client.send(&self.rounds(0, length));
        self.skip_streams(&mut client, length);
        no_goodbye(client.look())?;
        let work = client.server.work().since(work);
        let received = client.heard.octets_sent - sent;
        client.expect_alive()?;
        Ok(Cost {
            received,
            steps: work.steps(),
            written: work.written,
        })
    }

    fn client_within(&self) -> Verdict {
        let mut server = Server::new(OurClient::default());
        server.open()?;
        server.send(&self.rounds(0, self.allowed / 2));
        no_goodbye(server.look())?;
        server.expect_alive()?;
        client_is_restored(&mut server)
    }

    fn client_over(&self) -> Verdict {
        let mut server = Server::new(OurClient::default());
        server.open()?;
        server.send(&self.rounds(0, self.allowed));
        no_goodbye(server.look())?;
        server.send(&self.rounds(self.allowed, 1));
        server.expect_connection_error(code::ENHANCE_YOUR_CALM)?;
        let outcome = server.client.outcome(0);
        let named = outcome
            .as_ref()
            .is_some_and(|outcome| outcome.code == UNAVAILABLE && outcome.message == self.reason);
        check(named, || format!("{:?} expected, not {outcome:?}", self.reason))?;
        client_is_restored(&mut server)
    }

    fn client_configured(&self) -> Verdict {
        for burst in [9, self.allowed as u16 * 2] {
            let mut config = Config::new("test.local:1");
            *(self.budget)(&mut config.budgets) = Budget::new(burst, 0);
            let mut server = Server::new(OurClient::new(config));
            let allowed = self.allowed_of(burst);
            server.open()?;
            server.send(&self.rounds(0, allowed));
            no_goodbye(server.look())?;
            server.send(&self.rounds(allowed, 1));
            server.expect_connection_error(code::ENHANCE_YOUR_CALM)?;
        }
        Ok(())
    }

    fn client_cost(&self, length: u32) -> Result<Cost, Fault> {
        let mut config = Config::new("test.local:1");
        config.budgets = boundless().budgets;
        let mut server = Server::new(OurClient::new(config));
        server.open()?;
        let (work, sent) = (server.client.work(), server.heard.octets_sent);
        server.send(&self.rounds(0, length));
        no_goodbye(server.look())?;
        let work = server.client.work().since(work);
        let received = server.heard.octets_sent - sent;
        server.expect_alive()?;
        Ok(Cost {
            received,
            steps: work.steps(),
            written: work.written,
        })
    }

    /// A million frames. Budgets are as large as can be, and time passes, so that they fill again.
    fn core_cost(&self, mut core: Core, length: u32) -> Result<Cost, Fault> {
        let pieces = length / LONG;
        for piece in 0..pieces {
            let error = core.feed(&self.rounds(piece * LONG, LONG));
            check(error.is_none(), || format!("{error:?} after {piece} pieces"))?;
            core.pass(1_000);
        }
        check(core.most_output() <= 1_024, || {
            "the send buffer overflowed".into()
        })?;
        Ok(core.cost())
    }

    /// Rounds that a budget of so many tokens allows: as many, in the proportion of the default.
    fn allowed_of(&self, burst: u16) -> u32 {
        let mut budgets = Budgets::DEFAULT;
        let tokens = (self.budget)(&mut budgets).burst;
        self.allowed * u32::from(burst) / u32::from(tokens)
    }

    /// The peer must not use identifiers that the flood has used.
    fn skip_streams(&self, client: &mut Client, rounds: u32) {
        while client.next_stream() < (self.last)(rounds) {}
    }
}

/// A server with a stream of its client.
fn opened(config: CoreConfig) -> Core {
    let mut core = Core::server(config);
    core.feed(&wire::headers(1, &crate::peer::request(UNARY), 0));
    core
}

/// Budgets that no test exhausts.
#[must_use]
pub fn boundless() -> CoreConfig {
    let budget = Budget::new(u16::MAX, u16::MAX);
    CoreConfig {
        budgets: Budgets {
            peer_resets: budget,
            glitches: budget,
            pings: budget,
            settings: budget,
            control: budget,
            discarded: budget,
            data_overhead: u32::MAX,
            continuations: u8::MAX,
            header_block_size: u32::MAX,
        },
        ..CoreConfig::default()
    }
}

/// The connection stands.
///
/// # Errors
/// GOAWAY is among the frames.
pub fn no_goodbye(frames: Vec<wire::Frame>) -> Verdict {
    let goodbye = frames.iter().find(|frame| frame.kind == wire::GOAWAY);
    check(goodbye.is_none(), || format!("too early: {goodbye:?}"))
}

/// gRPC's code for a connection that is lost.
pub const UNAVAILABLE: u32 = 14;
