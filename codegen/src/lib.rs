#![doc = include_str!("../README.md")]

mod builder;
mod capacity;
mod cargo;
mod check;
mod error;
#[cfg(feature = "cli")]
mod explain;
mod limits;
mod output;
#[cfg(feature = "cli")]
mod plugin;
mod render;
mod roles;
mod schema;
#[cfg(feature = "cli")]
mod sizes;
mod source;

pub use builder::{Builder, Generated};
pub use capacity::{CapacityOf, OPTIONS_PROTO};
pub use error::{Error, Place, Problem};
#[cfg(feature = "cli")]
pub use plugin::respond;
#[cfg(feature = "cli")]
pub use sizes::{Buffers, FieldSizes, MessageSizes, MethodSizes, Ram, ServiceSizes, Sizes};
