//! The cases, by their official names.

/// All plaintext cases of the interop suite, in its order, and both soaks.
pub(crate) const CASES: [&str; 16] = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    RPC_SOAK,
    CHANNEL_SOAK,
];

/// Runs as often as `--soak_iterations` says.
pub(crate) fn is_soak(case: &str) -> bool {
    case == RPC_SOAK || case == CHANNEL_SOAK
}

/// The number that a case has in the matrix, where its name has no room.
pub(crate) fn number(case: &str) -> usize {
    CASES.iter().take_while(|name| **name != case).count() + 1
}

const RPC_SOAK: &str = "rpc_soak";
const CHANNEL_SOAK: &str = "channel_soak";
