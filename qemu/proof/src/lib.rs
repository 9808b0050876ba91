//! What the images of `cargo xtask proof` have in common.
//!
//! Each image links the public API of one role, and nothing else: no executor, no driver, no logger. So what the image
//! holds beside its own few lines is ours, micropb's, heapless's and core's. `keep` names the functions of the API, which
//! the linker then cannot drop and the compiler cannot see the arguments of; the program itself goes through calls of
//! the role with canned input, so that the stack that they use can be read.
#![no_std]

mod end;
pub mod futures;
pub mod keep;
pub mod kept;
pub mod messages;
pub mod script;
pub mod served;
pub mod service;
#[path = "../../runtime/src/stack.rs"]
#[allow(dead_code, unreachable_pub, reason = "the firmware's, which needs more of it")]
mod stack;
pub mod ticks;
pub mod token;

pub use end::{end, take, told, unless_failed};

/// Messages and stubs of `proof.proto`.
pub mod generated {
    #![allow(missing_docs, reason = "the package itself has no comment")]
    include!(concat!(env!("OUT_DIR"), "/proof.rs"));
}
pub use generated::proof::v1 as proto;
