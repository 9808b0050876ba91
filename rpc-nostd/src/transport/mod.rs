//! How octets come and go. A transport never sees gRPC, and the code here never sees HTTP/2.

pub mod asynch;
pub mod blocking;
#[cfg(feature = "embassy-net")]
pub mod embassy;
