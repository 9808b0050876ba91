//! The verdict: what both sides saw agrees, and in the end nothing is lost.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rpc_nostd::blocking::Client;
use rpc_nostd::client::BidiStreaming;
use rpc_nostd::server;
use rpc_nostd::transport::blocking::Transport;
use rpc_nostd::{Channel, Code, Status};

use crate::client::SLACK_MS;
use crate::ledger::{End, HandlerEnd, Ledger, Record};
use crate::message::{Blob, Name, content_len};
use crate::plan::{AMPLE_MS, Ending, PROBE, Patience};
use crate::scenario::{Blocking, Scenario};
use crate::service::{BAD_TOKEN, PREFIX};
use crate::signal::{Count, all, limited};
use crate::world::World;

/// The last calls: as many at once as both sides have slots, each with messages that take the whole window, which nobody
/// reads before all are sent. They end well only if nothing was lost on the way here: no slot, no window, no wake.
#[derive(Debug)]
pub struct Probe {
    seed: u64,
    /// Calls at once.
    calls: usize,
    /// Octets of content of the message that fills the server's window, and of the one that fills the client's.
    lengths: [usize; 2],
    round: RefCell<Rc<Round>>,
}

#[derive(Debug, Default)]
struct Round {
    sent: Count,
    answered: Count,
}

impl Probe {
    /// For endpoints of these sizes.
    pub fn new(seed: u64, scenario: &Scenario) -> Self {
        Self {
            seed,
            calls: match scenario.blocking {
                Some(Blocking::Client) => 1,
                _ => scenario.client.streams.min(scenario.server.streams),
            },
            lengths: [scenario.server, scenario.client].map(|size| content_len(size.recv - PREFIX)),
            round: RefCell::default(),
        }
    }

    fn content(&self, request: bool) -> Blob {
        let name = Name {
            call: u32::MAX,
            request,
            place: 0,
        };
        Blob(name.content(self.seed, self.lengths[usize::from(!request)]))
    }

    /// The server's side.
    ///
    /// # Errors
    /// The call is over.
    ///
    /// # Panics
    /// Something else came than was sent.
    pub async fn serve(
        &self,
        mut requests: server::Receiver<'_, Blob>,
        mut replies: server::Sender<'_, Blob>,
    ) -> Result<(), Status> {
        let round = self.round.borrow().clone();
        round.sent.wait(self.calls).await;
        let request = requests.only().await?;
        assert_eq!(request, self.content(true));
        replies.send(&self.content(false)).await?;
        round.answered.add();
        Ok(())
    }

    async fn call(&self, mut channel: Channel<'_>, limit: Duration) -> Result<(), Status> {
        let round = self.round.borrow().clone();
        let call = BidiStreaming::new(&mut channel, &PROBE)
            .deadline(limit)
            .wait_for_ready();
        let (mut sender, mut receiver) = call.await?;
        sender.send(&self.content(true)).await?;
        round.sent.add();
        sender.finish().await?;
        receiver.headers().await?;
        round.answered.wait(self.calls).await;
        let response: Option<Blob> = receiver.next().await?;
        assert_eq!(response, Some(self.content(false)));
        assert_eq!(receiver.next().await?, None);
        Ok(())
    }

    /// As one of the calls, on a client that makes one at a time.
    ///
    /// # Errors
    /// It did not end well.
    ///
    /// # Panics
    /// Something else came than was sent.
    pub fn call_blocking<T: Transport>(&self, client: &mut Client<'_, T>) -> Result<(), Status> {
        *self.round.borrow_mut() = Rc::default();
        let round = self.round.borrow().clone();
        let call = BidiStreaming::<_, Blob, Blob>::new(client, &PROBE).deadline(Duration::from_secs(100));
        let mut chat = call.call()?;
        chat.send(&self.content(true))?;
        round.sent.add();
        chat.finish_sending()?;
        assert_eq!(chat.next()?, Some(self.content(false)));
        assert_eq!(chat.next()?, None);
        Ok(())
    }

    /// Makes the calls; again where an old connection is still to be found dead.
    ///
    /// # Panics
    /// They do not succeed.
    pub async fn all_is_well(&self, world: &World<'_>, scenario: &Scenario, channel: Channel<'_>) {
        let calm = scenario.is_calm();
        let (enough, limit) = (
            world.now_ms() + RECOVERY_MS,
            if calm { AMPLE_MS } else { 100_000 },
        );
        let mut last = Vec::new();
        while last.is_empty() || !calm && world.now_ms() < enough {
            world.note("judge", format_args!("{} calls at once", self.calls));
            *self.round.borrow_mut() = Rc::default();
            let call = || self.call(channel, Duration::from_millis(limit));
            // One that fails lets the others wait.
            let patience = Patience::Time(limit + 1);
            let calls = (0..self.calls)
                .map(|_| limited(world, patience, call()))
                .collect();
            last = all(calls).await;
            world.note("judge", format_args!("{last:?}"));
            if last.iter().all(|end| *end == Some(Ok(()))) {
                return;
            }
            // The server may still take the last client's connection for a living one.
            world.sleep(1_000).await;
        }
        panic!("something is lost: {last:?}");
    }
}

/// Compares both sides' views of all calls.
///
/// # Panics
/// They do not agree.
pub fn compare(scenario: &Scenario, ledger: &Ledger) {
    for record in ledger.records().iter() {
        let id = record.plan.id;
        let (_, end) = record
            .client
            .end
            .clone()
            .unwrap_or_else(|| panic!("call {id} has not ended"));
        agree(record, &end);
        if scenario.is_calm() {
            as_planned(scenario, record, &end);
        }
        for run in &record.runs {
            let (at, _) = run
                .end
                .unwrap_or_else(|| panic!("the handler of call {id} has not ended"));
            if let Some(limit) = record.plan.client.deadline_ms {
                let took = at - run.begun_at;
                assert!(
                    took <= limit + SLACK_MS,
                    "the handler of call {id} ran for {took} ms"
                );
            }
        }
    }
}

/// What holds whatever the network did.
fn agree(record: &Record, end: &End) {
    let Record { plan, client, runs } = record;
    let what = || format!("{record:?}");
    assert!(runs.len() <= 1, "a call was made twice: {}", what());
    let run = runs.first();
    let of_handler = run.and_then(|run| run.end).map(|(_, end)| end);
    if let Some(run) = run {
        assert!(run.received <= client.sent, "requests from nowhere: {}", what());
        // A response may be cut off on this side of the send buffer, but not come before it was sent.
        assert!(
            client.received <= run.sent + 1,
            "responses from nowhere: {}",
            what()
        );
    } else {
        assert_eq!(client.received, 0, "responses from nowhere: {}", what());
    }
    match end {
        End::Status(Ok(())) => {
            assert_eq!(
                of_handler,
                Some(HandlerEnd::Returned(Ok(()))),
                "a false OK: {}",
                what()
            );
            assert_eq!(client.received, plan.responses.len(), "a false OK: {}", what());
        }
        End::Status(Err(status)) if status.message() == plan.fault_text() => {
            let right = Some(HandlerEnd::Returned(Err(status.code())));
            assert_eq!(of_handler, right, "a status from nowhere: {}", what());
            assert!(!status.is_local(), "{}", what());
        }
        End::Status(Err(_)) | End::GivenUp => {}
    }
    if let Some(HandlerEnd::Returned(Err(code))) = of_handler {
        let planned = matches!(plan.ending, Ending::Fault(fault, _) if fault == code);
        // Whatever breaks the connection cancels the handler.
        assert!(planned || code == Code::CANCELLED, "{code:?}: {}", what());
    }
}

/// What holds where the network only takes its time.
fn as_planned(scenario: &Scenario, record: &Record, end: &End) {
    let Record { plan, runs, .. } = record;
    let End::Status(result) = end else {
        return gone_with_its_client(record);
    };
    let code = result.as_ref().map_or_else(Status::code, |()| Code::OK);
    let planned = match plan.ending {
        Ending::Good | Ending::Early => Code::OK,
        Ending::Fault(code, _) => code,
        Ending::Never => Code::DEADLINE_EXCEEDED,
    };
    if scenario.tokens && code == BAD_TOKEN && runs.is_empty() {
        return;
    }
    let short = plan.client.deadline_ms.is_some_and(|limit| limit < AMPLE_MS);
    if short && code == Code::DEADLINE_EXCEEDED {
        return gone_with_its_client(record);
    }
    assert_eq!(code, planned, "{record:?}");
    if let (Ending::Fault(..), Err(status), 64..) = (plan.ending, result, scenario.client.meta) {
        assert_eq!(status.message(), plan.fault_text(), "{record:?}");
    }
}

/// A handler hears soon that its client is gone.
fn gone_with_its_client(record: &Record) {
    let Some((left_at, _)) = &record.client.end else {
        return;
    };
    for (at, _) in record.runs.iter().filter_map(|run| run.end) {
        assert!(
            at <= left_at + GONE_MS,
            "a handler outlives its client: {record:?}"
        );
    }
}

/// A host that writes into a silent network may take so long to notice, and a server until it asks by PING.
pub(crate) const RECOVERY_MS: u64 = 1_500_000;
/// What RST_STREAM may take on a slow link, behind what is in the send buffer.
const GONE_MS: u64 = 60_000;
