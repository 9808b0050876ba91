//! `grpc-timeout`, and how a call's time is told.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md` "Requests", Timeout.

use core::time::Duration;

use h2_lite::Instant;

/// When a call must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    At(Instant),
    /// Only where the user wrote so: `no_deadline()`.
    Never,
}

impl Deadline {
    pub(crate) fn after(timeout: Duration, now: Instant) -> Self {
        // Spec: grpc-timeout-saturates
        Self::At(now.saturating_add_millis(whole_millis(timeout)))
    }

    /// The moment, if there is one.
    #[cfg(feature = "server")]
    pub(crate) fn at(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::Never => None,
        }
    }

    pub(crate) fn is_past(self, now: Instant) -> bool {
        matches!(self, Self::At(at) if now >= at)
    }

    /// What is left, in milliseconds.
    pub(crate) fn remaining_ms(self, now: Instant) -> Option<u64> {
        match self {
            Self::At(at) => Some(at.millis_since(now)),
            Self::Never => None,
        }
    }
}

/// Milliseconds, rounded up: a timeout of 1 microsecond is not zero.
pub(crate) fn whole_millis(timeout: Duration) -> u64 {
    let below_a_second = u64::from(timeout.subsec_nanos().div_ceil(1_000_000));
    timeout
        .as_secs()
        .saturating_mul(1_000)
        .saturating_add(below_a_second)
}

/// Reads a `grpc-timeout` value: 1 to 8 digits and a unit. In milliseconds, rounded up. `None` if it is not that.
#[cfg(feature = "server")]
pub(crate) fn parse_millis(value: &[u8]) -> Option<u64> {
    let (unit, digits) = value.split_last()?;
    // Spec: grpc-timeout-format, grpc-timeout-malformed
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let mut number = 0u64;
    for digit in digits {
        let digit = char::from(*digit).to_digit(10)?;
        number = number.saturating_mul(10).saturating_add(u64::from(digit));
    }
    match unit {
        // Spec: grpc-timeout-format, grpc-timeout-saturates
        b'H' => Some(number.saturating_mul(3_600_000)),
        b'M' => Some(number.saturating_mul(60_000)),
        b'S' => Some(number.saturating_mul(1_000)),
        b'm' => Some(number),
        b'u' => Some(number.div_ceil(1_000)),
        b'n' => Some(number.div_ceil(1_000_000)),
        _ => None,
    }
}

/// A `grpc-timeout` value: at most 8 digits and a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeoutText {
    octets: [u8; 9],
    len: u8,
}

impl TimeoutText {
    pub(crate) const EMPTY: Self = Self {
        octets: [0; 9],
        len: 0,
    };

    /// Milliseconds where 8 digits hold them, else the next larger unit, rounded up.
    pub(crate) fn from_millis(ms: u64) -> Self {
        const LIMIT: u64 = 100_000_000;
        let mut value = ms;
        // Of each unit there are so many in the next.
        for (unit, in_next) in [(b'm', 1_000), (b'S', 60), (b'M', 60)] {
            if value < LIMIT {
                return Self::new(value, unit);
            }
            // The divisor is never 0; a division that the compiler cannot see through would bring a panic.
            let whole = value.checked_div(in_next).unwrap_or(u64::MAX);
            let rest = value.checked_rem(in_next).unwrap_or(0);
            value = whole.saturating_add(u64::from(rest > 0));
        }
        // Spec: grpc-timeout-saturates, grpc-timeout-format
        Self::new(value.min(LIMIT.saturating_sub(1)), b'H')
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn new(value: u64, unit: u8) -> Self {
        let mut reversed = [0u8; 9];
        let mut rest = value;
        let mut len = 0u8;
        for place in reversed.iter_mut().take(8) {
            *place = b'0'.wrapping_add(u8::try_from(rest % 10).unwrap_or(0));
            rest /= 10;
            len = len.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        let mut text = Self {
            octets: [0; 9],
            len: len.saturating_add(1),
        };
        let digits = reversed.get(..usize::from(len)).unwrap_or_default().iter().rev();
        for (to, from) in text.octets.iter_mut().zip(digits.chain(core::iter::once(&unit))) {
            *to = *from;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ms: u64) -> String {
        String::from_utf8(TimeoutText::from_millis(ms).as_bytes().to_vec()).unwrap()
    }

    // Spec: grpc-timeout-format, grpc-timeout-saturates
    #[test]
    fn grpc_timeout_has_at_most_eight_digits_and_a_unit() {
        assert_eq!(text(0), "0m");
        assert_eq!(text(1), "1m");
        assert_eq!(text(20_000), "20000m");
        assert_eq!(text(99_999_999), "99999999m");
        assert_eq!(text(100_000_000), "100000S");
        assert_eq!(text(100_000_001), "100001S");
        assert_eq!(text(99_999_999_001), "1666667M");
        assert_eq!(text(u64::MAX), "99999999H");
    }

    // Spec: grpc-timeout-format
    #[cfg(feature = "server")]
    #[test]
    fn grpc_timeout_is_read_in_all_its_units() {
        let table = [
            ("1H", 3_600_000),
            ("2M", 120_000),
            ("3S", 3_000),
            ("0m", 0),
            ("1500u", 2),
            ("1n", 1),
            ("99999999H", 359_999_996_400_000),
        ];
        for (value, ms) in table {
            assert_eq!(parse_millis(value.as_bytes()), Some(ms), "{value}");
        }
        for bad in ["", "1", "m", "123456789m", "+1m", "1 m", "1ms", "\u{661}m"] {
            assert_eq!(parse_millis(bad.as_bytes()), None, "{bad}");
        }
    }

    // Spec: grpc-timeout-saturates
    #[test]
    fn a_timeout_below_a_millisecond_is_not_zero() {
        assert_eq!(whole_millis(Duration::from_nanos(1)), 1);
        assert_eq!(whole_millis(Duration::from_micros(1_001)), 2);
        assert_eq!(whole_millis(Duration::MAX), u64::MAX);
    }
}
