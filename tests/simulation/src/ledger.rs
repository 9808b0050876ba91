//! What both sides saw of each call.

use std::cell::{Ref, RefCell, RefMut};

use rpc_nostd::{Code, Status};

use crate::plan::Plan;

/// All calls of a simulation.
#[derive(Debug, Default)]
pub struct Ledger(RefCell<Vec<Record>>);

/// One call.
#[derive(Debug)]
pub struct Record {
    /// What it was to be.
    pub plan: Plan,
    /// What its client saw.
    pub client: ClientView,
    /// What its handlers saw: there is one at most.
    pub runs: Vec<Run>,
}

/// A call as its client saw it.
#[derive(Debug, Default)]
pub struct ClientView {
    /// Milliseconds at which it began.
    pub begun_at: u64,
    /// Requests of which some was sent, perhaps.
    pub sent: usize,
    /// Its last request was sent, and it said so, perhaps.
    pub finished: bool,
    /// Responses that came.
    pub received: usize,
    /// How it ended, and when.
    pub end: Option<(u64, End)>,
}

/// How a call ended for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was dropped.
    GivenUp,
    /// By its status.
    Status(Result<(), Status>),
}

/// A call as a handler saw it.
#[derive(Debug)]
pub struct Run {
    /// Milliseconds at which it began.
    pub begun_at: u64,
    /// Requests that came.
    pub received: usize,
    /// The end of the requests came.
    pub saw_end: bool,
    /// Responses that were sent whole.
    pub sent: usize,
    /// How it ended, and when.
    pub end: Option<(u64, HandlerEnd)>,
}

/// How a handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerEnd {
    /// It was dropped.
    Dropped,
    /// It returned.
    Returned(Result<(), Code>),
}

impl Ledger {
    /// Enters a call. Its number is its place.
    pub fn enter(&self, plan: impl FnOnce(u32) -> Plan, now: u64) -> Plan {
        let mut records = self.0.borrow_mut();
        let plan = plan(records.len() as u32);
        let client = ClientView {
            begun_at: now,
            ..ClientView::default()
        };
        records.push(Record {
            plan: plan.clone(),
            client,
            runs: Vec::new(),
        });
        plan
    }

    /// The client's view of a call.
    ///
    /// # Panics
    /// There is no such call.
    pub fn client(&self, id: u32) -> RefMut<'_, ClientView> {
        RefMut::map(self.0.borrow_mut(), |records| &mut records[id as usize].client)
    }

    /// A handler of a call begins; the plan says what it does. `None`: there is no such call.
    pub fn begin_run(&self, id: u32, now: u64) -> Option<Plan> {
        let mut records = self.0.borrow_mut();
        let record = records.get_mut(id as usize)?;
        record.runs.push(Run {
            begun_at: now,
            received: 0,
            saw_end: false,
            sent: 0,
            end: None,
        });
        Some(record.plan.clone())
    }

    /// The view of a call's last handler.
    ///
    /// # Panics
    /// There is no such call, or it has no handler.
    pub fn run(&self, id: u32) -> RefMut<'_, Run> {
        RefMut::map(self.0.borrow_mut(), |records| {
            records[id as usize].runs.last_mut().expect("it has begun")
        })
    }

    /// All calls.
    pub fn records(&self) -> Ref<'_, Vec<Record>> {
        self.0.borrow()
    }

    /// Handlers that have begun and not ended.
    pub fn running(&self) -> usize {
        let records = self.0.borrow();
        let runs = records.iter().flat_map(|record| &record.runs);
        runs.filter(|run| run.end.is_none()).count()
    }
}
