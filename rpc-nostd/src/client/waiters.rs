//! Calls that wait for a free slot, first come first served.

use core::task::Waker;

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u32);

/// A FIFO of fixed length with a waker each: one that woke all of them would wake them for ever.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// In order of arrival; the empty places are at the end.
    places: [Option<(Ticket, Waker)>; MAX_WAITING],
    next: u32,
}

impl Waiters {
    pub(crate) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    pub(crate) fn is_first(&self, ticket: Ticket) -> bool {
        self.first() == Some(ticket)
    }

    /// Joins the end of the queue. `None` if it is full.
    pub(crate) fn join(&mut self, waker: &Waker) -> Option<Ticket> {
        let place = self.places.iter_mut().find(|place| place.is_none())?;
        let ticket = Ticket(self.next);
        self.next = self.next.wrapping_add(1);
        *place = Some((ticket, waker.clone()));
        Some(ticket)
    }

    /// The task that waits with this ticket may have changed.
    pub(crate) fn update(&mut self, ticket: Ticket, waker: &Waker) {
        for (_, kept) in self
            .places
            .iter_mut()
            .flatten()
            .filter(|(held, _)| *held == ticket)
        {
            kept.clone_from(waker);
        }
    }

    pub(crate) fn leave(&mut self, ticket: Ticket) {
        let Some(index) = self
            .places
            .iter()
            .position(|place| matches!(place, Some((held, _)) if *held == ticket))
        else {
            return;
        };
        if let Some(place) = self.places.get_mut(index) {
            *place = None;
        }
        // Those behind move up by one.
        for start in index..MAX_WAITING {
            if let Some([before, after]) = self.places.get_mut(start..start.saturating_add(2)) {
                core::mem::swap(before, after);
            }
        }
    }

    pub(crate) fn wake_first(&self) {
        if let Some(Some((_, waker))) = self.places.first() {
            waker.wake_by_ref();
        }
    }

    /// Wakes every waiter: all of them have a new answer, such as a channel that failed.
    pub(crate) fn wake_all(&self) {
        for (_, waker) in self.places.iter().flatten() {
            waker.wake_by_ref();
        }
    }

    fn first(&self) -> Option<Ticket> {
        self.places.first()?.as_ref().map(|(ticket, _)| *ticket)
    }
}

/// Calls that can wait for a slot; one more is refused with `RESOURCE_EXHAUSTED`.
pub(crate) const MAX_WAITING: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiters_are_served_in_order_and_may_leave_from_anywhere() {
        let mut waiters = Waiters::default();
        let tickets: Vec<_> = (0..MAX_WAITING)
            .map(|_| waiters.join(Waker::noop()).unwrap())
            .collect();
        assert!(waiters.join(Waker::noop()).is_none());
        waiters.leave(tickets[3]);
        waiters.leave(tickets[0]);
        assert!(waiters.is_first(tickets[1]));
        let last = waiters.join(Waker::noop()).unwrap();
        for ticket in [1, 2, 4, 5, 6, 7] {
            assert!(waiters.is_first(tickets[ticket]));
            waiters.leave(tickets[ticket]);
        }
        assert!(waiters.is_first(last));
        waiters.leave(last);
        assert!(waiters.is_empty());
    }
}
