//! What is refused when a program is compiled, with the limit's name and what it must be. Beside each stands the least, or
//! the most, that is taken.
//!
//! `STREAMS` of `Resources` is 1 to 255:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::Resources::<'_, 0, 261, 384, 0>::new();
//! ```
//! ```compile_fail,E0080
//! let _ = rpc_nostd::Resources::<'_, 256, 261, 384, 0>::new();
//! ```
//! `STREAMS * RECV` is at most 65,535:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::Resources::<'_, 2, 32_768, 384, 0>::new();
//! ```
//! `RECV` is at least 261:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::Resources::<'_, 1, 260, 384, 0>::new();
//! ```
//! `SEND` is at least 384:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::Resources::<'_, 1, 261, 383, 0>::new();
//! ```
//! `SCRATCH` is at least 48:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::Resources::<'_, 1, 261, 384, 0, 0, 47>::new();
//! ```
//! All of these at their limits, with a `TABLE` and a `META` of nothing:
//! ```
//! let _ = rpc_nostd::Resources::<'_, 1, 261, 384, 0, 0, 48>::new();
//! let _ = rpc_nostd::Resources::<'_, 251, 261, 384, 0, 0, 48>::new();
//! let _ = rpc_nostd::Resources::<'_, 1, 65_535, 384, 0, 0, 48>::new();
//! ```
//!
//! `CONNECTIONS` of `ServerResources` is at least 1, its `STREAMS` 1 to 255:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::server::ServerResources::<'_, 0, 1, 261, 384>::new();
//! ```
//! ```compile_fail,E0080
//! let _ = rpc_nostd::server::ServerResources::<'_, 1, 0, 261, 384>::new();
//! ```
//! `STREAMS * RECV` is at most 65,535:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::server::ServerResources::<'_, 1, 2, 32_768, 384>::new();
//! ```
//! `RECV` is at least 261, `SEND` 384, `SCRATCH` 64:
//! ```compile_fail,E0080
//! let _ = rpc_nostd::server::ServerResources::<'_, 1, 1, 260, 384>::new();
//! ```
//! ```compile_fail,E0080
//! let _ = rpc_nostd::server::ServerResources::<'_, 1, 1, 261, 383>::new();
//! ```
//! ```compile_fail,E0080
//! let _ = rpc_nostd::server::ServerResources::<'_, 1, 1, 261, 384, 0, 63>::new();
//! ```
//! ```
//! let _ = rpc_nostd::server::ServerResources::<'_, 1, 1, 261, 384, 0, 64>::new();
//! ```
