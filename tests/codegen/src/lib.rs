//! Generated messages, and the same messages as prost has them.
//!
//! Tests are led by descriptors: [`random`] makes messages of any type within its [`capacities`], and [`KINDS`] names
//! each type of the corpus with functions that read and write it.
//!
//! ```text
//! descriptor -> random message -> octets -> ours -> octets -> message, the same
//!                                    \----> prost -> octets -> ours ...
//! ```
#![forbid(unsafe_code)]

pub mod capacities;
pub mod random;
pub mod wire;

use std::convert::Infallible;
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor};
use rpc_nostd::micropb::{DecodeError, MessageDecode, MessageEncode, PbEncoder};

/// The messages as firmware has them, a module for each suite.
#[allow(deprecated, reason = "the corpus has deprecated types to see that they work")]
pub mod ours {
    include!(concat!(env!("OUT_DIR"), "/ours.rs"));
}

/// The messages as prost has them, a module for each suite.
#[allow(
    missing_docs,
    deprecated,
    unreachable_pub,
    clippy::all,
    reason = "not our code"
)]
pub mod theirs {
    include!(concat!(env!("OUT_DIR"), "/theirs.rs"));
}

/// One message type of the corpus.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// A folder of `proto/suites`.
    pub suite: &'static str,
    /// Full name, no leading dot.
    pub name: &'static str,
    /// Decodes and encodes with our code.
    pub recode: fn(&[u8]) -> Result<Recoded, Fault>,
    /// The same with prost's code; `None` for the types that come with the language.
    pub theirs: Option<RecodeTheirs>,
}

/// Decodes and encodes with prost's generated code.
pub type RecodeTheirs = fn(&[u8]) -> Result<Vec<u8>, prost::DecodeError>;

/// Why our code refused octets.
pub type Fault = DecodeError<Infallible>;

/// A message that our code has read and written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recoded {
    /// What was written.
    pub octets: Vec<u8>,
    /// Length that was computed before.
    pub computed_size: usize,
    /// The type's bound.
    pub max_size: usize,
}

/// Every message of every suite, and what they need.
pub static KINDS: &[Kind] = {
    #[allow(deprecated, reason = "the corpus has deprecated types to see that they work")]
    const ALL: &[Kind] = include!(concat!(env!("OUT_DIR"), "/table.rs"));
    ALL
};

impl Kind {
    /// The type of that name.
    ///
    /// # Panics
    /// If there is none.
    pub fn of(name: &str) -> Self {
        let kind = KINDS.iter().find(|kind| kind.name == name);
        *kind.unwrap_or_else(|| panic!("no message {name} in the corpus"))
    }

    /// What the `.proto` says of it.
    ///
    /// # Panics
    /// Never: the table is made from the same descriptors.
    pub fn descriptor(&self) -> MessageDescriptor {
        let (_, pool) = POOLS
            .iter()
            .find(|(suite, _)| *suite == self.suite)
            .expect("a pool for each suite");
        pool.get_message_by_name(self.name)
            .expect("a descriptor for each type")
    }
}

fn recode<M: MessageDecode + MessageEncode + Default>(octets: &[u8]) -> Result<Recoded, Fault> {
    let mut message = M::default();
    message.decode_from_bytes(octets)?;
    let mut encoder = PbEncoder::new(wire::Sink::default());
    let Ok(()) = message.encode(&mut encoder);
    Ok(Recoded {
        octets: encoder.into_writer().0,
        computed_size: message.compute_size(),
        max_size: rpc_nostd::micropb::size::max_encoded_size::<M>(),
    })
}

fn recode_theirs<M: prost::Message + Default>(octets: &[u8]) -> Result<Vec<u8>, prost::DecodeError> {
    Ok(M::decode(octets)?.encode_to_vec())
}

static POOLS: LazyLock<Vec<(&str, DescriptorPool)>> = LazyLock::new(|| {
    let mut pools: Vec<(&str, DescriptorPool)> = Vec::new();
    for kind in KINDS {
        if pools.iter().all(|(suite, _)| *suite != kind.suite) {
            let path = format!("{}/{}.binpb", env!("OUT_DIR"), kind.suite);
            let set = std::fs::read(path).expect("written by the build script");
            let pool = DescriptorPool::decode(set.as_slice()).expect("written by the build script");
            pools.push((kind.suite, pool));
        }
    }
    pools
});
