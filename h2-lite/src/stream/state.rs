//! Stream states. Spec: RFC 9113 section 5.1.

/// The life of a stream. Without server push the reserved states do not exist.
///
/// ```text
///              HEADERS sent or received
///      Idle ---------------------------> Open
///                                      /      \
///            END_STREAM sent          /        \   END_STREAM received
///                  HalfClosedLocal <-+          +-> HalfClosedRemote
///                          \                        /
///        END_STREAM received \                    / END_STREAM sent
///                              +---> Closed <---+      (RST_STREAM either way: Closed)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not yet opened.
    Idle,
    /// Both sides may send.
    Open,
    /// We have ended our side.
    HalfClosedLocal,
    /// The peer has ended its side.
    HalfClosedRemote,
    /// Over.
    Closed,
}

impl State {
    /// HEADERS were sent or received on an idle stream.
    pub(crate) const fn open(&mut self) {
        *self = Self::Open;
    }

    /// We sent END_STREAM.
    pub(crate) const fn close_local(&mut self) {
        *self = match self {
            Self::Idle | Self::Open => Self::HalfClosedLocal,
            Self::HalfClosedLocal => Self::HalfClosedLocal,
            Self::HalfClosedRemote | Self::Closed => Self::Closed,
        };
    }

    /// The peer sent END_STREAM.
    pub(crate) const fn close_remote(&mut self) {
        *self = match self {
            Self::Idle | Self::Open => Self::HalfClosedRemote,
            Self::HalfClosedRemote => Self::HalfClosedRemote,
            Self::HalfClosedLocal | Self::Closed => Self::Closed,
        };
    }

    /// We may send HEADERS and DATA.
    pub(crate) const fn can_send(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }

    /// The peer may send HEADERS and DATA.
    pub(crate) const fn can_receive(self) -> bool {
        // Spec: h2-5.1-half-closed, h2-6.1-state
        matches!(self, Self::Open | Self::HalfClosedLocal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_stream_of_both_sides_closes_in_either_order() {
        let (mut ours_first, mut theirs_first) = (State::Open, State::Open);
        ours_first.close_local();
        assert_eq!(ours_first, State::HalfClosedLocal);
        assert!(ours_first.can_receive() && !ours_first.can_send());
        ours_first.close_remote();
        theirs_first.close_remote();
        assert_eq!(theirs_first, State::HalfClosedRemote);
        assert!(theirs_first.can_send() && !theirs_first.can_receive());
        theirs_first.close_local();
        assert_eq!((ours_first, theirs_first), (State::Closed, State::Closed));
    }

    #[test]
    fn idle_stream_neither_sends_nor_receives() {
        assert!(!State::Idle.can_send() && !State::Idle.can_receive());
        assert!(!State::Closed.can_send() && !State::Closed.can_receive());
    }
}
