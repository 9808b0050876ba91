//! Flow-control windows. Spec: RFC 9113 section 6.9.

/// The window before any SETTINGS, of streams and of the connection (section 6.9.2).
pub(crate) const DEFAULT_WINDOW: u32 = 65_535;

/// Octets of DATA that one side may still send. Negative after a smaller SETTINGS_INITIAL_WINDOW_SIZE
/// (section 6.9.2), never above 2^31 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window(i32);

/// A window would have gone beyond 2^31 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowOverflow;

impl Window {
    /// The window of the connection.
    pub(crate) const DEFAULT: Self = Self(65_535);

    /// A window of `octets`, at most 2^31 - 1.
    pub(crate) fn new(octets: u32) -> Self {
        Self(i32::try_from(octets).unwrap_or(i32::MAX))
    }

    /// Octets that may be sent now: 0 while the window is negative.
    pub(crate) fn available(self) -> u32 {
        // Spec: h2-6.9.2-negative
        u32::try_from(self.0).unwrap_or(0)
    }

    /// Octets were sent, or received. False, and no change, if the window does not cover them; zero octets
    /// always pass, since frames without payload are not flow-controlled.
    pub(crate) fn consume(&mut self, octets: u32) -> bool {
        if octets == 0 {
            return true;
        }
        if octets > self.available() {
            return false;
        }
        let Some(rest) = i32::try_from(octets)
            .ok()
            .and_then(|octets| self.0.checked_sub(octets))
        else {
            return false;
        };
        self.0 = rest;
        true
    }

    /// WINDOW_UPDATE. "A sender MUST NOT allow a flow-control window to exceed 2^31-1 octets" (6.9.1).
    pub(crate) fn increase(&mut self, octets: u32) -> Result<(), WindowOverflow> {
        let sum = i32::try_from(octets)
            .ok()
            .and_then(|octets| self.0.checked_add(octets));
        self.0 = sum.ok_or(WindowOverflow)?;
        Ok(())
    }

    /// Credit that we give back: never more than was received, so it stays within the bound.
    pub(crate) fn give_back(&mut self, octets: u32) {
        self.0 = self.0.saturating_add_unsigned(octets);
    }

    /// DATA of ours that the window is known to cover, or our own setting that became smaller by `octets`.
    pub(crate) fn lower(&mut self, octets: u32) {
        self.0 = self.0.saturating_sub_unsigned(octets);
    }

    /// SETTINGS_INITIAL_WINDOW_SIZE went from `old` to `new`: the window moves by the difference (6.9.2).
    pub(crate) fn shift(&mut self, old: u32, new: u32) -> Result<(), WindowOverflow> {
        let delta = i64::from(new).saturating_sub(i64::from(old));
        let sum = i64::from(self.0).saturating_add(delta);
        self.0 = i32::try_from(sum).map_err(|_| WindowOverflow)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_increase_beyond_2_31_is_refused() {
        let mut window = Window::new(0x7fff_ffff);
        assert_eq!(window.increase(1), Err(WindowOverflow));
        assert_eq!(window.available(), 0x7fff_ffff);
    }

    #[test]
    fn window_shift_below_zero_allows_nothing_until_positive() {
        let mut window = Window::new(100);
        assert!(window.consume(60));
        window.shift(100, 10).unwrap();
        assert_eq!(window.available(), 0);
        assert!(!window.consume(1));
        assert!(window.consume(0));
        window.increase(51).unwrap();
        assert_eq!(window.available(), 1);
    }

    /// Whatever happens, the window equals grants minus consumption, and stays within i32.
    #[test]
    fn window_is_the_sum_of_what_happened() {
        let mut random = 0x2545_f491_u32;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            random
        };
        for _ in 0..500 {
            let (mut window, mut model, mut initial) = (Window::DEFAULT, 65_535_i64, 65_535_u32);
            for _ in 0..64 {
                let value = next() & 0x7fff_ffff;
                let value = if next() % 2 == 0 { value } else { value & 0xffff };
                let grown = match next() % 3 {
                    0 => {
                        let value = value & 0xff_ffff;
                        let fits = value == 0 || i64::from(value) <= model;
                        assert_eq!(window.consume(value), fits);
                        if fits { -i64::from(value) } else { 0 }
                    }
                    1 => {
                        let fits = i32::try_from(model + i64::from(value)).is_ok();
                        assert_eq!(window.increase(value).is_ok(), fits);
                        if fits { i64::from(value) } else { 0 }
                    }
                    _ => {
                        let moved = i64::from(value) - i64::from(initial);
                        let fits = i32::try_from(model + moved).is_ok();
                        assert_eq!(window.shift(initial, value).is_ok(), fits);
                        if fits {
                            initial = value;
                            moved
                        } else {
                            0
                        }
                    }
                };
                model += grown;
                assert_eq!(i64::from(window.available()), model.max(0));
            }
        }
    }
}
