//! What several images keep: values that both sides use, and what a client has of either kind.

use core::hint::black_box;

use rpc_nostd::ReceivedMetadata;

use crate::keep::{keep, keep_call};
use crate::proto::Item;
use crate::token::Token;

/// Status, metadata, methods, limits.
pub fn keep_values() {
    keep(rpc_nostd::Status::new as *const ());
    keep(rpc_nostd::Status::with_text as *const ());
    keep(rpc_nostd::Status::code as *const ());
    keep(rpc_nostd::Status::message as *const ());
    keep(rpc_nostd::Status::is_local as *const ());
    keep(rpc_nostd::Status::is_message_truncated as *const ());
    keep(rpc_nostd::Code::as_u8 as *const ());
    keep(rpc_nostd::Code::from_u32 as *const ());
    keep(rpc_nostd::Code::name as *const ());
    keep(rpc_nostd::Method::unary as *const ());
    keep(rpc_nostd::Method::server_streaming as *const ());
    keep(rpc_nostd::Method::client_streaming as *const ());
    keep(rpc_nostd::Method::bidi_streaming as *const ());
    keep(rpc_nostd::Method::path as *const ());
    keep(rpc_nostd::Method::kind as *const ());
    keep(rpc_nostd::recv_for as *const ());
    keep(rpc_nostd::send_for as *const ());
    keep(rpc_nostd::MetadataEntry::ascii as *const ());
    keep(rpc_nostd::MetadataEntry::binary as *const ());
    keep(rpc_nostd::ReceivedMetadata::new as *const ());
    keep(rpc_nostd::ReceivedMetadata::status_details as *const ());
    keep(rpc_nostd::ReceivedMetadata::overflowed as *const ());
    keep_call(|(received, name): (&ReceivedMetadata<'_>, &str)| {
        rpc_nostd::ReceivedMetadata::initial(received, name).for_each(see);
        rpc_nostd::ReceivedMetadata::trailing(received, name).for_each(see);
    });
    keep_call(|received: &ReceivedMetadata<'_>| {
        rpc_nostd::ReceivedMetadata::all_initial(received).for_each(see);
        rpc_nostd::ReceivedMetadata::all_trailing(received).for_each(see);
    });
}

/// Messages.
pub fn keep_messages() {
    keep(<Item as rpc_nostd::micropb::MessageEncode>::compute_size as *const ());
    keep(Item::default as *const ());
    keep(<Item as Clone>::clone as *const ());
    keep(<Item as PartialEq>::eq as *const ());
}

/// What a client is made from.
pub fn keep_config() {
    keep(rpc_nostd::Config::new as *const ());
    keep(rpc_nostd::Resources::<4, 512, 1_024, 256>::new as *const ());
    keep(<Token as rpc_nostd::CallCredentials>::poll_ready as *const ());
    keep(<Token as rpc_nostd::CallCredentials>::rejected as *const ());
}

/// The options of a call on `C`.
pub fn keep_builders<C: 'static>() {
    type Kind = rpc_nostd::client::UnaryKind<'static, Item, Item>;
    keep(rpc_nostd::client::CallBuilder::<C, Kind>::deadline as *const ());
    keep(rpc_nostd::client::CallBuilder::<C, Kind>::no_deadline as *const ());
    keep(rpc_nostd::client::CallBuilder::<C, Kind>::wait_for_ready as *const ());
    keep(rpc_nostd::client::CallBuilder::<C, Kind>::metadata as *const ());
    keep(rpc_nostd::client::CallBuilder::<C, Kind>::credentials as *const ());
    keep(rpc_nostd::client::Unary::<C, Item, Item>::new as *const ());
    keep(rpc_nostd::client::Unary::<C, Item, Item>::receive_into as *const ());
    keep(rpc_nostd::client::Unary::<C, Item, Item>::buffer as *const ());
    keep(rpc_nostd::client::Unary::<C, Item, Item>::streamed as *const ());
    keep(rpc_nostd::client::Unary::<C, Item, Item>::with_large_field as *const ());
    keep(rpc_nostd::client::ServerStreaming::<C, Item, Item>::new as *const ());
    keep(rpc_nostd::client::ServerStreaming::<C, Item, Item>::with_large_field as *const ());
    keep(rpc_nostd::client::ClientStreaming::<C, Item, Item>::new as *const ());
    keep(rpc_nostd::client::BidiStreaming::<C, Item, Item>::new as *const ());
}

fn see<T>(value: T) {
    black_box(value);
}
