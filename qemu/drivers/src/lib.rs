//! Drivers for the peripherals of QEMU's Cortex-M machines.
//!
//! | module | peripheral | machine |
//! |---|---|---|
//! | [`systick`] | SysTick as a 64-bit clock and embassy-time driver | all |
//! | [`stellaris_eth`] | on-chip Ethernet of the Stellaris LM3S6965 | lm3s6965evb |
//! | [`lan9118`] | SMSC LAN9118 on the external bus | mps2-an385, an386, an500 |
//!
//! [`Ethernet`] makes an embassy-net device of a [`Controller`], without a queue: a frame is read from the device's FIFO into the one
//! receive buffer when the stack asks for it, so queued frames wait in the device and not in RAM.
#![no_std]

mod ethernet;
pub mod lan9118;
mod registers;
pub mod stellaris_eth;
pub mod systick;

pub use ethernet::{Controller, Ethernet, FRAME_LEN, FrameBuffers};
pub use registers::Registers;
