//! A transport in memory under a virtual clock: what the peer will send is given from the start.

use std::cell::Cell;

use h2_lite::Role;
use rpc_nostd::blocking::Transport;
use rpc_nostd::time::{Clock, Instant};

use crate::pieces::Dice;
use crate::sent::Sent;
use crate::wire::Wire;

/// Time that passes only when an endpoint has nothing to do.
#[derive(Default)]
pub(crate) struct Time(Cell<u64>);

impl Clock for Time {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.get())
    }
}

/// One connection.
pub(crate) struct Line<'w> {
    time: &'w Time,
    wire: &'w Wire,
    at: usize,
    /// Marks of the wire that were passed.
    passed: u32,
    pub(crate) sent: Sent,
    cuts: u8,
    dice: Dice,
    idles: u32,
    /// Idle moments after the last octet, until the peer closes.
    patience: u32,
}

impl<'w> Line<'w> {
    pub(crate) fn new(role: Role, wire: &'w Wire, time: &'w Time, cuts: u8, patience: u32) -> Self {
        Self {
            time,
            wire,
            at: 0,
            passed: 0,
            sent: Sent::new(role),
            cuts,
            dice: Dice::new(cuts),
            idles: 0,
            patience,
        }
    }

    /// What may be read before the endpoint does something: a mark is passed once there is another request.
    fn available(&mut self) -> &'w [u8] {
        let octets = self.wire.octets();
        let Some(mark) = self.wire.marks().get(self.passed as usize) else {
            return &octets[self.at..];
        };
        if self.at == *mark && self.sent.requests() > self.passed {
            self.passed += 1;
            return self.available();
        }
        &octets[self.at..*mark]
    }
}

impl Transport for Line<'_> {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        let available = self.available();
        let roll = usize::from(self.dice.roll());
        if available.is_empty() || (self.cuts > 0 && roll < 32) {
            let over = self.patience == 0;
            return Ok(over.then_some(0));
        }
        let most = if self.cuts > 0 { 1 + roll % 64 } else { to.len() };
        let len = available.len().min(to.len()).min(most);
        to[..len].copy_from_slice(&available[..len]);
        self.at += len;
        Ok(Some(len))
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        let roll = usize::from(self.dice.roll());
        let len = match roll {
            0..32 if self.cuts > 0 => return Ok(None),
            32..64 if self.cuts > 0 => from.len().min(roll),
            _ => from.len(),
        };
        self.sent.take(&from[..len]);
        Ok(Some(len))
    }

    fn idle(&mut self) {
        self.idles += 1;
        assert!(self.idles < MAX_IDLES, "it waits without end");
        self.time.0.set(self.time.0.get() + IDLE_MS);
        if self.available().is_empty() {
            self.patience = self.patience.saturating_sub(1);
        }
    }
}

/// Longer than all deadlines together.
const MAX_IDLES: u32 = 2_000;

const IDLE_MS: u64 = 500;
