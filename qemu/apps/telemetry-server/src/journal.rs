//! What the log says of each call: what it asked for, and whether it was answered.

use core::cell::Cell;
use core::fmt::{Arguments, Write};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
use heapless::String;
use qemu_runtime::stack;

/// Counts calls down.
pub(crate) struct Journal {
    left: Cell<u32>,
    over: Signal<NoopRawMutex, ()>,
}

impl Journal {
    /// Expects `calls` calls.
    pub(crate) const fn new(calls: u32) -> Self {
        Self {
            left: Cell::new(calls),
            over: Signal::new(),
        }
    }

    /// A call whose request has arrived, with what it asks for in words `key=value`.
    pub(crate) fn begin(&self, method: &'static str, asked: Arguments<'_>) -> Entry<'_> {
        let mut text = String::new();
        // Cut off where it is too long: it is for a log.
        let _ = text.write_fmt(asked);
        Entry {
            journal: self,
            method,
            asked: text,
            answered: false,
        }
    }

    /// Waits for the end of the last call.
    pub(crate) async fn over(&self) {
        self.over.wait().await;
    }
}

/// A call under way. Dropped, it is logged: as not answered unless it was, which a call that is cancelled never is.
pub(crate) struct Entry<'j> {
    journal: &'j Journal,
    method: &'static str,
    asked: String<64>,
    answered: bool,
}

impl Entry<'_> {
    /// The handler has its answer.
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let answered = if self.answered { "yes" } else { "no" };
        defmt::info!(
            "demo: call: method={=str} {=str} answered={=str}",
            self.method,
            self.asked.as_str(),
            answered
        );
        defmt::info!(
            "demo: stack: peak={=usize} size={=usize}",
            stack::peak(),
            stack::size()
        );
        let left = self.journal.left.get().saturating_sub(1);
        self.journal.left.set(left);
        if left == 0 {
            self.journal.over.signal(());
        }
    }
}
