//! What the network drivers share: room for one frame each way, and the receive token over it.

use embassy_net_driver::RxToken;

/// Room for the frame being received and the frame being sent. Lent to a driver for good.
pub struct FrameBuffers {
    pub(crate) rx: [u8; FRAME_LEN],
    pub(crate) tx: [u8; FRAME_LEN],
}

impl FrameBuffers {
    /// Empty buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx: [0; FRAME_LEN],
            tx: [0; FRAME_LEN],
        }
    }
}

impl Default for FrameBuffers {
    fn default() -> Self {
        Self::new()
    }
}

/// One received frame.
pub struct Received<'a> {
    pub(crate) frame: &'a mut [u8],
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        f(self.frame)
    }
}

/// Largest Ethernet frame without its FCS.
pub(crate) const FRAME_LEN: usize = 1514;
/// Addresses and type.
pub(crate) const HEADER_LEN: usize = 14;
