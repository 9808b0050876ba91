//! What a server says to a client for which it has no connection.

use crate::frame::{ErrorCode, FrameHeader, GoAway, Settings, StreamId};

/// The octets of two frames, to be written in order to a client that is turned away: SETTINGS, which must come first, and a
/// GOAWAY by which it knows that none of its requests was looked at, so that it can send them elsewhere. It needs no
/// [`Connection`](crate::Connection).
///
/// Spec: RFC 9113 sections 3.4 and 6.8.
#[must_use]
pub const fn refusal() -> ([u8; FrameHeader::LEN], [u8; GoAway::LEN]) {
    let settings = Settings {
        length: 0,
        ack: false,
    };
    let goaway = GoAway {
        last_stream_id: StreamId::CONNECTION,
        code: ErrorCode::NO_ERROR,
    };
    (settings.encode(), goaway.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_turned_away_gets_settings_and_a_goaway_that_names_no_stream_6_8() {
        let (settings, goaway) = refusal();
        assert_eq!(settings, [0, 0, 0, 4, 0, 0, 0, 0, 0]);
        assert_eq!(goaway, [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
