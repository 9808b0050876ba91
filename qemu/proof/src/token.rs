//! Credentials that a client adds.

use rpc_nostd::{CallCredentials, MetadataEntry, Method};

/// A token that is always at hand.
#[derive(Clone, Copy, Debug)]
pub struct Token(pub &'static str);

impl CallCredentials for Token {
    fn emit(&self, _: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
        push(MetadataEntry::ascii("authorization", self.0));
    }
}
