//! The service: handlers that act by their call's plan and write down what they see.

use std::cell::Cell;

use rpc_nostd::server::{Call, Receiver, Routes, Sender, Service, find};
use rpc_nostd::{Code, MetadataEntry, Method, Status};

use crate::judge::Probe;
use crate::ledger::{HandlerEnd, Ledger};
use crate::message::{Blob, Name, content_len, encoded};
use crate::plan::{Ending, METHODS, Order, PROBE, Plan};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::tokens::Tokens;
use crate::world::World;

/// What handlers need.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// Clock and trace.
    pub world: &'a World<'a>,
    /// The server's sizes.
    pub scenario: &'a Scenario,
    /// Plans, and what is seen.
    pub ledger: &'a Ledger,
    /// Dice for pieces and pauses.
    pub random: &'a Random,
    /// Which tokens are good.
    pub tokens: &'a Tokens<'a>,
    /// The last calls, which the judge makes.
    pub probe: &'a Probe,
}

impl Routes for Planned<'_> {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&METHODS, path)
    }
}

impl Service for Planned<'_> {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        if call.method() == &PROBE {
            let (_, requests, replies) = call.split();
            return self.probe.serve(requests, replies).await;
        }
        self.tokens.check(call.context().metadata())?;
        let id = self.number(call);
        let Some(plan) = self.ledger.begin_run(id, self.world.now_ms()) else {
            panic!("a call came that was never made: {id}")
        };
        assert_eq!(call.method(), plan.method, "call {id} came to another method");
        self.world.note("handler", format_args!("{id} begins"));
        let guard = Guard {
            of: *self,
            id,
            end: Cell::new(HandlerEnd::Dropped),
        };
        let result = self.act(call, &plan).await;
        guard
            .end
            .set(HandlerEnd::Returned(result.map_err(|status| status.code())));
        result
    }
}

/// Writes down how a handler ended.
struct Guard<'a> {
    of: Planned<'a>,
    id: u32,
    end: Cell<HandlerEnd>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let (now, end) = (self.of.world.now_ms(), self.end.get());
        self.of
            .world
            .note("handler", format_args!("{} ends: {end:?}", self.id));
        // The test may be unwinding.
        if !std::thread::panicking() {
            self.of.ledger.run(self.id).end = Some((now, end));
        }
    }
}

impl Planned<'_> {
    fn number(&self, call: &mut Call<'_>) -> u32 {
        let metadata = call.context().metadata();
        let number = metadata
            .initial("x-call")
            .next()
            .map(|text| String::from_utf8_lossy(text).parse());
        let Some(Ok(number)) = number else {
            panic!("a call came without its number: {metadata:?}")
        };
        number
    }

    async fn act(&self, call: &mut Call<'_>, plan: &Plan) -> Result<(), Status> {
        let (context, mut requests, mut replies) = call.split();
        if plan.metadata {
            let received = context.metadata();
            let there = received.initial("x-data-bin").next();
            assert!(
                there == Some(&plan.data()) || there.is_none() && received.overflowed(),
                "call {}: {received:?}",
                plan.id
            );
            context.add_initial(MetadataEntry::binary("x-first-bin", &plan.data()))?;
            context.add_trailing(MetadataEntry::ascii("x-last", "the end"))?;
        }
        let rounds = plan.responses.len().max(match plan.order {
            Order::Alternate => plan.requests.len(),
            _ => 0,
        });
        if plan.order == Order::ReadFirst && !self.is_early(plan) {
            self.read_all(plan, &mut requests).await?;
        }
        for round in 0..=rounds {
            if plan.order == Order::Alternate && round < plan.requests.len() {
                self.read(plan, &mut requests).await?;
            }
            if let Ending::Fault(code, after) = plan.ending
                && after == round.min(plan.responses.len())
            {
                self.pause(plan).await;
                return Err(Status::with_text(code, &plan.fault_text()));
            }
            if round < plan.responses.len() {
                self.reply(plan, round, &mut replies).await?;
            }
        }
        match plan.ending {
            Ending::Early => return Ok(()),
            Ending::Never => std::future::pending().await,
            Ending::Good | Ending::Fault(..) => {}
        }
        self.read_all(plan, &mut requests).await
    }

    /// Whether the handler answers before it has read.
    fn is_early(&self, plan: &Plan) -> bool {
        matches!(plan.ending, Ending::Early | Ending::Fault(_, 0))
    }

    async fn read_all(&self, plan: &Plan, requests: &mut Receiver<'_, Blob>) -> Result<(), Status> {
        while !self.ledger.run(plan.id).saw_end {
            self.read(plan, requests).await?;
        }
        Ok(())
    }

    /// Reads the next request, or the end.
    async fn read(&self, plan: &Plan, requests: &mut Receiver<'_, Blob>) -> Result<(), Status> {
        self.pause(plan).await;
        let place = self.ledger.run(plan.id).received;
        let planned = plan.requests.get(place).copied();
        let whole = content_len(self.scenario.server.recv - PREFIX);
        let in_pieces = planned.is_some_and(|len| len > whole) || self.random.percent(20);
        let content = if in_pieces {
            self.read_large(requests).await?
        } else {
            requests.next().await?.map(|request| request.0)
        };
        let Some(content) = content else {
            self.ledger.run(plan.id).saw_end = true;
            let client = self.ledger.client(plan.id);
            assert!(client.finished, "call {}: an end that was not sent", plan.id);
            drop(client);
            assert_eq!(place, plan.requests.len(), "call {}: requests are lost", plan.id);
            return Ok(());
        };
        let name = Name {
            call: plan.id,
            request: true,
            place,
        };
        let right = planned.map(|len| name.content(self.world.seed, len));
        assert_eq!(Some(content), right, "{name:?}");
        let sent = self.ledger.client(plan.id).sent;
        assert!(place < sent, "{name:?} came before it was sent");
        self.world
            .note("handler", format_args!("{} got request {place}", plan.id));
        self.ledger.run(plan.id).received += 1;
        Ok(())
    }

    async fn read_large(&self, requests: &mut Receiver<'_, Blob>) -> Result<Option<Vec<u8>>, Status> {
        let mut scratch = [0; 16];
        let Some(mut reader) = requests.next_large(&[1], &mut scratch).await? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        let mut to = vec![0; 1 + self.random.index(300)];
        loop {
            match reader.read(&mut to).await? {
                0 => break,
                len => content.extend(&to[..len]),
            }
        }
        let rest: Blob = reader.finish()?;
        assert_eq!(rest, Blob::default());
        Ok(Some(content))
    }

    async fn reply(&self, plan: &Plan, place: usize, replies: &mut Sender<'_, Blob>) -> Result<(), Status> {
        self.pause(plan).await;
        let name = Name {
            call: plan.id,
            request: false,
            place,
        };
        let reply = Blob(name.content(self.world.seed, plan.responses[place]));
        match self.random.below(10) {
            0 => {
                let octets = encoded(&reply);
                let mut writer = replies.send_large(&Blob::default(), &[], octets.len()).await?;
                for piece in octets.chunks(100 + self.random.index(200)) {
                    writer.write(piece).await?;
                }
                writer.finish().await?;
            }
            1 => {
                let mut writer = replies.send_large(&Blob::default(), &[1], reply.0.len()).await?;
                for piece in reply.0.chunks(100 + self.random.index(200)) {
                    writer.write(piece).await?;
                }
                writer.finish().await?;
            }
            _ => replies.send(&reply).await?,
        }
        self.world
            .note("handler", format_args!("{} sent response {place}", plan.id));
        self.ledger.run(plan.id).sent += 1;
        Ok(())
    }

    async fn pause(&self, plan: &Plan) {
        if plan.handler_pause_ms > 0 {
            self.world.sleep(self.random.below(plan.handler_pause_ms)).await;
        }
    }
}

/// Before each message.
pub(crate) const PREFIX: usize = 5;
/// The code for a bad token.
pub(crate) const BAD_TOKEN: Code = Code::UNAUTHENTICATED;
