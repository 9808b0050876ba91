//! Runs firmware on QEMU's Cortex-M machines, for `cargo xtask` and for the command line.
//!
//! ```no_run
//! use qemu_harness::{Firmware, Machine, Run};
//! use std::{net::Ipv4Addr, time::Duration};
//!
//! let elf = Firmware::new(Machine::Lm3s6965evb, "selftest").build()?;
//! let outcome = Run::new(Machine::Lm3s6965evb, elf)
//!     .arg("run", "connect").arg("host", "telemetry.local").arg("port", 50051)
//!     .name("telemetry.local", Ipv4Addr::new(10, 0, 2, 2))
//!     .limit(Duration::from_secs(30))
//!     .start(|line| println!("{line}"))?
//!     .wait();
//! outcome.check()?;
//! # Ok::<(), qemu_harness::Error>(())
//! ```
//!
//! - [`Firmware`] calls cargo in the firmware workspace.
//! - [`Run`] starts QEMU with user networking: the guest reaches the host's loopback at 10.0.2.2, gets its address by
//!   DHCP, and finds the names given with [`Run::name`] at the name server that DHCP tells it (see [`names`]).
//! - [`Outcome::check`] fails with the firmware's own last error line.
//! - [`Sizes`] and [`pcap`] give the figures of a run, [`checks`] tests machines, drivers and the harness itself.

pub mod checks;
mod error;
mod firmware;
mod log;
mod machine;
pub mod names;
mod outcome;
pub mod pcap;
mod qemu;
mod run;
mod sizes;

pub use error::Error;
pub use firmware::Firmware;
pub use log::{Level, LogLine};
pub use machine::Machine;
pub use outcome::{End, Outcome};
pub use qemu::Qemu;
pub use run::{Run, Running};
pub use sizes::Sizes;
