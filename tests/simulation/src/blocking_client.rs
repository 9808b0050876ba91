//! The blocking client: one call after the other, while the executor runs the server in its pauses.

use rpc_nostd::blocking::Client;
use rpc_nostd::client::blocking::{Exchange, LargeReader, Receiver};
use rpc_nostd::client::{BidiStreaming, ClientStreaming, ServerStreaming, Unary};
use rpc_nostd::{MetadataEntry, MethodKind, ReceivedMetadata, Resources, Status};

use crate::blocking::{MAX_IDLE_MS, Wire};
use crate::client::{assert_ended_early, with};
use crate::executor::Executor;
use crate::judge::{RECOVERY_MS, compare};
use crate::message::Blob;
use crate::plan::{Patience, Plan};
use crate::server::serve;
use crate::shared::Stage;

/// Runs the simulation with a client of the scenario's size.
pub(crate) fn run(stage: &Stage<'_>) {
    match stage.scenario.client.index {
        0 => with_client::<1, 261, 384, 0, 0, 48>(stage),
        1 => with_client::<2, 300, 512, 256, 128, 256>(stage),
        2 => with_client::<5, 600, 700, 128, 64, 256>(stage),
        _ => with_client::<5, 13_107, 1_024, 128, 128, 256>(stage),
    }
}

fn with_client<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    stage: &Stage<'_>,
) {
    let mut memory: Resources<'_, STREAMS, RECV, SEND, TABLE, META, SCRATCH> = Resources::new();
    let operator = stage.operator();
    let executor = Executor::new(stage.world);
    executor.spawn("server", serve(&operator, stage.service()));
    executor.spawn("tokens", stage.tokens.fetch());
    let closed = Wire {
        end: None,
        executor: &executor,
    };
    let client = Client::new(&mut memory, closed, &stage.world.clock, stage.config());
    let mut desk = Desk {
        stage,
        executor: &executor,
        client: client.expect("the memory is large enough"),
    };
    // It finds that it is not connected.
    let _ = desk.client.poll();
    let calls = if stage.scenario.is_calm() { 12 } else { 25 };
    for _ in 0..calls {
        desk.next_call();
    }
    stage.calm_down();
    desk.all_is_well();
    drop(desk);
    stage.stop.raise();
    executor.run(&stage.stopped);
    compare(stage.scenario, &stage.ledger);
}

/// Where calls are made.
struct Desk<'x, 'f, 'w, 'r> {
    stage: &'x Stage<'w>,
    executor: &'x Executor<'f, 'w>,
    client: Client<'r, Wire<'x, 'f, 'w>>,
}

/// What stands in for a status where a call was given up.
enum Stopped {
    GivenUp,
    By(Status),
}

impl From<Status> for Stopped {
    fn from(status: Status) -> Self {
        Self::By(status)
    }
}

/// How long a call goes on.
struct Steps<'p> {
    plan: &'p Plan,
    taken: u64,
}

impl Desk<'_, '_, '_, '_> {
    fn next_call(&mut self) {
        if self.stage.world.random.percent(30) {
            self.rest(self.stage.world.random.below(5_000));
        }
        self.connect();
        let plan = self.stage.caller().next_plan();
        let result = match self.call(&plan) {
            Ok(()) => Some(Ok(())),
            Err(Stopped::By(status)) => Some(Err(status)),
            Err(Stopped::GivenUp) => None,
        };
        self.stage.caller().enter_end(&plan, result);
    }

    /// Time passes, and the client looks after its connection.
    fn rest(&mut self, ms: u64) {
        let end = self.stage.world.now_ms() + ms;
        while self.stage.world.now_ms() < end {
            // A connection that is lost is found so by the next call.
            let _ = self.client.poll();
            self.executor.turn(MAX_IDLE_MS);
        }
    }

    /// Makes a connection if there is none, or now and then another.
    fn connect(&mut self) {
        let net = &self.stage.net;
        let another = !self.stage.scenario.is_calm() && self.stage.world.random.percent(5);
        if self.client.is_connected() && !another {
            return;
        }
        for _ in 0..CONNECT_TURNS {
            if let Ok(end) = net.connect_now() {
                let wire = Wire {
                    end: Some(end),
                    executor: self.executor,
                };
                drop(self.client.reconnect(wire));
                return;
            }
            self.executor.turn(MAX_IDLE_MS);
        }
    }

    fn call(&mut self, plan: &Plan) -> Result<(), Stopped> {
        let number = plan.id.to_string();
        let data = plan.data();
        let entries = [
            MetadataEntry::ascii("x-call", &number),
            MetadataEntry::binary("x-data-bin", &data),
        ];
        let entries = &entries[..if plan.metadata { 2 } else { 1 }];
        let mut steps = Steps { plan, taken: 0 };
        match plan.method.kind() {
            MethodKind::Unary if plan.client.in_pieces => self.large_unary(&mut steps, entries),
            MethodKind::Unary => self.unary(plan, entries),
            MethodKind::ServerStreaming => self.feed(&mut steps, entries),
            MethodKind::ClientStreaming => self.upload(&mut steps, entries),
            _ => self.chat(&mut steps, entries),
        }
    }

    fn unary(&mut self, plan: &Plan, entries: &[MetadataEntry<'_>]) -> Result<(), Stopped> {
        let caller = self.stage.caller();
        let request = caller.request(plan, 0);
        self.stage.ledger.client(plan.id).finished = true;
        let mut memory = [0; 200];
        let mut received = ReceivedMetadata::new(&mut memory);
        let mut buffer = [0; 3_100];
        let mut call = with(Unary::new(&mut self.client, plan.method, &request), plan, entries);
        if plan.responses[0] > caller.whole() || plan.client.restless {
            call = call.buffer(&mut buffer);
        }
        let response: Blob = call.receive_into(&mut received).call()?;
        caller.check_response(plan, &response.0);
        caller.check_metadata(plan, &received);
        Ok(())
    }

    fn large_unary(&mut self, steps: &mut Steps<'_>, entries: &[MetadataEntry<'_>]) -> Result<(), Stopped> {
        let (stage, executor, plan) = (self.stage, self.executor, steps.plan);
        let request = stage.caller().request(plan, 0);
        stage.ledger.client(plan.id).finished = true;
        let empty = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut self.client, plan.method, &empty);
        let call = with(call, plan, entries).with_large_field(&[1], request.0.len());
        let mut writer = call.call()?;
        for piece in request.0.chunks(150) {
            steps.next(stage, executor)?;
            writer.write(piece)?;
        }
        receive(steps, stage, executor, &mut writer.finish()?)
    }

    fn feed(&mut self, steps: &mut Steps<'_>, entries: &[MetadataEntry<'_>]) -> Result<(), Stopped> {
        let (stage, executor, plan) = (self.stage, self.executor, steps.plan);
        let request = stage.caller().request(plan, 0);
        stage.ledger.client(plan.id).finished = true;
        let call = ServerStreaming::new(&mut self.client, plan.method, &request);
        let mut receiver: Receiver<'_, Blob> = with(call, plan, entries).call()?;
        receive(steps, stage, executor, &mut receiver)
    }

    fn upload(&mut self, steps: &mut Steps<'_>, entries: &[MetadataEntry<'_>]) -> Result<(), Stopped> {
        let (stage, executor, plan) = (self.stage, self.executor, steps.plan);
        let call = ClientStreaming::<_, Blob, Blob>::new(&mut self.client, plan.method);
        let mut upload = with(call, plan, entries).call()?;
        let mut sent = Ok(());
        for place in 0..plan.requests.len() {
            steps.next(stage, executor)?;
            sent = upload.send(&stage.caller().request(plan, place));
            if sent.is_err() {
                break;
            }
        }
        if sent.is_ok() {
            stage.ledger.client(plan.id).finished = true;
        }
        let mut memory = [0; 200];
        let mut received = ReceivedMetadata::new(&mut memory);
        let response = upload.finish_into(&mut received)?;
        assert_ended_early(plan, sent);
        stage.caller().check_response(plan, &response.0);
        stage.caller().check_metadata(plan, &received);
        Ok(())
    }

    fn chat(&mut self, steps: &mut Steps<'_>, entries: &[MetadataEntry<'_>]) -> Result<(), Stopped> {
        let (stage, executor, plan) = (self.stage, self.executor, steps.plan);
        let call = BidiStreaming::<_, Blob, Blob>::new(&mut self.client, plan.method);
        let mut chat = with(call, plan, entries).call()?;
        let mut sent = Ok(());
        for place in 0..plan.requests.len() {
            steps.next(stage, executor)?;
            let request = stage.caller().request(plan, place);
            sent = if plan.client.in_pieces {
                let writer = chat.send_large(&Blob::default(), &[1], request.0.len());
                writer.and_then(|mut writer| {
                    request.0.chunks(150).try_for_each(|piece| writer.write(piece))?;
                    writer.finish()
                })
            } else {
                chat.send(&request)
            };
            if sent.is_err() {
                break;
            }
        }
        if sent.is_ok() {
            stage.ledger.client(plan.id).finished = true;
            sent = chat.finish_sending();
        }
        receive(steps, stage, executor, &mut chat)?;
        assert_ended_early(plan, sent);
        Ok(())
    }

    /// As [`crate::judge::Probe::all_is_well`].
    fn all_is_well(&mut self) {
        let stage = self.stage;
        let enough = stage.world.now_ms() + RECOVERY_MS;
        let mut last = None;
        while last.is_none() || !stage.scenario.is_calm() && stage.world.now_ms() < enough {
            self.rest(1_000);
            self.connect();
            let end = stage.probe.call_blocking(&mut self.client);
            stage.world.note("judge", format_args!("{end:?}"));
            if end.is_ok() {
                return;
            }
            last = Some(end);
        }
        panic!("something is lost: {last:?}");
    }
}

impl Steps<'_> {
    /// One step more of the call: a pause before it, or its end.
    fn next(&mut self, stage: &Stage<'_>, executor: &Executor<'_, '_>) -> Result<(), Stopped> {
        self.taken += 1;
        let (world, client) = (stage.world, &self.plan.client);
        let begun_at = stage.ledger.client(self.plan.id).begun_at;
        let stops = match client.patience {
            Patience::Endless => false,
            Patience::Polls(steps) => self.taken > steps,
            Patience::Time(ms) => world.now_ms() >= begun_at + ms,
        };
        if stops {
            return Err(Stopped::GivenUp);
        }
        let end = world.now_ms() + world.random.below(client.pause_ms);
        while world.now_ms() < end {
            executor.turn(end - world.now_ms());
        }
        Ok(())
    }
}

/// What gives responses.
trait Incoming {
    fn take(&mut self) -> Result<Option<Blob>, Status>;
    fn take_large<'s>(&'s mut self, scratch: &'s mut [u8]) -> Result<Option<LargeReader<'s>>, Status>;
    fn metadata(&mut self, received: &mut ReceivedMetadata<'_>);
}

impl Incoming for Receiver<'_, Blob> {
    fn take(&mut self) -> Result<Option<Blob>, Status> {
        self.next()
    }

    fn take_large<'s>(&'s mut self, scratch: &'s mut [u8]) -> Result<Option<LargeReader<'s>>, Status> {
        self.next_large(&[1], scratch)
    }

    fn metadata(&mut self, received: &mut ReceivedMetadata<'_>) {
        Receiver::metadata(self, received);
    }
}

impl Incoming for Exchange<'_, Blob, Blob> {
    fn take(&mut self) -> Result<Option<Blob>, Status> {
        self.next()
    }

    fn take_large<'s>(&'s mut self, scratch: &'s mut [u8]) -> Result<Option<LargeReader<'s>>, Status> {
        self.next_large(&[1], scratch)
    }

    fn metadata(&mut self, received: &mut ReceivedMetadata<'_>) {
        Exchange::metadata(self, received);
    }
}

/// Takes all responses.
fn receive(
    steps: &mut Steps<'_>,
    stage: &Stage<'_>,
    executor: &Executor<'_, '_>,
    incoming: &mut dyn Incoming,
) -> Result<(), Stopped> {
    let (plan, caller) = (steps.plan, stage.caller());
    loop {
        steps.next(stage, executor)?;
        let place = stage.ledger.client(plan.id).received;
        let too_large = plan.responses.get(place).is_some_and(|len| *len > caller.whole());
        let next = if too_large || plan.client.in_pieces {
            take_large(incoming)
        } else {
            incoming.take().map(|next| next.map(|response| response.0))
        };
        match next {
            Ok(Some(content)) => caller.check_response(plan, &content),
            Ok(None) => break,
            Err(status) => {
                assert_eq!(incoming.take(), Err(status), "call {}: told another end", plan.id);
                return Err(status.into());
            }
        }
    }
    assert_eq!(incoming.take(), Ok(None), "call {}: told another end", plan.id);
    let mut memory = [0; 200];
    let mut received = ReceivedMetadata::new(&mut memory);
    incoming.metadata(&mut received);
    caller.check_metadata(plan, &received);
    Ok(())
}

fn take_large(incoming: &mut dyn Incoming) -> Result<Option<Vec<u8>>, Status> {
    let mut scratch = [0; 16];
    let Some(mut reader) = incoming.take_large(&mut scratch)? else {
        return Ok(None);
    };
    let (mut content, mut to) = (Vec::new(), [0; 100]);
    loop {
        match reader.read(&mut to)? {
            0 => break,
            len => content.extend(&to[..len]),
        }
    }
    let rest: Blob = reader.finish()?;
    assert_eq!(rest, Blob::default());
    Ok(Some(content))
}

/// Attempts to connect before a call is made without.
const CONNECT_TURNS: u32 = 2_000;
