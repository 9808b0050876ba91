//! RFC 9113 as scripts of frames. Every test is named for the rule it proves and cites its section; every script runs
//! for every cut of the peer's octets (see `support`).
#![allow(unreachable_pub, dead_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing
)]

mod budgets;
mod corpus;
mod flow_control;
mod frames;
mod header_blocks;
mod honest_client;
mod honest_peer;
mod joined_data;
mod messages;
mod output;
mod preface_settings;
mod random;
mod sent;
mod server;
mod server_shutdown;
mod server_streams;
mod shutdown;
mod sizes;
mod streams;
mod support;
