//! Request metadata that comes back.

use rpc_nostd::server::{Context, Interceptor};
use rpc_nostd::{Code, MetadataEntry, Status};

use crate::{ECHO_INITIAL, ECHO_TRAILING};

/// Sends the interop test's two metadata fields back: one with the headers, one with the status.
#[derive(Clone, Copy, Debug)]
pub struct Echo;

impl Interceptor for Echo {
    async fn before(&self, context: &mut Context<'_>) -> Result<(), Status> {
        let metadata = context.metadata();
        for value in metadata.initial(ECHO_INITIAL) {
            let text = core::str::from_utf8(value).map_err(|_| NOT_TEXT)?;
            context.add_initial(MetadataEntry::ascii(ECHO_INITIAL, text))?;
        }
        for value in metadata.initial(ECHO_TRAILING) {
            context.add_trailing(MetadataEntry::binary(ECHO_TRAILING, value))?;
        }
        Ok(())
    }
}

const NOT_TEXT: Status = Status::new(
    Code::INVALID_ARGUMENT,
    "the value of x-grpc-test-echo-initial is not printable ASCII",
);
