//! The client's calls on a channel: each by its plan, with all that comes of it checked and written down.

use std::time::Duration;

use rpc_nostd::client::{
    BidiStreaming, CallBuilder, ClientStreaming, LargeWriter, Receiver, Sender, ServerStreaming, Unary,
    Upload,
};
use rpc_nostd::{Channel, Code, MetadataEntry, MethodKind, ReceivedMetadata, Status};

use crate::executor::MAX_LATE_MS;
use crate::ledger::{End, Ledger};
use crate::message::{Blob, Name, content_len};
use crate::plan::{Ending, Patience, Plan, UNARY};
use crate::random::Random;
use crate::scenario::{Blocking, Scenario};
use crate::service::PREFIX;
use crate::signal::{both, limited};
use crate::world::World;

/// What tasks that make calls need.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Clock and trace.
    pub world: &'a World<'a>,
    /// The client's sizes.
    pub scenario: &'a Scenario,
    /// What is seen.
    pub ledger: &'a Ledger,
    /// Dice for pieces and pauses.
    pub random: &'a Random,
}

impl Caller<'_> {
    /// Makes some calls, one after the other.
    pub async fn task(self, channel: Channel<'_>) {
        for _ in 0..self.random.between(1, self.scenario.calls) {
            let plan = self.next_plan();
            self.make(channel, &plan).await;
            if self.random.percent(40) {
                self.world.sleep(self.random.below(3_000)).await;
            }
        }
    }

    /// The next call by the dice.
    pub fn next_plan(self) -> Plan {
        let new = |id| Plan::new(id, self.random, self.scenario);
        let plan = self.ledger.enter(new, self.world.now_ms());
        self.world.note("call", format_args!("{plan:?}"));
        plan
    }

    async fn make(self, channel: Channel<'_>, plan: &Plan) {
        let result = limited(self.world, plan.client.patience, self.call(channel, plan)).await;
        self.enter_end(plan, result);
    }

    /// Writes down how a call ended, and checks that it was in time.
    ///
    /// # Panics
    /// It was not.
    pub fn enter_end(self, plan: &Plan, result: Option<Result<(), Status>>) {
        let end = result.map_or(End::GivenUp, End::Status);
        let now = self.world.now_ms();
        self.world.note("call", format_args!("{} ends: {end:?}", plan.id));
        let mut view = self.ledger.client(plan.id);
        let took = now - view.begun_at;
        view.end = Some((now, end.clone()));
        if let Some(limit) = plan.client.deadline_ms {
            // What has come before the deadline may be taken later.
            let steps = (plan.requests.len() + plan.responses.len() + 2) as u64;
            let restless = if plan.client.restless { RESTLESS_MS } else { 0 };
            let pauses = (plan.client.pause_ms + restless) * steps;
            assert!(
                took <= limit + pauses + SLACK_MS,
                "call {} took {took} ms: {end:?}",
                plan.id
            );
        }
        // Without an executor a call is given up between its steps.
        if let (Patience::Time(limit), false) = (plan.client.patience, self.is_blocking()) {
            assert!(took <= limit + SLACK_MS, "call {} was to be dropped", plan.id);
        }
        if let (End::Status(Err(status)), Some(limit)) = (&end, plan.client.deadline_ms)
            && status.code() == Code::DEADLINE_EXCEEDED
        {
            assert!(
                took + 1 >= limit,
                "call {} ended after {took} of {limit} ms",
                plan.id
            );
        }
    }

    fn is_blocking(self) -> bool {
        self.scenario.blocking == Some(Blocking::Client)
    }

    async fn call(self, channel: Channel<'_>, plan: &Plan) -> Result<(), Status> {
        let number = plan.id.to_string();
        let data = plan.data();
        let entries = [
            MetadataEntry::ascii("x-call", &number),
            MetadataEntry::binary("x-data-bin", &data),
        ];
        let entries = &entries[..if plan.metadata { 2 } else { 1 }];
        match plan.method.kind() {
            MethodKind::Unary if plan.client.in_pieces => self.large_unary(channel, plan, entries).await,
            MethodKind::Unary => self.unary(channel, plan, entries).await,
            MethodKind::ServerStreaming => self.feed(channel, plan, entries).await,
            MethodKind::ClientStreaming => self.upload(channel, plan, entries).await,
            _ => self.chat(channel, plan, entries).await,
        }
    }

    async fn unary(
        self,
        mut channel: Channel<'_>,
        plan: &Plan,
        entries: &[MetadataEntry<'_>],
    ) -> Result<(), Status> {
        let request = self.request(plan, 0);
        self.ledger.client(plan.id).finished = true;
        let mut memory = [0; 200];
        let mut received = ReceivedMetadata::new(&mut memory);
        let mut buffer = [0; 3_100];
        let mut call = with(Unary::new(&mut channel, plan.method, &request), plan, entries);
        let too_large = plan.responses[0] > self.whole();
        if too_large || self.random.percent(20) {
            call = call.buffer(&mut buffer);
        }
        if plan.metadata {
            call = call.receive_into(&mut received);
        }
        let response: Blob = call.await?;
        self.check_response(plan, &response.0);
        if plan.metadata {
            self.check_metadata(plan, &received);
        }
        Ok(())
    }

    async fn large_unary(
        self,
        mut channel: Channel<'_>,
        plan: &Plan,
        entries: &[MetadataEntry<'_>],
    ) -> Result<(), Status> {
        let request = self.request(plan, 0);
        self.ledger.client(plan.id).finished = true;
        let empty = Blob::default();
        let call = with(
            Unary::<_, _, Blob>::new(&mut channel, plan.method, &empty),
            plan,
            entries,
        );
        let (writer, receiver) = call.with_large_field(&[1], request.0.len()).await?;
        let (_, result) = both(self.write(plan, writer, &request.0), self.receive(plan, receiver)).await;
        result
    }

    async fn feed(
        self,
        mut channel: Channel<'_>,
        plan: &Plan,
        entries: &[MetadataEntry<'_>],
    ) -> Result<(), Status> {
        let request = self.request(plan, 0);
        self.ledger.client(plan.id).finished = true;
        let call = ServerStreaming::new(&mut channel, plan.method, &request);
        let receiver = with(call, plan, entries).await?;
        self.receive(plan, receiver).await
    }

    async fn upload(
        self,
        mut channel: Channel<'_>,
        plan: &Plan,
        entries: &[MetadataEntry<'_>],
    ) -> Result<(), Status> {
        let call = ClientStreaming::new(&mut channel, plan.method);
        let mut upload: Upload<'_, Blob, Blob> = with(call, plan, entries).await?;
        let mut sent = Ok(());
        for place in 0..plan.requests.len() {
            self.pause(plan).await;
            let request = self.request(plan, place);
            sent = if plan.client.in_pieces {
                match upload.send_large(&Blob::default(), &[1], request.0.len()).await {
                    Ok(writer) => self.write(plan, writer, &request.0).await,
                    Err(status) => Err(status),
                }
            } else {
                upload.send(&request).await
            };
            if sent.is_err() {
                break;
            }
        }
        if sent.is_ok() {
            self.ledger.client(plan.id).finished = true;
        }
        let mut memory = [0; 200];
        let mut received = ReceivedMetadata::new(&mut memory);
        let response = upload.finish_into(&mut received).await?;
        assert_ended_early(plan, sent);
        self.check_response(plan, &response.0);
        self.check_metadata(plan, &received);
        Ok(())
    }

    async fn chat(
        self,
        mut channel: Channel<'_>,
        plan: &Plan,
        entries: &[MetadataEntry<'_>],
    ) -> Result<(), Status> {
        let call = BidiStreaming::new(&mut channel, plan.method);
        let (sender, receiver) = with(call, plan, entries).await?;
        let (sent, result) = both(self.send(plan, sender), self.receive(plan, receiver)).await;
        if result.is_ok() {
            assert_ended_early(plan, sent);
        }
        result
    }

    async fn send(self, plan: &Plan, mut sender: Sender<'_, Blob>) -> Result<(), Status> {
        for place in 0..plan.requests.len() {
            self.pause(plan).await;
            let request = self.request(plan, place);
            if plan.client.in_pieces {
                let writer = sender.send_large(&Blob::default(), &[1], request.0.len()).await?;
                self.write(plan, writer, &request.0).await?;
            } else {
                sender.send(&request).await?;
            }
        }
        self.pause(plan).await;
        self.ledger.client(plan.id).finished = true;
        sender.finish().await
    }

    async fn write(self, plan: &Plan, mut writer: LargeWriter<'_>, content: &[u8]) -> Result<(), Status> {
        for piece in content.chunks(100 + self.random.index(200)) {
            self.pause(plan).await;
            writer.write(piece).await?;
        }
        writer.finish().await
    }

    async fn receive(self, plan: &Plan, mut receiver: Receiver<'_, Blob>) -> Result<(), Status> {
        loop {
            self.pause(plan).await;
            match self.next(plan, &mut receiver).await {
                Ok(Some(content)) => self.check_response(plan, &content),
                Ok(None) => break,
                Err(status) => {
                    let again = receiver.next().await;
                    assert_eq!(
                        again,
                        Err(status),
                        "call {}: an end that is told stays what it was",
                        plan.id
                    );
                    return Err(status);
                }
            }
        }
        assert_eq!(receiver.next().await, Ok(None), "call {}", plan.id);
        let mut memory = [0; 200];
        let mut received = ReceivedMetadata::new(&mut memory);
        receiver.metadata(&mut received);
        self.check_metadata(plan, &received);
        Ok(())
    }

    async fn next(self, plan: &Plan, receiver: &mut Receiver<'_, Blob>) -> Result<Option<Vec<u8>>, Status> {
        let place = self.ledger.client(plan.id).received;
        let too_large = plan.responses.get(place).is_some_and(|len| *len > self.whole());
        if too_large || plan.client.in_pieces {
            return self.next_large(receiver).await;
        }
        if !plan.client.restless {
            return Ok(receiver.next().await?.map(|response| response.0));
        }
        loop {
            let polls = Patience::Polls(1 + self.random.below(3));
            if let Some(next) = limited(self.world, polls, receiver.next()).await {
                return next.map(|next| next.map(|response| response.0));
            }
            self.world.sleep(self.random.below(RESTLESS_MS)).await;
        }
    }

    async fn next_large(self, receiver: &mut Receiver<'_, Blob>) -> Result<Option<Vec<u8>>, Status> {
        let mut scratch = [0; 16];
        let Some(mut reader) = receiver.next_large(&[1], &mut scratch).await? else {
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

    /// A call when the channel was shut down.
    ///
    /// # Errors
    /// Right so.
    pub async fn call_after_shutdown(self, mut channel: Channel<'_>) -> Result<(), Status> {
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &UNARY, &request).wait_for_ready();
        call.await.map(drop)
    }

    /// The request at this place, which is about to be sent.
    pub fn request(self, plan: &Plan, place: usize) -> Blob {
        self.ledger.client(plan.id).sent = place + 1;
        let name = Name {
            call: plan.id,
            request: true,
            place,
        };
        Blob(name.content(self.world.seed, plan.requests[place]))
    }

    /// Checks the next response.
    ///
    /// # Panics
    /// It is not the one that the plan has at this place.
    pub fn check_response(self, plan: &Plan, content: &[u8]) {
        let place = self.ledger.client(plan.id).received;
        let name = Name {
            call: plan.id,
            request: false,
            place,
        };
        let right = plan
            .responses
            .get(place)
            .map(|len| name.content(self.world.seed, *len));
        assert_eq!(Some(content), right.as_deref(), "{name:?}");
        self.world
            .note("call", format_args!("{} got response {place}", plan.id));
        self.ledger.client(plan.id).received += 1;
    }

    /// Checks what came with an answer that is OK.
    ///
    /// # Panics
    /// It is not what the handler sent.
    pub fn check_metadata(self, plan: &Plan, received: &ReceivedMetadata<'_>) {
        // Without any message all metadata comes with the trailers.
        let first = if plan.responses.is_empty() {
            received.trailing("x-first-bin").next()
        } else {
            received.initial("x-first-bin").next()
        };
        let last = received.trailing("x-last").next();
        if plan.metadata && !received.overflowed() {
            assert_eq!(first, Some(&plan.data()[..]), "call {}: {received:?}", plan.id);
            assert_eq!(last, Some(&b"the end"[..]), "call {}: {received:?}", plan.id);
        }
        if !plan.metadata {
            assert_eq!((first, last), (None, None), "call {}", plan.id);
        }
    }

    /// Octets of content of the longest message that a slot holds whole.
    pub fn whole(self) -> usize {
        content_len(self.scenario.client.recv - PREFIX)
    }

    async fn pause(self, plan: &Plan) {
        if plan.client.pause_ms > 0 {
            self.world.sleep(self.random.below(plan.client.pause_ms)).await;
        }
    }
}

/// The options of a plan.
pub fn with<'a, C, K>(
    call: CallBuilder<'a, C, K>,
    plan: &Plan,
    entries: &'a [MetadataEntry<'a>],
) -> CallBuilder<'a, C, K> {
    let call = call.metadata(entries);
    let call = match plan.client.deadline_ms {
        Some(ms) => call.deadline(Duration::from_millis(ms)),
        None => call.no_deadline(),
    };
    if plan.client.wait_for_ready {
        call.wait_for_ready()
    } else {
        call
    }
}

/// Where a call ended with OK, not everything needs to be sent, if its handler did not want it.
///
/// # Panics
/// Sending failed for another reason.
pub fn assert_ended_early(plan: &Plan, sent: Result<(), Status>) {
    if let Err(status) = sent {
        assert_eq!(plan.ending, Ending::Early, "call {}: {status:?}", plan.id);
        assert_eq!(status.code(), Code::CANCELLED, "call {}: {status:?}", plan.id);
    }
}

/// Between two attempts to get the same message.
const RESTLESS_MS: u64 = 20;
/// What executor and links may add to a time.
pub const SLACK_MS: u64 = 60 + MAX_LATE_MS;
