//! The machines that there is firmware for.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// An emulated machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Machine {
    /// Stellaris LM3S6965: Cortex-M3, 64 KiB RAM, 256 KiB flash.
    Lm3s6965evb,
    /// ARM MPS2, image AN386: Cortex-M4F, 4 MiB RAM.
    Mps2An386,
}

impl Machine {
    /// All machines, the smallest first.
    pub const ALL: [Self; 2] = [Self::Lm3s6965evb, Self::Mps2An386];

    /// The name: of QEMU's machine and of the firmware package alike.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lm3s6965evb => "lm3s6965evb",
            Self::Mps2An386 => "mps2-an386",
        }
    }

    /// The Rust target triple.
    #[must_use]
    pub const fn target(self) -> &'static str {
        match self {
            Self::Lm3s6965evb => "thumbv7m-none-eabi",
            Self::Mps2An386 => "thumbv7em-none-eabihf",
        }
    }

    /// Processor and memory, for tables.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Lm3s6965evb => "Cortex-M3, 64 KiB RAM, 256 KiB flash",
            Self::Mps2An386 => "Cortex-M4F, 4 MiB RAM, 4 MiB flash",
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Machine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|machine| machine.name() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                Error::new(format!("no machine is called {text:?}; there are: {names}"))
            })
    }
}
