//! Arguments that the host passes: `key=value` words of the semihosting command line.

use core::mem::MaybeUninit;

use static_cell::StaticCell;

/// The arguments. Cheap to copy; the text lives for ever.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    line: &'static str,
}

impl Args {
    /// Fetches the command line from the host. To be called once.
    ///
    /// A line that does not fit 512 bytes or is not UTF-8 counts as empty and is reported.
    #[must_use]
    pub fn fetch() -> Self {
        static LINE: StaticCell<[MaybeUninit<u8>; LEN]> = StaticCell::new();
        let buffer = LINE.init([MaybeUninit::uninit(); LEN]);
        let line = semihosting::sys::arm_compat::sys_get_cmdline_uninit(buffer)
            .ok()
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .map(|line| line.trim_matches(|c: char| c == '\0' || c.is_ascii_whitespace()));
        if line.is_none() {
            defmt::error!("no usable command line from the host (limit {} bytes)", LEN);
        }
        Self {
            line: line.unwrap_or_default(),
        }
    }

    /// The value of the first `key=value` word with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'static str> {
        self.line
            .split_ascii_whitespace()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The value of `key` as a number; `default` where the key is absent or is no number of this type.
    #[must_use]
    pub fn number<T: core::str::FromStr>(&self, key: &str, default: T) -> T {
        self.get(key)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    }
}

const LEN: usize = 512;
